"""Weibull: strengths and lifetimes."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from doe_compiler.generators.law import Bounds, Drawn, DrawnLaw, Form, Generator, Key

if TYPE_CHECKING:
    from doe_compiler.generators.law import Floats


@dataclass(frozen=True)
class Weibull(DrawnLaw):
    """The probability above x is exp(-(x / scale)**shape)."""

    shape: Fraction
    scale: Fraction


def _support(_law: Weibull) -> Bounds:
    return Fraction(0), None


def _quantile(law: Weibull, u: "Floats") -> "Floats":
    from doe_compiler.generators.truncation import truncated

    return truncated(law, _between_tails, _tails, u)


def _between_tails(law: Weibull, p: "Floats", q: "Floats") -> "Floats":
    import numpy as np

    from doe_compiler.expressions.exponential import power
    from doe_compiler.generators.survival import minus_log
    from doe_compiler.generators.truncation import nearest

    return nearest(law.scale) * power(minus_log(q, p), np.asarray([nearest(1 / law.shape)]))


def _tails(law: Weibull, x: "Floats") -> "tuple[Floats, Floats]":
    import numpy as np

    from doe_compiler.expressions.exponential import power
    from doe_compiler.generators.survival import decay

    return decay(power(np.maximum(x, 0.0) / float(law.scale), np.asarray([float(law.shape)])))


def _raw_moment(law: Weibull, order: int) -> float:
    return float(law.scale) ** order * math.gamma(1 + order / float(law.shape))


WEIBULL = Generator(
    Weibull,
    forms=(
        Form(
            "weibull",
            "Strengths and lifetimes: the probability above x is exp(-(x / scale)**shape).",
            (
                Key("shape", "shape", "The shape k; 1 is Exponential.", 3, above=0),
                Key("scale", "scale", "The value that 63.2 % lie below.", 200, above=0),
            ),
            {"shape": 1.5, "scale": 100},
        ),
    ),
    support=_support,
    drawn=Drawn(
        _quantile,
        _tails,
        mean=lambda law: _raw_moment(law, 1),
        variance=lambda law: _raw_moment(law, 2) - _raw_moment(law, 1) ** 2,
    ),
)
