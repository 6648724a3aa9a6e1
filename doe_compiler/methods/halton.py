"""halton: radical inverses, a prime a dimension."""

from functools import cache
from typing import TYPE_CHECKING

from doe_compiler.methods.method import Method, Task, runs_asked
from doe_compiler.methods.sequences import BITS, NEARLY_ZERO, dimension_misfits, in_turn, is_scrambled

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from doe_compiler.methods.method import Floats, Next

    Digits = list[npt.NDArray[np.int64]]


@cache
def prime(dimension: int) -> int:
    """The prime of a dimension from 1 on: 2, 3, 5, ..."""
    known: list[int] = []
    candidate = 2
    while len(known) < dimension:
        if all(candidate % other for other in known if other * other <= candidate):
            known.append(candidate)
        candidate += 1
    return known[-1]


def _begin(task: Task) -> "Next":
    bases = [prime(dimension) for dimension in task.dimensions]
    digits = [
        _permuted(task, factor.name, base) if is_scrambled(task) else _plain(base)
        for factor, base in zip(task.factors, bases, strict=True)
    ]

    def column(j: int, first: int, n: int) -> "Floats":
        return _inverses(bases[j], digits[j], first, n, middle=0.5 if is_scrambled(task) else 0.0)

    return in_turn(task, column)


def _places(base: int) -> int:
    """How many digits a coordinate has: base**places is at most 2**52."""
    places = 1
    while base ** (places + 1) <= 1 << BITS:
        places += 1
    return places


def _plain(base: int) -> "Digits":
    import numpy as np

    return [np.arange(base, dtype=np.int64)] * _places(base)


def _permuted(task: Task, name: str, base: int) -> "Digits":
    """A random permutation for each place (A. B. Owen, A randomized Halton algorithm in R, arXiv:1706.02808)."""
    from doe_compiler.generators.streams import permutation

    stream = task.draw(name, f"halton scramble {base}")
    return [permutation(stream, base).copy() for _ in range(_places(base))]


def _inverses(base: int, digits: "Digits", first: int, n: int, middle: float) -> "Floats":
    """The mirrored digits of first ... first + n - 1 behind the point, by adding a place at a time to what is there."""
    import numpy as np

    end = first + n
    known = np.zeros(1, dtype=np.int64)
    for place, digit in enumerate(digits):
        weight = base ** (len(digits) - 1 - place)
        if len(known) >= end:
            known += int(digit[0]) * weight
            continue
        needed = min(base, -(-end // len(known)))
        known = (digit[:needed, None] * weight + known[None, :]).reshape(-1)[:end]
    coordinates = known[first:].astype(np.float64)
    coordinates += middle
    coordinates /= float(base ** len(digits))
    return np.maximum(coordinates, NEARLY_ZERO, out=coordinates)


HALTON = Method(
    "halton",
    "Radical inverses in a prime base a variable, their digits permuted at random; even for any number of runs, best for few variables.",
    "J. H. Halton, Numer. Math. 2 (1960) 84-90; scrambling: A. B. Owen, arXiv:1706.02808 (2017)",
    "n runs are the first n of n + m; a variable keeps its column while it keeps its dimension, which is its place in the file, or `dimension`",
    ("runs", "scramble", "skip", "constraints", "cross", "correlation", "correlationBy"),
    runs_asked,
    unit=_begin,
    misfits=dimension_misfits,
    is_sequence=True,
)
