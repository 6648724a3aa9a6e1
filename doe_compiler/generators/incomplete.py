"""The incomplete gamma and beta functions, both tails, in exactly rounded operations of a fixed order.

The factor before a series or continued fraction is written by Loader's deviance, C. Loader, "Fast and accurate
computation of binomial probabilities" (2000): what is left to `exp` is a small positive number, so that it keeps its
digits for large parameters. Constants of the parameters are computed to 50 digits. Series and fractions: NIST Handbook
of Mathematical Functions, 8.7.1, 8.9.2 and 8.17.22. An element's result does not hang on its neighbours: one that has
converged is left alone.
"""

import decimal
from collections.abc import Callable
from fractions import Fraction
from functools import cache

import numpy as np
import numpy.typing as npt

from doe_compiler.expressions.exponential import Floats, exp, log

Flags = npt.NDArray[np.bool_]
Parts = tuple[float, Floats, Flags, Floats]
Logarithm = Callable[[Floats], tuple[Floats, Floats]]
_PRECISION = 50
_MOST_TERMS = 20_000
_EPSILON = 2.0**-54
_TINY = 1e-300
_HALF_LOG_2PI = decimal.Decimal("0.91893853320467274178032973640561763986139747363778341281715154048")
_BERNOULLI = tuple(
    Fraction(text)
    for text in [
        "1/6",
        "-1/30",
        "1/42",
        "-1/30",
        "5/66",
        "-691/2730",
        "7/6",
        "-3617/510",
        "43867/798",
        "-174611/330",
        "854513/138",
    ]
)
_STIRLING_FROM = 200


def _decimal(value: Fraction) -> decimal.Decimal:
    return decimal.Decimal(value.numerator) / decimal.Decimal(value.denominator)


def _context() -> decimal.Context:
    return decimal.Context(prec=_PRECISION + 20, Emin=-999999999, Emax=999999999)


@cache
def _stirling_error(a: Fraction) -> decimal.Decimal:
    """Log Γ(a + 1) - (a + 1/2) log a + a - log(2π)/2: small for large a. NIST 5.11.1, after raising a by its recurrence."""
    with decimal.localcontext(_context()):
        start = _decimal(a)
        raised = start
        product = decimal.Decimal(1)
        while raised < _STIRLING_FROM:
            raised += 1
            product *= raised
        series = sum(
            (
                _decimal(number) / (2 * k * (2 * k - 1) * raised ** (2 * k - 1))
                for k, number in enumerate(_BERNOULLI, 1)
            ),
            decimal.Decimal(0),
        )
        logarithm = (raised + decimal.Decimal("0.5")) * raised.ln() - raised + _HALF_LOG_2PI + series
        logarithm -= product.ln()
        return logarithm - (start + decimal.Decimal("0.5")) * start.ln() + start - _HALF_LOG_2PI


@cache
def _gamma_factor(a: Fraction) -> float:
    """a**a exp(-a) / Γ(a + 1)."""
    with decimal.localcontext(_context()):
        two_pi_a = (2 * _HALF_LOG_2PI).exp() * _decimal(a)
        return float((-_stirling_error(a)).exp() / two_pi_a.sqrt())


@cache
def _beta_factor(a: Fraction, b: Fraction) -> float:
    """x**a (1 - x)**b / B(a, b) at x = a / (a + b)."""
    with decimal.localcontext(_context()):
        errors = _stirling_error(a + b) - _stirling_error(a) - _stirling_error(b)
        rest = _decimal(a) * _decimal(b) / _decimal(a + b) / (2 * _HALF_LOG_2PI).exp()
        return float(errors.exp() * rest.sqrt())


def _deviance(x: Floats, mean: float) -> Floats:
    """X log(x / mean) + mean - x with the roles of Loader's bd0 turned: mean * h(x / mean), h(t) = t - 1 - log t."""
    t = x / mean
    d = t - 1.0
    v = d / (2.0 + d)
    # log t = 2 (v + v³/3 + v⁵/5 + ...): t - 1 - log t = d v - 2 (v³/3 + v⁵/5 + ...).
    square = v * v
    total = np.zeros_like(v)
    for k in range(14, 0, -1):
        total = (total + 1.0 / (2 * k + 1)) * square
    near = d * v - 2.0 * v * total
    return mean * np.where(np.abs(d) < 0.2, near, d - log(np.where(x > 0, t, 1.0)))


def gamma_tails(a: Fraction, x: Floats) -> tuple[Floats, Floats]:
    """P(a, x) and Q(a, x) for a > 0 and x >= 0, shape (n,), each within some 1e-14 relative of its own value."""
    with np.errstate(all="ignore"):
        is_inside = (x > 0) & (x < np.inf)
        below, above = _tails(*_gamma_parts(a, np.where(is_inside, x, 1.0)))
        return (
            np.where(is_inside, below, np.where(x > 0, 1.0, 0.0)),
            np.where(is_inside, above, np.where(x > 0, 0.0, 1.0)),
        )


def _gamma_parts(a: Fraction, x: Floats) -> Parts:
    shape = float(a)
    is_low = x < shape + 1.0
    below = _gamma_series(shape, np.where(is_low, x, 1.0)) / shape
    above = _gamma_fraction(shape, np.where(is_low, shape + 2.0, x))
    return float(a) * _gamma_factor(a), _deviance(x, shape), is_low, np.where(is_low, below, above)


def _tails(density: float, deviance: Floats, is_low: Flags, ratio: Floats) -> tuple[Floats, Floats]:
    """The tails from parts: density * exp(-deviance) is x f(x), `ratio` is the tail that is near over it."""
    near = density * exp(-deviance) * ratio
    return np.where(is_low, near, 1.0 - near), np.where(is_low, 1.0 - near, near)


def _logarithm_and_ratio(parts: Parts, *, is_upper: bool) -> tuple[Floats, Floats]:
    """The logarithm of a tail, however small it is, and the tail over x f(x)."""
    density, deviance, is_low, ratio = parts
    is_near = is_low != is_upper
    scale = density * exp(-deviance)
    far = 1.0 - scale * np.where(is_near, 0.0, ratio)
    far = np.where(far > 0, far, 0.5)
    logarithm = np.where(is_near, log(density * ratio) - deviance, log(far))
    return logarithm, np.where(is_near, ratio, far / scale)


def _gamma_series(a: float, x: Floats) -> Floats:
    term = np.ones_like(x)
    total = np.ones_like(x)
    for k in range(1, _MOST_TERMS):
        term = term * (x / (a + k))
        added = total + term
        if (added == total).all():
            break
        total = added
    return total


def _gamma_fraction(a: float, x: Floats) -> Floats:
    """The continued fraction 1/(x + 1 - a - 1(1 - a)/(x + 3 - a - ...)) by Lentz."""
    b = x + (1.0 - a)
    c = np.full_like(x, 1.0 / _TINY)
    d = 1.0 / b
    h = d
    is_open = np.ones(x.shape, dtype=np.bool_)
    for k in range(1, _MOST_TERMS):
        numerator = -k * (k - a)
        b = b + 2.0
        d = numerator * d + b
        d = 1.0 / np.where(np.abs(d) < _TINY, _TINY, d)
        c = b + numerator / c
        c = np.where(np.abs(c) < _TINY, _TINY, c)
        change = d * c
        h = np.where(is_open, h * change, h)
        is_open = is_open & (np.abs(change - 1.0) > _EPSILON)
        if not is_open.any():
            break
    return h


def beta_tails(a: Fraction, b: Fraction, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """I_x(a, b) and 1 - I_x(a, b) for a, b > 0 and x = 1 - y in [0, 1], each with its own digits, shape (n,)."""
    with np.errstate(all="ignore"):
        is_inside = (x > 0) & (y > 0)
        parts = _beta_parts(a, b, np.where(is_inside, x, 0.5), np.where(is_inside, y, 0.5))
        below, above = _tails(*parts)
        return (
            np.where(is_inside, below, np.where(y > 0, 0.0, 1.0)),
            np.where(is_inside, above, np.where(y > 0, 1.0, 0.0)),
        )


def _beta_parts(a: Fraction, b: Fraction, x: Floats, y: Floats) -> Parts:
    p, q, n = float(a), float(b), float(a + b)
    is_low = x < (p + 1.0) / (p + q + 2.0)
    below = _beta_fraction(p, q, np.where(is_low, x, 0.0)) / p
    above = _beta_fraction(q, p, np.where(is_low, 0.0, y)) / q
    deviance = _deviance(n * x, p) + _deviance(n * y, q)
    return _beta_factor(a, b), deviance, is_low, np.where(is_low, below, above)


def _beta_fraction(a: float, b: float, x: Floats) -> Floats:
    """NIST 8.17.22 by Lentz."""
    c = np.ones_like(x)
    d = 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / np.where(np.abs(d) < _TINY, _TINY, d)
    h = d
    is_open = np.ones(x.shape, dtype=np.bool_)
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        change = np.ones_like(x)
        for numerator in (even, odd):
            d = 1.0 + numerator * d
            d = 1.0 / np.where(np.abs(d) < _TINY, _TINY, d)
            c = 1.0 + numerator / c
            c = np.where(np.abs(c) < _TINY, _TINY, c)
            last = d * c
            change = change * last
        h = np.where(is_open, h * change, h)
        is_open = is_open & (np.abs(last - 1.0) > _EPSILON)
        if not is_open.any():
            break
    return h


def gamma_log_quantile(a: Fraction, tail: Floats, *, is_upper: bool) -> Floats:
    """Log x of the Gamma law with scale 1 at the probability `tail` below x, or above it, at most 0.51."""

    def at(s: Floats) -> tuple[Floats, Floats]:
        return _logarithm_and_ratio(_gamma_parts(a, exp(s)), is_upper=is_upper)

    return _newton(tail, float(log(np.asarray([float(a)]))[0]), at, is_upper=is_upper, is_steepening=is_upper)


def beta_logit_quantile(a: Fraction, b: Fraction, tail: Floats, *, is_upper: bool) -> Floats:
    """log(x / (1 - x)) of the Beta law at the probability `tail` below x, or above it, at most 0.51."""

    def at(s: Floats) -> tuple[Floats, Floats]:
        return _logarithm_and_ratio(_beta_parts(a, b, logistic(s), logistic(-s)), is_upper=is_upper)

    return _newton(tail, float(log(np.asarray([float(a / b)]))[0]), at, is_upper=is_upper)


def logistic(s: Floats) -> Floats:
    """1 / (1 + exp(-s))."""
    with np.errstate(all="ignore"):
        return 1.0 / (1.0 + exp(-s))


def _newton(
    tail: Floats, start: float, at: Logarithm, *, is_upper: bool, is_steepening: bool = False
) -> Floats:
    """The s at which a log-concave tail has a value: Newton on its logarithm overshoots to one side only.

    Where the logarithm steepens without end, as exp(s) does, it is kept from overshooting far.
    """
    sign = -1.0 if is_upper else 1.0
    wanted = log(tail)
    s = np.full_like(tail, start)
    is_open = np.ones(tail.shape, dtype=np.bool_)
    for _ in range(100):
        with np.errstate(all="ignore"):
            logarithm, ratio = at(s)
            step = (logarithm - wanted) * ratio
        if is_steepening:
            step = np.minimum(np.maximum(step, -1.0), 1.0)
        s = np.where(is_open, s - sign * step, s)
        is_open = is_open & (np.abs(step) > 4e-15 * np.maximum(np.abs(s), 0.05))
        if not is_open.any():
            break
    return s
