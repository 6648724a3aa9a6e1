"""Rows and records of the API on a terminal or for machines, shown while they arrive."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeVar

import click

from doe_compiler.cli.screen import width
from doe_compiler.cli.tables import Fit, fitted, in_line, layout, shortened, table_options

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from doe_compiler.pipeline.connection import Connection

F = TypeVar("F", bound=Callable[..., object])
Row = Mapping[str, object]
_MEASURED_ROWS = 100
_WIDEST = 80


def json_option(function: F) -> F:
    """For machines instead of people."""
    return click.option(
        "--json", "as_json", is_flag=True, help="What the platform sent: a line of JSON an entry."
    )(function)


def list_options(function: F) -> F:
    """How a list is shown: as JSON, or as a table of some columns."""
    return json_option(table_options(function))


def page_size_option(function: F) -> F:
    """How much is asked for at once."""
    return click.option(
        "--page-size", default=100, show_default=True, type=click.IntRange(1, 5000), help="Rows a request."
    )(function)


def platform_of(on: str, *, reads_only: bool = False) -> "AbstractContextManager[Connection]":
    """Open the platform of `--on` as seen from the current folder; with `reads_only` nothing is written."""
    from pathlib import Path

    from doe_compiler.cli.asked import connection_to

    return connection_to(on, Path("study.yaml"), reads_only=reads_only)


def show_rows(rows: Iterable[Row], columns: Sequence[tuple[str, str]], *, as_json: bool) -> None:
    """Show a list as it arrives: (title, path into the row) a column, or a line of JSON a row.

    The widths of a table follow from its first hundred rows.
    """
    asked = layout()
    if as_json:
        asked.check_is_for_people("--json")
        for row in rows:
            sys.stdout.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")
            sys.stdout.flush()
        return
    places = asked.places([title for title, _ in columns])
    if places is not None:
        columns = [columns[place] for place in places]
    cells = ([_cell(row, path) for _, path in columns] for row in rows)
    head = list(islice(cells, _MEASURED_ROWS))
    titles = [title for title, _ in columns]
    limit = None if asked.is_wide else width()
    widths = [max(len(line[place]) for line in [titles, *head]) for place in range(len(columns))]
    if limit is None:
        widths = [min(_WIDEST, each) for each in widths]
    numbers = [all(line[place].isdigit() for line in head) for place in range(len(columns))]
    fit = fitted(titles, widths, numbers, limit)
    for line in _lines(titles, fit, chain(head, cells), is_cut=limit is not None):
        sys.stdout.write(line + "\n")
    sys.stdout.write(fit.note)


def _lines(titles: list[str], fit: Fit, rows: Iterable[list[str]], *, is_cut: bool) -> Iterator[str]:
    rules = ["-" * length for length in _spread(fit, len(titles))]
    for row in chain([titles, rules], rows):
        cells = [(row[place], length) for place, length in zip(fit.places, fit.widths, strict=True)]
        yield "  ".join(
            (shortened(cell, length) if is_cut else cell).ljust(length) for cell, length in cells
        ).rstrip()


def _spread(fit: Fit, count: int) -> list[int]:
    by_place = dict(zip(fit.places, fit.widths, strict=True))
    return [by_place.get(place, 0) for place in range(count)]


def show_record(record: Row, *, as_json: bool) -> None:
    """Show one thing: a line an entry, or the JSON."""
    if as_json:
        sys.stdout.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
        return
    longest = max((len(name) for name in record), default=0)
    for name, value in record.items():
        sys.stdout.write(f"{name.ljust(longest)}  {_text(value)}\n")


def _cell(row: Row, path: str) -> str:
    value: object = row
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return _text(value)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(each, str | int) for each in value):
        return ", ".join(map(str, value))
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return in_line(text)


def confirmed(question: str, *, yes: bool) -> None:
    """Ask before something that cannot be undone; without a terminal only `--yes` answers."""
    from doe_compiler.kernel.errors import WrongUsage

    if yes:
        return
    if not sys.stdin.isatty():
        raise WrongUsage("nobody can be asked here", hint="say --yes")
    click.confirm(question, abort=True, err=True)
