"""What Jinja sees of a cell: a number that prints as the cell, or a text.

"0.50", a number  ->  0.5, which prints 0.50;  "3", whole  ->  3;  "steel"  ->  "steel"
"""

import enum
import math
import re

_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII)
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)


class Kind(enum.Enum):
    """What the cells of a variable are. BY_CELL: whole numbers, other numbers and texts as they are written."""

    INTEGER = "integer"
    FLOAT = "float"
    TEXT = "text"
    BY_CELL = "cell"


class CellFloat(float):
    """A number that prints as its cell; `unit` is its variable's."""

    text: str
    unit: str

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


class CellInteger(int):
    """A whole number that prints as its cell; `unit` is its variable's."""

    text: str
    unit: str

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


def value_of(cell: str, kind: Kind, unit: str = "") -> object:
    """The value of a cell."""
    if kind is Kind.TEXT:
        return cell
    if kind is not Kind.FLOAT and _WHOLE.fullmatch(cell):
        return _with(CellInteger(cell), cell, unit) if unit or cell == "-0" else int(cell)
    if _DECIMAL.fullmatch(cell) and (kind is not Kind.BY_CELL or not _has_leading_zero(cell)):
        number = float(cell)
        if kind is Kind.INTEGER and number.is_integer():
            return _with(CellInteger(number), cell, unit)
        if math.isfinite(number):
            return _with(CellFloat(number), cell, unit)
    return cell


def cell_float(number: float, cell: str, unit: str = "") -> CellFloat:
    """A number that prints as its cell."""
    value = CellFloat(number)
    value.text, value.unit = cell, unit
    return value


def _with(number: "CellFloat | CellInteger", cell: str, unit: str) -> object:
    number.text, number.unit = cell, unit
    return number


def _has_leading_zero(cell: str) -> bool:
    digits = cell.lstrip("+-")
    return len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()


def unit_of(value: object) -> str:
    """The unit of a variable's value, empty where none is known."""
    return str(getattr(value, "unit", ""))
