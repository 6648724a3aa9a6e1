"""Values out of tables that lie beside the study: a row by its first column, and between two rows.

material,E,nu            {{ mat|lookup("materials.csv", "E") }}
steel,210e9,0.3    ->    210e9
"""

import csv
import itertools
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from doe_compiler.kernel.findings import near_miss
from doe_compiler.templates.jinja.values import Kind, value_of

Table = tuple[Sequence[str], Sequence[Sequence[str]]]


class NotInTable(ValueError):
    """What a table lacks."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def read_table(text: str, path: str) -> Table:
    """Header and rows of a CSV file, blanks around cells removed, empty lines left out."""
    lines = text.removeprefix("\ufeff").splitlines()
    try:
        rows = [
            [cell.strip() for cell in row]
            for row in csv.reader(lines, strict=True)
            if any(map(str.strip, row))
        ]
    except csv.Error as error:
        raise NotInTable(f"{path} is no CSV: {error}") from error
    if not rows:
        raise NotInTable(f"{path} is empty", "its first line names the columns")
    for row in rows[1:]:
        if len(row) != len(rows[0]):
            raise NotInTable(f"{path}: the row of {row[0]!r} has {len(row)} cells, its header {len(rows[0])}")
    return rows[0], rows[1:]


def looked_up(table: Table, path: str, key: object, column: str) -> object:
    """The cell of a column in the one row whose first cell is the key: as the same text, or if there is none as the same number."""
    header, rows = table
    place = _place(header, path, column)
    number = _number(str(key))
    found = [row for row in rows if row[0] == str(key)] or [
        row for row in rows if number is not None and _number(row[0]) == number
    ]
    if not found:
        meant = near_miss(str(key), [row[0] for row in rows])
        hint = f"did you mean {meant!r}?" if meant else ""
        raise NotInTable(f"{path} has no row {str(key)!r} in its first column, {header[0]!r}", hint)
    if len(found) > 1:
        raise NotInTable(f"{path} has {len(found)} rows {str(key)!r}")
    return value_of(found[0][place], Kind.BY_CELL)


def interpolated(table: Table, path: str, at: object, column: str) -> float:
    """The value of a column at a number, on the straight line between the two rows around it."""
    header, rows = table
    place = _place(header, path, column)
    if isinstance(at, bool) or not isinstance(at, int | float):
        raise TypeError(f"{at!r} is no number, and {path} is interpolated at numbers")
    points = [(_float(row[0], path), _float(row[place], path)) for row in rows]
    abscissas = [point[0] for point in points]
    if len(points) < 2 or any(left >= right for left, right in itertools.pairwise(abscissas)):
        raise NotInTable(
            f"{path}: the numbers of its first column, {header[0]!r}, do not rise from row to row"
        )
    if not abscissas[0] <= at <= abscissas[-1]:
        message = f"{at} is outside of {path}, which goes from {abscissas[0]:g} to {abscissas[-1]:g}"
        raise NotInTable(message, "extend the table, or limit the variable")
    for (left, below), (right, above) in itertools.pairwise(points):
        if at == left:
            return below
        if at < right:
            return below + (above - below) * ((at - left) / (right - left))
    return points[-1][1]


def _place(header: Sequence[str], path: str, column: str) -> int:
    if column not in header:
        meant = near_miss(column, header)
        hint = f"did you mean {meant!r}?" if meant else f"it has {', '.join(header)}"
        raise NotInTable(f"{path} has no column {column!r}", hint)
    return list(header).index(column)


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and "_" not in text else None


def _float(cell: str, path: str) -> float:
    number = _number(cell)
    if number is None:
        raise NotInTable(f"{path}: {cell!r} is no number")
    return float(number)
