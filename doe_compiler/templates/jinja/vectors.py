"""Plain arithmetic of floating-point columns, all rows at once; IEEE 754 gives what Python's own operators give."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from jinja2 import nodes

Floats = npt.NDArray[np.float64]

_EXACT = 2**53  # up to here a float holds every whole number
_OPERATORS: dict[type[nodes.BinExpr], Callable[[Any, Any], Any]] = {
    nodes.Add: np.add,
    nodes.Sub: np.subtract,
    nodes.Mul: np.multiply,
    nodes.Div: np.divide,
}


def vector_of(tree: Any, columns: Mapping[str, Floats]) -> Floats | None:
    """The values of a tree of + - * / over columns of floating-point numbers; None where it is more, or not finite.

    Where a value is not finite, Python may raise, and a row has to say so.
    """
    with np.errstate(all="ignore"):
        value = _value(tree, columns)
    return value if isinstance(value, np.ndarray) and bool(np.isfinite(value).all()) else None


def _value(tree: Any, columns: Mapping[str, Floats]) -> Floats | float | None:
    match tree:
        case nodes.Const(value=bool()):
            return None
        case nodes.Const(value=int() | float() as number):
            return float(number) if abs(number) <= _EXACT else None
        case nodes.Name():
            return columns.get(tree.name)
        case nodes.Neg():
            inner = _value(tree.node, columns)
            return None if inner is None else -inner
        case nodes.BinExpr() if type(tree) in _OPERATORS:
            left, right = _value(tree.left, columns), _value(tree.right, columns)
            if (
                left is None
                or right is None
                or not (isinstance(left, np.ndarray) or isinstance(right, np.ndarray))
            ):
                return None
            made: Floats = _OPERATORS[type(tree)](left, right)
            return made
        case _:
            return None
