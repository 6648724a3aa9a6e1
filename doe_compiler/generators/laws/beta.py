"""Beta: a share, or any variable between two ends."""

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from doe_compiler.generators.law import Bounds, Drawn, DrawnLaw, Form, Generator, Key, Order

if TYPE_CHECKING:
    from doe_compiler.generators.law import Floats

LARGEST_PARAMETER = 10_000


@dataclass(frozen=True)
class Beta(DrawnLaw):
    """Density proportional to (x - minimum)**(alpha - 1) (maximum - x)**(beta - 1)."""

    alpha: Fraction
    beta: Fraction
    minimum: Fraction = Fraction(0)
    maximum: Fraction = Fraction(1)


def _support(law: Beta) -> Bounds:
    return law.minimum, law.maximum


def quantile(law: Beta, u: "Floats") -> "Floats":
    """The values at coordinates u in (0, 1), shape (n,)."""
    from doe_compiler.generators.truncation import clipped, truncated

    return clipped(truncated(law, _between_tails, tails, u), law.minimum, law.maximum)


def _between_tails(law: Beta, p: "Floats", q: "Floats") -> "Floats":
    import numpy as np

    from doe_compiler.generators.truncation import nearest

    below, above = shares(law.alpha, law.beta, p, q)
    width = nearest(law.maximum - law.minimum)
    return np.where(below < 0.5, nearest(law.minimum) + width * below, nearest(law.maximum) - width * above)


def shares(alpha: Fraction, beta: Fraction, p: "Floats", q: "Floats") -> "tuple[Floats, Floats]":
    """The share x of a Beta law on [0, 1] at a probability p below and q = 1 - p above, and 1 - x, each with its digits."""
    from doe_compiler.generators.incomplete import beta_logit_quantile, logistic
    from doe_compiler.generators.inversion import by_tails

    def solve(tail: "Floats", is_upper: bool) -> "Floats":
        return beta_logit_quantile(alpha, beta, tail, is_upper=is_upper)

    logit = by_tails(solve, p, q)
    return logistic(logit), logistic(-logit)


def tails(law: Beta, x: "Floats") -> "tuple[Floats, Floats]":
    """The probabilities below and above x, shape (n,), without truncation."""
    import numpy as np

    from doe_compiler.generators.incomplete import beta_tails

    low, high = float(law.minimum), float(law.maximum)
    x = np.minimum(np.maximum(x, low), high)
    return beta_tails(law.alpha, law.beta, (x - low) / (high - low), (high - x) / (high - low))


def mean(law: Beta) -> float:
    """The mean without truncation."""
    return float(law.minimum + (law.maximum - law.minimum) * law.alpha / (law.alpha + law.beta))


def variance(law: Beta) -> float:
    """The variance without truncation."""
    a, b = law.alpha, law.beta
    return float((law.maximum - law.minimum) ** 2 * a * b / ((a + b) ** 2 * (a + b + 1)))


BETA = Generator(
    Beta,
    forms=(
        Form(
            "beta",
            "A share, or any variable between two ends.",
            (
                Key("alpha", "alpha", "The weight of the upper end.", 3, above=0, most=LARGEST_PARAMETER),
                Key("beta", "beta", "The weight of the lower end.", 2, above=0, most=LARGEST_PARAMETER),
                Key(
                    "min",
                    "minimum",
                    "The smallest value; 0 if not given.",
                    -1,
                    is_required=False,
                    counts_whole=True,
                ),
                Key(
                    "max",
                    "maximum",
                    "The largest value; 1 if not given.",
                    2,
                    is_required=False,
                    counts_whole=True,
                ),
            ),
            {"alpha": 2, "beta": 5},
        ),
    ),
    support=_support,
    orders=(Order("min", "max"),),
    drawn=Drawn(quantile, tails, mean=mean, variance=variance),
)
