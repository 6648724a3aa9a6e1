"""Slurm by its own commands: sbatch, squeue, sacct, scancel, scontrol, each in bounded time."""

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from doe_compiler.platform.execute.launcher import LauncherError

PATIENCE_S = 120.0
SMALLEST_MAX_ARRAY_SIZE = 1001
_ID = re.compile(r"([0-9]+)(;.*)?")
# What the commands say when the controller is away, answers too late, or takes no more jobs for now.
_AWAY = re.compile(
    r"unable to contact|socket timed out|connection (refused|reset|timed out)|zero bytes were transmitted|"
    r"communication (connection )?failure|transport endpoint|message (receive|send) failure|temporarily|"
    r"unexpected message received|unable to connect|host is unreachable|slurmctld|munge|in standby mode",
    re.IGNORECASE,
)
_ACCOUNTED = re.compile(r"[0-9]+_([0-9]+|\[[^]]*\])\|([A-Z_]+).*")  # 7_[3-4%2]|CANCELLED by 0
_FULL = re.compile(r"limit|QOSMax|AssocMax|MaxSubmit|too many", re.IGNORECASE)


GONE = frozenset(
    [
        "BOOT_FAIL",
        "CANCELLED",
        "COMPLETED",
        "DEADLINE",
        "FAILED",
        "NODE_FAIL",
        "OUT_OF_MEMORY",
        "PREEMPTED",
        "REVOKED",
        "TIMEOUT",
    ]
)


class SlurmAwayError(Exception):
    """Slurm did not answer, or not in time: what was asked for may have happened or not."""


class SlurmFullError(Exception):
    """Slurm takes no more jobs of this user for now; the message is its own."""


class SlurmRefusedError(LauncherError):
    """Slurm refuses what it was asked for; the message is its own."""


@dataclass(frozen=True, slots=True)
class TaskState:
    """What Slurm says of one line of its list: an array's job id and name, the tasks, and their state."""

    job_id: str
    name: str
    tasks: frozenset[int]
    state: str

    @property
    def is_gone(self) -> bool:
        """Whether it neither waits nor runs any more."""
        return self.state in GONE


class Slurm:
    """The commands; `calls` counts them."""

    def __init__(self) -> None:
        self.calls = 0
        self._max_array_size = 0

    @property
    def max_array_size(self) -> int:
        """How many tasks an array may have; raises SlurmAwayError."""
        if not self._max_array_size:
            found = re.search(
                r"^MaxArraySize\s*=\s*([0-9]+)", self._output("scontrol", "show", "config"), re.MULTILINE
            )
            size = int(found[1]) if found else SMALLEST_MAX_ARRAY_SIZE
            self._max_array_size = max(size - 1, 1)  # indices are below it
        return self._max_array_size

    def submit(self, options: Sequence[str], script: str, arguments: Sequence[str]) -> str:
        """Submit a script; the job's id. Raises SlurmAwayError, SlurmFullError, SlurmRefusedError."""
        told = self._output("sbatch", "--parsable", *options, script, *arguments).strip()
        match = _ID.fullmatch(told)
        if match is None:
            raise SlurmAwayError(f"sbatch said {told[:200]!r}")
        return match[1]

    def states(self, names: Sequence[str]) -> list[TaskState]:
        """What Slurm knows of the jobs of these names, ended ones too as long as it remembers them."""
        told = self._output(
            "squeue", "--noheader", "--states=all", f"--name={','.join(names)}", "--format=%F|%K|%T|%j"
        )
        return [state for line in told.split("\n") if (state := _state(line)) is not None]

    def accounted(self, job_id: str) -> dict[int, str]:
        """The states of an array's tasks by the accounting database; nothing where there is none."""
        try:
            told = self._output(
                "sacct", "--noheader", "--parsable2", f"--jobs={job_id}", "--format=JobID,State"
            )
        except (SlurmAwayError, SlurmRefusedError, SlurmFullError):
            return {}
        found = {}
        for line in told.split("\n"):
            match = _ACCOUNTED.fullmatch(line)
            if match:
                found.update(dict.fromkeys(_indices(match[1]), match[2]))
        return found

    def cancel(self, job_id: str) -> None:
        """Cancel an array. Raises SlurmAwayError; one that is over already is cancelled."""
        try:
            self._output("scancel", job_id)
        except (SlurmRefusedError, SlurmFullError):
            return

    def tell(self, job_id: str, task: int) -> None:
        """Send SIGUSR1 to the script of a running task."""
        try:
            self._output("scancel", "--signal=USR1", "--batch", f"{job_id}_{task}")
        except (SlurmRefusedError, SlurmFullError):
            return

    def _output(self, *command: str) -> str:
        self.calls += 1
        environment = {**os.environ, "SLURM_BITSTR_LEN": "0", "LC_ALL": "C"}
        for name in ("SBATCH_EXPORT", "SQUEUE_FORMAT", "SQUEUE_STATES", "SLURM_CLUSTERS"):
            environment.pop(name, None)
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=PATIENCE_S,
                env=environment,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise SlurmAwayError(f"{command[0]} gave no answer in {PATIENCE_S:g} s") from error
        except OSError as error:
            raise SlurmRefusedError(f"{command[0]} cannot be started: {error.strerror}") from error
        if done.returncode == 0:
            return done.stdout
        said = " ".join(done.stderr.split()) or f"{command[0]} ended with status {done.returncode}"
        if done.returncode < 0 or _AWAY.search(said):
            raise SlurmAwayError(said)
        if _FULL.search(said):
            raise SlurmFullError(said)
        raise SlurmRefusedError(said)


def _state(line: str) -> TaskState | None:
    parts = line.strip().split("|", 3)
    if len(parts) < 4:
        return None
    job_id, tasks, state, name = parts
    return TaskState(job_id, name, frozenset(_indices(tasks)), state)


def _indices(text: str) -> Iterator[int]:
    """The indices in `7`, or in `[1-3,5,9-11%4]`, what waits of an array."""
    for part in text.strip("[]").partition("%")[0].split(","):
        first, _, last = part.partition("-")
        if first.isdigit():
            step_free = last.partition(":")[0]
            yield from range(int(first), int(step_free or first) + 1)
