"""Gamma: sums of waiting times, sizes and rates."""

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from doe_compiler.generators.law import Bounds, Drawn, DrawnLaw, Form, Generator, Key

if TYPE_CHECKING:
    from doe_compiler.generators.law import Floats

LARGEST_SHAPE = 10_000


@dataclass(frozen=True)
class Gamma(DrawnLaw):
    """Density proportional to x**(shape - 1) exp(-x / scale) above 0."""

    shape: Fraction
    scale: Fraction


def _support(_law: Gamma) -> Bounds:
    return Fraction(0), None


def _quantile(law: Gamma, u: "Floats") -> "Floats":
    from doe_compiler.generators.truncation import truncated

    return truncated(law, _between_tails, _tails, u)


def _between_tails(law: Gamma, p: "Floats", q: "Floats") -> "Floats":
    from doe_compiler.expressions.exponential import exp
    from doe_compiler.generators.incomplete import gamma_log_quantile
    from doe_compiler.generators.inversion import by_tails
    from doe_compiler.generators.truncation import nearest

    def solve(tail: "Floats", is_upper: bool) -> "Floats":
        return gamma_log_quantile(law.shape, tail, is_upper=is_upper)

    return nearest(law.scale) * exp(by_tails(solve, p, q))


def _tails(law: Gamma, x: "Floats") -> "tuple[Floats, Floats]":
    from doe_compiler.generators.incomplete import gamma_tails

    return gamma_tails(law.shape, x / float(law.scale))


GAMMA = Generator(
    Gamma,
    forms=(
        Form(
            "gamma",
            "Sums of waiting times, sizes and rates: the mean is shape times scale.",
            (
                Key("shape", "shape", "The shape; 1 is Exponential.", 3, above=0, most=LARGEST_SHAPE),
                Key("scale", "scale", "The scale.", 2, above=0),
            ),
            {"shape": 2.5, "scale": 1.5},
        ),
    ),
    support=_support,
    drawn=Drawn(
        _quantile,
        _tails,
        mean=lambda law: float(law.shape * law.scale),
        variance=lambda law: float(law.shape * law.scale**2),
    ),
)
