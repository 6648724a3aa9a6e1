"""The parameter CSV of a job as the table of a study: names, formats, replicates, and what was taken out.

x-1,doe_replicate,doe_dollar          x_1
0.50,1,$                        ->    0.50      with `format: "0.00"` and `replicates: 2`
0.50,2,$
"""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from doe_compiler.bundle.importing.reading import whole
from doe_compiler.kernel.findings import Place
from doe_compiler.spec.cells import cell_problem
from doe_compiler.spec.model import FromTable, Variable
from doe_compiler.templates.lowering import DOLLAR_NAME

REPLICATE, SEED = "doe_replicate", "doe_seed"
_LONGEST_NAME = 90
_DECIMAL = re.compile(r"-?[0-9]+\.([0-9]+)", re.ASCII)
_NOWHERE = Place("", 1, 1)

Rows = list[list[str]]


class NoTable(ValueError):
    """The content cannot be read as the platform reads a parameter CSV."""


@dataclass(frozen=True, slots=True)
class ImportedTable:
    """A table: `names` from the platform's to the study's, `content` if it is not what was fetched."""

    names: Mapping[str, str]
    formats: Mapping[str, str]
    replicates: int
    content: bytes | None
    notes: tuple[str, ...]


def imported_table(content: bytes | None, texts: Mapping[str, str]) -> ImportedTable:
    """The table in a parameter CSV, None for one that is too large to be read; raises NoTable.

    `texts` are those for which names stand in it, by name.
    """
    if content is None:
        raise NoTable("it is larger than a table of a study may be")
    plain = _decoded(content)
    header, rows = _read(plain)
    kept = [name for name in header if name != DOLLAR_NAME]
    columns = {name: [texts.get(cell, cell) for cell in _cells(rows, header.index(name))] for name in kept}
    replicates = _replicates(columns)
    if replicates > 1:
        columns = {name: cells[::replicates] for name, cells in columns.items() if name != REPLICATE}
    names = study_names(tuple(columns))
    is_rewritten = '"' in plain or bool(texts) or list(names.values()) != header
    formats, notes = _formats({names[name]: cells for name, cells in columns.items()})
    notes = [
        *(f"'{name}' is called '{new}' here" for name, new in names.items() if name != new),
        *notes,
        *_problems(columns),
    ]
    written = _written(list(names.values()), list(columns.values())) if is_rewritten else None
    return ImportedTable(names, formats, replicates, written, tuple(notes))


def with_texts(content: bytes, texts: Mapping[str, str]) -> bytes:
    """A table with the texts for which names stand in it; raises NoTable."""
    header, rows = _read(_decoded(content))
    columns = [[texts.get(cell, cell) for cell in _cells(rows, index)] for index in range(len(header))]
    return _written(header, columns)


def _cells(rows: Rows, index: int) -> list[str]:
    return [row[index] for row in rows]


def study_names(names: Sequence[str]) -> dict[str, str]:
    """The names of variables that a study may use, each as near to the platform's as can be."""
    found: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9_]", "_", name)[:_LONGEST_NAME]
        if plain.lower().startswith("doe_"):
            plain = f"imported_{plain[4:]}"
        if not plain or plain[0].isdigit():
            plain = f"v_{plain}"
        chosen, count = plain, 1
        while chosen in found.values() or (chosen != name and chosen in names):
            count += 1
            chosen = f"{plain}_{count}"
        found[name] = chosen
    return found


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NoTable("it is not UTF-8 text") from None


def _read(plain: str) -> tuple[list[str], Rows]:
    lines = (f"{line}\n" for line in plain.removesuffix("\n").split("\n"))
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(lines, skipinitialspace=True) if row]
    except csv.Error as error:
        raise NoTable(f"it is not CSV: {error}") from None
    if len(rows) < 2 or len(set(rows[0])) < len(rows[0]) or any(len(row) != len(rows[0]) for row in rows):
        raise NoTable("it has no rows, or rows that do not fit its header")
    return rows[0], rows[1:]


def _replicates(columns: Mapping[str, list[str]]) -> int:
    """How often each point stands in consecutive rows, 1..k in `doe_replicate`; 1 if it is not like that."""
    if REPLICATE not in columns or SEED in columns:
        return 1
    numbers = columns[REPLICATE]
    most = max((whole(number) or 0 for number in numbers), default=0)
    if most < 2 or numbers != [str(row % most + 1) for row in range(len(numbers))] or len(numbers) % most:
        return 1
    others = zip(*(cells for name, cells in columns.items() if name != REPLICATE), strict=True)
    points = list(others) or [()] * len(numbers)
    is_repeated = all(points[row] == points[row - row % most] for row in range(len(points)))
    return most if is_repeated and points[0] else 1


def _formats(columns: Mapping[str, list[str]]) -> tuple[dict[str, str], list[str]]:
    """The formats that keep cells as they are written: a table writes numbers in the shortest way."""
    from doe_compiler.design.cell_text import cell_of  # noqa: PLC0415 - brings numpy

    formats: dict[str, str] = {}
    notes = []
    for name, cells in columns.items():
        distinct = sorted(set(cells))
        changed = [cell for cell in distinct if cell_of(Variable(name, FromTable(), _NOWHERE), cell) != cell]
        if not changed:
            continue
        decimals = {len(match[1]) for cell in distinct if (match := _DECIMAL.fullmatch(cell))}
        pattern = f"0.{'0' * max(decimals, default=0)}"
        variable = Variable(name, FromTable(), _NOWHERE, format=pattern)
        if len(decimals) == 1 and all(cell_of(variable, cell) == cell for cell in distinct):
            formats[name] = pattern
        else:
            short = cell_of(Variable(name, FromTable(), _NOWHERE), changed[0])
            notes.append(f"numbers of '{name}' are written in the shortest way: {changed[0]} becomes {short}")
    return formats, notes


def _problems(columns: Mapping[str, list[str]]) -> list[str]:
    found = []
    for name, cells in columns.items():
        problem = next(filter(None, map(_problem, cells)), "")
        if problem:
            found.append(f"a cell of '{name}' {problem}, which a table of a study cannot hold: change it")
    return found


def _problem(cell: str) -> str:
    return cell_problem(cell) or ("begins or ends with a blank" if cell != cell.strip() else "")


def _written(header: list[str], columns: Sequence[list[str]]) -> bytes:
    rows = zip(*columns, strict=True)
    return "".join(",".join(map(_quoted, row)) + "\n" for row in (header, *rows)).encode()


def _quoted(cell: str) -> str:
    if not cell or cell != cell.strip() or any(mark in cell for mark in ',"\r\n'):
        return '"' + cell.replace('"', '""') + '"'
    return cell
