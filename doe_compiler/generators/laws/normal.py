"""Normal: the Gaussian."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from doe_compiler.generators.law import Bounds, Drawn, DrawnLaw, Form, Generator, Key

if TYPE_CHECKING:
    from doe_compiler.generators.law import Floats


@dataclass(frozen=True)
class Normal(DrawnLaw):
    """Gaussian with mean and standard deviation, before truncation."""

    mean: Fraction
    std: Fraction


def standard_mass(low: float, high: float) -> float:
    """The probability of a standard normal between two values, near enough to tell whether it is too small.

    The upper tail is the mirrored lower one; taking the smaller one keeps the difference exact enough.
    """
    if low > 0:
        low, high = -high, -low
    return (math.erfc(-high / math.sqrt(2)) - math.erfc(-low / math.sqrt(2))) / 2


def _mass(law: Normal) -> float:
    low = -math.inf if law.lower is None else _or_infinite((law.lower - law.mean) / law.std)
    high = math.inf if law.upper is None else _or_infinite((law.upper - law.mean) / law.std)
    return standard_mass(low, high)


def _or_infinite(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _support(_law: Normal) -> Bounds:
    return None, None


def _quantile(law: Normal, u: "Floats") -> "Floats":
    from doe_compiler.generators.gaussian import standard_normal
    from doe_compiler.generators.truncation import clipped, nearest

    z = standard_normal(
        u,
        -math.inf if law.lower is None else nearest((law.lower - law.mean) / law.std),
        math.inf if law.upper is None else nearest((law.upper - law.mean) / law.std),
    )
    return clipped(nearest(law.mean) + nearest(law.std) * z, law.lower, law.upper)


def _tails(law: Normal, x: "Floats") -> "tuple[Floats, Floats]":
    from doe_compiler.generators.gaussian import normal_cdf

    z = (x - float(law.mean)) / float(law.std)
    return normal_cdf(z), normal_cdf(-z)


NORMAL = Generator(
    Normal,
    forms=(
        Form(
            "normal",
            "The Gaussian, on request truncated to [lower, upper].",
            (
                Key("mean", "mean", "The mean.", 1, wire="mean"),
                Key(
                    "std",
                    "std",
                    "The standard deviation, before truncation.",
                    3,
                    wire="standarddeviation",
                    above=0,
                ),
            ),
            {"mean": 0, "std": 2, "lower": -5, "upper": 5},
        ),
    ),
    support=_support,
    drawn=Drawn(
        _quantile,
        _tails,
        mean=lambda law: float(law.mean),
        variance=lambda law: float(law.std) ** 2,
        mass=_mass,
    ),
)
