"""How a variable's values become cells: its format, its whole numbers, its levels."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction

import numpy as np

from doe_compiler.design.columns import CodedColumn, Column, FloatColumn, Floats, TextColumn, number_in
from doe_compiler.design.refusal import refused
from doe_compiler.generators.catalogue import steps_of
from doe_compiler.generators.enumeration import count_of, exact_point, points
from doe_compiler.generators.law import MAX_POINTS, Law
from doe_compiler.generators.laws.uniform import Uniform, whole_values
from doe_compiler.generators.sampling import level_index, quantile, weighted_index
from doe_compiler.kernel.canonical import is_a_float_s, number_text
from doe_compiler.kernel.errors import DoeError
from doe_compiler.spec.domains import has_leading_zero, holds_text, plain_cell
from doe_compiler.spec.model import Constant, Formula, FromCases, FromTable, Levels, Variable
from doe_compiler.spec.scalars import is_integer_text
from doe_compiler.templates.decimal_format import formatted

_EXACT_END = 2**53  # up to here a float holds every whole number
_DIGITS_END = 1e16  # from here on the shortest text of a float has an exponent


def written(variable: Variable, values: Floats) -> Column:
    """Values as the cells of a variable, shape (n,): rounded if it is whole, by its format if it has one.

    Values that are not finite stay so, for a later stage to name the row. The array becomes the column's.
    """
    if variable.is_integer:
        values = np.rint(values)
    is_large = variable.is_integer and bool((np.abs(values) >= _DIGITS_END).any())
    if variable.format is None and not is_large:
        values += 0.0  # a negative zero becomes a plain one
        return FloatColumn(variable.name, values)
    numbers: list[float | int] = [
        int(Decimal(number_text(value))) if variable.is_integer and math.isfinite(value) else value
        for value in values.tolist()
    ]
    return _text_column(variable, numbers)


def whole_column(variable: Variable, values: Sequence[int]) -> Column:
    """Exact whole numbers as the cells of a variable: by their digits if a float's text would lose some."""
    if variable.format is None and all(map(is_a_float_s, values)):
        return FloatColumn(variable.name, np.asarray([float(value) for value in values]))
    return _text_column(variable, values)


def _text_column(variable: Variable, numbers: Iterable[float | int]) -> TextColumn:
    return TextColumn(
        variable.name, tuple([_number_cell(variable, number) for number in numbers]), is_numeric=True
    )


def cell_of(variable: Variable, text: str) -> str:
    """A text that the user wrote as a cell of the variable.

    A number is written by the variable's format, or in its canonical form if that says the same decimal
    number; so `1.0` and `1` are one cell, while `007` and digits beyond a float's stay as they are.
    """
    number = number_in(text)
    is_level = isinstance(variable.law, Levels) and variable.format is None and text in variable.law.texts
    if variable.is_text or is_level or not math.isfinite(number):
        return text
    if variable.format is None or has_leading_zero(text):
        return plain_cell(text)
    return _number_cell(variable, int(text) if is_integer_text(text) else number)


def _is_finite(value: float) -> bool:
    """Whether a number, perhaps a whole one of any size, lies within the numbers of a float."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _number_cell(variable: Variable, value: float) -> str:
    if not _is_finite(value):
        return "nan"
    if variable.format is None:
        return str(value) if isinstance(value, int) else number_text(value)
    try:
        return formatted(variable.format, value)
    except DoeError as error:
        raise refused(
            "E501", f"'{variable.name}' cannot be written: {error}", variable.place, error.hint
        ) from error


def enumerates(variable: Variable) -> bool:
    """Whether a variable has a list of cells of its own: levels, Linspace, FixedRange."""
    return isinstance(variable.law, Levels) or steps_of(variable.law) is not None


def level_count(variable: Variable) -> int:
    """How many cells a variable that enumerates has."""
    if isinstance(variable.law, Levels):
        return len(variable.law.texts)
    steps = steps_of(variable.law)
    if steps is None:
        raise ValueError(f"{variable.name} does not enumerate")
    return steps.count(variable.law)


def labels_of(variable: Variable) -> tuple[str, ...]:
    """The cells of a variable that enumerates, in order; a refusal if two are the same."""
    match variable.law:
        case Levels(texts):
            labels = tuple(_level_cell(variable, text) for text in texts)
        case Law() as law if steps_of(law) is not None:
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


def _point_labels(variable: Variable, law: Law) -> tuple[str, ...]:
    try:
        last = count_of(law) - 1
        is_large = any(abs(exact_point(law, index)) > _EXACT_END for index in (0, max(last, 0)))
        if (variable.is_integer or is_large) and last < MAX_POINTS:
            exact = [exact_point(law, index) for index in range(last + 1)]
            return _exact_labels(
                variable, [Fraction(round(p)) for p in exact] if variable.is_integer else exact
            )
        return tuple(_number_cell(variable, value) for value in points(law))
    except (ValueError, OverflowError) as error:
        raise refused("E503", f"'{variable.name}' has no points: {error}", variable.place) from error


def _exact_labels(variable: Variable, exact: Sequence[Fraction]) -> tuple[str, ...]:
    """The cells of exact points: by their digits if whole numbers are asked for, or a float's text would lose some."""
    whole = [point.numerator for point in exact if point.denominator == 1]
    by_digits = variable.is_integer or not all(map(is_a_float_s, whole))
    return tuple(
        _number_cell(variable, point.numerator if by_digits and point.denominator == 1 else float(point))
        for point in exact
    )


def column_at(variable: Variable, coordinates: Floats) -> Column:
    """The cells of a variable at coordinates in (0, 1), shape (n,); these may be overwritten."""
    law = variable.law
    if enumerates(variable):
        labels = labels_of(variable)
        weights = variable.law.weights if isinstance(variable.law, Levels) else ()
        index = weighted_index(coordinates, weights) if weights else level_index(coordinates, len(labels))
        codes = index.astype(np.int32)
        return CodedColumn(variable.name, codes, labels, holds_text(variable))
    match law:
        case Levels() | Constant() | Formula() | FromTable() | FromCases():
            raise ValueError(f"{variable.name} is not sampled")
        case Uniform() if variable.is_integer and max(abs(law.minimum), abs(law.maximum)) > _EXACT_END:
            return _text_column(variable, whole_values(law, coordinates))
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
