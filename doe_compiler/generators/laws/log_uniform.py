"""LogUniform: equally likely by the logarithm, between two positive ends."""

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from doe_compiler.generators.law import Bounds, Drawn, DrawnLaw, Form, Generator, Key, Order

if TYPE_CHECKING:
    from doe_compiler.generators.law import Floats


_LN2 = 0.69314718055994530942


@dataclass(frozen=True)
class LogUniform(DrawnLaw):
    """The logarithm is Uniform between those of minimum and maximum."""

    minimum: Fraction
    maximum: Fraction


def _support(law: LogUniform) -> Bounds:
    return law.minimum, law.maximum


def _quantile(law: LogUniform, u: "Floats") -> "Floats":
    from doe_compiler.generators.truncation import clipped, truncated

    return clipped(truncated(law, _between_tails, _tails, u), law.minimum, law.maximum)


def _between_tails(law: LogUniform, p: "Floats", q: "Floats") -> "Floats":
    import numpy as np

    from doe_compiler.expressions.exponential import exp
    from doe_compiler.generators.truncation import nearest

    width = _logarithm(law.maximum / law.minimum)
    is_low = p < 0.5
    near = np.where(is_low, nearest(law.minimum), nearest(law.maximum))
    return near * exp(np.where(is_low, p, -q) * width)


def _tails(law: LogUniform, x: "Floats") -> "tuple[Floats, Floats]":
    import numpy as np

    from doe_compiler.expressions.exponential import log

    low, high = float(law.minimum), float(law.maximum)
    x = np.minimum(np.maximum(x, low), high)
    width = _logarithm(law.maximum / law.minimum)
    return log(x / low) / width, log(high / x) / width


def _logarithm(ratio: Fraction) -> float:
    """The logarithm of an exact ratio above 1, by the same steps on every machine."""
    import numpy as np

    from doe_compiler.expressions.exponential import log, log1p

    if ratio < 2:
        return float(log1p(np.asarray([float(ratio - 1)]))[0])
    shift = max(ratio.numerator.bit_length() - ratio.denominator.bit_length() - 1, 0)
    rest = float(ratio / 2**shift)
    return float(log(np.asarray([rest]))[0]) + shift * _LN2


def _mean(law: LogUniform) -> float:
    return float(law.maximum - law.minimum) / _logarithm(law.maximum / law.minimum)


def _variance(law: LogUniform) -> float:
    return (
        float(law.maximum**2 - law.minimum**2) / (2 * _logarithm(law.maximum / law.minimum)) - _mean(law) ** 2
    )


LOG_UNIFORM = Generator(
    LogUniform,
    forms=(
        Form(
            "logUniform",
            "Every order of magnitude between min and max is equally likely.",
            (
                Key("min", "minimum", "The smallest value.", 0.01, above=0, counts_whole=True),
                Key("max", "maximum", "The largest value.", 1000, above=0, counts_whole=True),
            ),
            {"min": 0.001, "max": 100},
        ),
    ),
    support=_support,
    orders=(Order("min", "max"),),
    drawn=Drawn(_quantile, _tails, mean=_mean, variance=_variance),
)
