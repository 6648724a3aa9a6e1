"""central-composite: a factorial, axial points and the centre, for quadratic models."""

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from doe_compiler.methods.blocks import (
    PAIRS,
    blocks_asked,
    two_level_block_misfits,
    with_centers_spread,
)
from doe_compiler.methods.coded import center_points, full_signs, with_centers
from doe_compiler.methods.fractional_factorial import Generators, factorial_blocks, fraction, vectors_of
from doe_compiler.methods.fractions_of_two import best_fraction
from doe_compiler.methods.method import Method, Misfit, Task

if TYPE_CHECKING:
    from doe_compiler.methods.method import Codes, Floats

_MOST_FACTORS = 15
_WHOLE_BELOW = 5  # factors; from here on the factorial is a fraction of resolution 5


def factorial_runs(k: int) -> int:
    """The runs of the factorial part: whole below 5 factors, else the smallest fraction of resolution 5."""
    return 1 << (k - len(_generators(k)))


def alpha_of(task: Task) -> float:
    """The distance of the axial points where the factorial's is 1.

    Rotatable: F**(1/4) for F factorial runs (Box and Hunter 1957). Orthogonal: sqrt((sqrt(F N) - F) / 2) for N runs in all
    (Myers and Montgomery, Response Surface Methodology, equation 7.23); with blocks, so that these are orthogonal to the
    model. Square roots round exactly.
    """
    k = len(task.factors)
    runs = factorial_runs(k)
    given = task.options.get("alpha", "rotatable")
    if task.options.get("axial") == "faced":
        return 1.0
    if isinstance(given, int | float) and not isinstance(given, bool):
        return float(given)
    if given == "orthogonal" and blocks_asked(task):
        return _alpha_of_blocks(task, runs)
    if given == "orthogonal":
        return math.sqrt((math.sqrt(float(runs * _size(task))) - runs) / 2.0)
    return math.sqrt(math.sqrt(float(runs)))


def _alpha_of_blocks(task: Task, runs: int) -> float:
    """sqrt(k (1 + a0/a) / (1 + f0/f)) for a axial and f factorial runs with a0 and f0 centre points (Box and Hunter 1957)."""
    k, count, centers = len(task.factors), blocks_asked(task), center_points(task, 1)
    of_axial = centers // count
    of_factorial = Fraction(centers - of_axial, runs)
    return math.sqrt(float(k * (1 + Fraction(of_axial, 2 * k)) / (1 + of_factorial)))


def _generators(k: int) -> Generators:
    """Those of the factorial part, none below 5 factors."""
    return () if k < _WHOLE_BELOW else best_fraction(k, 5)


def _blocks(task: Task) -> "Codes":
    """The factorial in one block or several, and a last one of the axial points."""
    import numpy as np

    k, last = len(task.factors), blocks_asked(task) - 1
    count = last.bit_length() - 1
    factorial = (
        factorial_blocks(k, _generators(k), count, PAIRS)
        if count
        else np.zeros(factorial_runs(k), dtype=np.int32)
    )
    return with_centers_spread(task, np.concatenate([factorial, np.full(2 * k, last, dtype=np.int32)]), 1)


def _misfits(task: Task) -> Iterator[Misfit]:
    k = len(task.factors)
    for factor in task.factors:
        if factor.count:
            message = (
                f"a central composite design takes ranges, and '{factor.name}' has {factor.count} levels"
            )
            yield Misfit(message, "cross it: `cross: [...]` in the design", variable=factor.name)
    if not 2 <= k <= _MOST_FACTORS:
        yield Misfit(
            f"a central composite design takes 2 to {_MOST_FACTORS} variables, not {k}", "use another method"
        )
    elif "alpha" in task.options and task.options.get("axial") == "faced":
        yield Misfit("'alpha' has no meaning with axial: faced", "remove it", "alpha")
    elif alpha_of(task) < 1 and task.options.get("axial") != "faced":
        message = f"alpha would be {alpha_of(task):.4g}, inside of the factorial"
        yield Misfit(message, "add centre points, or say alpha: rotatable", "alpha")
    else:
        vectors, base = vectors_of(k, _generators(k))
        yield from two_level_block_misfits(task, "this design", vectors, base, least=PAIRS, beside=1)


def _coded(task: Task) -> "Floats":
    import numpy as np

    k = len(task.factors)
    signs = full_signs(k) if k < _WHOLE_BELOW else fraction(k, _generators(k))
    alpha = alpha_of(task)
    axial = np.zeros((2 * k, k))
    for j in range(k):
        axial[2 * j, j], axial[2 * j + 1, j] = -alpha, alpha
    points = with_centers(np.concatenate([signs, axial]), center_points(task, 1))
    if task.options.get("axial") == "inscribed":
        points = np.where(np.abs(points) == alpha, np.sign(points), points / alpha)
    return points


def _size(task: Task) -> int:
    k = len(task.factors)
    return factorial_runs(k) + 2 * k + center_points(task, 1)


CENTRAL_COMPOSITE = Method(
    "central-composite",
    "Quadratic models: a factorial (from 5 variables on a fraction of resolution 5), two axial points a variable and `centerPoints` (1 if not given).",
    "G. E. P. Box, K. B. Wilson, J. Roy. Statist. Soc. B 13 (1951) 1-45; NIST/SEMATECH e-Handbook 5.3.3.6.1",
    "the rows while the number of variables stays; more centre points add rows, with alpha: orthogonal they move the axial ones",
    ("axial", "alpha", "centerPoints", "blocks", "cross"),
    _size,
    coded=_coded,
    blocks=_blocks,
    misfits=_misfits,
    reaches_beyond=True,
)
