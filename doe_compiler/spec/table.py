"""The CSV of `method: table`: a header of names and a row of cells for each run."""

import os.path
import re
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

from doe_compiler.generators.law import MAX_POINTS
from doe_compiler.kernel.findings import Finding, Place, Severity, has_errors, near_miss
from doe_compiler.spec.domains import keeps_text, plain_cell, value_problem
from doe_compiler.spec.files import LARGEST_TABLE, Project, local_file, shown_path
from doe_compiler.spec.model import Constant, Formula, FromTable, Table, Variable
from doe_compiler.spec.nodes import Scalar
from doe_compiler.spec.report import Report
from doe_compiler.spec.scalars import decimal_number, is_decimal
from doe_compiler.spec.source import decoded
from doe_compiler.spec.spreadsheet import read_sheet

_MOST_TOLD = 20
_LEAST_ROWS_WITH_UNITS = 3
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_LINE_END = re.compile("\r\n|[\r\n]")  # as the csv module counts lines


def read_table(
    node: Scalar,
    project: Project,
    report: Report,
    decimal: str = ".",
    texts: frozenset[str] = frozenset(),
    only: frozenset[str] | None = None,
) -> Table | None:
    """The table in the file that a scalar names, or None after findings.

    `decimal` is the sign in its numbers; the columns named in `texts` hold text, whatever it looks like. Columns that are
    not among `only`, if it is given, are left out.
    """
    file = local_file(node, project, report, keep=True, limit=LARGEST_TABLE)
    if file is None or file.content is None:
        return None
    shown = shown_path(project, node.text)
    text = decoded(file.content, shown)
    if isinstance(text, Finding):
        report.findings.append(text)
        return None
    own = Report()
    lines = _LINE_END.split(text)
    sheet = read_sheet(text, lines, shown, decimal, texts, own, only)
    if sheet is not None and len(sheet.rows) > MAX_POINTS:
        own.error("E110", f"{len(sheet.rows):,} rows are more than {MAX_POINTS:,}", Place(shown, 1, 1))
    if own.findings:
        report.lines[shown] = lines
        report.findings += _first(own.findings, shown)
    if sheet is None or has_errors(own.findings):
        return None
    return Table(file, sheet.names, sheet.rows, sheet.lines)


def _first(findings: list[Finding], shown: str) -> list[Finding]:
    if len(findings) <= _MOST_TOLD:
        return findings
    more = Finding(
        "E313", f"{len(findings) - _MOST_TOLD:,} more findings in '{shown}'", "", Place(shown, 1, 1)
    )
    return [*findings[:_MOST_TOLD], more]


def check_columns(
    table: Table,
    variables: Iterable[Variable],
    known: frozenset[str],
    place: Place,
    report: Report,
) -> None:
    """Find columns without a variable, variables without a column, and cells that a variable cannot take."""
    by_name: Mapping[str, Variable] = {variable.name: variable for variable in variables}
    shown = os.path.normpath(table.file.path)
    header = Place(shown, 1, 1)
    for name in table.names:
        variable = by_name.get(name)
        if name not in known:
            meant = near_miss(name, known - set(table.names))
            hint = f"did you mean '{meant}'?" if meant else "add it to the variables, or remove the column"
            report.error("E214", f"the column '{name}' is not a variable", header, hint)
        elif variable is not None and isinstance(variable.law, Constant | Formula):
            report.error(
                "E214", f"'{name}' is a column of the table, and has a value already", variable.place
            )
    for variable in by_name.values():
        if variable.varies and variable.name not in table.names:
            hint = f"add the column to '{shown}', or give the variable a value"
            report.error("E214", f"the table has no column '{variable.name}'", variable.place, hint)
    _check_values(table, by_name, shown, place, report)


def _units(table: Table, by_name: Mapping[str, Variable], shown: str) -> Iterator[Finding]:
    """A warning where the first row looks like units of measure."""
    if len(table.rows) < _LEAST_ROWS_WITH_UNITS:
        return
    words = [
        table.rows[0][index]
        for index, name in enumerate(table.names)
        if (variable := by_name.get(name)) is not None
        and isinstance(variable.law, FromTable)
        and not variable.is_text
        and not is_decimal(table.rows[0][index])
        and all(is_decimal(row[index]) for row in table.rows[1:])
    ]
    if words:
        message = f"the first row has {', '.join(words[:5])} where all others have numbers, and is a run too"
        hint = "remove it if it is a row of units; if it is none, say `type: text`"
        yield Finding("E323", message, hint, Place(shown, 2, 1), Severity.WARNING)


def _not_finite(name: str, cells: tuple[str, ...], shown: str, place: Place) -> Iterator[Finding]:
    """Findings for NaN and infinities in a column of numbers; in a column of words they are words."""
    places = [number for number, cell in enumerate(cells, start=1) if _NOT_FINITE.fullmatch(cell)]
    if places and all(_NOT_FINITE.fullmatch(cell) or is_decimal(cell) for cell in cells):
        for number in places:
            message = f"'{name}' in row {number} of '{shown}' ({cells[number - 1]}) is not a finite number"
            yield Finding("E313", message, "give a number, or remove the row", place)


def spellings(name: str, cells: tuple[str, ...], place: Place) -> Iterator[Finding]:
    """A warning where a column of numbers writes one of them in several ways; they may be meant as text."""
    first: dict[Fraction, str] = {}
    for cell in dict.fromkeys(cells):
        number = decimal_number(cell)
        other = cell if number is None else first.setdefault(number, cell)
        if other != cell:
            written = plain_cell(cell)
            message = f"the column '{name}' writes one number in two ways: '{other}' and '{cell}'"
            outcome = f"both become {written}" if written == plain_cell(other) else "they are two values"
            hint = f"{outcome}; if they are texts, say `type: text`"
            yield Finding("E314", message, hint, place, Severity.WARNING)
            return


def _check_values(
    table: Table, by_name: Mapping[str, Variable], shown: str, place: Place, report: Report
) -> None:
    own = Report()
    header = Place(shown, 1, 1)
    own.findings += _units(table, by_name, shown)
    for index, name in enumerate(table.names):
        variable = by_name.get(name)
        if variable is None or not variable.varies:
            continue
        cells = tuple([row[index] for row in table.rows])
        if isinstance(variable.law, FromTable) and not keeps_text(variable, cells):
            own.findings += spellings(name, cells, header)
        if isinstance(variable.law, FromTable) and not variable.is_integer:
            own.findings += _not_finite(name, cells, shown, place)
            if not variable.is_float:
                continue
        for number, row in enumerate(table.rows, start=1):
            problem = value_problem(
                variable.law, row[index], is_integer=variable.is_integer, is_float=variable.is_float
            )
            if problem:
                own.error("E313", f"'{name}' in row {number} of '{shown}' ({row[index]}) {problem}", place)
    report.findings += _first(own.findings, shown)
