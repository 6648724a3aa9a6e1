"""What a method is, and the one record that says all of it: its options, its size, its points, its source.

    latin-hypercube, 3 runs, 2 columns   ->   coordinates in [0, 1), shape (3, 2)
    box-behnken, 3 factors               ->   coded points -1, 0, 1, shape (13, 3)
    full-factorial, 2 and 3 levels       ->   level indices, shape (6, 2)

A method's module holds its record; `catalogue` is the dict of them. The schema, the checks of a study, the design room
and the docs read the records.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from doe_compiler.generators.streams import Stream

    Floats = npt.NDArray[np.float64]
    Codes = npt.NDArray[np.int32]
    Flags = npt.NDArray[np.bool_]
    Next = Callable[[int], Iterator[Floats]]


@dataclass(frozen=True)
class Factor:
    """A column as methods see it: a name, and how many values it enumerates or is equally likely to take, 0 for a range.

    `base` is where its nominal value lies: the index of a level, or -1 ... 1 in a range.
    """

    name: str
    count: int = 0
    base: float | None = None


@dataclass(frozen=True)
class Task:
    """What a method is asked for: its factors in the order of the study, the runs if it takes them, and its options.

    `dimensions` are those of a sequence, from 1; `stream(name, purpose)` is the random stream of a column;
    `allowed(points)` tells which coded points satisfy the constraints, if there are any; `existing` are the coded points
    of runs that are kept, shape (m, d).
    """

    factors: tuple[Factor, ...]
    runs: int = 0
    options: Mapping[str, object] = field(default_factory=dict)
    dimensions: tuple[int, ...] = ()
    stream: "Callable[[str, str], Stream] | None" = None
    allowed: "Callable[[Floats], Flags] | None" = None
    existing: "Floats | None" = None

    def draw(self, name: str, purpose: str) -> "Stream":
        """The random stream of a column, or of a purpose that is no column's (an empty name)."""
        if self.stream is None:
            raise ValueError("a design that draws needs streams")
        return self.stream(name, purpose)


@dataclass(frozen=True)
class Misfit:
    """Why a method cannot be had: at which key of the design, or at which variable, and what to do."""

    message: str
    hint: str
    key: str = "method"
    variable: str = ""


class NoDesignError(Exception):
    """The points that were asked for do not exist, which only making them has shown; why, and what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def no_misfits(_task: Task) -> Iterator[Misfit]:
    """A method that takes everything."""
    return iter(())


@dataclass(frozen=True)
class Method:
    """All that is known of a method; exactly one of `unit`, `coded`, `levels`, or none of them for a table.

    `options` are the keys of the design that it takes, `stays` says what stays put when the design is edited. `unit(task)`
    gives a function whose calls give the next n points of the unit cube, column by column, each shape (n,) in [0, 1);
    `is_sequence` where n of n + m points are the first n. `coded(task)` gives points whose low is -1 and high 1, shape
    (n, d), or the index of the level where a factor enumerates, or raises NoDesignError; `levels(task)` the indices of levels, column by column. `size(task)` is the number of points, which `reaches_beyond` the ends of
    the factors where some of them do. `blocks(task)` gives the block of each point, from 0, where the design has the option.
    """

    name: str
    summary: str
    source: str
    stays: str
    options: tuple[str, ...]
    size: Callable[[Task], int]
    unit: "Callable[[Task], Next] | None" = None
    coded: "Callable[[Task], Floats] | None" = None
    levels: "Callable[[Task], Iterator[Codes]] | None" = None
    blocks: "Callable[[Task], Codes] | None" = None
    misfits: Callable[[Task], Iterator[Misfit]] = no_misfits
    is_sequence: bool = False
    reaches_beyond: bool = False

    @property
    def takes_runs(self) -> bool:
        """Whether the number of runs is asked for."""
        return "runs" in self.options


def runs_asked(task: Task) -> int:
    """The size of a method whose number of runs is asked for."""
    return task.runs
