"""Whether points and commas in a table's numbers are decimal marks or group thousands, which `1,234` alone does not tell.

1,234 above 0,5  ->  1.234        1,234 above 0.5 or 2,345.5  ->  no value
1.000 above 999.5  ->  1.000      1.000 above 999,5  ->  no value
"""

import re

from doe_compiler.extraction.header import number_cell
from doe_compiler.extraction.values import number_text

POINT, COMMA = ".", ","
_MARK_NAMES = {POINT: "point", COMMA: "comma"}
_DOUBTFUL = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:\.[0-9]{3}|(?:,[0-9]{3})+)")
_WITH_BOTH = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]*")
_CERTAIN_POINT = re.compile(r"\.(?![0-9]{3}(?![0-9]))|(?<![0-9])0[0-9]*\.|[0-9]{4}\.")


class Marks:
    """What the numbers of a table have shown so far; `conflicts` are the columns whose values were taken wrongly."""

    def __init__(self, count: int) -> None:
        self.table = ""
        self._of_columns = {}  # type: dict[int, str]
        self._taken = [""] * count
        self._cells = [""] * count
        self._places = [0] * count
        self.conflicts = [""] * count

    def is_open(self, index: int) -> bool:
        """Whether a value of a wanted column was taken that a later line can show to be another."""
        return bool(self._taken[index]) and not self.conflicts[index]

    def may_be_read_at_once(self, text: str) -> bool:
        """Whether many lines can be read without a look at each number; their points are noted then."""
        if COMMA in text:
            return self.table == COMMA and POINT not in text
        if COMMA in self.table:
            return POINT not in text
        if not self.table and POINT in text:
            if _CERTAIN_POINT.search(text):
                self._add(-1, POINT)
            else:
                self._take_all(_DOUBTFUL.search(text))
        return True

    def _take_all(self, found: "re.Match[str] | None") -> None:
        for index, taken in enumerate(self._taken):
            if found and not taken:
                self._taken[index], self._cells[index], self._places[index] = POINT, found.group(), -1

    def note(self, cells: "list[str]") -> None:
        """The cells of the next row."""
        for place, cell in enumerate(cells):
            if (POINT in cell or COMMA in cell) and not _DOUBTFUL.fullmatch(cell):
                if number_text(cell) is not None or _WITH_BOTH.fullmatch(cell):
                    self._add(place, POINT if POINT in cell else "")
                elif number_cell(cell, None) != cell:
                    self._add(place, COMMA)

    def _add(self, place: int, mark: str) -> None:
        known = self._of_columns.get(place, "")
        if not mark or mark in known:
            return
        self._of_columns[place] = known + mark
        if mark not in self.table:
            self.table += mark
        for index, taken in enumerate(self._taken):
            shown = self._shown(self._places[index])
            if taken and taken not in shown and shown:
                self.conflicts[index] = self._reason(self._cells[index], shown)
            elif taken and shown == taken:
                self._taken[index] = ""

    def _shown(self, place: int) -> str:
        return self._of_columns.get(place, "") or self.table

    def _reason(self, cell: str, shown: str) -> str:
        return f"'{cell}' beside numbers with a decimal {_MARK_NAMES[shown[0]]}"

    def doubt(self, index: int, place: int, cell: str) -> str:
        """Why a cell of a wanted column may be another number than it looks like; empty if it is taken."""
        if not _DOUBTFUL.fullmatch(cell):
            return ""
        mark, shown = (COMMA if COMMA in cell else POINT), self._shown(place)
        if shown and shown != mark:
            other = shown.replace(mark, "")
            return self._reason(cell, other)
        if not shown and not self._taken[index]:
            self._taken[index], self._cells[index], self._places[index] = mark, cell, place
        return ""
