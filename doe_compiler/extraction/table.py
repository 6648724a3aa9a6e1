"""Columns of a table, line by line: commas, semicolons, tabs or blanks separate, comments and units stand above."""

import re

from doe_compiler.extraction.header import (
    Column,
    Layout,
    are_units_of,
    cells_of,
    fits,
    is_comment,
    is_row,
    is_word,
    layout,
    may_be_units,
    number_cell,
    uncommented,
)
from doe_compiler.extraction.marks import Marks
from doe_compiler.extraction.values import NoValue, Taker, number_text

_MOST_LINES_ABOVE = 1000
_MOST_TEXT_ABOVE = 1 << 20
_LONGEST_QUOTE = 1 << 16
_NOT_PLAIN = re.compile(r'"|\n[ \t]*[#%!/\n]')
_WORD = re.compile(r"[^\W\d_]{2}")


class Table:
    """The values of some columns, each with its taker; lines come in order, then the end."""

    def __init__(self, names: "list[str]", takers: "list[Taker]") -> None:
        self._names = names
        self._takers = takers
        self._head = []  # type: list[str]
        self._layout = None  # type: Layout | None
        self._first = ""
        self._units = ""
        self._width = 0
        self._open = ""
        self._left = 0
        self._size = 0
        self._count = 0
        self._numeric = []  # type: list[bool]
        self._has_ended = False
        self._another = 0
        self._marks = Marks(len(names))

    def add(self, text: str) -> None:
        """The next lines, whole ones."""
        lines = text.split("\n")
        if not lines[-1]:
            lines.pop()
        if self._layout is None or self._open or not self._plain_rows(self._layout, text, lines):
            self._lines(lines)

    def _plain_rows(self, found: Layout, text: str, lines: "list[str]") -> bool:
        """Take many rows at once, where each is nothing but a row as wide as the header."""
        if found.in_blocks or not text or _NOT_PLAIN.search("\n" + text) or self._first in text:
            return False
        delimiter = found.delimiter
        rows = [line.split(delimiter) for line in lines]
        if {len(row) for row in rows} != {self._width} or self._another or self._has_ended:
            return False
        if _WORD.search(text) and any(self._words(row, found.delimiter) for row in rows):
            return False
        has_commas = delimiter != "," and "," in text
        if delimiter != "," and not self._marks.may_be_read_at_once(text):
            return False
        self._count += len(lines)
        for index, (column, taker) in enumerate(zip(found.columns, self._takers)):
            if isinstance(column, Column):
                cells = [row[column.place] for row in taker.needed(rows)]
                taker.add([number_cell(cell.strip(), delimiter) for cell in cells] if has_commas else cells)
                taker.is_open = self._marks.is_open(index)
        return True

    def _lines(self, lines: "list[str]") -> None:
        for line in lines:
            self._count += 1
            if self._open or '"' in line:
                line = self._open + line
                self._open = line + "\n" if self._is_open(line) else ""
                if self._open:
                    continue
            if not line.strip():
                continue
            if self._layout is None:
                self._above(line)
            else:
                self._body(self._layout, line)

    def _is_open(self, line: str) -> bool:
        """Whether the line ends inside of quotes, which hold line ends where blanks do not separate."""
        if self._layout is not None:
            has_delimiter = self._layout.delimiter is not None
        else:
            near = line + (self._head[-1] if self._head else "")
            has_delimiter = any(mark in near for mark in ",;\t")
        if not has_delimiter or line.count('"') % 2 == 0 or is_comment(line):
            return False
        if len(line) > _LONGEST_QUOTE:
            raise NoValue(
                f"the quote before line {self._count} is not closed within {_LONGEST_QUOTE} characters"
            )
        return True

    def finish(self) -> "list[NoValue | None]":
        """After the last line: why a column cannot be read, in the order of the names."""
        if self._open:
            reason = "a quote is never closed"
            return [NoValue(reason) for _ in self._names]
        if self._layout is None and self._units:
            self._begin(self._head, self._units, [])
        if self._layout is None:
            self._without_numbers()
        if self._layout is None:
            return [NoValue("there are no rows") for _ in self._names]
        return [
            each if isinstance(each, NoValue) else NoValue(conflict) if conflict else None
            for each, conflict in zip(self._layout.columns, self._marks.conflicts)
        ]

    def _above(self, line: str) -> None:
        if self._units and not is_comment(line) and not is_row(line):
            units, self._units = self._units, ""
            self._begin(self._head, units, [line])
            return
        if is_comment(line) or not self._head or not is_row(line):
            self._head.append(line)
            self._size += len(line)
            if len(self._head) > _MOST_LINES_ABOVE or self._size > _MOST_TEXT_ABOVE:
                self._without_numbers()
            return
        units, self._units = self._units, ""
        if units and are_units_of(units, line):
            self._begin([*self._head, units], line, [])
        elif units:
            self._begin(self._head, units, [line])
        elif may_be_units(line):
            self._units = line
        else:
            self._begin(self._head, line, [])

    def _without_numbers(self) -> None:
        """The first line that is no comment names the columns, where no row has numbers."""
        plain = [index for index, line in enumerate(self._head) if not is_comment(line)]
        first = plain[0] + 1 if plain and plain[0] == 0 else plain[0] if plain else len(self._head)
        if first < len(self._head):
            above, below = self._head[:first], self._head[first:]
            if plain[0] and len(plain) > 1:
                above, below = self._head[: first + 1], self._head[first + 1 :]
            self._begin(above, below[0], below[1:])

    def _begin(self, head: "list[str]", row: str, more: "list[str]") -> None:
        found = layout(head, row, self._names)
        self._head = []
        self._layout = found
        self._first = next((column.first for column in found.columns if isinstance(column, Column)), "")
        widths = {column.width for column in found.columns if isinstance(column, Column)}
        self._width = widths.pop() if len(widths) == 1 else -1
        for column, taker in zip(found.columns, self._takers):
            if isinstance(column, Column) and column.is_text:
                # Texts between header and numbers are values of a column of texts.
                between = [
                    cells_of(line, found.delimiter)
                    for line in head[column.line + 1 :]
                    if not is_comment(line)
                ]
                taker.add([cells[column.place] for cells in between if fits(cells, column.width)])
        self._numeric = [
            number_text(number_cell(c, found.delimiter)) is not None for c in cells_of(row, found.delimiter)
        ]
        for line in [row] + more:
            self._body(found, line)

    def _words(self, cells: "list[str]", delimiter: "str | None") -> "list[str]":
        """The words where the first row has numbers: signs of another table, or of a line below the table."""
        if len(cells) != len(self._numeric):
            return []
        return [
            cell for cell, is_number in zip(cells, self._numeric) if is_number and is_word(cell, delimiter)
        ]

    def _body(self, found: Layout, line: str) -> None:
        is_text = not is_comment(line)
        cells = cells_of(line if is_text else uncommented(line), found.delimiter)
        if not found.in_blocks and cells and cells[0] == self._first:
            self._named_again(found, line)
        elif is_text:
            self._row(found, cells)
        elif found.delimiter is not None and all(is_word(cell, found.delimiter) for cell in cells):
            self._another = self._count if self._words(cells, found.delimiter) else self._another

    def _row(self, found: Layout, cells: "list[str]") -> None:
        words = [] if found.in_blocks else self._words(cells, found.delimiter)
        if words and all(is_word(cell, found.delimiter) for cell in cells):
            self._has_ended = True  # the header of another table
        if self._has_ended:
            return
        reason = ""
        if words:
            reason = (
                f"line {self._count} has '{words[0][:40]}' in a column of numbers: it is no row of the table"
            )
        elif self._another:
            reason = f"line {self._another} looks like the header of another table"
        is_head = found.in_blocks and self._left == 0
        if found.in_blocks:
            self._left = self._left - 1 if self._left else _count(cells)
        if found.delimiter != ",":
            self._marks.note(cells)
        for index, (column, taker) in enumerate(zip(found.columns, self._takers)):
            if isinstance(column, NoValue) or column.in_head is not is_head:
                continue
            cell = cells[column.place] if fits(cells, column.width) else ""
            doubt = "" if found.delimiter == "," else self._marks.doubt(index, column.place, cell)
            if reason:
                taker.add_missing(reason)
            elif doubt:
                taker.add_missing(f"line {self._count} has {doubt}")
            elif fits(cells, column.width):
                taker.add([number_cell(cells[column.place], found.delimiter)])
            else:
                taker.add_missing(f"line {self._count} has {len(cells)} cells, its header {column.width}")
            taker.is_open = self._marks.is_open(index)

    def _named_again(self, found: Layout, line: str) -> None:
        """A solver that goes on in the same file writes its header again, perhaps with other columns."""
        again = layout([line], uncommented(line), self._names).columns
        for index, (before, column) in enumerate(zip(found.columns, again)):
            if isinstance(before, Column):
                found.columns[index] = column
        self._width = -1
        self._numeric = []
        self._another = 0


def _count(cells: "list[str]") -> int:
    try:
        return int(cells[1])
    except (ValueError, IndexError):
        raise NoValue("a block does not begin with a row of its step and count") from None
