"""definitive-screening: main effects free of two-factor interactions, and curvature, in about two runs a factor."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from doe_compiler.methods.coded import as_indices, center_points, three_level_misfits, with_centers
from doe_compiler.methods.fields import conference
from doe_compiler.methods.method import Method, Misfit, Task

if TYPE_CHECKING:
    from doe_compiler.methods.method import Floats

_MOST_FACTORS = 50


def order_of(k: int) -> int:
    """The order of the conference matrix of a design of k factors: the next even one that there is."""
    return next(order for order in range(max(4, k + k % 2), 2 * k + 20, 2) if conference(order) is not None)


def _misfits(task: Task) -> Iterator[Misfit]:
    yield from three_level_misfits(task, "a definitive screening design")
    k = len(task.factors)
    if not 3 <= k <= _MOST_FACTORS:
        yield Misfit(
            f"a definitive screening design takes 3 to {_MOST_FACTORS} variables, not {k}",
            "use another method",
        )


def _coded(task: Task) -> "Floats":
    import numpy as np

    k = len(task.factors)
    matrix = np.asarray(conference(order_of(k)), dtype=np.float64)[:, :k]
    points = np.stack([matrix, -matrix], axis=1).reshape(-1, k) + 0.0
    return as_indices(task, with_centers(points, center_points(task, 1)))


def _size(task: Task) -> int:
    return 2 * order_of(len(task.factors)) + center_points(task, 1)


DEFINITIVE_SCREENING = Method(
    "definitive-screening",
    "Three levels in 2 k + 1 runs for an even number k of variables (k + 1 counts for an odd one): main effects free of interactions and squares.",
    "B. Jones, C. J. Nachtsheim, J. Qual. Technol. 43 (2011) 1-15; L. Xiao, D. K. J. Lin, F. Bai, J. Qual. Technol. 44 (2012) 2-8",
    "the rows while the number of variables does not pass the next even one",
    ("centerPoints", "cross"),
    _size,
    coded=_coded,
    misfits=_misfits,
)
