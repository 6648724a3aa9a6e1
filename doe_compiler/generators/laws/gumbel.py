"""Gumbel: the largest of many values, such as the yearly maximum of a load."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from doe_compiler.generators.law import Bounds, Drawn, DrawnLaw, Form, Generator, Key

if TYPE_CHECKING:
    from doe_compiler.generators.law import Floats

_EULER = 0.57721566490153286


@dataclass(frozen=True)
class Gumbel(DrawnLaw):
    """The probability below x is exp(-exp(-(x - location) / scale))."""

    location: Fraction
    scale: Fraction


def _support(_law: Gumbel) -> Bounds:
    return None, None


def _quantile(law: Gumbel, u: "Floats") -> "Floats":
    from doe_compiler.generators.truncation import truncated

    return truncated(law, _between_tails, _tails, u)


def _between_tails(law: Gumbel, p: "Floats", q: "Floats") -> "Floats":
    from doe_compiler.expressions.exponential import log
    from doe_compiler.generators.survival import minus_log
    from doe_compiler.generators.truncation import nearest

    return nearest(law.location) - nearest(law.scale) * log(minus_log(p, q))


def _tails(law: Gumbel, x: "Floats") -> "tuple[Floats, Floats]":
    from doe_compiler.expressions.exponential import exp
    from doe_compiler.generators.survival import decay

    above, below = decay(exp((float(law.location) - x) / float(law.scale)))
    return below, above


GUMBEL = Generator(
    Gumbel,
    forms=(
        Form(
            "gumbel",
            "The largest of many values, such as the yearly maximum of a load.",
            (
                Key("location", "location", "The most likely value.", 30, counts_whole=False),
                Key(
                    "scale", "scale", "The scale; the standard deviation is 1.283 times as large.", 4, above=0
                ),
            ),
            {"location": 25, "scale": 3},
        ),
    ),
    support=_support,
    drawn=Drawn(
        _quantile,
        _tails,
        mean=lambda law: float(law.location) + _EULER * float(law.scale),
        variance=lambda law: (math.pi * float(law.scale)) ** 2 / 6,
    ),
)
