"""What an unquoted YAML scalar means by the core schema of YAML 1.2: `no` is text, `1e-5` a number."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from doe_compiler.kernel.canonical import is_a_float_s, number_text

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {text: text.lower() == "true" for text in ("true", "True", "TRUE", "false", "False", "FALSE")}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LEADING_ZERO = re.compile(r"[-+]?0+[0-9]")
_UNDERSCORES = re.compile(r"[-+]?[0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?")
_LONGEST_NUMBER = 400


@dataclass(frozen=True)
class Meaning:
    """The value of a plain scalar, its exact number if it is one, or the problem with it."""

    value: str | int | float | bool | None
    number: Fraction | None = None
    problem: str = ""
    hint: str = ""


def meaning(text: str) -> Meaning:
    """The meaning of an unquoted scalar."""
    if text in _NULLS:
        return Meaning(None)
    if text in _BOOLEANS:
        return Meaning(_BOOLEANS[text])
    if _NOT_FINITE.fullmatch(text):
        return Meaning(text, None, f"{text} is not a finite number", f"give a number, or quote it: '{text}'")
    if "_" in text and _UNDERSCORES.fullmatch(text):
        digits = text.replace("_", "")
        hint = f"say {digits}, or quote it: '{text}'"
        return Meaning(text, None, f"{text} is a number to some readers and text to others", hint)
    if _OCTAL.fullmatch(text) or _HEXADECIMAL.fullmatch(text) or _FLOAT.fullmatch(text):
        return _number(text)
    return Meaning(text)


def _number(text: str) -> Meaning:
    if _LEADING_ZERO.match(text):
        sign = text[0] if text[0] in "+-" else ""
        shorter = text.lstrip("+-").lstrip("0")
        shorter = shorter if shorter[:1].isdigit() else f"0{shorter}"
        hint = f"say {sign}{shorter}, or quote it: '{text}'"
        return Meaning(text, None, f"{text} has a leading zero, which some readers take as octal", hint)
    exact = None if len(text) > _LONGEST_NUMBER else exact_number(text)
    if exact is None:
        shown = text if len(text) <= 40 else f"{text[:37]}..."
        hint = "quote it to keep its digits" if _INTEGER.fullmatch(text) else ""
        return Meaning(text, None, f"{shown} is beyond what a floating-point number can hold", hint)
    is_whole = _INTEGER.fullmatch(text) or text[:2] in ("0o", "0x")
    return Meaning(int(exact) if is_whole else float(exact), exact)


def exact_number(text: str) -> Fraction | None:
    """The exact value of a number's text, or None if it is no number or no finite float can hold it."""
    if _OCTAL.fullmatch(text):
        return _within_floats(Fraction(int(text, 8)))
    if _HEXADECIMAL.fullmatch(text):
        return _within_floats(Fraction(int(text, 16)))
    if len(text) > _LONGEST_NUMBER or not _FLOAT.fullmatch(text):
        return None
    value = float(text)
    mantissa = re.split("[eE]", text)[0]
    if value == 0 or not math.isfinite(value):
        is_zero = not any(digit in "123456789" for digit in mantissa)
        return Fraction(0) if is_zero else None
    return Fraction(text if not mantissa.endswith(".") else text.replace(".", "", 1))


def decimal_number(text: str) -> Fraction | None:
    """The exact value of a cell's text: as `exact_number`, but `0x10` and `0o7` are texts outside of YAML."""
    return exact_number(text) if _FLOAT.fullmatch(text) else None


def is_decimal(text: str) -> bool:
    """Whether `decimal_number` would give a number, without building it."""
    if len(text) > _LONGEST_NUMBER or not _FLOAT.fullmatch(text):
        return False
    value = float(text)
    return (value != 0 and math.isfinite(value)) or exact_number(text) is not None


def is_as_written(text: str) -> bool:
    """Whether a decimal number is spelled as cells spell it; what is spelled otherwise was quoted: `007`, `1.10`."""
    if _INTEGER.fullmatch(text):
        return str(int(text)) == text
    return number_text(float(text)) == text


def beyond_floats(texts: Iterable[str]) -> int | None:
    """The first whole number among texts that no float's text says, or None."""
    for text in texts:
        number = decimal_number(text) if len(text) > 15 else None
        if number is not None and number.denominator == 1 and not is_a_float_s(number.numerator):
            return number.numerator
    return None


def is_integer_text(text: str) -> bool:
    """Whether a text is a whole number written by its digits alone."""
    return _INTEGER.fullmatch(text) is not None and len(text) <= _LONGEST_NUMBER


def _within_floats(value: Fraction) -> Fraction | None:
    try:
        float(value)
    except OverflowError:
        return None
    return value
