"""morris: trajectories in which one variable after the other makes a large step."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from doe_compiler.methods.method import Method, Misfit, Task, runs_asked
from doe_compiler.methods.sensitivity import multiple_misfits

if TYPE_CHECKING:
    from doe_compiler.methods.method import Codes, Floats, Next


def _level_count(task: Task) -> int:
    given = task.options.get("levels", 4)
    return given if isinstance(given, int) else 4


def _begin(task: Task) -> "Next":
    k = len(task.factors)

    def following(n: int) -> "Iterator[Floats]":
        import numpy as np

        from doe_compiler.generators.streams import permutation

        count = -(-n // (k + 1))
        order = task.draw("", "morris order")
        places = np.empty((count, k), dtype=np.int32)
        for trajectory in range(count):
            places[trajectory, permutation(order, k)] = np.arange(k)
        for column, factor in enumerate(task.factors):
            yield _column(task, factor.name, places[:, column], k)[:n]

    return following


def _column(task: Task, name: str, places: "Codes", k: int) -> "Floats":
    """The levels of a variable in all trajectories: it makes its step after so many others.

    A level l of p stands for the middle (l + 1/2) / p of its share, so that laws without ends have a value too.
    """
    import numpy as np

    levels = _level_count(task)
    half = levels // 2
    words = task.draw(name, "morris").words(2 * len(places))
    start = (words[0::2] % np.uint64(half)).astype(np.int64)
    is_falling = (words[1::2] >> np.uint64(63)).astype(np.bool_)
    before = np.where(is_falling, start + half, start)
    after = np.where(is_falling, start, start + half)
    step = np.arange(k + 1)
    level = np.where(step[None, :] > places[:, None], after[:, None], before[:, None]).reshape(-1)
    coordinates = level.astype(np.float64)
    coordinates += 0.5
    coordinates /= float(levels)
    return coordinates


def _misfits(task: Task) -> Iterator[Misfit]:
    if _level_count(task) % 2:
        yield Misfit("a Morris design takes an even number of levels", "say levels: 4", "levels")
    yield from multiple_misfits(task, len(task.factors) + 1, "a number of trajectories")


MORRIS = Method(
    "morris",
    "Trajectories of k + 1 runs for elementary effects: each variable in turn steps over half of its `levels` (4 if not given), which are the middles of equally likely shares: the step is 1/2 of the unit interval. `runs` is a multiple of k + 1.",
    "M. D. Morris, Technometrics 33 (1991) 161-174",
    "trajectories when more are asked for; a variable more changes the order in which they step",
    ("runs", "levels", "cross"),
    runs_asked,
    unit=_begin,
    misfits=_misfits,
)
