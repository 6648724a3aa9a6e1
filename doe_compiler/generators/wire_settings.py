"""The one table of how laws are written on the wire: the API's generator type and its settings.

Only FixedRange's settings are attested in public; the others are this project's decision.
"""

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from types import MappingProxyType

from doe_compiler.generators.enumeration import MAX_POINTS, count_of
from doe_compiler.generators.laws import FixedRange, Law, Linspace, LogNormal, Normal, Triangular, Uniform

# type -> (setting on the wire -> field of the law)
FIELDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "Uniform": {"minvalue": "minimum", "maxvalue": "maximum"},
        "Normal": {"mean": "mean", "standarddeviation": "std"},
        "LogNormal": {"mean": "mu", "standarddeviation": "sigma"},
        "Triangular": {"minvalue": "minimum", "mode": "mode", "maxvalue": "maximum"},
        "Linspace": {"minvalue": "start", "maxvalue": "stop", "count": "count"},
        "FixedRange": {"minvalue": "minimum", "maxvalue": "maximum", "increment": "increment"},
    }
)

_LAWS: Mapping[str, Callable[..., Law]] = MappingProxyType(
    {
        "Uniform": Uniform,
        "Normal": Normal,
        "LogNormal": LogNormal,
        "Triangular": Triangular,
        "Linspace": Linspace,
        "FixedRange": FixedRange,
    }
)

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
    if is_integer:
        raise ValueError("the platform's generators have no whole numbers")
    if isinstance(law, Normal | LogNormal) and (law.lower is not None or law.upper is not None):
        raise ValueError(f"the platform's {type(law).__name__} generator has no bounds")
    kind = type(law).__name__
    return kind, {key: _json_number(getattr(law, field)) for key, field in FIELDS[kind].items()}


def law_from_wire(kind: str, settings: Mapping[str, object]) -> Law:
    """The law of a generator type and its settings; numbers may come as text.

    Raises SettingsError, a ValueError, with a message for each wrong setting (`""` for the type).
    """
    if kind not in FIELDS:
        raise SettingsError({"": f'"{kind}" is not a valid choice.'})
    wrong: dict[str, str] = {}
    values: dict[str, Fraction | int] = {}
    for key, field in FIELDS[kind].items():
        if key not in settings:
            wrong[key] = "This field is required."
            continue
        number = _number(settings[key])
        if number is None:
            wrong[key] = "A valid number is required."
        elif field == "count" and number.denominator != 1:
            wrong[key] = "A valid integer is required."
        else:
            values[field] = int(number) if field == "count" else number
    if not wrong:
        law = _LAWS[kind](**values)
        wrong = _contradictions(law)
        if not wrong:
            return law
    raise SettingsError(wrong)


def _contradictions(law: Law) -> dict[str, str]:
    match law:
        case Uniform(minimum, maximum) if minimum >= maximum:
            return {"maxvalue": "Ensure this value is greater than minvalue."}
        case Normal(_, spread) | LogNormal(_, spread) if spread <= 0:
            return {"standarddeviation": "Ensure this value is greater than 0."}
        case Triangular(minimum, mode, maximum) if minimum >= maximum:
            return {"maxvalue": "Ensure this value is greater than minvalue."}
        case Triangular(minimum, mode, maximum) if not minimum <= mode <= maximum:
            return {"mode": "Ensure this value is between minvalue and maxvalue."}
        case Linspace(_, _, count) if count < 1:
            return {"count": "Ensure this value is greater than or equal to 1."}
        case FixedRange(_, _, increment) if increment <= 0:
            return {"increment": "Ensure this value is greater than 0."}
        case FixedRange(minimum, maximum, _) if minimum > maximum:
            return {"maxvalue": "Ensure this value is greater than or equal to minvalue."}
    if isinstance(law, Linspace | FixedRange) and count_of(law) > MAX_POINTS:
        return {"count" if isinstance(law, Linspace) else "increment": f"More than {MAX_POINTS} points."}
    return {}


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
