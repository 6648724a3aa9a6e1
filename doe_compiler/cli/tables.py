"""Tables as text: aligned, fitted to the terminal, with the columns that were asked for."""

import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import click

from doe_compiler.extraction.values import number
from doe_compiler.kernel.errors import WrongUsage
from doe_compiler.kernel.findings import near_miss

F = TypeVar("F", bound=Callable[..., object])
_GAP = 2
_SHORTEST = 12
_MOST_NAMED = 8
_LAYOUT = "doe_compiler.layout"
_KEPT = frozenset({"state", "status"})


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns were asked for (none: what is usual), and whether as wide as they are."""

    columns: tuple[str, ...] = ()
    is_wide: bool = False

    def check_is_for_people(self, form: str) -> None:
        """Raise WrongUsage where columns were asked for of what is not for people: a form for machines has all."""
        if self.columns:
            raise WrongUsage("--columns is for tables", hint=f"{form} has all columns, by their names")

    def places(self, titles: Sequence[str]) -> list[int] | None:
        """Where the columns stand that were asked for, by their titles with or without a unit; None: unasked."""
        if not self.columns:
            return None
        known = {title.partition(" [")[0]: place for place, title in enumerate(titles)}
        known |= {title: place for place, title in enumerate(titles)}
        for name in self.columns:
            if name not in known:
                meant = near_miss(name, list(known))
                listed = ", ".join(titles[:30]) + (", …" if len(titles) > 30 else "")
                raise WrongUsage(
                    f"--columns: no column '{name}'" + (f"; did you mean '{meant}'?" if meant else ""),
                    hint=f"there are {listed}",
                )
        return [known[name] for name in self.columns]


def _keep(context: click.Context, parameter: click.Parameter, given: object) -> object:
    context.meta[f"{_LAYOUT}.{parameter.name}"] = given
    return given


def wide_option(function: F) -> F:
    """Whether a table is fitted to the terminal; `layout()` has the answer."""
    return click.option(
        "--wide",
        is_flag=True,
        expose_value=False,
        callback=_keep,
        help="Do not fit the table to the terminal.",
    )(function)


def table_options(function: F) -> F:
    """Which columns of a table are shown, and how; `layout()` has the answer."""
    return click.option(
        "--columns",
        metavar="A,B",
        expose_value=False,
        callback=_keep,
        help="Only these columns of the table.",
    )(wide_option(function))


def layout() -> Layout:
    """The layout that the running command was asked for."""
    context = click.get_current_context(silent=True)
    if context is None:
        return Layout()
    names = str(context.meta.get(f"{_LAYOUT}.columns") or "").split(",")
    asked = tuple(name.strip() for name in names if name.strip())
    return Layout(asked, bool(context.meta.get(f"{_LAYOUT}.wide")))


@dataclass(frozen=True, slots=True)
class Fit:
    """The columns that are shown, by their places, with their widths; and what is told of the others."""

    places: tuple[int, ...]
    widths: tuple[int, ...]
    note: str


def fitted(
    titles: Sequence[str], widths: Sequence[int], fixed: Sequence[bool], limit: int | None, command: str = ""
) -> Fit:
    """Columns that take `limit` characters at most: texts are shortened first, then columns left out from the right.

    `fixed` columns (numbers, the first) are never shortened: a part of a number is another number.
    """
    places, new = list(range(len(titles))), list(widths)
    if limit is None:
        return Fit(tuple(places), tuple(new), "")
    least = [
        width if is_fixed or not place else min(width, max(_SHORTEST, len(titles[place])))
        for place, (width, is_fixed) in enumerate(zip(widths, fixed, strict=True))
    ]
    droppable = [place for place in places[1:] if titles[place] not in _KEPT]
    while _total(least, places) > limit and droppable:
        places.remove(droppable.pop())
    room = limit - _total(least, places)
    for place in places:
        new[place] = least[place] + min(room, widths[place] - least[place])
        room = max(0, room - (new[place] - least[place]))
    absent = [title for place, title in enumerate(titles) if place not in set(places)]
    short = [titles[place] for place in places if new[place] < widths[place]]
    told = [
        f"{what}: {_listed(names)}" for what, names in (("left out", absent), ("shortened", short)) if names
    ]
    note = ""
    if told:
        text = f"{'; '.join(told)}. {command}--wide shows everything, {command}--columns a,b what you name."
        note = textwrap.fill(text[0].upper() + text[1:], limit, break_on_hyphens=False) + "\n"
    return Fit(tuple(places), tuple(new[place] for place in places), note)


def _total(widths: Sequence[int], places: Sequence[int]) -> int:
    return sum(widths[place] for place in places) + _GAP * (len(places) - 1)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def in_line(text: str) -> str:
    """The text with a blank for each character that would break the line or steer the terminal."""
    return text if text.isprintable() else "".join(char if char.isprintable() else " " for char in text)


def shortened(cell: str, width: int) -> str:
    """The cell, or as much of it as has room."""
    return cell if len(cell) <= width else cell[: max(width - 1, 0)] + "…"


def text_table(
    titles: Sequence[str], rows: Iterable[Sequence[str]], limit: int | None = None, command: str = ""
) -> str:
    """A table of aligned text, a line a row, numbers to the right, at most `limit` characters wide."""
    titles = [in_line(title) for title in titles]
    listed = [[in_line(cell) for cell in row] for row in rows]
    widths = [max([len(title), *(len(row[place]) for row in listed)]) for place, title in enumerate(titles)]
    right = [all(_is_number(row[place]) for row in listed) for place in range(len(titles))]
    fit = fitted(titles, widths, right, limit, command)

    def line(row: Sequence[str]) -> str:
        cells = (
            shortened(row[place], width).rjust(width)
            if right[place]
            else shortened(row[place], width).ljust(width)
            for place, width in zip(fit.places, fit.widths, strict=True)
        )
        return (" " * _GAP).join(cells).rstrip()

    lines = [line(titles), (" " * _GAP).join("-" * width for width in fit.widths), *map(line, listed)]
    return "\n".join(lines) + "\n" + fit.note


def _is_number(cell: str) -> bool:
    return not cell or number(cell) is not None
