"""plackett-burman: main effects of many factors in few runs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from doe_compiler.methods.coded import as_indices, center_points, two_level_misfits, with_centers
from doe_compiler.methods.fields import hadamard
from doe_compiler.methods.method import Method, Misfit, Task

if TYPE_CHECKING:
    from doe_compiler.methods.method import Floats

LARGEST = 100
# The first rows that the paper prints, whose cyclic shifts and a row of minus signs are the design.
_FIRST_ROWS = {
    8: "+++-+--",
    12: "++-+++---+-",
    16: "++++-+-++--+---",
    20: "++--++++-+-+----++-",
    24: "+++++-+-++--++--+-+----",
    32: "----+-+-+++-++---+++++--++-+--+",
    36: "-+-+++---+++++-+++--+----+-+-++--+-",
}


def runs_of(k: int) -> int | None:
    """The fewest runs of a design of k factors that there is, a multiple of 4, or None beyond 100."""
    return next((n for n in range(4 * (k // 4 + 1), LARGEST + 1, 4) if n in _FIRST_ROWS or hadamard(n)), None)


def signs(n: int) -> "Floats":
    """The whole design of n runs, shape (n, n - 1)."""
    import numpy as np

    if n not in _FIRST_ROWS:
        matrix = hadamard(n)
        if matrix is None:
            raise ValueError(f"there is no Plackett-Burman design of {n} runs")
        return np.asarray(matrix, dtype=np.float64)[:, 1:]
    row = np.asarray([1.0 if sign == "+" else -1.0 for sign in _FIRST_ROWS[n]])
    return np.stack([*(np.roll(row, shift) for shift in range(n - 1)), -np.ones(n - 1)])


def _misfits(task: Task) -> Iterator[Misfit]:
    yield from two_level_misfits(task, "a Plackett-Burman design")
    k = len(task.factors)
    if k < 2 or runs_of(k) is None:
        message = f"there is a Plackett-Burman design of 2 to {LARGEST - 1} variables, not of {k}"
        yield Misfit(message, "use another method")


def _coded(task: Task) -> "Floats":
    k = len(task.factors)
    return as_indices(task, with_centers(signs(runs_of(k) or 0)[:, :k].copy(), center_points(task)))


def _size(task: Task) -> int:
    return (runs_of(len(task.factors)) or 0) + center_points(task)


PLACKETT_BURMAN = Method(
    "plackett-burman",
    "Main effects of up to n - 1 two-level factors in n runs, n the next multiple of 4.",
    "R. L. Plackett, J. P. Burman, Biometrika 33 (1946) 305-325; beyond its cyclic tables R. E. A. C. Paley, J. Math. Phys. 12 (1933) 311-320",
    "the rows while the number of variables does not pass a multiple of 4",
    ("centerPoints", "cross"),
    _size,
    coded=_coded,
    misfits=_misfits,
)
