"""Which line above a table's rows names its columns: the last one that holds the name and is as wide as a row.

"# Force coefficients", "# Time  Cd  Cl" above "1 0.5 0.2"  ->  Cd is the second of three cells
"""

import csv
import re
from typing import NamedTuple

from doe_compiler.extraction.values import NoValue, is_nothing, number_text

DELIMITERS = (";", "\t", ",", None)
_COMMENT = re.compile(r"\s*(?:[#%!]+|//+)")
_GAPS = re.compile(r"\t+| {2,}")
_SUFFIX = re.compile(r"\s+(?:\(((?:[^()]|\([^()]*\))*)\)|\[([^\[\]]*)\])$")
_UNIT = re.compile(
    r"""(?: [yzafpnuµμmcdhkKMGTPEZY]?
        (?:m|g|s|A|K|mol|cd|rad|sr|Hz|N|Pa|J|W|C|V|F|ohm|Ohm|Ω|Ω|S|Wb|T|H|lm|lx|Bq|Gy|Sv|kat|l|L|bar|bara|barg|eV|t|Wh|VA
        |var|cal|B|P|St|p|Torr|torr|sec|metre|meter|gram|newton|pascal|joule|watt|volt|ampere|kelvin|hertz|mole|tonne)s?
      | da[NmLl] | [°º]?[CFKR]? | [°º˚]? deg[CFKR]? | degrees? | [Cc]elsius | [Ff]ahrenheit | [%‰] | percent | pct | ppm | ppb
      | min|minutes?|h|hrs?|hours?|d|days?|yrs?|years?|seconds?|radians?|revs?|rps|rpm|RPM|rev|dB[AaC]?|Np|oct
      | in|inch|inches|ft|feet|foot|yd|mi|miles?|mph|kts?|knots?|kn|nmi|mils?|thou
      | lbs?|lbf|lbm|klb|kips?|k?ksi|[kM]?psi[agd]?|psf|pcf|oz|slugs?|gal|gpm|GPM|s?cfm|CFM|hp|HP|BTU|Btu|btu|therm
      | atm|mmHg|inHg|mmH2O|inH2O|mH2O|mWC|at|kgf|gf|tf|dyn|dynes?|erg|Gal|gn?|au|AU|Å|[Aa]ngstroms?|microns?|um|ev
      | amu|u|Da|M|mM|N?m3|Sm3|wt%?|vol%|mol%|counts?|cts|px|pixels?
      | dimensionless|unitless|adim
    )""",
    re.VERBOSE,
)
_NO_UNIT = ("", "-", "--", "\u2013", "\u2014", "1")
_NO_WORD = re.compile(r"[\s·⋅×*/^{}()_.,+\-−¹²³⁰⁴-⁹⁻]+")
_DECIMAL_COMMA = re.compile(r"[+-]?(?:[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]*),[0-9]+(?:[eEdD][+-]?[0-9]+)?")
_MOST_NAMES_SHOWN = 12


class Column(NamedTuple):
    """Where a column stands: `place` in the cells of rows that are `width` wide.

    `first` is the header's first name, `line` the number of its line; `in_head` is for rows that begin a block.
    """

    place: int
    width: int
    first: str
    is_text: bool = False
    line: int = 0
    in_head: bool = False


class Layout(NamedTuple):
    """How the rows are read: what separates the cells, and where each column stands or why it does not."""

    delimiter: "str | None"
    columns: "list[Column | NoValue]"
    in_blocks: bool


def is_comment(line: str) -> bool:
    """Whether the line is a comment, as solvers write them."""
    return _COMMENT.match(line) is not None


def cells_of(line: str, delimiter: "str | None") -> "list[str]":
    """The cells of a line, trimmed; without a delimiter blanks separate. Quotes keep what is in them together."""
    if '"' in line:
        text = line.replace("\t", " ").strip() if delimiter is None else line
        rows = list(csv.reader([text], delimiter=delimiter or " ", skipinitialspace=True))
        return [cell.strip() for cell in rows[0]] if rows else []
    if delimiter is None:
        return line.split()
    return [cell.strip() for cell in line.split(delimiter)]


def uncommented(line: str) -> str:
    """The line without the mark of a comment."""
    mark = _COMMENT.match(line)
    return line[mark.end() :].strip() if mark else line


def number_cell(cell: str, delimiter: "str | None") -> str:
    """The cell with a decimal point for a decimal comma, where no commas separate."""
    if delimiter != "," and _DECIMAL_COMMA.fullmatch(cell):
        return cell.replace(".", "").replace(",", ".")
    return cell


def is_word(cell: str, delimiter: "str | None") -> bool:
    """Whether a cell holds letters that make no number and do not say that there is none."""
    plain_cell = number_cell(cell.strip(), delimiter)
    return (
        any(c.isalpha() for c in plain_cell)
        and number_text(plain_cell) is None
        and not is_nothing(plain_cell)
    )


def is_row(line: str) -> bool:
    """Whether a line holds data: at least half of its cells are numbers, or say that there is none."""
    delimiter = _separator_of(line)
    cells = [number_cell(cell, delimiter) for cell in cells_of(line, delimiter) if cell]
    numeric = sum(number_text(cell) is not None or is_nothing(cell) for cell in cells)
    return numeric > 0 and 2 * numeric >= len(cells)


def may_be_units(line: str) -> bool:
    """Whether a line under a header can hold units, of which 1 is one: `s,1`."""
    cells = [cell for cell in cells_of(line, _separator_of(line)) if cell]
    words = [cell for cell in cells if cell != "1"]
    return any(map(str.isalpha, "".join(words))) and all(is_unit(word.strip("[]()")) for word in words)


def are_units_of(units: str, row: str) -> bool:
    """Whether the row has numbers where the line that may hold units has words."""
    delimiter = _separator_of(row)
    pairs = zip(cells_of(units, delimiter), cells_of(row, delimiter))
    return all(number_text(number_cell(cell, delimiter)) is not None for unit, cell in pairs if unit != "1")


def _separator_of(line: str) -> "str | None":
    return next((mark for mark in DELIMITERS[:3] if mark and mark in line), None)


def fits(cells: "list[str]", width: int) -> bool:
    """Whether a row has as many cells as the header; empty ones at its end do not count."""
    return len(cells) == width or (len(cells) > width and not any(cells[width:]))


def layout(head: "list[str]", row: str, names: "list[str]") -> Layout:
    """How to read rows like `row` below the lines of `head`, for columns of these names."""
    blocks = _blocks(head)
    for delimiter in DELIMITERS:
        if not _is_separated_by(row, delimiter):
            continue
        headers = _headers(head, row, delimiter) if blocks is None else blocks
        found = [_column(name, headers, cells_of(row, delimiter), delimiter) for name in names]
        if any(column is not None for column in found):
            columns = [
                _absent(name, head, row) if column is None else column for name, column in zip(names, found)
            ]
            return Layout(None if blocks else delimiter, columns, blocks is not None)
    return Layout(None, [_absent(name, head, row) for name in names], False)


class _Header:
    """A line that may name the columns: where each name stands, with and without its unit."""

    def __init__(self, titles: "list[str]", line: int, in_head: bool = False) -> None:
        self.width = len(titles)
        self.first = titles[0] if titles else ""
        self.line = line
        self.in_head = in_head
        self._places = _places(titles)
        self._bare = _places([_SUFFIX.sub("", title) for title in titles])
        self._titles = titles

    def place(self, name: str) -> "int | None":
        """Where the name stands, as it is or without the unit after it; twice is nowhere."""
        found = self._places.get(name)
        if found is None:
            found = self._bare.get(name, -1)
            suffix = _SUFFIX.search(self._titles[found]) if found >= 0 else None
            if suffix and not is_unit(suffix[1] or suffix[2] or ""):
                return None
        return None if found < 0 else found


def is_unit(text: str) -> bool:
    """Whether a text in brackets behind a column's name can be its unit: N/m^2, kg m-3, -; "viscous" is none.

    "Temperature (K)" is the column Temperature, "Cd (viscous)" is not all of Cd.
    """
    words = [word for word in _NO_WORD.split(text) if word.strip("0123456789")]
    return (
        all(_UNIT.fullmatch(word) or _UNIT.fullmatch(word.rstrip("0123456789")) for word in words)
        if words
        else text.strip() in _NO_UNIT
    )


def _places(titles: "list[str]") -> "dict[str, int]":
    found = {}  # type: dict[str, int]
    for place, title in enumerate(titles):
        found[title] = -1 if title in found else place
    return found


def _headers(head: "list[str]", row: str, delimiter: "str | None") -> "list[_Header]":
    """The lines above that are as wide as the row, the nearest first."""
    cells = cells_of(row, delimiter)
    return [
        _Header(titles, line)
        for line in range(len(head) - 1, -1, -1)
        for titles in _titles(head[line], delimiter)
        if fits(cells, len(titles))
    ]


def _column(
    name: str, headers: "list[_Header]", cells: "list[str]", delimiter: "str | None"
) -> "Column | None":
    for header in headers:
        place = header.place(name)
        if place is not None:
            cell = number_cell(cells[place], delimiter) if place < len(cells) else ""
            is_text = bool(cell) and number_text(cell) is None and not is_nothing(cell)
            return Column(place, header.width, header.first, is_text, header.line, header.in_head)
    return None


def _titles(line: str, delimiter: "str | None") -> "list[list[str]]":
    """The ways to split a header: as the rows are; above blanks also at gaps and at other delimiters."""
    text = uncommented(line)
    text = text.strip() if delimiter is None else text
    if text.startswith("(") and text.endswith(")") and '"' in text:
        text = text[1:-1]
    ways = [cells_of(text, delimiter)]
    if delimiter is None:
        ways.append([cell for cell in _GAPS.split(text) if cell])
        ways += [cells_of(text, other) for other in DELIMITERS if other and other in text]
    return ways


def _is_separated_by(row: str, delimiter: "str | None") -> bool:
    """Whether the delimiter can be that of a row; in `1 0,5` the comma is a decimal one."""
    if delimiter is None:
        return True
    words = row.split()
    has_decimal_commas = (
        delimiter == ","
        and len(words) > 1
        and all(number_text(number_cell(word, None)) is not None for word in words)
    )
    return len(cells_of(row, delimiter)) > 1 and not has_decimal_commas


def _blocks(head: "list[str]") -> "list[_Header] | None":
    """The two headers of LAMMPS' blocks: a row `step count ...`, then as many rows as it counts."""
    comments = [_titles(line, None)[0] for line in head if is_comment(line)]
    if len(comments) < 2 or len(comments[-2]) < 2 or not comments[-2][1].lower().startswith("number-of-"):
        return None
    return [_Header(comments[-1], len(head)), _Header(comments[-2], len(head), in_head=True)]


def _absent(name: str, head: "list[str]", row: str) -> NoValue:
    """Why a column has no place: twice there, in a header of another width, or not at all."""
    best = []  # type: list[str]
    separator = next(each for each in DELIMITERS if _is_separated_by(row, each))
    for line in reversed(head):
        for delimiter in DELIMITERS:
            titles = _titles(line, delimiter)[0]
            if titles.count(name) > 1:
                return NoValue(f"{titles.count(name)} columns are named '{name}'")
            if name in titles:
                width = len(cells_of(row, separator))
                return NoValue(f"the header names {len(titles)} columns, a row has {width} cells")
        if not best and not is_comment(line):
            best = _told_titles(line, separator)
    if not best and head:
        best = _told_titles(head[-1], separator)
    if not best:
        return NoValue(f"no column '{name}': no line names the columns")
    more = ", ..." if len(best) > _MOST_NAMES_SHOWN else ""
    return NoValue(f"no column '{name}': there are {', '.join(best[:_MOST_NAMES_SHOWN])}{more}")


def _told_titles(line: str, separator: "str | None") -> "list[str]":
    """The names of a line, split as the rows are if that splits it."""
    titles = _titles(line, separator)[0]
    return titles if len(titles) > 1 else max((_titles(line, each)[0] for each in DELIMITERS), key=len)
