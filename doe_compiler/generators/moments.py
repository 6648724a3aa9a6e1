"""The parameters of a log-normal law from the mean and standard deviation of the variable itself."""

from decimal import Context, Decimal
from fractions import Fraction

_CONTEXT = Context(prec=60, Emin=-(10**6), Emax=10**6)


def log_normal_parameters(mean: Fraction, std: Fraction) -> tuple[Fraction, Fraction]:
    """(mu, sigma) of the logarithm of a variable with this mean and standard deviation.

    sigma² = ln(1 + std²/mean²), mu = ln(mean) - sigma²/2, in decimals of 60 digits and rounded once to the
    nearest float. Raises ValueError unless mean and std are positive.
    """
    if mean <= 0 or std <= 0:
        raise ValueError("the mean and the standard deviation of a log-normal law are positive")
    variance = _CONTEXT.ln(_CONTEXT.add(Decimal(1), _decimal((std / mean) ** 2)))
    mu = _CONTEXT.subtract(_CONTEXT.ln(_decimal(mean)), _CONTEXT.divide(variance, Decimal(2)))
    return Fraction(float(mu)), Fraction(float(_CONTEXT.sqrt(variance)))


def _decimal(value: Fraction) -> Decimal:
    return _CONTEXT.divide(Decimal(value.numerator), Decimal(value.denominator))
