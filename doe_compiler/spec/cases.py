"""The case file: every run of the design is repeated for each of its rows; its columns are variables."""

from collections.abc import Iterable
from dataclasses import replace

from doe_compiler.kernel.findings import Place
from doe_compiler.spec.domains import is_textual, plain_cell
from doe_compiler.spec.files import Project
from doe_compiler.spec.model import FromCases, FromTable, Table, Variable
from doe_compiler.spec.nodes import Fields, Node, Scalar
from doe_compiler.spec.report import Report
from doe_compiler.spec.scalars import is_decimal
from doe_compiler.spec.table import read_table, spellings


def with_cases(
    job: Fields | None, variables: tuple[Variable, ...], project: Project, report: Report
) -> tuple[Variable, ...]:
    """The variables and the columns of the case file.

    A column may be declared among the variables without a law, to give it a unit, a type or a format.
    """
    node: Node | None = None if job is None else job.get("caseFile")
    if isinstance(node, Fields):
        if node.scalar("path") is None:
            _refuse_id(node, report)
        node = node.scalar("path")
    if not isinstance(node, Scalar):
        return variables
    texts = frozenset(variable.name for variable in variables if is_textual(variable))
    table = read_table(node, project, report, texts=texts)
    if table is None:
        return variables
    place = Place(table.file.path, 1, 1)
    _check_rows(table, place, report)
    declared = {variable.name: variable for variable in variables}
    columns = {
        name: _column(name, tuple(row[index] for row in table.rows), declared.get(name), node.place, report)
        for index, name in enumerate(table.names)
    }
    own = (
        columns[variable.name] or variable if variable.name in columns else variable for variable in variables
    )
    added = (column for name, column in columns.items() if name not in declared and column is not None)
    return (*own, *added)


def _refuse_id(node: Fields, report: Report) -> None:
    hint = "download it, and give its path: its columns are part of what a run is"
    report.error("E119", "the columns of a case file on the platform are not known here", node.place, hint)


def _check_rows(table: Table, place: Place, report: Report) -> None:
    seen: dict[tuple[str, ...], int] = {}
    for row, line in zip(table.rows, table.lines, strict=True):
        if row in seen:
            message = f"the case in line {line} stands in line {seen[row]} already"
            report.error("E120", message, replace(place, line=line), "use replicates to repeat runs")
        seen.setdefault(row, line)


def _column(
    name: str, cells: tuple[str, ...], declared: Variable | None, place: Place, report: Report
) -> Variable | None:
    if declared is not None and not isinstance(declared.law, FromTable):
        message = f"'{name}' is a column of the case file, and has a value already"
        report.error("E214", message, declared.place, "remove one of them, or rename it")
        return None
    is_text = declared is not None and declared.is_text
    if not is_text and all(map(is_decimal, cells)):
        report.findings += spellings(name, cells, place)
        cells = tuple(map(plain_cell, cells))
    variable = declared or Variable(name, FromTable(), place)
    return replace(variable, law=FromCases(cells), role="Case")


def without_cases(variables: Iterable[Variable]) -> tuple[Variable, ...]:
    """The variables that the design itself chooses, or that follow from others."""
    return tuple(variable for variable in variables if not isinstance(variable.law, FromCases))
