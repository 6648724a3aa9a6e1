"""one-at-a-time and star: from a base or the centre along each factor alone."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from doe_compiler.methods.coded import as_indices, three_level_misfits
from doe_compiler.methods.method import Factor, Method, Misfit, Task

if TYPE_CHECKING:
    from doe_compiler.methods.method import Floats


def _base(factor: Factor) -> float:
    if factor.base is not None:
        return factor.base
    return 0.0 if factor.count else -1.0


def _others(factor: Factor) -> list[float]:
    values = [float(level) for level in range(factor.count)] if factor.count else [-1.0, 1.0]
    return [value for value in values if value != _base(factor)]


def _coded(task: Task) -> "Floats":
    import numpy as np

    base = [_base(factor) for factor in task.factors]
    rows = [base]
    for column, factor in enumerate(task.factors):
        rows += [[*base[:column], value, *base[column + 1 :]] for value in _others(factor)]
    return np.asarray(rows, dtype=np.float64).reshape(len(rows), len(base))


ONE_AT_A_TIME = Method(
    "one-at-a-time",
    "A base run at the nominal values (the low end or first level where there is none), then each variable in turn at each of its other levels or ends.",
    "C. Daniel, J. Amer. Statist. Assoc. 68 (1973) 353-360",
    "all rows of the other variables when a variable is added at its base or a level is added",
    ("cross",),
    lambda task: 1 + sum(len(_others(factor)) for factor in task.factors),
    coded=_coded,
)


def _star(task: Task) -> "Floats":
    import numpy as np

    k = len(task.factors)
    points = np.zeros((2 * k + 1, k))
    for column in range(k):
        points[2 * column + 1, column], points[2 * column + 2, column] = -1.0, 1.0
    return as_indices(task, points)


def _misfits(task: Task) -> Iterator[Misfit]:
    return three_level_misfits(task, "a star")


STAR = Method(
    "star",
    "The centre, then each variable in turn at its low and high: 2 k + 1 runs.",
    "R. H. Myers, D. C. Montgomery, C. M. Anderson-Cook, Response Surface Methodology, Wiley (2016), chapter 7",
    "all rows of the other variables when one is added",
    ("cross",),
    lambda task: 2 * len(task.factors) + 1,
    coded=_star,
    misfits=_misfits,
)
