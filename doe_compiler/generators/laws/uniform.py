"""Uniform: equally likely on [minimum, maximum)."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from doe_compiler.generators.law import Bounds, Drawn, DrawnLaw, Form, Generator, Key, Order

if TYPE_CHECKING:
    from doe_compiler.generators.law import Floats


@dataclass(frozen=True)
class Uniform(DrawnLaw):
    """Equally likely on [minimum, maximum)."""

    minimum: Fraction
    maximum: Fraction


def whole_count(law: Uniform) -> int:
    """How many whole numbers lie between the ends, both included."""
    low, high = _ends(law)
    return max(math.floor(high) - math.ceil(low) + 1, 0)


def whole_values(law: Uniform, u: "Floats") -> list[int]:
    """The floor over [minimum, maximum + 1) at the coordinates u, shape (n,), exact whatever the size of the bounds."""
    first, count = math.ceil(_ends(law)[0]), whole_count(law)
    if not count:
        raise ValueError("there is no whole number between the bounds")
    ratios = (value.as_integer_ratio() for value in u.tolist())
    return [first + min(part * count // whole, count - 1) for part, whole in ratios]


def _ends(law: Uniform) -> tuple[Fraction, Fraction]:
    low = law.minimum if law.lower is None else max(law.minimum, law.lower)
    high = law.maximum if law.upper is None else min(law.maximum, law.upper)
    return low, high


def _support(law: Uniform) -> Bounds:
    return law.minimum, law.maximum


def _quantile(law: Uniform, u: "Floats") -> "Floats":
    import numpy as np

    from doe_compiler.generators.truncation import nearest

    low, high = _ends(law)
    u *= nearest(high - low)
    u += nearest(low)
    np.minimum(u, math.nextafter(nearest(high), -math.inf), out=u)
    return u


def _tails(law: Uniform, x: "Floats") -> "tuple[Floats, Floats]":
    width = float(law.maximum - law.minimum)
    return (x - float(law.minimum)) / width, (float(law.maximum) - x) / width


def _whole(law: Uniform, u: "Floats") -> "Floats":
    import numpy as np

    from doe_compiler.generators.truncation import nearest

    count = whole_count(law)
    if not count:
        raise ValueError("there is no whole number between the bounds")
    offset = np.minimum(np.floor(u * nearest(Fraction(count))), nearest(Fraction(count - 1)))
    return offset + nearest(Fraction(math.ceil(_ends(law)[0])))


UNIFORM = Generator(
    Uniform,
    forms=(
        Form(
            "uniform",
            "Equally likely between min and max.",
            (
                Key("min", "minimum", "The smallest value.", 0, wire="minvalue", counts_whole=True),
                Key(
                    "max",
                    "maximum",
                    "The bound that values stay below.",
                    100,
                    wire="maxvalue",
                    counts_whole=True,
                ),
            ),
            {"min": 10, "max": 30},
        ),
    ),
    support=_support,
    orders=(Order("min", "max"),),
    drawn=Drawn(
        _quantile,
        _tails,
        mean=lambda law: float((law.minimum + law.maximum) / 2),
        variance=lambda law: float((law.maximum - law.minimum) ** 2 / 12),
        whole=_whole,
        whole_count=whole_count,
    ),
)
