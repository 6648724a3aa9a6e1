"""A CSV as people and spreadsheets write it: its names and rows without empty ends, or what is wrong with it.

x;y;;        ->  names (x, y), rows ((1.5, 2),) with `decimal: ","`; the empty column and row are told once
1,5;2;;
;;;
"""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from doe_compiler.kernel.findings import Place
from doe_compiler.spec.cells import cell_problem
from doe_compiler.spec.report import Report
from doe_compiler.spec.scalars import is_decimal

# The errors of Excel in its languages, of LibreOffice (`Err:502`), and a column that was too narrow.
_MOST_LINES_TOLD = 5
_ERROR_CELL = re.compile(
    r"#(N/A|NV|N/D|S/O|DIV/0!|[A-ZÀ-ÞŁ][A-ZÀ-ÞŁ0-9/._]*[!?]|GETTING_DATA|#+)|Err:[0-9]{3}|=.*[(].*[)]"
)
_DIRECTIVE = re.compile(r"sep=(.)")
_COMMA_NUMBER = re.compile(r"[-+]?([0-9]+,[0-9]*|,[0-9]+)([eE][-+]?[0-9]+)?")
_GROUPED = re.compile(
    r"[-+]?[0-9]{1,3}([,'\u2019][0-9]{3})+([.][0-9]+)?|[-+]?[0-9]{1,3}([.][0-9]{3})+,[0-9]+"
)
_MINUS = {"\u2212": "U+2212", "\u2013": "U+2013", "\u2010": "U+2010", "\u2011": "U+2011", "\ufe63": "U+FE63"}
_BLANKS = re.compile("[\u00a0\u2007\u2009\u200a\u202f]")
_NAMES_OF_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True)
class Sheet:
    """The names of the columns, the rows of cells, and the line that each row begins in."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]


@dataclass(frozen=True)
class _Source:
    """Where the cells come from: for places in findings."""

    lines: list[str]
    file: str
    separator: str

    def place(self, line: int, index: int = 0) -> Place:
        """The place of a cell in a row that begins in a line."""
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        start, is_quoted, seen = 0, False, 0
        for offset, char in enumerate(text):
            if seen == index:
                break
            if char == '"':
                is_quoted = not is_quoted
            elif char == self.separator and not is_quoted:
                seen, start = seen + 1, offset + 1
        return Place(self.file, line, start + 1) if seen == index else Place(self.file, line, 1)


def read_sheet(
    text: str,
    lines: list[str],
    file: str,
    decimal: str,
    texts: frozenset[str],
    report: Report,
    only: frozenset[str] | None = None,
) -> Sheet | None:
    """The cells of a CSV; None if it has no form. `texts` are columns in which nothing is taken for a number.

    Columns that are not among `only`, if it is given, are left out, whatever they hold.
    """
    separator = ";" if decimal == "," else ","
    skipped = 1 if lines and _DIRECTIVE.fullmatch(lines[0].strip()) else 0
    source = _Source(lines, file, separator)
    written = _written(text, skipped, source, report)
    if written is None:
        return None
    if not written:
        report.error("E312", "the table has no rows", Place(file, 1, 1), _FORM)
        return None
    if not _is_separated(written[0][1], written[0][0], source, report):
        return None
    return _sheet(written, decimal, texts, source, report, only)


_FORM = "a header of names, then a row for each run"


def _written(
    text: str, skipped: int, source: _Source, report: Report
) -> list[tuple[int, tuple[str, ...]]] | None:
    """The lines that are not blank, as cells, each with the number of its first line."""
    stream = io.StringIO(text, newline="")
    for _ in range(skipped):
        stream.readline()
    reader = csv.reader(stream, strict=True, delimiter=source.separator)
    found = []
    end = skipped
    try:
        for cells in reader:
            line, end = end + 1, skipped + reader.line_num
            if cells:
                found.append((line, tuple([cell.strip() for cell in cells])))
    except csv.Error as error:
        place = Place(source.file, max(skipped + reader.line_num, 1), 1)
        report.error("E312", f"not valid CSV: {error}", place)
        return None
    return found


def _is_separated(header: Sequence[str], line: int, source: _Source, report: Report) -> bool:
    """Whether the header is not a single cell in which other separators stand."""
    names = [cell for cell in header if cell]
    if len(names) != 1:
        return True
    other = next((sign for sign in ";\t|," if sign != source.separator and sign in names[0]), None)
    if other is None:
        return True
    message = f"the columns are separated by {_NAMES_OF_SEPARATORS[other]}, not by "
    hint = {
        ";": 'save it with commas; the file of a design is read as it is with `decimal: ","`, where numbers are written 1,5',
        ",": "remove `decimal`: it reads tables with semicolons and decimal commas",
    }.get(other, "save the file as CSV with commas")
    report.error("E312", message + _NAMES_OF_SEPARATORS[source.separator], source.place(line, 0), hint)
    return False


def _sheet(
    written: list[tuple[int, tuple[str, ...]]],
    decimal: str,
    texts: frozenset[str],
    source: _Source,
    report: Report,
    only: frozenset[str] | None,
) -> Sheet:
    header_line, header = written[0]
    full = [(line, row) for line, row in written[1:] if any(row)]
    # Cells below an empty name of the header are columns without a name; beyond the header they are a mistake.
    width = max(_filled(row) for row in [header, *(row[: len(header)] for _, row in full)])
    _tell_ignored(len(header) - width, [line for line, row in written[1:] if not any(row)], source, report)
    names = header[:width]
    kept = [index for index, name in enumerate(names) if only is None or name in only]
    _check_header(names, kept, header_line, source, report)
    rows, lines = [], []
    for line, row in full:
        if len(row) < width or _filled(row) > width:
            message = f"{len(row)} cells where the header has {width}"
            report.error("E312", message, source.place(line), "every row has a cell for each name")
        else:
            rows.append(row[:width])
            lines.append(line)
    if not rows and not report.findings:
        report.error("E312", "the table has no rows", source.place(header_line), _FORM)
    columns = [
        _column(names[index], [row[index] for row in rows], _At(index, lines, source), decimal, texts, report)
        for index in kept
    ]
    cells = tuple(zip(*columns, strict=True)) if columns else ((),) * len(rows)
    return Sheet(tuple(names[index] for index in kept), cells, tuple(lines))


def _filled(row: Sequence[str]) -> int:
    """How many cells there are up to the last that is not empty."""
    return max((index + 1 for index, cell in enumerate(row) if cell), default=0)


def _tell_ignored(columns: int, empty: list[int], source: _Source, report: Report) -> None:
    parts = []
    if columns > 0:
        parts.append(f"{columns} empty {'column' if columns == 1 else 'columns'} at the end")
    if empty:
        lines = ", ".join(map(str, empty[:_MOST_LINES_TOLD])) + (
            ", ..." if len(empty) > _MOST_LINES_TOLD else ""
        )
        parts.append(f"{len(empty)} empty {'row (line' if len(empty) == 1 else 'rows (lines'} {lines})")
    if parts:
        place = source.place(empty[0] if empty else 1)
        verb = "does" if max(columns, 0) + len(empty) == 1 else "do"
        report.warning("E315", f"{' and '.join(parts)} of the table {verb} not count", place)


def _check_header(
    names: Sequence[str], kept: Sequence[int], line: int, source: _Source, report: Report
) -> None:
    for index in kept:
        name = names[index]
        place = source.place(line, index)
        if not (name.isascii() and name.isidentifier()):
            message = f"'{name}' is not a name" if name else f"column {index + 1} has no name"
            report.error("E312", message, place, "the first line holds the names of variables")
        elif name in names[:index]:
            report.error("E312", f"the column '{name}' stands twice", place, "remove one of them")


@dataclass(frozen=True)
class _At:
    """A column's index and the lines of its cells."""

    index: int
    lines: list[int]
    source: _Source

    def place(self, row: int) -> Place:
        """The place of the cell in a row, from 0."""
        return self.source.place(self.lines[row], self.index)


def _column(
    name: str, cells: list[str], at: _At, decimal: str, texts: frozenset[str], report: Report
) -> list[str]:
    """The cells of a column with decimal points; findings for what a spreadsheet did to its numbers."""
    if name in texts:
        read = cells
    else:
        repaired = {cell: _repaired(cell, decimal) for cell in dict.fromkeys(cells) if not is_decimal(cell)}
        are_numbers = all(is_decimal(number) for number, _ in repaired.values())
        problems = {
            cell: reason
            for cell, (number, reason) in repaired.items()
            if reason and (are_numbers or (is_decimal(number) and "comma" not in reason))
        }
        if decimal == "," and not are_numbers and any(_COMMA_NUMBER.fullmatch(cell) for cell in cells):
            told = "is no number, so the decimal commas of this column would stay as they are"
            problems |= {cell: told for cell, (number, _) in repaired.items() if not is_decimal(number)}
        if decimal == "," and are_numbers:
            points = {cell for cell in cells if "." in cell and is_decimal(cell)}
            problems |= dict.fromkeys(points, "has a decimal point where `decimal` is a comma")
        _tell(name, cells, problems, at, report)
        use = are_numbers and decimal == ","
        read = [repaired[cell][0] if use and cell in repaired else cell for cell in cells]
        if problems:
            return read
    errors = {cell: problem for cell in dict.fromkeys(read) if (problem := _cell_problem(cell))}
    _tell(name, read, errors, at, report)
    return read


def _cell_problem(cell: str) -> str:
    if _ERROR_CELL.fullmatch(cell):
        return f"is {cell}, an error or a formula of the spreadsheet"
    return cell_problem(cell)


def _tell(name: str, cells: list[str], problems: dict[str, str], at: _At, report: Report) -> None:
    for row, cell in enumerate(cells) if problems else ():
        if cell in problems:
            hint = "correct it in the spreadsheet, or remove the row" if cell.startswith("#") else ""
            report.error("E313", f"the cell of '{name}' {problems[cell]}", at.place(row), hint)


def _repaired(cell: str, decimal: str) -> tuple[str, str]:
    """The number that a cell was meant to be and what is wrong with it, if anything; else the cell itself."""
    minus = next((sign for sign in _MINUS if cell.startswith(sign)), "")
    plain = f"-{cell[1:]}" if minus else cell
    if minus and (is_decimal(plain) or _COMMA_NUMBER.fullmatch(plain)):
        return plain.replace(",", "."), f"({cell}) has the minus sign {_MINUS[minus]}, not '-'"
    joined = _BLANKS.sub("", plain)
    if joined != plain and (is_decimal(joined) or _COMMA_NUMBER.fullmatch(joined)):
        sign = next(f"U+{ord(char):04X}" for char in plain if _BLANKS.match(char))
        return joined.replace(",", "."), f"({cell}) has {sign} between its digits"
    if decimal == "," and _COMMA_NUMBER.fullmatch(plain):
        return plain.replace(",", ".").removesuffix("."), ""
    if _GROUPED.fullmatch(plain):
        digits = re.sub(r"[,.'\u2019]", "", plain)
        return digits, f"({cell}) has signs between its thousands, or a decimal comma"
    if _COMMA_NUMBER.fullmatch(plain):
        return plain.replace(",", "."), f"({cell}) has a decimal comma"
    return cell, ""
