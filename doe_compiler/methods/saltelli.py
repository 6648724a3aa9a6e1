"""saltelli: the two matrices of Sobol indices and their mixtures."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from doe_compiler.methods.method import Method, Misfit, Task, runs_asked
from doe_compiler.methods.sensitivity import multiple_misfits
from doe_compiler.methods.sequences import MOST_DIMENSIONS, within
from doe_compiler.methods.sobol import points_of, scrambled

if TYPE_CHECKING:
    from doe_compiler.methods.method import Floats, Next


def _has_second_order(task: Task) -> bool:
    return task.options.get("secondOrder") is True


def block_of(task: Task) -> int:
    """The runs of a base point: A, k mixtures, B, and k more for second-order indices."""
    k = len(task.factors)
    return 2 * k + 2 if _has_second_order(task) else k + 2


def _begin(task: Task) -> "Next":
    block = block_of(task)

    def following(n: int) -> "Iterator[Floats]":
        import numpy as np

        count = -(-n // block)
        for column in range(len(task.factors)):
            first, second = _pair(task, column, count)
            rows = np.repeat(first[:, None], block, axis=1)
            rows[:, 1 + column] = second
            if _has_second_order(task):
                k = len(task.factors)
                rows[:, 1 + k : 1 + 2 * k] = second[:, None]
                rows[:, 1 + k + column] = first
            rows[:, -1] = second
            yield rows.reshape(-1)[:n]

    return following


def _pair(task: Task, column: int, count: int) -> "tuple[Floats, Floats]":
    """The columns of A and B of a variable, from two dimensions of a scrambled Sobol sequence of its own."""
    name, dimension = task.factors[column].name, task.dimensions[column]
    first = within(points_of(*scrambled(task, name, "saltelli a", 2 * dimension - 1), 0, count))
    second = within(points_of(*scrambled(task, name, "saltelli b", 2 * dimension), 0, count))
    return first, second


def _misfits(task: Task) -> Iterator[Misfit]:
    yield from multiple_misfits(task, block_of(task), "a number of base points")
    if max(task.dimensions, default=1) * 2 > MOST_DIMENSIONS:
        yield Misfit(
            f"a Saltelli design takes at most {MOST_DIMENSIONS // 2} variables", "use method: morris"
        )


SALTELLI = Method(
    "saltelli",
    "Base points of two independent matrices A and B, and A with one column of B at a time: first-order and total Sobol indices; with `secondOrder: true` B with one of A too. `runs` is a multiple of k + 2, or of 2 k + 2; best for 2**m base points. A base point's runs stand together: A, mixtures, B.",
    "A. Saltelli, Comput. Phys. Commun. 145 (2002) 280-297; A. Saltelli et al., Comput. Phys. Commun. 181 (2010) 259-270",
    "base points when more are asked for; the columns of a variable while it keeps its dimension, but a variable more adds a run to every base point",
    ("runs", "secondOrder", "cross"),
    runs_asked,
    unit=_begin,
    misfits=_misfits,
)
