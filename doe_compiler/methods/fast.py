"""fast: a curve through the cube a variable, on which each oscillates at its own frequency."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from doe_compiler.methods.method import Method, Misfit, Task, runs_asked

if TYPE_CHECKING:
    from doe_compiler.methods.method import Floats, Next

HARMONICS = 4
_LEAST_POINTS = 4 * HARMONICS**2 + 1


def frequencies(k: int, points: int) -> tuple[int, tuple[int, ...]]:
    """The frequency of the variable whose curve it is, and those of the k - 1 others in turn (Saltelli et al. 1999)."""
    own = max((points - 1) // (2 * HARMONICS), 1)
    most = max(own // (2 * HARMONICS), 1)
    if k < 3:
        return own, (1,) * (k - 1)
    if most >= k - 1:
        return own, tuple(1 + (index * (most - 1)) // (k - 2) for index in range(k - 1))
    return own, tuple(index % most + 1 for index in range(k - 1))


def _begin(task: Task) -> "Next":
    k = len(task.factors)

    def following(n: int) -> "Iterator[Floats]":
        import numpy as np

        points = n // max(k, 1)
        own, others = frequencies(k, points)
        for column, factor in enumerate(task.factors):
            phases = task.draw(factor.name, "fast phase").uniforms(k)
            parts = []
            for curve in range(k):
                frequency = own if curve == column else others[column - (column > curve)]
                turn = np.arange(points, dtype=np.int64) * frequency % points
                parts.append(_triangle(turn.astype(np.float64) / float(points) + phases[curve]))
            yield np.concatenate(parts)

    return following


def _triangle(turn: "Floats") -> "Floats":
    """1/2 + arcsin(sin(2 pi turn)) / pi, which is made of straight lines, within the open interval (0, 1)."""
    import numpy as np

    turn = turn - np.floor(turn)
    wave = np.where(turn < 0.25, 0.5 + 2.0 * turn, np.where(turn < 0.75, 1.5 - 2.0 * turn, 2.0 * turn - 1.5))
    return np.minimum(np.maximum(wave, 2.0**-53), 1.0 - 2.0**-53)


def _misfits(task: Task) -> Iterator[Misfit]:
    k = len(task.factors)
    if k < 2:
        yield Misfit("a FAST design takes two variables or more", "use method: saltelli")
    elif task.runs % k or task.runs < k * _LEAST_POINTS:
        points = max(round(task.runs / k), _LEAST_POINTS)
        message = f"'runs' ({task.runs:,}) is not {k} curves of at least {_LEAST_POINTS} points each"
        yield Misfit(message, f"say runs: {points * k:,}", "runs")


FAST = Method(
    "fast",
    "A curve a variable, on which it oscillates fastest: first-order and total indices by Fourier analysis (extended FAST, 4 harmonics). `runs` is k curves of at least 65 points, in the order of the variables.",
    "A. Saltelli, S. Tarantola, K. P.-S. Chan, Technometrics 41 (1999) 39-56",
    "nothing when the number of runs or of variables changes",
    ("runs", "cross"),
    runs_asked,
    unit=_begin,
    misfits=_misfits,
)
