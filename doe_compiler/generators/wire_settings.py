"""The one table of how laws are written on the wire: the API's generator type and its settings.

Only FixedRange's settings are attested in public; the others are this project's decision.
"""

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from doe_compiler.generators.catalogue import GENERATORS, WIRE_KINDS, record_of
from doe_compiler.generators.law import MAX_POINTS, DrawnLaw, Generator, Law

_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\s*", re.ASCII)
_LONGEST_NUMBER = 400


class SettingsError(ValueError):
    """Settings that make no law; `fields` has a message for each setting that is wrong."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {message}" for name, message in fields.items()))
        self.fields = dict(fields)


def law_to_wire(law: Law, *, is_integer: bool = False) -> tuple[str, dict[str, int | float]]:
    """The API's generator type and settings of a law.

    Raises ValueError for what the API has no words for: truncation and whole numbers.
    """
    kind = type(law).__name__
    if not record_of(law).wire:
        raise ValueError(f"the platform has no {kind} generator")
    if is_integer:
        raise ValueError("the platform's generators have no whole numbers")
    if isinstance(law, DrawnLaw) and law.is_truncated:
        raise ValueError(f"the platform's {kind} generator has no bounds")
    return kind, {
        setting: _json_number(getattr(law, key.field)) for setting, key in record_of(law).wire.items()
    }


def law_from_wire(kind: str, settings: Mapping[str, object]) -> Law:
    """The law of a generator type and its settings; numbers may come as text.

    Raises SettingsError, a ValueError, with a message for each wrong setting (`""` for the type).
    """
    if kind not in WIRE_KINDS:
        raise SettingsError({"": f'"{kind}" is not a valid choice.'})
    record = GENERATORS[kind]
    wrong: dict[str, str] = {}
    values: dict[str, Fraction | int] = {}
    for setting, key in record.wire.items():
        if setting not in settings:
            wrong[setting] = "This field is required."
            continue
        number = _number(settings[setting])
        if number is None:
            wrong[setting] = "A valid number is required."
        elif key.shape == "integer" and number.denominator != 1:
            wrong[setting] = "A valid integer is required."
        else:
            values[setting] = int(number) if key.shape == "integer" else number
    if not wrong:
        wrong = dict(_beyond(record, values)) or dict(_out_of_order(record, values))
    if not wrong:
        law: Law = record.law(**{record.wire[setting].field: value for setting, value in values.items()})
        steps = record.steps
        if steps is None or steps.count(law) <= MAX_POINTS:
            return law
        setting = next(setting for setting, key in record.wire.items() if key.name == steps.key)
        wrong = {setting: f"More than {MAX_POINTS} points."}
    raise SettingsError(wrong)


def _beyond(record: Generator[Any], values: Mapping[str, Fraction | int]) -> Iterator[tuple[str, str]]:
    """The settings that lie beyond what their key allows; too many points are told by their number."""
    for setting, key in record.wire.items():
        if key.above is not None and values[setting] <= key.above:
            yield setting, f"Ensure this value is greater than {key.above}."
        if key.least is not None and values[setting] < key.least:
            yield setting, f"Ensure this value is greater than or equal to {key.least}."


def _out_of_order(record: Generator[Any], values: Mapping[str, Fraction | int]) -> Iterator[tuple[str, str]]:
    by_key = {key.name: setting for setting, key in record.wire.items()}
    for order in record.orders:
        lower, upper = by_key[order.lower], by_key[order.upper]
        if values[lower] > values[upper] or (values[lower] == values[upper] and not order.may_be_equal):
            relation = "greater than or equal to" if order.may_be_equal else "greater than"
            yield upper, f"Ensure this value is {relation} {lower}."


def _number(value: object) -> Fraction | None:
    """The exact value of a JSON number, or of the text of one; None for anything else and for no float."""
    if isinstance(value, int) and value.bit_length() > 1024:
        return None
    text = repr(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if not isinstance(text, str) or len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        return None
    return Fraction(text) if abs(float(text)) < float("inf") else None


def _json_number(value: Fraction | int) -> int | float:
    number = Fraction(value)
    return int(number) if number.denominator == 1 and abs(number) < 2**53 else float(number)
