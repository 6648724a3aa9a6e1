"""What coded designs share: signs of fractions, indices of levels, centre points, and which factors they take."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from doe_compiler.methods.method import Misfit, Task

if TYPE_CHECKING:
    from doe_compiler.methods.method import Floats


def center_points(task: Task, default: int = 0) -> int:
    """How many centre points are asked for."""
    asked = task.options.get("centerPoints", default)
    return asked if isinstance(asked, int) else default


def full_signs(k: int) -> "Floats":
    """All combinations of -1 and 1 of k factors, shape (2**k, k), in standard (Yates) order: the first varies fastest."""
    import numpy as np

    index = np.arange(1 << k)
    return np.stack([(index >> j & 1) * 2.0 - 1.0 for j in range(k)], axis=1) if k else np.zeros((1, 0))


def with_centers(points: "Floats", count: int) -> "Floats":
    """The points, and the centre as often as asked."""
    import numpy as np

    return np.concatenate([points, np.zeros((count, points.shape[1]))]) if count else points


def as_indices(task: Task, points: "Floats") -> "Floats":
    """Coded columns of factors that enumerate two or three levels as the indices of their levels."""
    for column, factor in enumerate(task.factors):
        if factor.count == 2:
            points[:, column] = (points[:, column] + 1.0) / 2.0
        elif factor.count == 3:
            points[:, column] += 1.0
    return points


def two_level_misfits(task: Task, what: str) -> Iterator[Misfit]:
    """Factors that have neither a range nor two levels, and centre points that two levels do not have."""
    for factor in task.factors:
        if factor.count not in (0, 2):
            message = f"{what} takes a range or two levels, and '{factor.name}' has {factor.count}"
            yield Misfit(message, "use method: orthogonal-array or full-factorial", variable=factor.name)
        elif factor.count == 2 and center_points(task):
            message = f"'{factor.name}' has two levels and no middle for centre points"
            yield Misfit(message, "remove 'centerPoints', or give it a range", "centerPoints")


def three_level_misfits(task: Task, what: str) -> Iterator[Misfit]:
    """Factors that have neither a range nor three levels."""
    for factor in task.factors:
        if factor.count not in (0, 3):
            message = f"{what} takes a range or three levels, and '{factor.name}' has {factor.count}"
            hint = "cross it: `cross: [...]` in the design, or use method: d-optimal"
            yield Misfit(message, hint, variable=factor.name)


def number_misfits(task: Task, what: str, sizes: Sequence[int]) -> Iterator[Misfit]:
    """A number of factors for which there is no such design."""
    k = len(task.factors)
    if k not in sizes:
        below = max((size for size in sizes if size < k), default=None)
        above = min((size for size in sizes if size > k), default=None)
        nearest = " and ".join(str(size) for size in (below, above) if size is not None)
        message = f"there is no {what} of {k} variables; the nearest are of {nearest}"
        yield Misfit(message, "add a variable or give one a value, or use another method")
