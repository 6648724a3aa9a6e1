"""Maps coordinates in (0, 1) to the values of a law, the same bits on every processor."""

import math
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from doe_compiler.expressions.exponential import Floats, exp, log
from doe_compiler.generators.laws import LogNormal, Normal, RandomLaw, Triangular, Uniform
from doe_compiler.generators.normal import normal_quantile, truncated_normal_quantile


def quantile(law: RandomLaw, u: Floats, *, is_integer: bool = False) -> Floats:
    """The values of a law at the coordinates u, shape (n,), each in the open interval (0, 1).

    Uniform is half-open, [minimum, maximum); truncated laws stay within their bounds. Whole numbers are
    float64 too: for Uniform the floor over [minimum, maximum + 1), all equally likely; for the others the
    nearest, ties to even, and within the bounds. Raises ValueError when a law has no value or no
    probability within its bounds; a value beyond the largest float is infinite. `u` may be overwritten.
    """
    with np.errstate(all="ignore"):
        if is_integer and isinstance(law, Uniform):
            return _whole_uniform(law, u)
        values = _values(law, u)
        return _whole(values, *bounds_of(law)) if is_integer else values


def level_index(u: Floats, count: int) -> npt.NDArray[np.int64]:
    """The index floor(u * count) in 0..count-1 of each coordinate, shape (n,)."""
    index = np.floor(u * float(count)).astype(np.int64)
    return np.minimum(index, count - 1)


def whole_count(law: Uniform) -> int:
    """How many whole numbers lie between the ends of a law, both included."""
    return max(math.floor(law.maximum) - math.ceil(law.minimum) + 1, 0)


def whole_values(law: Uniform, u: Floats) -> list[int]:
    """The floor over [minimum, maximum + 1) at the coordinates u, shape (n,), exact whatever the size of the bounds."""
    first, count = math.ceil(law.minimum), whole_count(law)
    if not count:
        raise ValueError("there is no whole number between the bounds")
    ratios = (value.as_integer_ratio() for value in u.tolist())
    return [first + min(part * count // whole, count - 1) for part, whole in ratios]


def bounds_of(law: RandomLaw) -> tuple[Fraction | None, Fraction | None]:
    """The smallest and the largest value of a law; None where it has no end."""
    match law:
        case Uniform(minimum, maximum) | Triangular(minimum, _, maximum):
            return minimum, maximum
        case Normal(_, _, lower, upper) | LogNormal(_, _, lower, upper):
            return lower, upper


def _values(law: RandomLaw, u: Floats) -> Floats:
    match law:
        case Uniform(minimum, maximum):
            u *= _float(maximum - minimum)
            u += _float(minimum)
            np.minimum(u, math.nextafter(_float(maximum), -math.inf), out=u)
            return u
        case Normal(mean, std, lower, upper):
            z = _standard_normal(
                u,
                -math.inf if lower is None else _float((lower - mean) / std),
                math.inf if upper is None else _float((upper - mean) / std),
            )
            return _within(_float(mean) + _float(std) * z, lower, upper)
        case LogNormal(mu, sigma, lower, upper):
            z = _standard_normal(
                u, _log_bound(lower, mu, sigma, -math.inf), _log_bound(upper, mu, sigma, math.inf)
            )
            return _within(exp(_float(mu) + _float(sigma) * z), lower, upper)
        case Triangular():
            return _triangular(law, u)


def _standard_normal(u: Floats, lower: float, upper: float) -> Floats:
    if lower == -math.inf and upper == math.inf:
        return normal_quantile(u)
    return truncated_normal_quantile(u, lower, upper)


def _log_bound(bound: Fraction | None, mu: Fraction, sigma: Fraction, missing: float) -> float:
    if bound is None:
        return missing
    if bound <= 0:
        return -math.inf
    logarithm = float(log(np.asarray([_float(bound)]))[0])
    return _float((Fraction(logarithm) - mu) / sigma)


def _triangular(law: Triangular, u: Floats) -> Floats:
    minimum, mode, maximum = law.minimum, law.mode, law.maximum
    width = maximum - minimum
    turn = _float((mode - minimum) / width)
    rising = _float(minimum) + np.sqrt(u * _float(width * (mode - minimum)))
    falling = _float(maximum) - np.sqrt((1.0 - u) * _float(width * (maximum - mode)))
    return _within(np.where(u < turn, rising, falling), minimum, maximum)


def _whole_uniform(law: Uniform, u: Floats) -> Floats:
    count = whole_count(law)
    if not count:
        raise ValueError("there is no whole number between the bounds")
    offset = np.minimum(np.floor(u * _float(Fraction(count))), _float(Fraction(count - 1)))
    return offset + _float(Fraction(math.ceil(law.minimum)))


def _whole(values: Floats, lower: Fraction | None, upper: Fraction | None) -> Floats:
    least = None if lower is None else Fraction(math.ceil(lower))
    most = None if upper is None else Fraction(math.floor(upper))
    if least is not None and most is not None and least > most:
        raise ValueError("there is no whole number between the bounds")
    return _within(np.rint(values), least, most)


def _within(values: Floats, lower: Fraction | None, upper: Fraction | None) -> Floats:
    if lower is not None:
        values = np.where(values < _float(lower), _float(lower), values)
    if upper is not None:
        values = np.where(values > _float(upper), _float(upper), values)
    return values


def _float(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ValueError("a parameter is too large for a number") from None
