"""A design as the bytes of its CSV: UTF-8 without a mark, LF, a final newline."""

from collections.abc import Iterator

import numpy as np

from doe_compiler.design.columns import FloatColumn
from doe_compiler.design.design import Design
from doe_compiler.design.number_text import number_lines

CHUNK_ROWS = 2_000  # about 400 kB of ten numbers a row: stays in the processor's cache


def csv_chunks(
    design: Design, start: int = 0, stop: int | None = None, *, header: bool = True, is_quoted: bool = False
) -> Iterator[bytes]:
    """The rows start to stop (exclusive) of a design, a chunk of whole lines at a time.

    Cells are written as they are, or quoted where they need it. A design without columns has no CSV: nothing.
    """
    if not design.columns:
        return
    if header:
        yield (",".join(design.names) + "\n").encode()
    stop = design.n if stop is None else min(stop, design.n)
    for first in range(start, stop, CHUNK_ROWS):
        last = min(first + CHUNK_ROWS, stop)
        yield _lines(design, first, last, is_quoted) + b"\n"


def _lines(design: Design, start: int, stop: int, is_quoted: bool) -> bytes:
    arrays = [column.values[start:stop] for column in design.columns if isinstance(column, FloatColumn)]
    if len(arrays) == len(design.columns):
        return number_lines(np.stack(arrays, axis=1))
    cells = [column.cells(start, stop) for column in design.columns]
    if is_quoted:
        cells = [list(map(_quoted, column)) for column in cells]
    return "\n".join(map(",".join, zip(*cells, strict=True))).encode()


def _quoted(cell: str) -> str:
    if any(sign in cell for sign in ',"\r\n') or cell != cell.strip():
        return '"' + cell.replace('"', '""') + '"'
    return cell
