"""A job while its runs are with Slurm."""

from collections import deque
from dataclasses import dataclass, field

from doe_compiler.platform.execute.launcher import JobPlace
from doe_compiler.platform.execute.reading import read_from
from doe_compiler.platform.execute.slurm.arrays import Array, ArrayFiles, Item


@dataclass(slots=True)
class SeatOf:
    """A run that is on its way: whether it is known to have begun, and its exit status and time of end if it has one."""

    number: int
    job: "SlurmJob"
    item: Item
    has_begun: bool = False
    began_us: int = 0
    ended: tuple[int, int] | None = None
    tell_at: float = 0.0


@dataclass(slots=True)
class SlurmJob:
    """A job's arrays, its runs that wait for one, and its seats by the marks of their items.

    `attempts` counts the tasks that were to run a run; `goes_singly`: a run is a task's only one from now on, for some
    had too little time behind others.
    """

    place: JobPlace
    files: ArrayFiles
    arrays: list[Array] = field(default_factory=list)
    waiting: deque[Item] = field(default_factory=deque)
    seats: dict[str, SeatOf] = field(default_factory=dict)
    attempts: dict[int, int] = field(default_factory=dict)
    durations_s: deque[float] = field(default_factory=lambda: deque(maxlen=200))
    next_number: int = 1
    mark_count: int = 0
    goes_singly: bool = False
    is_cancelled: bool = False
    is_written: bool = False
    reads: bool = False

    def __post_init__(self) -> None:
        """The job wants its outputs read or not."""
        self.reads = read_from(self.place.form) is not None
