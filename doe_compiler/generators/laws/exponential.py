"""Exponential: the time to an event that is as likely at any moment."""

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from doe_compiler.generators.law import Bounds, Drawn, DrawnLaw, Form, Generator, Key

if TYPE_CHECKING:
    from doe_compiler.generators.law import Floats


@dataclass(frozen=True)
class Exponential(DrawnLaw):
    """Density exp(-x / mean) / mean above 0."""

    mean: Fraction


def _support(_law: Exponential) -> Bounds:
    return Fraction(0), None


def _quantile(law: Exponential, u: "Floats") -> "Floats":
    from doe_compiler.generators.truncation import truncated

    return truncated(law, _between_tails, _tails, u)


def _between_tails(law: Exponential, p: "Floats", q: "Floats") -> "Floats":
    from doe_compiler.generators.survival import minus_log
    from doe_compiler.generators.truncation import nearest

    return nearest(law.mean) * minus_log(q, p)


def _tails(law: Exponential, x: "Floats") -> "tuple[Floats, Floats]":
    from doe_compiler.generators.survival import decay

    return decay(x / float(law.mean))


EXPONENTIAL = Generator(
    Exponential,
    forms=(
        Form(
            "exponential",
            "The time between events that come at a constant rate.",
            (Key("mean", "mean", "The mean: one over the rate.", 4, above=0),),
            {"mean": 2.5},
        ),
    ),
    support=_support,
    drawn=Drawn(
        _quantile,
        _tails,
        mean=lambda law: float(law.mean),
        variance=lambda law: float(law.mean) ** 2,
    ),
)
