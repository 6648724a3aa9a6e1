"""Poisson: how many events that come at a constant rate."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from doe_compiler.generators.law import Bounds, Drawn, DrawnLaw, Form, Generator, Key

if TYPE_CHECKING:
    from doe_compiler.generators.law import Floats

_NEVER = 2**62


@dataclass(frozen=True)
class Poisson(DrawnLaw):
    """The whole number k has the probability exp(-mean) mean**k / k!."""

    mean: Fraction


def _support(_law: Poisson) -> Bounds:
    return Fraction(0), None


def _shares(law: Poisson) -> "tuple[int, Floats]":
    from doe_compiler.generators.counts import counted

    mean = float(law.mean)
    return counted(int(mean), 0, _NEVER, lambda k: mean / (k + 1.0), math.sqrt(mean))


def _quantile(law: Poisson, u: "Floats") -> "Floats":
    from doe_compiler.generators.truncation import whole_truncated

    return whole_truncated(law, *_shares(law), u)


def _tails(law: Poisson, x: "Floats") -> "tuple[Floats, Floats]":
    from doe_compiler.generators.counts import tails_at

    return tails_at(*_shares(law), x)


POISSON = Generator(
    Poisson,
    forms=(
        Form(
            "poisson",
            "How many events that come at a constant rate: whole numbers.",
            (Key("mean", "mean", "The mean number.", 9, above=0, most=1_000_000),),
            {"mean": 4.5},
        ),
    ),
    support=_support,
    drawn=Drawn(_quantile, _tails, mean=lambda law: float(law.mean), variance=lambda law: float(law.mean)),
)
