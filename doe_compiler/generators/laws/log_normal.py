"""LogNormal: a variable whose logarithm is Normal."""

import decimal
import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from doe_compiler.generators.law import Bounds, Drawn, DrawnLaw, Form, Generator, Key
from doe_compiler.generators.laws.normal import standard_mass

if TYPE_CHECKING:
    from doe_compiler.generators.law import Floats

_DIGITS = 40


@dataclass(frozen=True)
class LogNormal(DrawnLaw):
    """exp of a Normal with `mu` and `sigma`; bounds are of the variable itself."""

    mu: Fraction
    sigma: Fraction


def logarithmic_parameters(mean: Fraction, std: Fraction) -> tuple[Fraction, Fraction]:
    """The mu and sigma of the logarithm of a LogNormal variable with this mean and standard deviation.

    sigma^2 = ln(1 + (std/mean)^2), mu = ln(mean) - sigma^2/2; to 40 significant digits, the same on every
    machine. Both arguments are positive.
    """
    ratio = std / mean
    smallness = max(0, len(str(ratio.denominator)) - len(str(ratio.numerator)) + 1)
    with decimal.localcontext(decimal.Context(prec=60 + 2 * smallness, Emin=-999999, Emax=999999)) as context:
        exact_mean = decimal.Decimal(mean.numerator) / decimal.Decimal(mean.denominator)
        exact_ratio = decimal.Decimal(ratio.numerator) / decimal.Decimal(ratio.denominator)
        variance = (1 + exact_ratio * exact_ratio).ln()
        mu = exact_mean.ln() - variance / 2
        sigma = variance.sqrt()
        context.prec = _DIGITS
        return Fraction(+mu), Fraction(+sigma)


def _of_variable(values: Mapping[str, Fraction]) -> Mapping[str, Fraction]:
    mu, sigma = logarithmic_parameters(values["mean"], values["std"])
    return {"mu": mu, "sigma": sigma}


def _mass(law: LogNormal) -> float:
    mu, sigma = float(law.mu), float(law.sigma)
    low = -math.inf if law.lower is None or law.lower <= 0 else (_logarithm(law.lower) - mu) / sigma
    if law.upper is None:
        return standard_mass(low, math.inf)
    return standard_mass(low, -math.inf if law.upper <= 0 else (_logarithm(law.upper) - mu) / sigma)


def _logarithm(value: Fraction) -> float:
    return math.log(value.numerator) - math.log(value.denominator)


def _support(_law: LogNormal) -> Bounds:
    return Fraction(0), None


def _quantile(law: LogNormal, u: "Floats") -> "Floats":
    from doe_compiler.expressions.exponential import exp
    from doe_compiler.generators.gaussian import standard_normal
    from doe_compiler.generators.truncation import clipped, nearest

    z = standard_normal(u, _log_bound(law, law.lower, -math.inf), _log_bound(law, law.upper, math.inf))
    return clipped(exp(nearest(law.mu) + nearest(law.sigma) * z), law.lower, law.upper)


def _log_bound(law: LogNormal, bound: Fraction | None, missing: float) -> float:
    import numpy as np

    from doe_compiler.expressions.exponential import log
    from doe_compiler.generators.truncation import nearest

    if bound is None:
        return missing
    if bound <= 0:
        return -math.inf
    logarithm = float(log(np.asarray([nearest(bound)]))[0])
    return nearest((Fraction(logarithm) - law.mu) / law.sigma)


def _tails(law: LogNormal, x: "Floats") -> "tuple[Floats, Floats]":
    import numpy as np

    from doe_compiler.expressions.exponential import log
    from doe_compiler.generators.gaussian import normal_cdf

    z = (log(np.maximum(x, 0.0)) - float(law.mu)) / float(law.sigma)
    return normal_cdf(z), normal_cdf(-z)


LOG_NORMAL = Generator(
    LogNormal,
    forms=(
        Form(
            "logNormal",
            "A variable whose logarithm is Normal, by the parameters of the logarithm.",
            (
                Key("mu", "mu", "The mean of the logarithm.", 1, wire="mean"),
                Key(
                    "sigma",
                    "sigma",
                    "The standard deviation of the logarithm.",
                    0.5,
                    wire="standarddeviation",
                    above=0,
                ),
            ),
            {"mu": 0, "sigma": 0.25},
        ),
        Form(
            "logNormalOfVariable",
            "A variable whose logarithm is Normal, by its own mean and standard deviation.",
            (
                Key("mean", "mean", "The mean of the variable itself.", 3, above=0),
                Key("std", "std", "The standard deviation of the variable itself.", 1, above=0),
            ),
            {"mean": 2.5, "std": 0.5},
            _of_variable,
        ),
    ),
    support=_support,
    drawn=Drawn(
        _quantile,
        _tails,
        mean=lambda law: math.exp(law.mu + law.sigma**2 / 2),
        variance=lambda law: math.expm1(law.sigma**2) * math.exp(2 * law.mu + law.sigma**2),
        mass=_mass,
    ),
)
