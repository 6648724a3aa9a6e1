"""The rows of `method: table` and of `augment`: a CSV of the user's, checked against the variables that it sets."""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from doe_compiler.design.bounds import outside
from doe_compiler.design.cell_text import cell_of, enumerates, labels_of
from doe_compiler.design.columns import CodedColumn, Column, number_in
from doe_compiler.design.derived import violations
from doe_compiler.design.refusal import MOST_SHOWN, DesignRefused, refused
from doe_compiler.generators.catalogue import steps_of
from doe_compiler.kernel.findings import Finding, Place
from doe_compiler.spec.domains import holds_text, keeps_text
from doe_compiler.spec.model import FromTable, Levels, Spec, Table, Variable
from doe_compiler.spec.scalars import decimal_number, is_integer_text


def table_points(spec: Spec, sampled: Sequence[Variable]) -> dict[str, Column]:
    """The table's columns as those of the variables, with numbers in their canonical text or format.

    A refusal names every cell, by its line in the CSV, that its variable cannot take.
    """
    table = spec.design.table
    if table is None or not table.rows:
        raise refused(
            "E530", "the table has no rows", spec.design.place, "give it a header and a line for each run"
        )
    findings = [*_without_column(table, sampled)]
    if spec.design.method == "table":
        findings = [*_without_variable(table, sampled), *findings]
    points: dict[str, Column] = {}
    for variable in sampled:
        if variable.name in table.names:
            index = table.names.index(variable.name)
            column = tuple([row[index] for row in table.rows])
            is_kept = keeps_text(variable, column)
            cells = column if is_kept else tuple([cell_of(variable, cell) for cell in column])
            findings += _unfit(table, variable, cells)
            points[variable.name] = _coded(variable.name, cells, is_text=holds_text(variable, column))
    if findings:
        raise DesignRefused(*findings)
    return points


def table_place(table: Table, row: int) -> Place:
    """Where row 0, 1, ... of a table stands in its file, behind the header."""
    line = table.lines[row] if row < len(table.lines) else row + 2
    return Place(table.file.path or table.file.name, line, 1)


def require_constraints(spec: Spec, points: Mapping[str, Column]) -> None:
    """The rows of a table are the user's: one that violates a constraint is a mistake, not left out.

    `points` begin with the table's rows, each of them for all crossed cells in turn.
    """
    table = spec.design.table
    if not spec.design.constraints or table is None:
        return
    n = len(next(iter(points.values())))
    broken = violations(spec, dict(points), n)
    rows = [row for row in range(n) if broken[row] >= 0]
    lines = dict.fromkeys((row * len(table.rows) // n, int(broken[row])) for row in rows)
    findings = [
        Finding(
            "E564",
            f"row {row + 1} of the table violates the constraint {spec.design.constraints[index].source!r}",
            "remove the row, or relax the constraint",
            table_place(table, row),
        )
        for row, index in lines
    ]
    if findings:
        raise DesignRefused(*findings[:MOST_SHOWN])


def _without_variable(table: Table, sampled: Sequence[Variable]) -> list[Finding]:
    place = Place(table.file.path or table.file.name, 1, 1)
    names = {variable.name for variable in sampled}
    return [
        Finding(
            "E531",
            f"the column '{name}' sets no variable of the study",
            "remove it, or add the variable",
            place,
        )
        for name in table.names
        if name not in names
    ]


def _without_column(table: Table, sampled: Sequence[Variable]) -> list[Finding]:
    return [
        Finding(
            "E532",
            f"'{variable.name}' has no column in the table",
            "add the column, or cross it: `cross: [...]` in the design",
            variable.place,
        )
        for variable in sampled
        if variable.name not in table.names
    ]


def _unfit(table: Table, variable: Variable, cells: Sequence[str]) -> list[Finding]:
    complaint = _complaint_of(variable)
    verdicts = {cell: complaint(cell) for cell in set(cells)}
    wrong = [(row, verdicts[cell]) for row, cell in enumerate(cells) if verdicts[cell]]
    findings = [Finding("E533", message, "", table_place(table, row)) for row, message in wrong[:MOST_SHOWN]]
    if len(wrong) > MOST_SHOWN:
        message = f"{len(wrong) - MOST_SHOWN:,} more cells of '{variable.name}' do not fit"
        findings.append(Finding("E533", message, "", table_place(table, wrong[MOST_SHOWN][0])))
    return findings


def _complaint_of(variable: Variable) -> Callable[[str], str]:
    """Says what is wrong with a cell of the variable, or nothing."""
    levels = frozenset(labels_of(variable)) if enumerates(variable) else frozenset()
    numbers = (
        frozenset(map(decimal_number, levels)) | frozenset(map(number_in, levels))
        if steps_of(variable.law) is not None
        else frozenset()
    )

    def complaint(cell: str) -> str:
        number = number_in(cell)
        if isinstance(variable.law, Levels):
            return "" if cell in levels else f"{cell!r} is not a level of '{variable.name}'"
        if isinstance(variable.law, FromTable):
            if variable.is_integer and (math.isnan(number) or not number.is_integer()):
                return f"{cell!r} of '{variable.name}' is not a whole number"
            if variable.is_float and not math.isfinite(number):
                return f"{cell!r} of '{variable.name}' is not a number"
            return ""
        if not math.isfinite(number):
            return f"{cell!r} of '{variable.name}' is not a number"
        if variable.is_integer and not number.is_integer():
            return f"{cell!r} of '{variable.name}' is not a whole number"
        if numbers:
            value = decimal_number(cell) if is_integer_text(cell) else number
            return "" if value in numbers else f"{cell!r} is not a point of '{variable.name}'"
        limit = outside(variable, number)
        return f"{cell!r} of '{variable.name}' is {limit}" if limit else ""

    return complaint


def _coded(name: str, cells: Sequence[str], *, is_text: bool) -> CodedColumn:
    labels = tuple(dict.fromkeys(cells))
    position = {label: code for code, label in enumerate(labels)}
    codes = np.asarray([position[cell] for cell in cells], dtype=np.int32)
    return CodedColumn(name, codes, labels, is_text)
