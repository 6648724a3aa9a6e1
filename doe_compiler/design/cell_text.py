"""How a variable's values become cells: its format, its whole numbers, its levels."""

import math
from collections import Counter
from decimal import Decimal
from fractions import Fraction

import numpy as np

from doe_compiler.design.columns import CodedColumn, Column, FloatColumn, Floats, TextColumn, number_in
from doe_compiler.design.refusal import refused
from doe_compiler.generators.enumeration import MAX_POINTS, count_of, exact_point, points
from doe_compiler.generators.laws import FixedRange, Linspace
from doe_compiler.generators.sampling import level_index, quantile
from doe_compiler.kernel.canonical import number_text
from doe_compiler.kernel.errors import DoeError
from doe_compiler.spec.model import Constant, Formula, FromTable, Levels, Variable
from doe_compiler.templates.decimal_format import formatted


def written(variable: Variable, values: Floats) -> Column:
    """Values as the cells of a variable, shape (n,): rounded if it is whole, by its format if it has one.

    Values that are not finite stay so, for a later stage to name the row. The array becomes the column's.
    """
    if variable.is_integer:
        values = np.rint(values)
    if variable.format is None:
        values += 0.0  # a negative zero becomes a plain one
        return FloatColumn(variable.name, values)
    return TextColumn(
        variable.name, tuple(_number_cell(variable, value) for value in values.tolist()), is_numeric=True
    )


def cell_of(variable: Variable, text: str) -> str:
    """A text that the user wrote as a cell of the variable.

    A number is written by the variable's format, or in its canonical form if that says the same decimal
    number; so `1.0` and `1` are one cell, while `007` and digits beyond a float's stay as they are.
    """
    number = number_in(text)
    if not math.isfinite(number) or (text.lstrip("+-")[:1] == "0" and text.lstrip("+-")[1:2].isdigit()):
        return text
    if variable.format is not None:
        return _number_cell(variable, number)
    shortest = number_text(number)
    return shortest if Decimal(shortest) == Decimal(text) else text


def _number_cell(variable: Variable, value: float) -> str:
    if not math.isfinite(value):
        return "nan"
    if variable.format is None:
        return number_text(value)
    try:
        return formatted(variable.format, value)
    except DoeError as error:
        raise refused(
            "E501", f"'{variable.name}' cannot be written: {error}", variable.place, error.hint
        ) from error


def enumerates(variable: Variable) -> bool:
    """Whether a variable has a list of cells of its own: levels, Linspace, FixedRange."""
    return isinstance(variable.law, Levels | Linspace | FixedRange)


def level_count(variable: Variable) -> int:
    """How many cells a variable that enumerates has."""
    match variable.law:
        case Levels(texts):
            return len(texts)
        case Linspace() | FixedRange() as law:
            return count_of(law)
        case _:
            raise ValueError(f"{variable.name} does not enumerate")


def labels_of(variable: Variable) -> tuple[str, ...]:
    """The cells of a variable that enumerates, in order; a refusal if two are the same."""
    match variable.law:
        case Levels(texts):
            labels = tuple(_level_cell(variable, text) for text in texts)
        case Linspace() | FixedRange() as law:
            labels = _point_labels(variable, law)
        case _:
            raise ValueError(f"{variable.name} does not enumerate")
    if len(set(labels)) < len(labels):
        twice = Counter(labels).most_common(1)[0][0]
        raise refused(
            "E502",
            f"two levels of '{variable.name}' are both written {twice!r}",
            variable.place,
            "remove one, or give the format more digits",
        )
    return labels


def _level_cell(variable: Variable, text: str) -> str:
    return cell_of(variable, text) if variable.format is not None else text


def _point_labels(variable: Variable, law: Linspace | FixedRange) -> tuple[str, ...]:
    try:
        if variable.is_integer and count_of(law) <= MAX_POINTS:
            whole = [Fraction(round(exact_point(law, index))) for index in range(count_of(law))]
            return tuple(_number_cell(variable, float(value)) for value in whole)
        return tuple(_number_cell(variable, value) for value in points(law))
    except (ValueError, OverflowError) as error:
        raise refused("E503", f"'{variable.name}' has no points: {error}", variable.place) from error


def column_at(variable: Variable, coordinates: Floats) -> Column:
    """The cells of a variable at coordinates in (0, 1), shape (n,); these may be overwritten."""
    law = variable.law
    match law:
        case Levels() | Linspace() | FixedRange():
            labels = labels_of(variable)
            codes = level_index(coordinates, len(labels)).astype(np.int32)
            return CodedColumn(variable.name, codes, labels)
        case Constant() | Formula() | FromTable():
            raise ValueError(f"{variable.name} is not sampled")
        case _:
            try:
                values = quantile(law, coordinates, is_integer=variable.is_integer)
            except ValueError as error:
                message = f"'{variable.name}' cannot be sampled: {error}"
                raise refused("E504", message, variable.place, "widen the bounds") from error
            if not np.isfinite(values).all():
                message = f"'{variable.name}' becomes larger than a number can be"
                raise refused("E505", message, variable.place, "narrow its law, or give it an upper bound")
            return written(variable, values)
