"""From the keys of a generator to its law: bounds in order, truncation that leaves something, sane counts."""

import decimal
import math
from collections.abc import Callable
from fractions import Fraction

from doe_compiler.generators.enumeration import count_of
from doe_compiler.generators.laws import FixedRange, Law, Linspace, LogNormal, Normal, Triangular, Uniform
from doe_compiler.spec.nodes import Fields
from doe_compiler.spec.report import Report

MOST_POINTS = 10_000_000
_LEAST_MASS = 1e-9
_DIGITS = 40


def law_of(fields: Fields, report: Report) -> Law | None:
    """The law of a variable whose keys fit the schema, or None after a finding."""
    return _LAWS[fields.text("generator")](fields, report)


def _value(fields: Fields, key: str) -> Fraction:
    number = fields.number(key)
    assert number is not None
    return number


def _is_ascending(fields: Fields, report: Report, low: str, high: str, *, may_equal: bool = False) -> bool:
    bottom, top = fields.number(low), fields.number(high)
    if bottom is None or top is None or bottom < top or (may_equal and bottom == top):
        return True
    relation = "below" if may_equal else "not above"
    hint = "swap them, or widen the range" if not may_equal else f"'{high}' must be at least '{low}'"
    message = f"'{high}' ({fields.text(high)}) is {relation} '{low}' ({fields.text(low)})"
    report.error("E104", message, fields.place_of(high), hint)
    return False


def _uniform(fields: Fields, report: Report) -> Law | None:
    if not _is_ascending(fields, report, "min", "max"):
        return None
    return Uniform(_value(fields, "min"), _value(fields, "max"))


def _normal(fields: Fields, report: Report) -> Law | None:
    mean, std = _value(fields, "mean"), _value(fields, "std")
    lower, upper = fields.number("lower"), fields.number("upper")
    if not _is_ascending(fields, report, "lower", "upper"):
        return None
    low = -math.inf if lower is None else _nearest((lower - mean) / std)
    high = math.inf if upper is None else _nearest((upper - mean) / std)
    if not _has_mass(fields, report, low, high):
        return None
    return Normal(mean, std, lower, upper)


def _log_normal(fields: Fields, report: Report) -> Law | None:
    if fields.number("mu") is not None:
        mu, sigma = _value(fields, "mu"), _value(fields, "sigma")
    else:
        mu, sigma = logarithmic_parameters(_value(fields, "mean"), _value(fields, "std"))
    lower, upper = fields.number("lower"), fields.number("upper")
    if not _is_ascending(fields, report, "lower", "upper"):
        return None
    low = -math.inf if lower is None or lower <= 0 else (_logarithm(lower) - float(mu)) / float(sigma)
    if upper is None:
        high = math.inf
    else:
        high = -math.inf if upper <= 0 else (_logarithm(upper) - float(mu)) / float(sigma)
    if not _has_mass(fields, report, low, high):
        return None
    return LogNormal(mu, sigma, lower, upper)


def _nearest(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _logarithm(value: Fraction) -> float:
    return math.log(value.numerator) - math.log(value.denominator)


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


def _has_mass(fields: Fields, report: Report, low: float, high: float) -> bool:
    # The upper tail is the mirrored lower one; taking the smaller one keeps the difference exact enough.
    if low > 0:
        low, high = -high, -low
    mass = (math.erfc(-high / math.sqrt(2)) - math.erfc(-low / math.sqrt(2))) / 2
    if mass >= _LEAST_MASS:
        return True
    key = (
        "upper"
        if fields.number("upper") is not None and (low < -6 or fields.number("lower") is None)
        else "lower"
    )
    key = key if fields.number(key) is not None else "upper"
    message = f"almost nothing of the {fields.text('generator')} is left between 'lower' and 'upper'"
    report.error("E109", message, fields.place_of(key), "move the bounds towards the mean")
    return False


def _triangular(fields: Fields, report: Report) -> Law | None:
    in_order = [
        _is_ascending(fields, report, "min", "max"),
        _is_ascending(fields, report, "min", "mode", may_equal=True),
        _is_ascending(fields, report, "mode", "max", may_equal=True),
    ]
    if not all(in_order):
        return None
    return Triangular(_value(fields, "min"), _value(fields, "mode"), _value(fields, "max"))


def _linspace(fields: Fields, report: Report) -> Law | None:
    start, stop, count = _value(fields, "start"), _value(fields, "stop"), fields.integer("count") or 0
    if start == stop and count > 1:
        message = f"'stop' ({fields.text('stop')}) equals 'start', so the {count} points are one"
        report.error("E104", message, fields.place_of("stop"), "say count: 1, or another 'stop'")
        return None
    if start != stop and count < 2:
        message = "'count' must be at least 2 to hold both ends"
        report.error("E106", message, fields.place_of("count"), "say count: 2, or use 'value'")
        return None
    return Linspace(start, stop, count)


def _fixed_range(fields: Fields, report: Report) -> Law | None:
    if not _is_ascending(fields, report, "min", "max"):
        return None
    law = FixedRange(_value(fields, "min"), _value(fields, "max"), _value(fields, "increment"))
    count = count_of(law)
    if count > MOST_POINTS:
        message = f"{count:,} points are more than {MOST_POINTS:,}"
        report.error("E110", message, fields.place_of("increment"), "raise 'increment'")
        return None
    return law


_LAWS: dict[str, Callable[[Fields, Report], Law | None]] = {
    "Uniform": _uniform,
    "Normal": _normal,
    "LogNormal": _log_normal,
    "Triangular": _triangular,
    "Linspace": _linspace,
    "FixedRange": _fixed_range,
}
