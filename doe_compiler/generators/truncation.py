"""What the values of drawn laws share: exact parameters as floats, clipping to bounds, and truncation by the tails."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import TypeVar

import numpy as np

from doe_compiler.expressions.exponential import Floats
from doe_compiler.generators.counts import value_at
from doe_compiler.generators.law import DrawnLaw

LEAST_MASS = 1e-290

D = TypeVar("D", bound=DrawnLaw)


def nearest(value: Fraction) -> float:
    """The float nearest to an exact parameter; raises ValueError for one beyond the largest."""
    try:
        return float(value)
    except OverflowError:
        raise ValueError("a parameter is too large for a number") from None


def clipped(values: Floats, lower: Fraction | None, upper: Fraction | None) -> Floats:
    """The values, with those that rounding took over a bound on it."""
    if lower is not None:
        values = np.where(values < nearest(lower), nearest(lower), values)
    if upper is not None:
        values = np.where(values > nearest(upper), nearest(upper), values)
    return values


def truncated(
    law: D,
    between_tails: Callable[[D, Floats, Floats], Floats],
    tails: Callable[[D, Floats], tuple[Floats, Floats]],
    u: Floats,
) -> Floats:
    """The values of a law at coordinates u in (0, 1), within its truncation.

    `between_tails(law, p, q)` is the quantile at a probability p below and q = 1 - p above, each with its own digits;
    so both tails keep theirs. Raises ValueError when the bounds leave a probability below 1e-290.
    """
    if not law.is_truncated:
        return between_tails(law, u, 1.0 - u)
    below, width, above = _parts(law, tails)
    if not width > LEAST_MASS:
        raise ValueError("the bounds leave no probability")
    values = between_tails(law, below + u * width, above + (1.0 - u) * width)
    return clipped(values, law.lower, law.upper)


def mass_between(law: D, tails: Callable[[D, Floats], tuple[Floats, Floats]]) -> float:
    """The probability that a law's truncation leaves of it."""
    return _parts(law, tails)[1]


def _parts(law: D, tails: Callable[[D, Floats], tuple[Floats, Floats]]) -> tuple[float, float, float]:
    """The probabilities below the lower bound, between the bounds, and above the upper one."""
    below, above_lower = (0.0, 1.0) if law.lower is None else _at(law, tails, law.lower)
    up_to, above = (1.0, 0.0) if law.upper is None else _at(law, tails, law.upper)
    if up_to < 0.5:
        width = up_to - below
    else:
        width = above_lower - above if above_lower < 0.5 else (1.0 - above) - below
    return below, width, above


def _at(law: D, tails: Callable[[D, Floats], tuple[Floats, Floats]], bound: Fraction) -> tuple[float, float]:
    below, above = tails(law, np.asarray([nearest(bound)]))
    return min(max(float(below[0]), 0.0), 1.0), min(max(float(above[0]), 0.0), 1.0)


def whole_truncated(law: DrawnLaw, first: int, shares: Floats, u: Floats) -> Floats:
    """The values at coordinates u in (0, 1) of a law on whole numbers, from `first` on as likely as `shares` says."""
    low = first if law.lower is None else max(math.ceil(law.lower), first)
    high = first + len(shares) - 1
    high = high if law.upper is None else min(math.floor(law.upper), high)
    if low > high:
        raise ValueError("the bounds leave no probability")
    kept = shares[low - first : high - first + 1]
    total = float(np.add.accumulate(kept)[-1])
    if not total > LEAST_MASS:
        raise ValueError("the bounds leave no probability")
    return value_at(low, kept / total, u, 1.0 - u)
