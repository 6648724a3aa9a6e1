"""The parameter CSV: checked once, indexed by byte offsets, then read by the page or from end to end."""

import csv
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

ROWS_PER_OFFSET = 256
LONGEST_LINE = 1 << 22
MARK = b"\xef\xbb\xbf"


class TableError(ValueError):
    """The CSV cannot be used; the message says why and in which row."""


@dataclass(frozen=True, slots=True)
class TableIndex:
    """A table's column names, its number of rows, and the byte offset of every 256th row (uint64s)."""

    names: tuple[str, ...]
    count: int
    offsets: bytes


class _Lines:
    """The lines of a binary file as text, counting the bytes that were handed out."""

    def __init__(self, file: BinaryIO, offset: int = 0) -> None:
        self._file = file
        self.offset = offset
        if offset:
            file.seek(offset)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._file.readline(LONGEST_LINE + 1)
        if not line:
            raise StopIteration
        if len(line) > LONGEST_LINE:
            raise TableError(f"A line is longer than {LONGEST_LINE} bytes.")
        if b"\x00" in line:
            raise TableError("The file holds NUL bytes: it is not a CSV file.")
        if self.offset == 0:
            self.offset = len(line)
            line = line.removeprefix(MARK)
        else:
            self.offset += len(line)
        try:
            return line.decode()
        except UnicodeDecodeError:
            raise TableError("The file is not UTF-8 text.") from None


def indexed_table(path: Path) -> TableIndex:
    """Read the whole CSV once; raises TableError if it has no header, no rows, or ragged rows.

    One row is one run; blanks after a comma are dropped, empty lines do not count, and names must be
    different and not empty.
    """
    offsets = array("Q")
    with path.open("rb") as file:
        lines = _Lines(file)
        reader = csv.reader(lines, skipinitialspace=True)
        try:
            names = _checked_names(next(reader, []))
            width, count, offset = len(names), 0, lines.offset
            for row in reader:
                if row:
                    if len(row) != width:
                        raise TableError(f"Row {count + 1} has {len(row)} cells, the header has {width}.")
                    if count % ROWS_PER_OFFSET == 0:
                        offsets.append(offset)
                    count += 1
                offset = lines.offset
        except csv.Error as error:
            raise TableError(f"The file is not CSV: {error}.") from None
    if count == 0:
        raise TableError("The file has a header but no rows.")
    return TableIndex(names, count, offsets.tobytes())


def _checked_names(header: Sequence[str]) -> tuple[str, ...]:
    names = tuple(name.strip() for name in header)
    if not names:
        raise TableError("The file is empty.")
    if not all(names):
        raise TableError(f"Column {names.index('') + 1} has no name.")
    twice = (
        next((name for name in names if names.count(name) > 1), None)
        if len(set(names)) < len(names)
        else None
    )
    if twice is not None:
        raise TableError(f'Two columns are named "{twice}".')
    return names


def rows_from(path: Path, index: TableIndex, first: int) -> Iterator[Sequence[str]]:
    """The rows from number `first` (1 is the first) to the end, as lists of cells."""
    if first > index.count:
        return
    offsets = array("Q")
    offsets.frombytes(index.offsets)
    block, skip = divmod(first - 1, ROWS_PER_OFFSET)
    with path.open("rb") as file:
        reader = csv.reader(_Lines(file, offsets[block]), skipinitialspace=True)
        yield from islice((row for row in reader if row), skip, None)


def table_text(names: Sequence[str], rows: Iterator[Sequence[str]]) -> Iterator[bytes]:
    """The table as CSV in pieces of some hundred lines."""
    pending: list[str] = [_line(names)]
    for row in rows:
        pending.append(_line(row))
        if len(pending) >= 512:
            yield "".join(pending).encode()
            pending.clear()
    yield "".join(pending).encode()


def _line(cells: Sequence[str]) -> str:
    return ",".join(_quoted(cell) for cell in cells) + "\n"


def _quoted(cell: str) -> str:
    if not cell or cell[0] == " " or any(mark in cell for mark in ',"\r\n'):
        return '"' + cell.replace('"', '""') + '"'
    return cell
