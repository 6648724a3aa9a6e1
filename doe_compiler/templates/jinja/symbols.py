"""What differs from run to run while a template is traced: symbols, the marks that they leave in texts, what is deferred."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import nodes
from jinja2.runtime import LoopContext, Macro, Undefined
from jinja2.utils import Namespace

# A mark is a number between these two; they are noncharacters, which no text has.
_OPEN, _CLOSE = "\ufdd1", "\ufdd2"


class NotLowerable(Exception):
    """Why a template cannot be lowered; the place is where Jinja was when it was raised."""


class Symbol:
    """What differs from run to run: a variable of the study, by name, or the derived column of a number."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def _unknown(self, *_: object, **__: object) -> Any:
        raise NotLowerable("what differs from run to run is needed before the runs are known")

    __str__ = __bool__ = __iter__ = __len__ = __int__ = __float__ = __index__ = __format__ = _unknown
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __hash__ = __contains__ = __getitem__ = _unknown
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _unknown
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __neg__ = __pos__ = _unknown
    __call__ = __html__ = _unknown


@dataclass(frozen=True)
class Deferred:
    """What a run's row decides: statements that leave a value or a text under `name`, and the names they read.

    `code` is its place in the template `file`. `constants` are values of the moment that stand under names of their own.
    """

    name: str
    statements: tuple[nodes.Stmt, ...]
    reads: tuple[str, ...]
    constants: Mapping[str, object]
    file: str
    code: int


def is_symbolic(value: object) -> bool:
    """Whether a value differs from run to run, or holds something that does."""
    if isinstance(value, Symbol):
        return True
    if isinstance(value, str):
        return _OPEN in value
    if isinstance(value, list | tuple):
        return any(map(is_symbolic, value))
    if isinstance(value, dict):
        return any(map(is_symbolic, value.values())) or any(map(is_symbolic, value))
    if isinstance(value, Namespace):
        return any(map(is_symbolic, attributes(value).values()))
    if isinstance(value, LoopContext):
        return any(is_symbolic(getattr(value, name, None)) for name in ("previtem", "nextitem"))
    return False


def attributes(namespace: Namespace) -> dict[str, object]:
    """What is set in a namespace."""
    found: dict[str, object] = object.__getattribute__(namespace, "_Namespace__attrs")
    return found


def is_live(value: object) -> bool:
    """Whether a value is of this moment and no plain data."""
    return isinstance(value, Macro | LoopContext | Namespace) or (
        value is not None
        and not isinstance(value, str | int | float | list | tuple | dict | Undefined | Symbol)
    )


def segments(text: str) -> list[str | Symbol]:
    """A text with marks as literals and the symbols between them."""
    first, *others = text.split(_OPEN)
    found: list[str | Symbol] = [first]
    for part in others:
        name, _, literal = part.partition(_CLOSE)
        found += [Symbol(name), literal]
    return [segment for segment in found if isinstance(segment, Symbol) or segment]


def mark(symbol: Symbol) -> str:
    """What stands for a symbol in a text."""
    return f"{_OPEN}{symbol.name}{_CLOSE}"
