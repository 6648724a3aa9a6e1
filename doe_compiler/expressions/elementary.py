"""The functions of the expression language, each the same bits on every processor."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from doe_compiler.expressions.exponential import Floats, cosh, exp, log, log10, power, sinh, tanh
from doe_compiler.expressions.trigonometric import acos, asin, atan, atan2, cos, sin, tan


def absolute(x: Floats) -> Floats:
    """|x|."""
    return np.where(x < 0, -x, x) + 0.0


def square_root(x: Floats) -> Floats:
    """√x, correctly rounded; NaN below 0."""
    with np.errstate(all="ignore"):
        return np.sqrt(x)


def smallest(*values: Floats) -> Floats:
    """The smallest of the values; NaN if one is NaN."""
    result = values[0]
    for value in values[1:]:
        result = np.where((value < result) | np.isnan(value), value, result)
    return result


def largest(*values: Floats) -> Floats:
    """The largest of the values; NaN if one is NaN."""
    result = values[0]
    for value in values[1:]:
        result = np.where((value > result) | np.isnan(value), value, result)
    return result


def floor(x: Floats) -> Floats:
    """The largest whole number that is not above x."""
    return np.floor(x)


def ceil(x: Floats) -> Floats:
    """The smallest whole number that is not below x."""
    return np.ceil(x)


_POWERS_OF_TEN = np.asarray([10**k for k in range(16)], dtype=np.float64)


def rounded(x: Floats, digits: Floats | None = None) -> Floats:
    """Round x to `digits` decimals (0 to 15, otherwise NaN), ties of the scaled value to even."""
    if digits is None:
        return np.rint(x)
    with np.errstate(all="ignore"):
        is_known = (digits >= 0) & (digits <= 15) & (np.rint(digits) == digits)
        scale = _POWERS_OF_TEN[np.where(is_known, digits, 0.0).astype(np.int64)]
        scaled = x * scale
        value = np.where(np.abs(scaled) < 2.0**52, np.rint(scaled) / scale, x)
        return np.where(is_known, value, np.nan)


def hypotenuse(*values: Floats) -> Floats:
    """The square root of the sum of squares, within 2 ulp, without overflow in between."""
    with np.errstate(all="ignore"):
        biggest = largest(*(absolute(value) for value in values))
        usable = np.where((biggest > 0) & (biggest < np.inf), biggest, 1.0)
        exponent = np.frexp(usable)[1]
        total = np.zeros_like(usable)
        for value in values:
            scaled = np.ldexp(value, -exponent)
            total = total + scaled * scaled
        result = np.ldexp(np.sqrt(total), exponent)
        return np.where((biggest > 0) & (biggest < np.inf), result, biggest)


FUNCTIONS: Mapping[str, Callable[..., Floats]] = MappingProxyType(
    {
        "abs": absolute,
        "sqrt": square_root,
        "exp": exp,
        "log": log,
        "log10": log10,
        "sin": sin,
        "cos": cos,
        "tan": tan,
        "asin": asin,
        "acos": acos,
        "atan": atan,
        "atan2": atan2,
        "sinh": sinh,
        "cosh": cosh,
        "tanh": tanh,
        "min": smallest,
        "max": largest,
        "floor": floor,
        "ceil": ceil,
        "round": rounded,
        "pow": power,
        "hypot": hypotenuse,
    }
)
