"""Expressions over whole numbers that floating-point numbers would not keep: exact, or a finding."""

from collections.abc import Mapping
from decimal import Decimal

import numpy as np

from doe_compiler.design.columns import CodedColumn, Column, FloatColumn, PrintedColumn
from doe_compiler.design.refusal import refused
from doe_compiler.expressions.integers import is_whole_arithmetic, large_literal, magnitude, whole_value
from doe_compiler.expressions.parser import names
from doe_compiler.expressions.syntax import Expression
from doe_compiler.kernel.findings import Place
from doe_compiler.spec.scalars import beyond_floats, decimal_number

_EXACT_END = 2**53


def large_integer(column: Column) -> int | None:
    """A whole number in a column of numbers that no float's text says, or None."""
    if isinstance(column, FloatColumn | PrintedColumn) or (
        isinstance(column, CodedColumn) and column.is_text
    ):
        return None
    return beyond_floats(column.labels if isinstance(column, CodedColumn) else column.texts)


def require_exact(expression: Expression, columns: Mapping[str, Column], what: str, place: Place) -> None:
    """Refuse to reckon in floating point with a whole number that it would change."""
    found = [large_integer(columns[name]) for name in sorted(names(expression)) if name in columns]
    large = next((number for number in found if number is not None), large_literal(expression))
    if large is None:
        return
    raise refused(
        "E513",
        f"{what} would reckon with {large} in floating point, which has no such number",
        place,
        "+, - and * of whole numbers alone are exact; or use smaller numbers",
    )


def whole_numbers(expression: Expression, columns: Mapping[str, Column], n: int) -> list[int] | None:
    """The exact values in n rows if they are whole arithmetic beyond floats; None where floats do."""
    used = sorted(names(expression))
    if not is_whole_arithmetic(expression) or not all(name in columns for name in used):
        return None
    if all(isinstance(columns[name], FloatColumn) for name in used) and not _may_be_large(
        expression, columns, used
    ):
        return None
    cells = {name: _whole_cells(columns[name]) for name in used}
    known = {name: values for name, values in cells.items() if values is not None}
    if len(known) < len(used):
        return None
    largest = {name: max(map(abs, values), default=0) for name, values in known.items()}
    if magnitude(expression, largest) <= _EXACT_END:
        return None
    rows = zip(*known.values(), strict=True) if known else (() for _ in range(n))
    return [whole_value(expression, dict(zip(known, row, strict=True))) for row in rows]


def _may_be_large(expression: Expression, columns: Mapping[str, Column], used: list[str]) -> bool:
    largest = {name: int(np.abs(columns[name].numbers()).max(initial=0.0)) + 1 for name in used}
    return magnitude(expression, largest) > _EXACT_END


def _whole_cells(column: Column) -> list[int] | None:
    if isinstance(column, FloatColumn | PrintedColumn):
        is_whole = bool((np.rint(column.values) == column.values).all())
        return [int(Decimal(cell)) for cell in column.cells()] if is_whole else None
    if isinstance(column, CodedColumn):
        labels = None if column.is_text else _whole_texts(column.labels)
        return None if labels is None else [labels[code] for code in column.codes.tolist()]
    return _whole_texts(column.texts)


def _whole_texts(texts: tuple[str, ...]) -> list[int] | None:
    numbers = [decimal_number(text) for text in texts]
    whole = [number.numerator for number in numbers if number is not None and number.denominator == 1]
    return whole if len(whole) == len(numbers) else None
