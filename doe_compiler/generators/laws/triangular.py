"""Triangular: density rising from minimum to mode and falling to maximum."""

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from doe_compiler.generators.law import Bounds, Drawn, DrawnLaw, Form, Generator, Key, Order

if TYPE_CHECKING:
    from doe_compiler.generators.law import Floats


@dataclass(frozen=True)
class Triangular(DrawnLaw):
    """Density rising from minimum to mode and falling to maximum."""

    minimum: Fraction
    mode: Fraction
    maximum: Fraction


def _support(law: Triangular) -> Bounds:
    return law.minimum, law.maximum


def _quantile(law: Triangular, u: "Floats") -> "Floats":
    from doe_compiler.generators.truncation import clipped, truncated

    if law.is_truncated:
        return truncated(law, _between_tails, _tails, u)
    return clipped(_between_tails(law, u, 1.0 - u), law.minimum, law.maximum)


def _between_tails(law: Triangular, p: "Floats", q: "Floats") -> "Floats":
    import numpy as np

    from doe_compiler.generators.truncation import nearest

    width = law.maximum - law.minimum
    turn = nearest((law.mode - law.minimum) / width)
    rising = nearest(law.minimum) + np.sqrt(p * nearest(width * (law.mode - law.minimum)))
    falling = nearest(law.maximum) - np.sqrt(q * nearest(width * (law.maximum - law.mode)))
    return np.where(p < turn, rising, falling)


def _tails(law: Triangular, x: "Floats") -> "tuple[Floats, Floats]":
    import numpy as np

    low, mode, high = float(law.minimum), float(law.mode), float(law.maximum)
    x = np.minimum(np.maximum(x, low), high)
    left = (x - low) ** 2 / ((high - low) * (mode - low)) if mode > low else x * 0.0
    right = (high - x) ** 2 / ((high - low) * (high - mode)) if high > mode else x * 0.0
    return np.where(x < mode, left, 1.0 - right), np.where(x < mode, 1.0 - left, right)


def _variance(law: Triangular) -> float:
    a, c, b = law.minimum, law.mode, law.maximum
    return float((a * a + b * b + c * c - a * b - a * c - b * c) / 18)


TRIANGULAR = Generator(
    Triangular,
    forms=(
        Form(
            "triangular",
            "Density rising from min to mode and falling to max.",
            (
                Key("min", "minimum", "The smallest value.", 0, wire="minvalue", counts_whole=True),
                Key("mode", "mode", "The most likely value.", 3, wire="mode"),
                Key("max", "maximum", "The largest value.", 9, wire="maxvalue", counts_whole=True),
            ),
            {"min": 1, "mode": 2, "max": 5},
        ),
    ),
    support=_support,
    orders=(
        Order("min", "max"),
        Order("min", "mode", may_be_equal=True),
        Order("mode", "max", may_be_equal=True),
    ),
    drawn=Drawn(
        _quantile,
        _tails,
        mean=lambda law: float((law.minimum + law.mode + law.maximum) / 3),
        variance=_variance,
    ),
)
