"""Conversion of units, by Pint with exact fractions, so that the result is the same everywhere."""

from fractions import Fraction
from functools import cache
from typing import Any

from doe_compiler.templates.jinja.values import unit_of


class NoConversion(ValueError):
    """Why a value cannot be converted."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def to(value: object, target: str, unit: str = "") -> float:
    """A value in another unit, from `unit`, or else from that of the study's variable."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number")
    source = unit or unit_of(value)
    if not source:
        hint = f'give its variable a `unit`, or say it: to("{target}", "m")'
        raise NoConversion(f"{value} has no unit that is known", hint)
    return _converted(str(value) if isinstance(value, float) else str(int(value)), source, target)


@cache
def _registry() -> Any:
    try:
        from pint import UnitRegistry  # noqa: PLC0415 - loaded where a template converts
    except ImportError as error:
        raise NoConversion("converting units needs Pint", "pip install 'doe-compiler[units]'") from error
    return UnitRegistry(non_int_type=Fraction, cache_folder=None)


@cache
def _units(text: str) -> Any:
    try:
        return _registry().parse_units(text)
    except NoConversion:
        raise
    except Exception as error:
        raise NoConversion(f"{text!r} is no unit that is known: {error}") from error


@cache
def _converted(text: str, source: str, target: str) -> float:
    registry = _registry()
    units, wanted = _units(source), _units(target)
    try:
        quantity = registry.Quantity(Fraction(text), units).to(wanted)
    except Exception as error:
        raise NoConversion(f"{source} cannot be converted to {target}: {error}") from error
    return float(quantity.magnitude)
