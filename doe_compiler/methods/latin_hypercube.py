"""latin-hypercube: one point in each of the n strata of every variable."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from doe_compiler.methods.method import Factor, Method, Task, runs_asked
from doe_compiler.methods.options import MOST_RUNS

if TYPE_CHECKING:
    from doe_compiler.methods.method import Floats, Next


def _begin(task: Task) -> "Next":
    def following(n: int) -> "Iterator[Floats]":
        return (_column(task, factor, n) for factor in task.factors)

    return following


def _column(task: Task, factor: Factor, n: int) -> "Floats":
    import numpy as np

    from doe_compiler.generators.streams import balanced, permutation, strata

    order = task.draw(factor.name, "latin-hypercube order")
    jitter = task.draw(factor.name, "latin-hypercube jitter")
    if 0 < factor.count <= MOST_RUNS:
        return balanced(order, jitter, n, factor.count)
    if task.options.get("criterion") == "centered":
        centres = permutation(order, n).astype(np.float64)
        centres += 0.5
        centres /= float(n)
        return centres
    return strata(order, jitter, n)


LATIN_HYPERCUBE = Method(
    "latin-hypercube",
    "One point in each of n equally likely strata of every variable; levels and whole numbers are used as often within one.",
    "M. D. McKay, R. J. Beckman, W. J. Conover, Technometrics 21 (1979) 239-245",
    "the other columns when a variable is added, removed or moved; nothing when the number of runs changes",
    ("runs", "criterion", "cross", "correlation", "correlationBy"),
    runs_asked,
    unit=_begin,
)
