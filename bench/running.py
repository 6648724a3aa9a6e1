"""1,000 runs of a shell script that reads its rendered file and writes one output, 2 at a time.

`doe apply` renders, runs and stores every output with its md5; GNU parallel and a bare posix_spawn loop only
start the same script over files rendered before. A third loop makes each run's folder and files as the
platform does and does nothing else: the limit of the file system.

A second study, whose script writes a text and a JSON, runs without responses and with one of each.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.timing import environment, in_turn, process_s, show

RUNS = 1_000
SCRIPT = """\
#!/bin/sh
while read -r name _ value; do [ "$name" = x ] && x=$value; done < deck.txt
echo "y = $x" > out.txt
"""
STUDY = f"""\
doe: 1
study: many
variables:
  x: {{generator: Uniform, min: 0, max: 1}}
design: {{method: monte-carlo, runs: {RUNS}}}
analyses:
  - analysis: {{code: user_included}}
    command: ./run.sh
    hardware: {{coreType: standard-plus, slots: 2}}
    inputFiles: [run.sh]
    templates: [{{source: deck.template, target: deck.txt}}]
"""


SCRIPT_OF_TWO = f"""\
{SCRIPT}echo "{{\\"forces\\": {{\\"drag\\": $x}}}}" > out.json
"""
RESPONSES = """\
responses:
  y: {file: out.txt, regex: 'y = (\\S+)'}
  drag: {file: out.json, json: forces.drag}
"""


def prepared(parent: Path, script: str = SCRIPT, more: str = "") -> Path:
    """A new folder with the study, and a folder a run with its files ready for those who do not render.

    Nothing is removed before the end, and what is written is on the disk before the clock starts: a file
    system that still tidies up behind one subject would slow the next.
    """
    folder = Path(tempfile.mkdtemp(dir=parent))
    (folder / "run.sh").write_text(script)
    (folder / "run.sh").chmod(0o755)
    (folder / "deck.template").write_text("# a deck\nx = ${x}\n")
    (folder / "study.yaml").write_text(STUDY + more)
    for number in range(RUNS):
        run = folder / "ready" / str(number)
        run.mkdir(parents=True)
        (run / "deck.txt").write_text(_deck(number))
    os.sync()
    return folder


def _deck(number: int) -> str:
    return f"# a deck\nx = {number / RUNS}\n"


def doe_s(folder: Path) -> float:
    """A whole `doe apply`, from nothing to results."""
    doe = str(Path(sys.executable).parent / "doe")
    return process_s([doe, "apply", str(folder), "--yes"], stdin=subprocess.DEVNULL)


def executing_s(folder: Path) -> float:
    """From the first run's start to the last one's end, as the platform recorded them."""
    doe_s(folder)
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from doe_compiler.pipeline.connection import connected\n"
        "with connected('local', environ={}, home=Path(), study_folder=Path(sys.argv[1])) as platform:\n"
        "    client = platform.client\n"
        "    runs = [run for job in client.all_jobs() for run in client.all_runs(job.id)]\n"
        "print((max(r.completed for r in runs) - min(r.started for r in runs)).total_seconds())\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        check=True,
        capture_output=True,
        text=True,
        env=environment(),
    )
    return float(told.stdout)


def parallel_s(folder: Path, *options: str) -> float:
    """GNU parallel over the ready folders."""
    command = "cd ready/{} && ../../run.sh"
    listed = "\n".join(map(str, range(RUNS)))
    began = time.perf_counter()
    subprocess.run(
        ["parallel", "--will-cite", "-j2", *options, command], input=listed, text=True, check=True, cwd=folder
    )
    return time.perf_counter() - began


def keeping_parallel_s(folder: Path) -> float:
    """GNU parallel that keeps a line a run and each run's output, which is what `doe` does, without the rest."""
    return parallel_s(folder, "--joblog", "joblog", "--results", "kept")


def spawn_s(folder: Path) -> float:
    """A bare posix_spawn loop, two at a time; the working directory is set in this process."""
    script = str(folder / "run.sh")
    home = Path.cwd()
    began = time.perf_counter()
    running = 0
    for number in range(RUNS):
        if running == 2:
            os.wait()
            running -= 1
        os.chdir(folder / "ready" / str(number))
        os.posix_spawn(script, [script], os.environ)
        running += 1
    for _ in range(running):
        os.wait()
    os.chdir(home)
    return time.perf_counter() - began


def making_s(folder: Path) -> float:
    """The bare loop, which also makes each run's folder with its deck, its script and its log."""
    made = folder / "made"
    made.mkdir()
    home = Path.cwd()
    began = time.perf_counter()
    running = 0
    for number in range(RUNS):
        run = str(made / str(number))
        os.mkdir(run)  # noqa: PTH102
        os.chdir(run)
        _write("run.sh", SCRIPT, 0o755)
        _write("deck.txt", _deck(number), 0o644)
        if running == 2:
            os.wait()
            running -= 1
        log = (os.POSIX_SPAWN_OPEN, 1, "process_output.log", os.O_WRONLY | os.O_CREAT, 0o644)
        os.posix_spawn("./run.sh", ["./run.sh"], os.environ, file_actions=[log])
        running += 1
    for _ in range(running):
        os.wait()
    os.chdir(home)
    return time.perf_counter() - began


def _write(name: str, text: str, mode: int) -> None:
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT, mode)
    os.write(descriptor, text.encode())
    os.close(descriptor)


def measure(place: str, parent: str | None) -> None:
    with tempfile.TemporaryDirectory(dir=parent) as name:
        parent = Path(name)
        subjects = {"posix_spawn": spawn_s, "making": making_s, "executing": executing_s, "apply": doe_s}
        if shutil.which("parallel"):
            subjects |= {"parallel": parallel_s, "keeping": keeping_parallel_s}
        taken = in_turn({key: lambda s=s: s(prepared(parent)) for key, s in subjects.items()}, rounds=3)
        bare = RUNS / taken["posix_spawn"]
        rows = [("what", "runs/s", "of posix_spawn", "aim")]
        rows.append(("bare posix_spawn loop", f"{bare:.0f}", "1", ""))
        for key, title, aim in (
            ("making", "... that makes the files too", ""),
            ("executing", "doe, first start to last end", "0.5"),
            ("apply", "doe apply, the whole command", "0.5"),
            ("parallel", "GNU parallel", ""),
            ("keeping", "GNU parallel --joblog --results", ""),
        ):
            if key not in taken:
                rows.append((title, "not installed: Debian package parallel", "", ""))
                continue
            rate = RUNS / taken[key]
            rows.append((title, f"{rate:.0f}", f"{rate / bare:.2f}", aim))
        for key, title in (("parallel", "GNU parallel"), ("keeping", "GNU parallel --joblog --results")):
            if key in taken:
                rows.append((f"doe apply / {title}", "", f"{taken[key] / taken['apply']:.1f}", "3"))
        show(f"{RUNS:,} runs of a shell script, 2 at a time, on {place}", rows)


def measure_reading(place: str, parent: str | None) -> None:
    with tempfile.TemporaryDirectory(dir=parent) as name:
        folders = {"without": "", "with": RESPONSES}
        subjects = {
            f"{what} {key}": lambda more=more, clock=clock: clock(prepared(Path(name), SCRIPT_OF_TWO, more))
            for key, more in folders.items()
            for what, clock in (("executing", executing_s), ("apply", doe_s))
        }
        taken = in_turn(subjects, rounds=3)
        rows = [("what", "runs/s", "of those without", "aim")]
        for what, title in (("executing", "first start to last end"), ("apply", "the whole command")):
            bare, reading = (RUNS / taken[f"{what} {key}"] for key in folders)
            rows.append((f"{title}, without responses", f"{bare:.0f}", "1", ""))
            rows.append((f"{title}, a regex and a JSON", f"{reading:.0f}", f"{reading / bare:.2f}", "0.8"))
        show(f"{RUNS:,} runs with and without responses, 2 at a time, on {place}", rows)


def main() -> None:
    places = [("disk", None)]
    if Path("/dev/shm").is_dir():
        places.insert(0, ("a RAM disk", "/dev/shm"))
    for measured in (measure, measure_reading):
        for place, parent in places:
            measured(place, parent)
