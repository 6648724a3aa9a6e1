"""Numbers as text by the patterns of Java's `DecimalFormat`, rounding half to even.

    "0.00##" of 0.9 -> "0.90"      "##0.0E0" of 0.9 -> "900E-3"      "#,##0;(#,##0)" of -1234 -> "(1,234)"

Every text is the one that `java.text.DecimalFormat` with the root locale's symbols gives, quirks of its
digits included, save three decisions:

- zero has no sign: -0.0 is written as 0.0 is. A negative number that rounds to zero keeps its minus, as in
  Java: -0.001 by `0` is `-0`.
- an unquoted currency sign is refused, since what it stands for depends on the platform's locale.
- a pattern without any `0` or `#` is refused: words such as `percent` and `number` name other formats on the
  platform, and text without a number in it is never what was meant.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from math import isinf, isnan

from doe_compiler.kernel.errors import DoeError, ExitCode
from doe_compiler.templates.java_digits import JavaDigits, java_digits
from doe_compiler.templates.number_pattern import NumberPattern, PatternError, number_pattern

__all__ = ["DecimalFormat", "NotANumber", "PatternError", "compile_pattern", "formatted", "number_in"]

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)

_WHOLE = re.compile(r"[+-]?[0-9]+", re.ASCII)
_MOST_DIGITS = 400

# Up to 15 digits, Java's quirks are confined to whole numbers, to numbers below 1e-3 and to those so small that
# a double holds fewer digits; elsewhere its digits are the correctly rounded ones, which Python gives faster.
_SURELY_EXACT = 1e-3
_SURELY_NORMAL = 1e-290


class NotANumber(DoeError):
    """A text that a number was expected in is not one, or is beyond the range of a double."""

    exit_code = ExitCode.INVALID


def number_in(text: str) -> float:
    """The finite double that a cell's text means; blanks around it do not count.

    Raises NotANumber for anything but a decimal number with an optional exponent: `NaN`, `Infinity`, hexadecimal
    numbers and numbers beyond ±1.797e308 are refused.
    """
    stripped = text.strip(" \t")
    if _NUMBER.fullmatch(stripped) is None:
        raise NotANumber(
            f"{text!r} is not a number", hint="write a number, or insert the text without a format"
        )
    value = float(stripped)
    if isinf(value):
        raise NotANumber(f"{text!r} is too large for a number", hint="the largest is about 1.797e308")
    return value


@dataclass(frozen=True)
class DecimalFormat:
    """A compiled pattern; `text` writes a number by it."""

    parts: NumberPattern
    _fixed: str
    _fixed_limit: float

    @property
    def pattern(self) -> str:
        """The pattern as it was written."""
        return self.parts.pattern

    def text(self, value: float | Decimal | str) -> str:
        """The number as text; NaN and infinities are written as Java does, `NaN` and `∞`.

        A whole number that no double holds keeps its digits, as Java's `format(BigInteger)` does. A Decimal is taken as the nearest double; a str as the number that `number_in` finds, which raises
        NotANumber where there is none.
        """
        whole = _large_whole(value)
        if whole is not None and not self.parts.exponent_digits:
            return _whole_text(self.parts, whole)
        number = number_in(value) if isinstance(value, str) else float(value)
        size = abs(number)
        if _SURELY_EXACT <= size < self._fixed_limit:
            prefix, suffix = self.parts.negative if number < 0 else self.parts.positive
            return prefix + format(size, self._fixed) + suffix
        return _java_text(self.parts, number)


@lru_cache(maxsize=1024)
def compile_pattern(pattern: str) -> DecimalFormat:
    """The format of `pattern`.

    Raises PatternError, with the index of the character that is wrong.
    """
    parts = number_pattern(pattern)
    plain = (
        parts.exponent_digits == 0
        and parts.grouping == 0
        and parts.multiplier == 1
        and parts.min_integer >= 1
        and parts.min_fraction == parts.max_fraction <= 15
        and not parts.point_always
    )
    if not plain:
        return DecimalFormat(parts, "", 0.0)
    places = parts.max_fraction
    width = parts.min_integer + (places + 1 if places else 0)
    return DecimalFormat(parts, f"0{width}.{places}f", float(10 ** (15 - places)))


def formatted(pattern: str, value: float | Decimal | str) -> str:
    """`value` as text by `pattern`; compiles a pattern once. Raises PatternError and NotANumber."""
    return compile_pattern(pattern).text(value)


def _large_whole(value: float | Decimal | str) -> int | None:
    """The whole number of an int, or of a text of digits, that lies beyond those that doubles count."""
    if isinstance(value, str):
        digits = value.strip(" \t")
        if not 16 <= len(digits) <= _MOST_DIGITS or _WHOLE.fullmatch(digits) is None:
            return None
        value = int(digits)
    return value if isinstance(value, int) and abs(value) > 2**53 else None


def _whole_text(parts: NumberPattern, whole: int) -> str:
    product = whole * parts.multiplier
    prefix, suffix = parts.negative if product < 0 else parts.positive
    return prefix + _laid_out(parts, str(abs(product)), "") + suffix


def _java_text(parts: NumberPattern, number: float) -> str:
    if isnan(number):
        return "NaN"
    product = number * parts.multiplier
    prefix, suffix = parts.negative if product < 0 else parts.positive
    if isinf(product):
        return f"{prefix}∞{suffix}"
    body = _scientific(parts, abs(product)) if parts.exponent_digits else _positional(parts, abs(product))
    return prefix + body + suffix


def _rounds_up(found: JavaDigits, digits: str, keep: int) -> bool:
    """Whether cutting `digits` to the first `keep` of them rounds half-even to the next number.

    A 5 that ends the digits is a tie only where the digits are exact. A 5 before nothing but zeros is cut
    off, as Java does.
    """
    if digits[keep] != "5":
        return digits[keep] > "5"
    if keep < len(digits) - 1:
        return digits[keep + 1 :].strip("0") != ""
    if found.rounded_up:
        return False
    if not found.exact:
        return True
    return keep > 0 and int(digits[keep - 1]) % 2 == 1


def _cut(found: JavaDigits, digits: str, keep: int) -> tuple[str, int]:
    """At most `keep` digits, without zeros at the end, and where the point stands before them."""
    if not 0 <= keep < len(digits):
        return digits, found.point
    kept = digits[:keep]
    if _rounds_up(found, digits, keep):
        if kept.strip("9") == "":
            return "1", found.point + 1
        kept = str(int(kept) + 1)
    return kept.rstrip("0"), found.point


def _whole_and_fraction(size: float, places: int) -> tuple[str, str]:
    """Digits before and after the point of `size` >= 0 rounded to `places`, without zeros at either end."""
    if _SURELY_EXACT <= size < 10.0 ** (15 - places):
        whole, _, fraction = f"{size:.{places}f}".partition(".")
        return whole.lstrip("0"), fraction.rstrip("0")
    digits, point = _fixed_digits(size, places)
    if not digits:
        return "", ""
    whole = digits[: max(point, 0)].ljust(max(point, 0), "0")
    return whole, "0" * max(-point, 0) + digits[max(point, 0) :]


def _fixed_digits(size: float, places: int) -> tuple[str, int]:
    """Digits and point of `size` >= 0 rounded to `places` after the point; no digits for zero."""
    if size == 0:
        return "", 0
    found = java_digits(size)
    if -found.point > places:
        return "", 0
    if -found.point == places:
        written = found.digits + ("0" if found.point <= -3 and len(found.digits) == 1 else "")
        return ("1", found.point + 1) if _rounds_up(found, written, 0) else ("", 0)
    return _cut(found, found.digits.rstrip("0"), places + found.point)


def _significant(size: float, keep: int) -> tuple[str, int]:
    """At most `keep` >= 1 digits of `size` > 0, and where the point stands."""
    if keep <= 15 and size >= _SURELY_NORMAL and not size.is_integer():
        mantissa, _, exponent = f"{size:.{keep - 1}e}".partition("e")
        return mantissa.replace(".", "").rstrip("0"), int(exponent) + 1
    found = java_digits(size)
    return _cut(found, found.digits.rstrip("0"), keep)


def _positional(parts: NumberPattern, size: float) -> str:
    return _laid_out(parts, *_whole_and_fraction(size, parts.max_fraction))


def _laid_out(parts: NumberPattern, whole: str, fraction: str) -> str:
    whole = whole.rjust(parts.min_integer, "0")
    fraction = fraction.ljust(parts.min_fraction, "0")
    if not fraction and not whole:
        whole = "0"
    if parts.grouping:
        whole = _grouped(whole, parts.grouping)
    return whole + ("." if fraction or parts.point_always else "") + fraction


def _grouped(whole: str, size: int) -> str:
    head = len(whole) % size
    groups = [whole[:head]] if head else []
    return ",".join(groups + [whole[at : at + size] for at in range(head, len(whole), size)])


def _scientific(parts: NumberPattern, size: float) -> str:
    """Mantissa, `E`, exponent.

    With more integer digits allowed than required, and more than one, the exponent is a multiple of the
    number allowed; otherwise the mantissa has exactly the required integer digits.
    """
    engineering = 1 < parts.max_integer > parts.min_integer
    digits, point, integer_digits, exponent = "", 0, 1 if engineering else parts.min_integer, 0
    if size != 0:
        digits, point = _significant(size, parts.max_integer + parts.max_fraction)
        exponent = point - parts.min_integer
        if engineering:
            exponent = (point - 1) // parts.max_integer * parts.max_integer
        integer_digits = point - exponent
    total = max(len(digits), parts.min_integer + parts.min_fraction, integer_digits)
    mantissa = digits.ljust(total, "0")
    point_shown = total > integer_digits or parts.point_always
    number = mantissa[:integer_digits] + ("." if point_shown else "") + mantissa[integer_digits:]
    return f"{number}E{'-' if exponent < 0 else ''}{abs(exponent):0{parts.exponent_digits}d}"
