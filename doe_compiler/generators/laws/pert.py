"""Pert: a Beta law from the smallest, the most likely and the largest value, as experts tell them."""

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from doe_compiler.generators.law import Bounds, Drawn, DrawnLaw, Form, Generator, Key, Order
from doe_compiler.generators.laws import beta

if TYPE_CHECKING:
    from doe_compiler.generators.law import Floats


@dataclass(frozen=True)
class Pert(DrawnLaw):
    """Beta with the mean (minimum + gamma mode + maximum) / (gamma + 2); 4 is the usual gamma."""

    minimum: Fraction
    mode: Fraction
    maximum: Fraction
    gamma: Fraction = Fraction(4)

    @property
    def as_beta(self) -> beta.Beta:
        """The same law by the parameters of Beta."""
        width = self.maximum - self.minimum
        return beta.Beta(
            1 + self.gamma * (self.mode - self.minimum) / width,
            1 + self.gamma * (self.maximum - self.mode) / width,
            self.minimum,
            self.maximum,
            lower=self.lower,
            upper=self.upper,
        )


def _quantile(law: Pert, u: "Floats") -> "Floats":
    return beta.quantile(law.as_beta, u)


def _tails(law: Pert, x: "Floats") -> "tuple[Floats, Floats]":
    return beta.tails(law.as_beta, x)


def _support(law: Pert) -> Bounds:
    return law.minimum, law.maximum


PERT = Generator(
    Pert,
    forms=(
        Form(
            "pert",
            "An expert's smallest, most likely and largest value: a smooth Triangular.",
            (
                Key("min", "minimum", "The smallest value.", 0, counts_whole=True),
                Key("mode", "mode", "The most likely value.", 3),
                Key("max", "maximum", "The largest value.", 9, counts_whole=True),
                Key(
                    "gamma",
                    "gamma",
                    "How much the most likely value weighs; 4 if not given.",
                    2,
                    is_required=False,
                    least=0,
                    most=1000,
                ),
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
        mean=lambda law: beta.mean(law.as_beta),
        variance=lambda law: beta.variance(law.as_beta),
    ),
)
