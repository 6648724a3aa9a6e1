"""Plans, progress and tables as a person reads them."""

import os
import textwrap
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from doe_compiler.cli.screen import shows_bars, wants_colour
from doe_compiler.cli.tables import Layout, in_line, text_table
from doe_compiler.results.collect import Results
from doe_compiler.results.goals import is_outside
from doe_compiler.results.states import RunState, number_of
from doe_compiler.results.table import cells, header

if TYPE_CHECKING:
    from doe_compiler.apply.conduct import Receipt
    from doe_compiler.pipeline.waiting import Progress

_NEWEST_SHOWN = 20
_USUAL = Layout()


def plural(count: int, word: str) -> str:
    """`1 run`, `2 runs`."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def step_text(step: "Receipt") -> str:
    """A step of an apply in a line; empty if a person need not know."""
    if step.what == "wait":
        return f"waiting {step.seconds:.3g} s: {step.name}"
    if step.what == "warn":
        return f"warning: {step.name}"
    if step.what == "submit":
        return f"submitted {step.job_id}: {step.name}" if step.answer == "done" else ""
    if step.answer and step.what in {"stop", "delete", "share", "rename"}:
        return f"{step.what} {step.job_id}: {step.answer}"
    return ""


def results_table(
    results: Results,
    most: int | None = None,
    limit: int | None = None,
    asked: Layout = _USUAL,
    command: str = "",
) -> str:
    """The results as text; what is the same in all runs stands above, and rows beyond `most` are left out.

    It is at most `limit` characters wide, or as it was asked for.
    """
    names = header(results)
    rows = [
        [_shown(name, cell) for name, cell in zip(names, cells(results, row), strict=True)]
        for row in results.rows
    ]
    chosen = asked.places(names)
    if chosen is not None or asked.is_wide:
        places = range(len(names)) if chosen is None else chosen
        limit = None if asked.is_wide else limit
        return text_table(
            [names[place] for place in places],
            ([row[place] for place in places] for row in rows),
            limit,
            command,
        )
    same = {index for index in range(len(names)) if len({row[index] for row in rows}) == 1 and len(rows) > 1}
    has_directories = any(row.directory for row in results.rows)
    hidden = {"job", "job_run"} if has_directories else {"directory"}
    hidden |= set() if any(row.tries > 1 for row in results.rows) else {"tries"}
    columns = [
        index
        for index, name in enumerate(names)
        if name not in hidden and (index not in same or name == "state")
    ]
    above = [
        f"{name} = {rows[0][index]}"
        for index, name in enumerate(names)
        if index in same and name not in {"state", "exit_code", *hidden} and rows[0][index]
    ]
    text = _wrapped(f"In all runs: {', '.join(above)}", limit) + "\n\n" if above else ""
    shown = rows if most is None else rows[:most]
    text += text_table(
        [names[index] for index in columns],
        ([row[index] for index in columns] for row in shown),
        limit,
        command,
    )
    if len(shown) < len(rows):
        text += f"... and {plural(len(rows) - len(shown), 'more run')}: doe results {results.spec.file}\n"
    return text


def _wrapped(text: str, limit: int | None) -> str:
    if limit is None:
        return text
    return textwrap.fill(text, limit, break_long_words=False, break_on_hyphens=False)


def _shown(name: str, cell: str) -> str:
    if name == "directory":
        return os.path.relpath(cell) if cell else ""
    return _short(in_line(cell))


def _short(cell: str) -> str:
    """A number with more digits than a person reads, in seven of them; a whole one keeps all."""
    if len(cell) <= 10 or (len(cell) <= 24 and cell.lstrip("+-").isdigit()):
        return cell
    value = number_of(cell)
    if value:
        return f"{value:.7g}"
    return cell if len(cell) <= 40 else cell[:39] + "…"


def counted(results: Results) -> str:
    """How many runs are in which state."""
    parts = [f"{results.count(state):,} {state.value}" for state in RunState if results.count(state)]
    outside = sum(is_outside(results, row) for row in results.rows)
    told = f" ({outside:,} outside of the bounds of a response)" if outside else ""
    return f"{plural(len(results.rows), 'run')}: {', '.join(parts) or 'none'}{told}"


def shown_progress(steps: "Iterator[Progress]", tell: Callable[[str], None]) -> None:
    """Follow the runs: a live bar on a terminal, else a line whenever a tenth more is done."""
    if not shows_bars():
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
        TextColumn("[red]{task.fields[failures]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True, no_color=not wants_colour())) as bar:
        task = bar.add_task("runs", total=None, failures="")
        for step in steps:
            bar.update(
                task, total=step.runs or None, completed=step.completed, failures=_failures(step).strip(", ")
            )


def _progress_lines(steps: "Iterator[Progress]", tell: Callable[[str], None]) -> None:
    told = -1
    for step in steps:
        tenth = 10 * step.completed // step.runs if step.runs else 0
        if tenth > told or step.is_over:
            tell(f"{step.completed:,} of {plural(step.runs, 'run')} completed{_failures(step)}")
            told = tenth


def _failures(step: "Progress") -> str:
    return f", {step.failed:,} failed" if step.failed else ""


def newest_rows() -> int:
    """How many rows of results a command shows unasked."""
    return _NEWEST_SHOWN
