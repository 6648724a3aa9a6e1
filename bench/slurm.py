"""2,000 tiny runs through Slurm: `doe` beside a bare `sbatch --array` with the same chunks, and Slurm's commands that were called.

A cluster of its own is started on this machine (`tests/slurm/start.sh`) unless SLURM_CONF leads to one; submitit beside it, if
it is installed.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from bench.timing import in_turn, show

RUNS, CHUNK, SLOTS = 2_000, 50, 8
SCRIPTS = Path(__file__).parent.parent / "tests" / "slurm"
STUDY = f"""\
doe: 1
study: tiny
variables:
  x: {{generator: Uniform, min: 0, max: 1}}
design: {{method: sobol, runs: {RUNS}}}
analyses:
  - analysis: {{code: user_included}}
    command: echo $x > out
    hardware: {{coreType: emerald, slots: {SLOTS}}}
"""
CONFIGURATION = "executor: slurm\nslurm: {runsPerTask: %d, pollSeconds: 30}\n"
BARE = """\
#!/bin/sh
for number in $(seq $(((SLURM_ARRAY_TASK_ID - 1) * $2 + 1)) $((SLURM_ARRAY_TASK_ID * $2))); do
  mkdir "$1/run$number"
  cd "$1/run$number"
  sh -c 'echo 1 > out' > log 2>&1
done
"""


@contextmanager
def cluster() -> Iterator[None]:
    """A Slurm of its own, unless there is one."""
    if os.environ.get("SLURM_CONF") or not shutil.which("slurmctld"):
        yield
        return
    root = Path(tempfile.mkdtemp(prefix="slurm", dir="/tmp"))
    environment = {**os.environ, "SLURM_ROOT": str(root), "NODES": "2", "CPUS": "4"}
    os.environ["SLURM_CONF"] = str(root / "etc" / "slurm.conf")
    try:
        subprocess.run(
            ["bash", str(SCRIPTS / "start.sh")], check=True, env=environment, stdout=subprocess.DEVNULL
        )
        yield
    finally:
        subprocess.run(
            ["bash", str(SCRIPTS / "stop.sh")], check=True, env=environment, stdout=subprocess.DEVNULL
        )
        del os.environ["SLURM_CONF"]
        shutil.rmtree(root, ignore_errors=True)


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def ended(job_id: str) -> None:
    """Wait until squeue does not list the job any more."""
    while subprocess.run(
        ["squeue", "--noheader", f"--jobs={job_id}"], capture_output=True, text=True, check=False
    ).stdout.strip():
        time.sleep(0.1)


def bare(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "task.sh").write_text(BARE)
    options = ["--parsable", f"--array=1-{RUNS // CHUNK}%{SLOTS}", "--output=/dev/null", "--nodes=1"]
    command = ["sbatch", *options, str(folder / "task.sh"), str(folder), str(CHUNK)]
    ended(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())
    assert len(list(folder.glob("run*/out"))) == RUNS


def doe(folder: Path, calls: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    (folder / ".doe").mkdir(parents=True)
    (folder / "study.yaml").write_text(STUDY)
    (folder / ".doe" / "config.yaml").write_text(CONFIGURATION % CHUNK)
    environment = {**os.environ, "PATH": f"{calls.parent}:{os.environ['PATH']}", "SLURM_CALLS": str(calls)}
    command = [sys.executable, "-m", "doe_compiler", "apply", str(folder / "study.yaml"), "--yes"]
    subprocess.run(command, check=True, capture_output=True, env=environment)


def by_submitit(folder: Path) -> None:
    import submitit

    shutil.rmtree(folder, ignore_errors=True)
    executor = submitit.AutoExecutor(folder=folder)
    executor.update_parameters(slurm_array_parallelism=SLOTS, timeout_min=10)
    chunks = [list(range(first, first + CHUNK)) for first in range(0, RUNS, CHUNK)]
    for job in executor.map_array(_chunk, [str(folder)] * len(chunks), chunks):
        job.result()


def _chunk(folder: str, numbers: list[int]) -> None:
    for number in numbers:
        place = Path(folder) / f"run{number}"
        place.mkdir()
        subprocess.run(["sh", "-c", "echo 1 > out"], cwd=place, check=True)


def counted(folder: Path) -> Path:
    """A folder of commands that count themselves before they are Slurm's; the file of the count."""
    folder.mkdir()
    for command in ("sbatch", "squeue", "scancel", "scontrol", "sacct"):
        path = folder / command
        path.write_text(
            f'#!/bin/sh\n[ -z "$SLURM_CALLS" ] || echo {command} >> "$SLURM_CALLS"\nexec {shutil.which(command)} "$@"\n'
        )
        path.chmod(0o755)
    return folder / "calls"


def main() -> None:
    if shutil.which("sbatch") is None:
        show("Slurm", [("sbatch", "not installed", "", "")])
        return
    where = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with cluster(), tempfile.TemporaryDirectory(dir=where) as name:
        folder = Path(name)
        calls = counted(folder / "counting")
        subjects = {
            "sbatch --array": lambda: seconds(lambda: bare(folder / "bare")),
            "doe apply": lambda: seconds(lambda: doe(folder / "doe", calls)),
        }
        if find_spec("submitit"):
            subjects["submitit"] = lambda: seconds(lambda: by_submitit(folder / "submitit"))
        taken = in_turn(subjects, rounds=3)
        limit = taken["sbatch --array"]
        rows = [("what", "runs/s", "ratio", "aim")]
        rows += [
            (what, f"{RUNS / took:.0f}", f"{limit / took:.2f}", "0.9" if what == "doe apply" else "")
            for what, took in taken.items()
        ]
        if "submitit" not in subjects:
            rows.append(("submitit", "not installed", "", ""))
        told = calls.read_text().split() if calls.exists() else []
        rows.append(("calls of Slurm's commands per run", f"{len(told) / 4 / RUNS:.4f}", "", ""))
        show(f"{RUNS:,} tiny runs through Slurm, {CHUNK} a task, {SLOTS} tasks at a time", rows)
