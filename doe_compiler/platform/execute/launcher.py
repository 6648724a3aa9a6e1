"""What starts the runs of a job and tells how they ended: the part in which executors differ.

Before it a run's directory is prepared, after it what the run left is collected; both are the same everywhere.
"""

import enum
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from doe_compiler.platform.execute.steps import Steps
from doe_compiler.platform.execute.supervisor import Signal
from doe_compiler.platform.store.form import JobForm
from doe_compiler.platform.store.runuser import RunFolder, RunUser, reached


class Kind(enum.Enum):
    """How it went on with a run that was to start."""

    ENDED = "it ran to its end, or was killed"
    NOT_STARTED = "it could not be started"
    CUT_OFF = "it was ended before it was through, by no fault of its own that is known"
    AGAIN = "it was interrupted and begins anew"
    NEVER = "it did not begin and will not"


@dataclass(frozen=True, slots=True)
class End:
    """How the run of a seat ended: its status (negative: the signal), and why if that does not tell.

    `printed` are its variables if they have been read already, lines `name<TAB>value`; `reason` is the job's for a run
    that was cut off.
    """

    seat: int
    status: int
    ended_us: int
    kind: Kind = Kind.ENDED
    problem: str = ""
    printed: bytes | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class JobPlace:
    """What is to be known of a job for starting its runs: its form, steps, and the folder in which its runs lie."""

    id: str
    folder: str
    form: JobForm
    steps: Steps
    expected_runs: int
    has_own_homes: bool = False
    user: RunUser | None = None

    def directory(self, number: int) -> str:
        """The work directory of a run."""
        return f"{self.folder}/run{number}"

    def reached(self, number: int) -> AbstractContextManager[RunFolder]:
        """The work directory of a run, open."""
        return reached(self.directory(number), self.user)

    def home(self, number: int) -> str:
        """The HOME of a run; empty where that is the user's."""
        return f"{self.folder}/home{number}" if self.has_own_homes else ""

    def post_output(self, slot: int) -> str:
        """Where the post-processing of the run in a slot prints to."""
        return f"{self.folder}/post{slot}"


@dataclass(frozen=True, slots=True)
class Room:
    """How many runs of a job may be started at a time, and the cores that each takes of this machine.

    `walltime_s` is after how long the executor ends the job, None if nobody does or the launcher sees to it.
    """

    cores_per_run: int
    most_at_a_time: int
    walltime_s: float | None


@dataclass(frozen=True, slots=True)
class Handed:
    """A run that was handed over before this executor came; it may have begun, or ended meanwhile."""

    number: int
    slot: int
    seat: int


class LauncherError(Exception):
    """Runs cannot be started at all; the message says why."""


class Launcher(Protocol):
    """Starts runs in seats; a seat is a number that stands for a run from its start to its end."""

    tick_s: float
    cores: int

    def home(self, job_id: str) -> Path:
        """The folder of a job's runs, made if it is not there."""

    def room(self, form: JobForm, expected_runs: int) -> Room:
        """How many runs of a job may be started at a time."""

    def handed(self, place: JobPlace, completed: bytearray) -> Iterable[Handed]:
        """The runs that are on their way, whatever became of the executor that started them."""

    def start(self, place: JobPlace, number: int, slot: int) -> int:
        """Start the run whose directory is prepared, now or with the next `send`; its seat."""

    def send(self, place: JobPlace, *, is_whole: bool) -> None:
        """Send off what was started; `is_whole` says that no more of the job follows for now."""

    def begun(self) -> Iterator[tuple[int, int]]:
        """The seats whose runs have begun since the last call, and when, in microseconds since 1970."""

    def ends(self) -> Iterator[End]:
        """The runs that have ended since the last call."""

    def lost(self) -> Iterator[End]:
        """The runs of which nobody would tell, looked for once in a while."""

    def signal(self, seat: int, which: Signal) -> None:
        """Signal the run of a seat."""

    def over(self, place: JobPlace) -> None:
        """Take note that nothing of a job is left to do."""

    def close(self) -> Iterator[End]:
        """Let go: what ends with the executor has ended then, and is told; other runs go on."""
