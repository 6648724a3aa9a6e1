"""What sequences share: coordinates from whole numbers of 52 bits, and how far into the sequence a design is."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from doe_compiler.methods.method import Misfit, Task

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from doe_compiler.methods.method import Floats, Next

    Words = npt.NDArray[np.uint64]

BITS = 52
MOST_DIMENSIONS = 1000
NEARLY_ZERO = 2.0**-64  # stands for 0, at which many laws have no value


def dimension_misfits(task: Task) -> Iterator[Misfit]:
    """Dimensions beyond those that are known."""
    for factor, dimension in zip(task.factors, task.dimensions, strict=True):
        if dimension > MOST_DIMENSIONS:
            message = f"'{factor.name}' would be dimension {dimension}, and {MOST_DIMENSIONS} are known"
            yield Misfit(message, "use method: monte-carlo", variable=factor.name)


def is_scrambled(task: Task) -> bool:
    """Whether the sequence is to be scrambled, which it is unless told otherwise."""
    return task.options.get("scramble", True) is True


def in_turn(task: Task, column: "Callable[[int, int, int], Floats]") -> "Next":
    """The next points of a sequence; `column(j, first, n)` are n coordinates of column j from an index on."""
    skip = task.options.get("skip", 0)
    place = skip if isinstance(skip, int) else 0

    def following(n: int) -> "Iterator[Floats]":
        nonlocal place
        first, place = place, place + n
        return (column(j, first, n) for j in range(len(task.factors)))

    return following


def within(words: "Words", *, is_middle: bool = True) -> "Floats":
    """The middle (k + 1/2) / 2**52 of the interval of each whole number k below 2**52, or its start: never 0 or 1."""
    import numpy as np

    coordinates = words.astype(np.float64)
    coordinates += 0.5 if is_middle else 0.0
    coordinates *= 2.0**-BITS
    return np.maximum(coordinates, NEARLY_ZERO, out=coordinates)
