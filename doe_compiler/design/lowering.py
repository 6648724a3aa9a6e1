"""Templates of other syntaxes become the platform's: Spec → Spec, and the columns that they need, row by row.

A study's constants, and the expressions over them, are put in; what differs from run to run becomes a placeholder: of a
variable, or of a derived column that `derived_columns` computes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from doe_compiler.design.columns import CodedColumn, Column, FloatColumn, Floats, PrintedColumn, TextColumn
from doe_compiler.design.derived import completed_names
from doe_compiler.expressions.integers import is_whole_arithmetic
from doe_compiler.expressions.parser import has_text
from doe_compiler.expressions.parser import names as expression_names
from doe_compiler.expressions.syntax import Call, Expression
from doe_compiler.kernel.findings import Finding, Place
from doe_compiler.methods.blocks import COLUMN as BLOCK
from doe_compiler.spec.domains import holds_text
from doe_compiler.spec.model import (
    Constant,
    Formula,
    FromCases,
    FromTable,
    Levels,
    LoweredTask,
    Sampling,
    Spec,
    TemplateTask,
    Variable,
)
from doe_compiler.spec.scalars import is_integer_text
from doe_compiler.templates.jinja.values import Kind, cell_float, value_of
from doe_compiler.templates.lowered import Failure
from doe_compiler.templates.syntaxes import syntax
from doe_compiler.templates.template import Template, Unlowered

_LONGEST_SHOWN = 200
_SAMPLE = 512
_ADDED = {"doe_seed": Kind.INTEGER, "doe_replicate": Kind.INTEGER, BLOCK: Kind.INTEGER}
_WHOLE_FUNCTIONS = frozenset({"round", "floor", "ceil"})


def lowered_spec(spec: Spec) -> tuple[Spec, list[Finding]]:
    """The study with all templates in the platform's syntax, and what is wrong with those that cannot be."""
    tasks = [task for analysis in spec.analyses for task in analysis.templates]
    if not any(isinstance(task.template, Unlowered) for task in tasks):
        return spec, []
    by_name = {variable.name: variable for variable in spec.variables}
    constants = _constants(spec, by_name)
    kinds = {
        name: (kind_of(variable, by_name).value, variable.unit)
        for name, variable in by_name.items()
        if name not in constants
    } | {name: (kind.value, "") for name, kind in _ADDED.items()}
    numeric = {
        name for name, variable in by_name.items() if _is_surely_number(variable, by_name)
    } | _ADDED.keys()
    findings: list[Finding] = []
    found: list[LoweredTask] = []

    def lowered_task(task: TemplateTask) -> TemplateTask:
        if not isinstance(task.template, Unlowered):
            return task
        source = task.template.source
        result = syntax(task.syntax).lowered(source, constants, kinds, numeric)
        if isinstance(result, Failure):
            findings.append(syntax(task.syntax).told(source, result, code="T203"))
            return task
        found.append(LoweredTask(task, source, result))
        return replace(task, template=_in_its_encoding(result.template, task))

    analyses = tuple(
        replace(analysis, templates=tuple(map(lowered_task, analysis.templates)))
        for analysis in spec.analyses
    )
    if spec.design.sampling is Sampling.PLATFORM:
        findings += [_not_sampled_here(entry) for entry in found if entry.lowered.columns]
    return replace(spec, analyses=analyses, lowered=tuple(found)), findings


def _not_sampled_here(entry: LoweredTask) -> Finding:
    place = Place(entry.source.shown(entry.source.file), 1, 1, 2)
    message = f"'{entry.source.file}' computes with values that only the platform knows"
    return Finding("T205", message, "under `sampling: platform` write variables as they are: {{ x }}", place)


def _in_its_encoding(template: Template, task: TemplateTask) -> Template:
    """Literals as the platform's templates hold them: bytes of other encodings as lone surrogates."""
    if task.takes_utf8 or not task.encoding:
        return template

    def as_bytes(text: str) -> str:
        return text.encode(task.encoding, "surrogateescape").decode("utf-8", "surrogateescape")

    return Template(tuple(as_bytes(s) if isinstance(s, str) else s for s in template.segments))


def _constants(spec: Spec, by_name: Mapping[str, Variable]) -> dict[str, object]:
    """The values that are the same in all runs, by name."""
    fixed: set[str] = set()
    for _ in spec.variables:
        before = len(fixed)
        fixed |= {v.name for v in spec.variables if _is_fixed(v, fixed)}
        if len(fixed) == before:
            break
    columns = completed_names(spec, {}, 1, sorted(fixed))
    return {
        name: value_of(columns[name].cells(0, 1)[0], kind_of(by_name[name], by_name), by_name[name].unit)
        for name in fixed
    }


def _is_fixed(variable: Variable, fixed: set[str]) -> bool:
    match variable.law:
        case Constant():
            return True
        case Formula(_, expression):
            return expression_names(expression) <= fixed
        case _:
            return False


def kind_of(variable: Variable, by_name: Mapping[str, Variable]) -> Kind:
    """What templates see of a variable's cells; it hangs on the variable alone, so that more rows change nothing."""
    if variable.is_text:
        return Kind.TEXT
    if variable.is_integer:
        return Kind.INTEGER
    if variable.is_float:
        return Kind.FLOAT
    match variable.law:
        case Levels(_, True):
            return Kind.TEXT
        case Levels() | FromTable() | FromCases() | Constant():
            return Kind.BY_CELL
        case Formula(_, expression):
            return Kind.INTEGER if _is_whole(expression, by_name) else Kind.FLOAT
        case _:
            return Kind.FLOAT


def _is_surely_number(variable: Variable, by_name: Mapping[str, Variable]) -> bool:
    """Whether no cell of a variable can be a text: a generator's, or an expression's that knows none."""
    match variable.law:
        case FromTable() | FromCases():
            return False
        case Levels() | Constant():
            return not holds_text(variable)
        case Formula(_, expression):
            read = (by_name[name] for name in expression_names(expression) if name in by_name)
            return not has_text(expression) and all(_is_surely_number(each, by_name) for each in read)
        case _:
            return True


def _is_whole(expression: Expression, by_name: Mapping[str, Variable]) -> bool:
    if isinstance(expression, Call) and expression.function in _WHOLE_FUNCTIONS:
        return True
    read = [by_name[name] for name in expression_names(expression) if name in by_name]
    return is_whole_arithmetic(expression) and all(
        kind_of(variable, by_name) is Kind.INTEGER
        or (isinstance(variable.law, Constant) and is_integer_text(variable.law.text))
        for variable in read
    )


def derived_columns(spec: Spec, columns: Mapping[str, Column], n: int) -> tuple[list[Column], list[Finding]]:
    """The columns that lowered templates need, n rows each, and what is wrong in which run."""
    by_name = {variable.name: variable for variable in spec.variables}
    found: dict[str, Column] = {}
    findings: list[Finding] = []
    values: dict[tuple[str, bool], Sequence[object] | Floats] = {}
    for entry in spec.lowered:
        wanted = [column for column in entry.lowered.columns if column.name not in found]
        numbers = entry.lowered.program.numbers
        for name in entry.lowered.program.reads:
            if (name, name in numbers) in values:
                continue
            variable = by_name.get(name)
            kind = _ADDED[name] if variable is None else kind_of(variable, by_name)
            unit = "" if variable is None else variable.unit
            values[name, name in numbers] = _values(columns[name], kind, unit, plain=name in numbers)
        reads = {name: values[name, name in numbers] for name in entry.lowered.program.reads}
        texts, failures = entry.lowered.program.texts(reads, n, [column.name for column in wanted])
        told = syntax(entry.task.syntax).told
        first = {(failure.file, failure.position): failure for failure in reversed(failures)}
        findings += [
            told(entry.source, failure, code="T204", where=_in_run(failure, columns))
            for failure in first.values()
        ]
        if not failures:
            found |= {name: _column(name, cells) for name, cells in texts.items()}
            findings += _unwritable(entry, found)
    return list(found.values()), findings


def _in_run(failure: Failure, columns: Mapping[str, Column]) -> str:
    row = failure.row
    if row is None:
        return ""
    cells = ", ".join(f"{name} = {column.cells(row, row + 1)[0]}" for name, column in columns.items())
    cells = cells if len(cells) <= _LONGEST_SHOWN else cells[:_LONGEST_SHOWN] + "…"
    return f" in run {row + 1} ({cells})" if cells else f" in run {row + 1}"


def _values(column: Column, kind: Kind, unit: str, *, plain: bool) -> Sequence[object] | Floats:
    if plain and kind is Kind.FLOAT:
        return column.numbers()
    if isinstance(column, CodedColumn):
        labels = [value_of(label, kind, unit) for label in column.labels]
        return [labels[code] for code in column.codes.tolist()]
    if isinstance(column, FloatColumn) and kind is Kind.FLOAT:
        return [
            cell_float(number, cell, unit)
            for number, cell in zip(column.values.tolist(), column.cells(), strict=True)
        ]
    return [value_of(cell, kind, unit) for cell in column.cells()]


def _column(name: str, cells: Sequence[str] | Floats) -> Column:
    return PrintedColumn(name, cells) if isinstance(cells, np.ndarray) else text_column(name, cells)


def text_column(name: str, cells: Sequence[str]) -> Column:
    """Texts as a column; few texts in many rows are coded."""
    sample = cells[:_SAMPLE]
    if len(cells) > _SAMPLE and 2 * len(set(sample)) > len(sample):
        return TextColumn(name, tuple(cells))
    places: dict[str, int] = {}
    for cell in cells:
        places.setdefault(cell, len(places))
    if 2 * len(places) > len(cells):
        return TextColumn(name, tuple(cells))
    codes = np.fromiter((places[cell] for cell in cells), np.int32, len(cells))
    return CodedColumn(name, codes, tuple(places), is_text=True)


def _unwritable(entry: LoweredTask, columns: Mapping[str, Column]) -> list[Finding]:
    """Letters that the encoding of a template lacks."""
    task = entry.task
    if task.takes_utf8:
        return []
    findings = []
    for name in (column.name for column in entry.lowered.columns):
        for row, cell in enumerate(columns[name].cells()):
            try:
                cell.encode(task.text_encoding)
            except UnicodeEncodeError as error:
                place = Place(entry.source.shown(entry.source.file), 1, 1, 2)
                message = f"it writes {error.object[error.start]!r} in run {row + 1}, which {task.text_encoding} lacks"
                findings.append(
                    Finding("T206", message, "say the template's `encoding`, or write it in ASCII", place)
                )
                break
    return findings
