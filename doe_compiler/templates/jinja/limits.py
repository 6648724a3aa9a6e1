"""What a template may cost: the sizes of what it makes, and how much it does.

A template of a stranger is rendered when a study is validated, so nothing in it may take all time or memory. Sizes are
checked before a text or number is made; work is counted, not timed, so that what is valid here is valid anywhere.
"""

import operator
import re
from collections.abc import Callable, Sequence
from typing import Any

from jinja2.filters import FILTERS

LONGEST_TEXT = 8 << 20  # characters
LONGEST_LIST = 1_000_000
LARGEST_BITS = 100_000
WIDEST = 10_000
WORK = 50_000_000  # characters written, values computed


class TooMuch(Exception):
    """A template would make too much; the message says what."""


class Budget:
    """How much work is left; spending more raises TooMuch."""

    def __init__(self, work: int = WORK) -> None:
        self.left = work

    def spend(self, work: int) -> str:
        """Count some work; the empty text is for templates, which write what they call."""
        self.left -= work
        if self.left < 0:
            raise TooMuch(f"the template does more than {WORK:,} steps; are its loops as long as meant?")
        return ""


def sized(length: int) -> None:
    """Refuse a text of that length."""
    if length > LONGEST_TEXT:
        raise TooMuch(f"a text of {length:,} characters is longer than {LONGEST_TEXT:,}")


def _bits(value: object) -> int:
    return value.bit_length() if isinstance(value, int) else 0


def _added(left: Any, right: Any) -> Any:
    if isinstance(left, str) and isinstance(right, str):
        sized(len(left) + len(right))
    elif isinstance(left, list | tuple) and isinstance(right, list | tuple):
        _listed(len(left) + len(right))
    return left + right


def _listed(length: int) -> None:
    if length > LONGEST_LIST:
        raise TooMuch(f"a list of {length:,} entries is longer than {LONGEST_LIST:,}")


def _multiplied(left: Any, right: Any) -> Any:
    for sequence, count in ((left, right), (right, left)):
        if isinstance(count, int) and isinstance(sequence, str):
            sized(len(sequence) * count)
        elif isinstance(count, int) and isinstance(sequence, list | tuple):
            _listed(len(sequence) * count)
    if _bits(left) + _bits(right) > LARGEST_BITS:
        raise TooMuch(f"a whole number of more than {LARGEST_BITS:,} bits")
    return left * right


def _raised(left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int) and _bits(left) * right > LARGEST_BITS:
        raise TooMuch(f"a whole number of more than {LARGEST_BITS:,} bits")
    return left**right


_DIRECTIVE = re.compile(r"%(?:\([^)]*\))?[-+ #0]*(?P<width>\d+|\*)?(?:\.(?P<precision>\d+|\*))?")


def check_percent(pattern: object, values: object) -> None:
    """Refuse a printf pattern whose widths are too large."""
    if not isinstance(pattern, str):
        return
    listed = values if isinstance(values, tuple) else (values,)
    for found in _DIRECTIVE.finditer(pattern):
        for width in (found["width"], found["precision"]):
            if width == "*":
                _check_widths(listed)
            elif width is not None and len(width) > 5:
                raise TooMuch(f"a field of {width} characters is wider than {WIDEST:,}")
    sized(len(pattern) + sum(len(value) for value in listed if isinstance(value, str)))


def _remainder(left: Any, right: Any) -> Any:
    check_percent(left, right)
    return left % right


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": _added,
    "*": _multiplied,
    "**": _raised,
    "%": _remainder,
    "-": operator.sub,
    "/": operator.truediv,
    "//": operator.floordiv,
}
INTERCEPTED = frozenset({"+", "*", "**", "%"})


def _check_widths(values: Sequence[object]) -> None:
    for value in values:
        if isinstance(value, int) and abs(value) > WIDEST:
            raise TooMuch(f"{value:,} is more than {WIDEST:,} for a width or a count")


def check_width(spec: str) -> None:
    """Refuse a specification of `str.format` that is too wide."""
    for digits in re.findall(r"\d+", spec):
        if len(digits) > 5:
            raise TooMuch(f"a field of {digits} characters is wider than {WIDEST:,}")


def check_replace(text: object, old: object, new: object) -> None:
    """Refuse a replacement that makes a text too long."""
    text, old, new = str(text), str(old), str(new)
    count = text.count(old) if old else len(text) + 1
    sized(len(text) + count * max(0, len(new) - len(old)))


def check_join(values: Sequence[object], between: object) -> None:
    """Refuse a joined text that is too long."""
    sized(
        sum(len(value) if isinstance(value, str) else 24 for value in values)
        + len(values) * len(str(between))
    )


# What may be called on values of the types that Python itself brings; all else that they have is refused.
_OF_TEXT = frozenset(
    [
        "capitalize",
        "casefold",
        "center",
        "count",
        "endswith",
        "expandtabs",
        "find",
        "format",
        "index",
        "isalnum",
        "isalpha",
        "isascii",
        "isdecimal",
        "isdigit",
        "islower",
        "isnumeric",
        "isprintable",
        "isspace",
        "istitle",
        "isupper",
        "join",
        "ljust",
        "lower",
        "lstrip",
        "partition",
        "removeprefix",
        "removesuffix",
        "replace",
        "rfind",
        "rindex",
        "rjust",
        "rpartition",
        "rsplit",
        "rstrip",
        "split",
        "splitlines",
        "startswith",
        "strip",
        "swapcase",
        "title",
        "upper",
        "zfill",
    ]
)
_WIDE = frozenset({"center", "ljust", "rjust", "zfill", "expandtabs"})
_METHODS: tuple[tuple[type | tuple[type, ...], frozenset[str]], ...] = (
    (str, _OF_TEXT),
    (bool, frozenset()),
    (int, frozenset({"bit_length", "bit_count"})),
    (float, frozenset({"is_integer"})),
    ((list, tuple), frozenset({"count", "index"})),
    (dict, frozenset({"get", "items", "keys", "values"})),
    (range, frozenset({"count", "index", "start", "stop", "step"})),
    ((type, bytes, bytearray, memoryview, complex, set, frozenset), frozenset()),
)


def is_allowed(value: object, attribute: str) -> bool:
    """Whether a template may use an attribute, as far as Python's own types go."""
    return next((attribute in allowed for kind, allowed in _METHODS if isinstance(value, kind)), True)


def check_call(called: object, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Refuse a call of a text's method that makes too long a text; the arguments to call it with."""
    owner, name = getattr(called, "__self__", None), getattr(called, "__name__", "")
    if not isinstance(owner, str):
        return args
    if name in _WIDE:
        _check_widths(args)
        if name == "expandtabs":
            sized(len(owner) * (args[0] if args and isinstance(args[0], int) else 8))
    elif name == "replace" and len(args) >= 2:
        check_replace(owner, args[0], args[1])
    elif name == "join" and args:
        values = list(args[0])
        check_join(values, owner)
        return (values,)
    return args


_UNWANTED_FILTERS = frozenset({"random", "urlize"})
_WIDE_FILTERS = frozenset(
    {"center", "indent", "batch", "slice", "truncate", "wordwrap", "filesizeformat", "tojson", "round"}
)
_MOST = {"round": 300, "tojson": 16}


def bounded_filters() -> dict[str, Callable[..., Any]]:
    """Jinja's filters but those whose result is not always the same, each with its sizes checked first."""
    return {name: _bounded(name, made) for name, made in FILTERS.items() if name not in _UNWANTED_FILTERS}


def _bounded(name: str, made: Callable[..., Any]) -> Callable[..., Any]:
    before = _CHECKS.get(name)
    if before is None and name not in _WIDE_FILTERS:
        return made
    passes = getattr(made, "jinja_pass_arg", None)
    most = _MOST.get(name, WIDEST)

    def bounded(*args: Any, **kwargs: Any) -> Any:
        own = args[1:] if passes is not None else args
        if name in _WIDE_FILTERS:
            for value in (*own[1:], *kwargs.values()):
                if isinstance(value, int) and abs(value) > most:
                    raise TooMuch(f"{value:,} is more than {most:,} for {name}")
        if before is not None:
            own = before(own, kwargs)
            args = (*args[:1], *own) if passes is not None else own
        return made(*args, **kwargs)

    bounded.__name__ = made.__name__
    if passes is not None:
        bounded.jinja_pass_arg = passes  # type: ignore[attr-defined]
    return bounded


def _before_format(own: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    check_percent(str(own[0]), (*own[1:], *kwargs.values()))
    return own


def _before_replace(own: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    old, new = (*own[1:3], kwargs.get("old", ""), kwargs.get("new", ""))[:2]
    check_replace(own[0], old, new)
    return own


def _before_join(own: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    values = list(own[0])
    check_join(values, own[1] if len(own) > 1 else kwargs.get("d", ""))
    return (values, *own[1:])


def _before_indent(own: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    width = own[1] if len(own) > 1 else kwargs.get("width", 4)
    by = width if isinstance(width, int) else len(str(width))
    sized(len(str(own[0])) + str(own[0]).count("\n") * by)
    return own


_CHECKS = {
    "format": _before_format,
    "replace": _before_replace,
    "join": _before_join,
    "indent": _before_indent,
}
