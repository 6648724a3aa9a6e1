"""Maps coordinates in (0, 1) to the values of a law, the same bits on every processor."""

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from doe_compiler.expressions.exponential import Floats
from doe_compiler.generators.catalogue import bounds_of, record_of
from doe_compiler.generators.law import DrawnLaw, Law
from doe_compiler.generators.truncation import clipped


def quantile(law: Law, u: Floats, *, is_integer: bool = False) -> Floats:
    """The values of a law that is drawn at the coordinates u, shape (n,), each in the open interval (0, 1).

    Uniform is half-open, [minimum, maximum); truncated laws stay within their bounds. Whole numbers are
    float64 too: for Uniform the floor over [minimum, maximum + 1), all equally likely; for the others the
    nearest, ties to even, within the bounds and with their whole share. Raises ValueError when a law has no value or no
    probability within its bounds; a value beyond the largest float is infinite. `u` may be overwritten.
    """
    drawn = record_of(law).drawn
    if drawn is None:
        raise ValueError(f"{type(law).__name__} is not drawn")
    with np.errstate(all="ignore"):
        if is_integer and drawn.whole is not None:
            return drawn.whole(law, u)
        values = drawn.quantile(_widened(law) if is_integer else law, u)
        return _whole(values, *bounds_of(law)) if is_integer else values


def _widened(law: Law) -> Law:
    """The law with room for what is rounded to its bounds, so that these are as likely as whole numbers between them."""
    if not isinstance(law, DrawnLaw) or not law.is_truncated:
        return law
    half = Fraction(1, 2)
    lower = None if law.lower is None else law.lower - half
    upper = None if law.upper is None else law.upper + half
    return replace(law, lower=lower, upper=upper)


def level_index(u: Floats, count: int) -> npt.NDArray[np.int64]:
    """The index floor(u * count) in 0..count-1 of each coordinate, shape (n,)."""
    index = np.floor(u * float(count)).astype(np.int64)
    return np.minimum(index, count - 1)


def weighted_index(u: Floats, weights: Sequence[Fraction]) -> npt.NDArray[np.int64]:
    """The index of the weight in whose share of [0, 1) each coordinate lies, shape (n,)."""
    total = sum(weights)
    ends = np.asarray([float(share / total) for share in accumulate(weights)])
    last = max(index for index, weight in enumerate(weights) if weight > 0)
    return np.minimum(np.searchsorted(ends, u, side="right"), last)


def _whole(values: Floats, lower: Fraction | None, upper: Fraction | None) -> Floats:
    least = None if lower is None else Fraction(math.ceil(lower))
    most = None if upper is None else Fraction(math.floor(upper))
    if least is not None and most is not None and least > most:
        raise ValueError("there is no whole number between the bounds")
    return clipped(np.rint(values), least, most)
