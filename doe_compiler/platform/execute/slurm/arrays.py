"""What is known of a job's arrays: files beside its runs, written before Slurm is asked for anything."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Item:
    """A run of a task: its number, which attempt it is, and its slot."""

    run: int
    attempt: int
    slot: int

    @property
    def mark(self) -> str:
        """The end of the names of its marks."""
        return f"{self.run}.{self.attempt}"


@dataclass(slots=True)
class Array:
    """An array: its number in the job, the runs of each task, and its job id when Slurm has acknowledged it.

    `away` says since when tasks are not there any more, by their indices from 1; `settled` are those of which all runs
    were told of.
    """

    number: int
    tasks: list[list[Item]]
    name: str
    job_id: str = ""
    was_tried: bool = False
    is_to_cancel: bool = False
    retry_at: float = 0.0
    delay_s: float = 0.0
    away: dict[int, float] = field(default_factory=dict)
    settled: set[int] = field(default_factory=set)

    @property
    def is_over(self) -> bool:
        """Whether all tasks are gone and their runs settled."""
        return len(self.settled) == len(self.tasks)


class ArrayFiles:
    """The files of a job's arrays in its folder."""

    def __init__(self, home: str) -> None:
        self.folder = Path(home) / "slurm"
        self.marks = self.folder / "marks"

    def make(self) -> None:
        """Make the folders."""
        self.marks.mkdir(parents=True, exist_ok=True)

    def list_of(self, array: Array) -> Path:
        """The list of an array's tasks, a line each."""
        return self.folder / f"array{array.number}.tasks"

    def intend(self, array: Array) -> None:
        """Write down the array before it is submitted."""
        lines = (" ".join(f"{i.run}.{i.attempt}.{i.slot}" for i in task) for task in array.tasks)
        _write(self.list_of(array), "".join(f"{line}\n" for line in lines))

    def acknowledge(self, array: Array) -> None:
        """Write down the array's job id."""
        _write(self.folder / f"array{array.number}.id", array.job_id)

    def close(self, array: Array) -> None:
        """Write down that nothing of the array is left in Slurm."""
        _write(self.folder / f"array{array.number}.over", "")

    def arrays(self) -> list[tuple[Array, bool]]:
        """The arrays that were written down, and whether each is over; their names are for the caller to set."""
        found = []
        for path in self.folder.glob("array*.tasks"):
            number = int(path.name.removeprefix("array").removesuffix(".tasks"))
            tasks = [
                [Item(*map(int, each.split("."))) for each in line.split()]
                for line in path.read_text(encoding="ascii").split("\n")[:-1]
            ]
            id_file = path.with_suffix(".id")
            job_id = id_file.read_text(encoding="ascii").strip() if id_file.exists() else ""
            found.append((Array(number, tasks, "", job_id), path.with_suffix(".over").exists()))
        return sorted(found, key=lambda each: each[0].number)

    def claim(self, item: Item, by: str) -> bool:
        """Claim a run, so that no task begins it; False if one has."""
        try:
            descriptor = os.open(
                self.marks / f"claim-{item.mark}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644
            )
        except FileExistsError:
            return False
        os.write(descriptor, f"{by}\n".encode())
        os.close(descriptor)
        return True

    def claimed_by(self, item: Item) -> tuple[str, int] | None:
        """The array and the task that have claimed the run; None if none has."""
        try:
            words = (self.marks / f"claim-{item.mark}").read_text(encoding="ascii", errors="replace").split()
        except FileNotFoundError:
            return None
        return (words[0], int(words[1])) if len(words) == 2 and words[1].isdigit() else None

    def stop(self, item: Item) -> None:
        """Ask the task that runs it to end the run."""
        (self.marks / f"stop-{item.mark}").touch()

    def is_claimed(self, item: Item) -> bool:
        """Whether a task has begun with the run, or begins with it just now."""
        return (self.marks / f"claim-{item.mark}").exists()

    def began_us(self, item: Item) -> int:
        """When the run was claimed."""
        return (self.marks / f"claim-{item.mark}").stat().st_mtime_ns // 1000

    def end_of(self, item: Item) -> tuple[int, int] | None:
        """The exit status of the run and when it ended; None before that is written."""
        path = self.marks / f"end-{item.mark}"
        try:
            text = path.read_text(encoding="ascii")
            return (int(text), path.stat().st_mtime_ns // 1000) if text.endswith("\n") else None
        except FileNotFoundError:
            return None

    def printed(self, item: Item) -> bytes | None:
        """The variables that the task has read of the run, None if it has not."""
        try:
            return (self.marks / f"read-{item.mark}").read_bytes()
        except FileNotFoundError:
            return None

    def names(self) -> Sequence[str]:
        """The names of all marks."""
        return os.listdir(self.marks)  # noqa: PTH208 (a hundred thousand)


def _write(path: Path, text: str) -> None:
    """Write a file that is there as a whole, or not at all, also after a crash of the machine."""
    unfinished = path.with_name(f".{path.name}")
    with unfinished.open("w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)  # noqa: PTH105
