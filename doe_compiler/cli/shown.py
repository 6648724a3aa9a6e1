"""Plans, progress and tables as a person reads them."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from doe_compiler.plan.decide import Action, Kind
from doe_compiler.plan.estimate import Estimate
from doe_compiler.results.collect import Results
from doe_compiler.results.states import RunState
from doe_compiler.results.table import cells, header

if TYPE_CHECKING:
    from doe_compiler.pipeline.planning import Planned
    from doe_compiler.pipeline.waiting import Progress

_VERBS = {Kind.CREATE: "create and submit", Kind.SUBMIT: "submit", Kind.DELETE: "delete"}
_COLOURS = {Kind.CREATE: "green", Kind.SUBMIT: "cyan", Kind.DELETE: "red"}
_NEWEST_SHOWN = 20


def plural(count: int, word: str) -> str:
    """`1 run`, `2 runs`."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def plan_text(planned: "Planned") -> str:
    """A plan for people: one line an action with its reason, then the line that scripts may look for."""
    decision = planned.look.decision
    lines = [_action_line(action) for action in decision.actions]
    if lines:
        lines.append("")
    return "\n".join([*lines, summary_line(planned)])


def summary_line(planned: "Planned") -> str:
    """The plan in one line."""
    decision = planned.look.decision
    if decision.runs_wanted is None:
        what = f"{plural(planned.new_jobs, 'job')} to create, sampled by the platform"
        resumed = sum(action.kind is Kind.SUBMIT for action in decision.actions)
        return f"Plan: {what}, {resumed} to resume.{_estimate_text(planned.new)}"
    created = sum(a.runs or 0 for a in decision.actions if a.kind is Kind.CREATE)
    resumed = sum(a.runs or 0 for a in decision.actions if a.kind is Kind.SUBMIT)
    return (
        f"Plan: {plural(created, 'run')} in {plural(planned.new_jobs, 'job')} to create, {resumed:,} to resume. "
        f"{plural(decision.runs_unchanged, 'run')} unchanged.{_estimate_text(planned.new)}"
    )


def _action_line(action: Action) -> str:
    symbol = click.style(action.kind.value, fg=_COLOURS[action.kind], bold=True)
    runs = plural(action.runs, "run") if action.runs is not None else "runs that the platform samples"
    job = f" of draft {action.job_id}" if action.job_id else ""
    again = f", try {action.generation + 1}" if action.generation else ""
    return f"  {symbol} {_VERBS[action.kind]} {runs}{job}  ({action.reason}{again})"


def _estimate_text(estimate: Estimate) -> str:
    text = ""
    if estimate.core_hours:
        text += f" About {estimate.core_hours:.4g} core-hours"
        text += f", USD {estimate.cost:.2f}" if estimate.cost is not None else ""
        text += f" (at most {estimate.most_core_hours:.4g})." if estimate.most_core_hours else "."
    elif estimate.most_core_hours:
        text += f" At most {estimate.most_core_hours:.4g} core-hours"
        text += f", USD {estimate.most_cost:.2f}." if estimate.most_cost is not None else "."
    return text


def text_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of aligned text, numbers to the right."""
    listed = [list(row) for row in rows]
    widths = [
        max([len(column), *(len(row[index]) for row in listed)]) for index, column in enumerate(columns)
    ]
    right = [all(_is_number(row[index]) for row in listed) for index in range(len(columns))]
    lines = [_aligned(columns, widths, right), "  ".join("-" * width for width in widths)]
    lines += [_aligned(row, widths, right) for row in listed]
    return "\n".join(lines) + "\n"


def _aligned(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    parts = zip(row, widths, right, strict=True)
    return "  ".join(
        cell.rjust(width) if is_right else cell.ljust(width) for cell, width, is_right in parts
    ).rstrip()


def _is_number(cell: str) -> bool:
    if not cell:
        return True
    try:
        float(cell)
    except ValueError:
        return False
    return True


def results_table(results: Results, most: int | None = None) -> str:
    """The results as text; columns that say nothing are left out, and rows beyond `most`."""
    rows = [cells(results, row) for row in results.rows]
    names = header(results)
    said = [
        index
        for index, name in enumerate(names)
        if name not in {"why", "exit_code", "directory"} or any(_tells(row[index]) for row in rows)
    ]
    shown = rows if most is None else rows[:most]
    text = text_table(
        [names[index] for index in said], ([_short(row[index]) for index in said] for row in shown)
    )
    if len(shown) < len(rows):
        text += f"... and {plural(len(rows) - len(shown), 'more run')}: doe results {results.spec.file}\n"
    return text


def _tells(cell: str) -> bool:
    return cell not in {"", "0"}


def _short(cell: str) -> str:
    """A number with more digits than a person reads, in seven of them."""
    if len(cell) <= 10:
        return cell
    try:
        return f"{float(cell):.7g}"
    except ValueError:
        return cell if len(cell) <= 40 else cell[:39] + "…"


def counted(results: Results) -> str:
    """How many runs are in which state."""
    parts = [f"{results.count(state):,} {state.value}" for state in RunState if results.count(state)]
    return f"{plural(len(results.rows), 'run')}: {', '.join(parts) or 'none'}"


def shown_progress(steps: "Iterator[Progress]", tell: Callable[[str], None]) -> None:
    """Follow the runs: a live bar on a terminal, else a line whenever a tenth more is done."""
    if not sys.stderr.isatty():
        _progress_lines(steps, tell)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("running"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("runs", total=None)
        for step in steps:
            bar.update(task, total=step.runs or None, completed=step.completed)


def _progress_lines(steps: "Iterator[Progress]", tell: Callable[[str], None]) -> None:
    told = -1
    for step in steps:
        tenth = 10 * step.completed // step.runs if step.runs else 0
        if tenth > told or step.is_over:
            tell(f"{step.completed:,} of {plural(step.runs, 'run')} completed")
            told = tenth


def newest_rows() -> int:
    """How many rows of results a command shows unasked."""
    return _NEWEST_SHOWN
