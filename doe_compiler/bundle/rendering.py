"""The files that templates become, run by run, as the platform would write them into its work directory."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat

from doe_compiler.design.design import Design
from doe_compiler.spec.model import Spec, TemplateTask
from doe_compiler.templates.substitution import renderer

_ROWS_AT_ONCE = 1_000


@dataclass(frozen=True)
class Deck:
    """A file of every run: its path in the run's directory, and whether it is executable."""

    target: str
    is_executable: bool


def decks(spec: Spec) -> list[Deck]:
    """The files that templates become; a later analysis may write one again."""
    found = {task.target: Deck(task.target, task.source.is_executable) for task in _tasks(spec)}
    return list(found.values())


def rendered_runs(spec: Spec, design: Design, start: int, stop: int) -> Iterator[tuple[bytes, ...]]:
    """The contents of the decks, for each of the runs start to stop (exclusive), from 0."""
    tasks = {task.target: task for task in _tasks(spec)}
    if not tasks:
        yield from repeat((), stop - start)
        return
    for first in range(start, stop, _ROWS_AT_ONCE):
        last = min(first + _ROWS_AT_ONCE, stop)
        yield from zip(*(_contents(task, design, first, last) for task in tasks.values()), strict=True)


def _contents(task: TemplateTask, design: Design, first: int, last: int) -> Iterator[bytes]:
    template = task.lowered
    names = sorted(template.names)
    render = renderer(template, names)
    columns = [design.column(name).cells(first, last) for name in names]
    if not task.takes_utf8:
        columns = [[_as_bytes(cell, task.text_encoding) for cell in column] for column in columns]
    rows = zip(*columns, strict=True) if columns else iter([()] * (last - first))
    return (render(row).encode("utf-8", "surrogateescape") for row in rows)


def _as_bytes(cell: str, encoding: str) -> str:
    return cell.encode(encoding).decode("utf-8", "surrogateescape")


def _tasks(spec: Spec) -> Iterator[TemplateTask]:
    return (task for analysis in spec.analyses for task in analysis.templates)
