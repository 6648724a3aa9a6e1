"""A job's JSON read with patience: numbers may come as text, objects as codes, anything may be missing."""

import math
import re
from collections.abc import Mapping

_WHOLE = re.compile(r"\s*[+]?[0-9]{1,18}(\.0*)?\s*", re.ASCII)
_NUMBER = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?\s*", re.ASCII)
_EMPTY: tuple[object, ...] = (None, "", [], {})


def mapping(value: object) -> Mapping[str, object]:
    """The object, empty where there is none."""
    return value if isinstance(value, Mapping) else {}


def entries(value: object) -> tuple[Mapping[str, object], ...]:
    """The objects of a list."""
    return tuple(entry for entry in value if isinstance(entry, Mapping)) if isinstance(value, list) else ()


def text(value: object) -> str:
    """A text, or a number's digits; empty for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value)


def whole(value: object) -> int | None:
    """A whole number from 0, also written as text."""
    if isinstance(value, bool) or _WHOLE.fullmatch(text(value)) is None:
        return None
    return int(text(value).strip().lstrip("+").partition(".")[0])


def number(value: object) -> int | float | None:
    """A finite number, also written as text; a whole one is an integer."""
    if isinstance(value, bool) or _NUMBER.fullmatch(text(value)) is None:
        return None
    read = float(text(value))
    if not math.isfinite(read):
        return None
    return int(read) if read.is_integer() and abs(read) < 2**53 else read


def flag(value: object) -> bool:
    """A truth value, also as the words that web forms send."""
    return value is True or (
        isinstance(value, str | int) and str(value).lower() in {"true", "1", "yes", "on"}
    )


def said(fields: Mapping[str, object], known: frozenset[str]) -> dict[str, object]:
    """What an object says beyond the known keys; what is empty says nothing."""
    return {key: value for key, value in fields.items() if key not in known and value not in _EMPTY}
