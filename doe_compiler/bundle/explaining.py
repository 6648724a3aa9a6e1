"""How each template reaches its runs: as placeholders and which columns, or as a text a run; and what that costs."""

from collections.abc import Iterator
from dataclasses import dataclass

from doe_compiler.bundle.texts import name_of_text
from doe_compiler.design.columns import CodedColumn, Column
from doe_compiler.design.design import Design
from doe_compiler.spec.model import LoweredTask, Spec, TemplateTask
from doe_compiler.templates.lowering import lowered


@dataclass(frozen=True)
class ExplainedColumn:
    """A derived column: what it stands for, where that is written, and the mean bytes a run of its cells."""

    name: str
    shown: str
    place: str
    bytes_a_run: float
    travels_by_name: bool


@dataclass(frozen=True)
class Explained:
    """A template: `reason` says why it is a text a run; `names` are the study's columns that it has as they are."""

    target: str
    source: str
    syntax: str
    reason: str
    reason_at: str
    size: int
    names: tuple[str, ...]
    columns: tuple[ExplainedColumn, ...]


def explained(spec: Spec, design: Design | None) -> list[Explained]:
    """Every template of the study."""
    by_target = {entry.task.target: entry for entry in spec.lowered}
    tasks = (task for analysis in spec.analyses for task in analysis.templates)
    return [_explained(task, by_target.get(task.target), design) for task in tasks]


def _explained(task: TemplateTask, entry: LoweredTask | None, design: Design | None) -> Explained:
    columns = () if entry is None else tuple(_columns(entry, design))
    own = {column.name for column in columns}
    reason = "" if entry is None else entry.lowered.reason
    at = ""
    if entry is not None and reason:
        at = f"{entry.source.shown(entry.source.file)}:{entry.lowered.line}"
    return Explained(
        target=task.target,
        source=task.source.name,
        syntax=task.syntax,
        reason=reason,
        reason_at=at,
        size=len(lowered(task.lowered).encode("utf-8", "surrogateescape")),
        names=tuple(sorted(task.lowered.names - own)),
        columns=columns,
    )


def _columns(entry: LoweredTask, design: Design | None) -> Iterator[ExplainedColumn]:
    for column in entry.lowered.columns:
        file, line, place = column.place
        cells = None if design is None else design.column(column.name)
        yield ExplainedColumn(
            column.name,
            column.shown,
            f"{file}:{line}:{place}",
            0.0 if cells is None else _mean_bytes(cells),
            cells is not None and _travels_by_name(cells),
        )


def _mean_bytes(column: Column) -> float:
    if isinstance(column, CodedColumn):
        sizes = [len(label.encode()) for label in column.labels]
        total: int = sum(sizes[code] for code in column.codes.tolist())
        return total / max(len(column), 1)
    return sum(len(cell.encode()) for cell in column.cells()) / max(len(column), 1)


def _travels_by_name(column: Column) -> bool:
    cells = column.labels if isinstance(column, CodedColumn) else column.cells()
    return any(name_of_text(cell) != cell for cell in cells)
