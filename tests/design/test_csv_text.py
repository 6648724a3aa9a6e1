"""The CSV of a design: whole lines in chunks, LF, a final newline, any range of rows."""

import numpy as np
import pytest

from doe_compiler.design import csv_text
from doe_compiler.design.columns import CodedColumn, FloatColumn, TextColumn
from doe_compiler.design.csv_text import csv_chunks
from doe_compiler.design.design import Design
from doe_compiler.kernel.canonical import number_text

X = FloatColumn("x", np.asarray([0.5, 20.0, 1e16, 1e-7, 3.0]))
Y = FloatColumn("y", np.arange(5) / 3)
C = CodedColumn("model", np.asarray([0, 1, 0, 1, 0], dtype=np.int32), ("lo", "Grüße"))
T = TextColumn("t", ("1.0", "2.0", "3.0", "4.0", "5.0"))


def design(*columns):
    return Design("s", columns, tuple(column.name for column in columns), "table")


def expected(d, start, stop):
    rows = (",".join(d.row(i).values()) + "\n" for i in range(start, stop))
    return ",".join(d.names) + "\n" + "".join(rows)


@pytest.mark.parametrize("columns", [(X,), (X, Y), (C,), (X, C, Y, T)])
@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_the_chunks_are_the_rows(monkeypatch, columns, chunk):
    monkeypatch.setattr(csv_text, "CHUNK_ROWS", chunk)
    d = design(*columns)
    chunks = list(csv_chunks(d))
    assert b"".join(chunks).decode() == expected(d, 0, 5)
    assert all(part.endswith(b"\n") for part in chunks)
    assert b"".join(csv_chunks(d, 1, 4)).decode() == expected(d, 1, 4)
    assert b"".join(csv_chunks(d, 3, 99)).decode() == expected(d, 3, 5)
    assert b"".join(csv_chunks(d, header=False)).decode() == expected(d, 0, 5).split("\n", 1)[1]


def test_an_empty_range_is_its_header():
    assert list(csv_chunks(design(X), 2, 2)) == [b"x\n"]


def test_many_rows_cross_the_chunks():
    values = np.arange(45_000, dtype=np.float64) / 7
    text = b"".join(csv_chunks(design(FloatColumn("x", values)))).decode()
    assert text.splitlines()[1:] == [number_text(value) for value in values.tolist()]
