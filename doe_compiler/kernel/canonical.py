"""One text for one value: shortest numbers, canonical JSON, and SHA-256 digests over it."""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?", re.ASCII)


def number_text(value: float) -> str:
    """The canonical text of a finite float: the shortest digits that read back the same.

    Plain digits for 1e-5 <= |value| < 1e16, otherwise an exponent without `+` or leading zeros:
    `20`, `0.3`, `0.00001`, `1.5e-7`, `1e16`. Negative zero is `0`. Raises ValueError if not finite.
    """
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a finite number")
    if value == 0:
        return "0"
    text = repr(float(value))
    mantissa, mark, exponent = text.partition("e")
    if not mark:
        return mantissa.removesuffix(".0")
    power = int(exponent)
    if power == -5:
        sign = "-" if mantissa.startswith("-") else ""
        return f"{sign}0.0000{mantissa.lstrip('-').replace('.', '')}"
    return f"{mantissa.removesuffix('.0')}e{power}"


def same_text(one: str, other: str) -> bool:
    """Whether two cells are the same text, or write the same decimal number."""
    if one == other or not (_NUMBER.fullmatch(one) and _NUMBER.fullmatch(other)):
        return one == other
    return Decimal(one) == Decimal(other)


def is_a_float_s(value: int) -> bool:
    """Whether the shortest text of the nearest float names exactly this whole number: 2^60 + 1 is none's, nor is 2^60."""
    try:
        return abs(value) < 2**53 or Decimal(number_text(float(value))) == value
    except OverflowError:
        return False


def exact_text(value: Fraction) -> str:
    """The text of a number that loses nothing of a whole one: all its digits where a float would not keep them."""
    if value.denominator == 1 and not is_a_float_s(value.numerator):
        return str(value.numerator)
    return number_text(float(value))


def canonical_json(value: object) -> bytes:
    """The value as JSON in the one form that digests are taken over: sorted keys, no blanks, UTF-8.

    Keys must be text; floats must be finite and are written as `number_text` writes them, so 1.0 and 1
    are one value. Bytes that are no UTF-8, as lone surrogates, stand for themselves.
    """
    return json.dumps(
        _plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode("utf-8", "surrogateescape")


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("canonical JSON has text as keys")
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e16:
        return int(value)
    return value


def sha256_hex(content: bytes) -> str:
    """The SHA-256 of the bytes, as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def digest(domain: str, value: object) -> str:
    """The SHA-256 of a value under a versioned domain name such as `doe1-recipe`, as 64 hex digits."""
    return sha256_hex(domain.encode() + b"\n" + canonical_json(value))
