"""Columns of every kind: cells, numbers and operands agree, and rows can be taken and joined."""

import math

import numpy as np
import pytest

from doe_compiler.design.columns import (
    CodedColumn,
    FloatColumn,
    TextColumn,
    chosen,
    constant_column,
    joined,
    number_in,
)

FLOATS = FloatColumn("f", np.asarray([1.0, 0.5, 1e16, -3.25]))
CODES = CodedColumn("c", np.asarray([1, 0, 1, 2], dtype=np.int32), ("lo", "1.50", "7"))
TEXTS = TextColumn("t", ("1.00", "0.50", "2.00", "-3.25"), is_numeric=True)
CELLS = {
    "f": ["1", "0.5", "1e16", "-3.25"],
    "c": ["1.50", "lo", "1.50", "7"],
    "t": ["1.00", "0.50", "2.00", "-3.25"],
}


@pytest.mark.parametrize("column", [FLOATS, CODES, TEXTS])
class TestEveryColumn:
    def test_cells(self, column):
        assert column.cells() == CELLS[column.name]
        assert column.cells(1, 3) == CELLS[column.name][1:3]
        assert column.cells(2) == CELLS[column.name][2:]
        assert column.cells(9) == []
        assert len(column) == 4

    def test_numbers_are_what_the_cells_mean(self, column):
        expected = [number_in(cell) for cell in column.cells()]
        assert np.array_equal(column.numbers(), expected, equal_nan=True)

    def test_taking_rows(self, column):
        taken = column.take(np.asarray([3, 0, 0]))
        assert taken.cells() == [CELLS[column.name][i] for i in (3, 0, 0)]
        assert type(taken) is type(column)

    def test_joining_keeps_the_cells(self, column):
        assert joined([column, column]).cells() == CELLS[column.name] * 2
        assert joined([constant_column(column.name, "7", 1), column]).cells() == ["7", *CELLS[column.name]]
        assert joined([column]) is column


def test_operands_are_numbers_only_if_all_cells_are():
    assert CODES.operand().dtype == object
    assert CodedColumn("c", np.asarray([0, 1]), ("1", "2")).operand().tolist() == [1.0, 2.0]
    assert TextColumn("t", ("a", "1")).operand().tolist() == ["a", "1"]
    assert TextColumn("t", ("2", "1")).operand().tolist() == [2.0, 1.0]
    assert TEXTS.operand().dtype == np.float64


def test_joined_labels_are_merged():
    other = CodedColumn("c", np.asarray([0, 1], dtype=np.int32), ("7", "hi"))
    both = joined([CODES, other])
    assert isinstance(both, CodedColumn)
    assert both.labels == ("lo", "1.50", "7", "hi")
    assert both.cells() == ["1.50", "lo", "1.50", "7", "7", "hi"]


@pytest.mark.parametrize("text", ["nan", "inf", "1_000", "0x10", "", " 1", "1 ", "١", "1e", "--1", "1,5"])
def test_texts_that_mean_no_number(text):
    assert math.isnan(number_in(text))


@pytest.mark.parametrize(
    ("text", "number"), [("1", 1), ("-0.50", -0.5), ("+2e3", 2000), (".5", 0.5), ("5.", 5)]
)
def test_texts_that_mean_a_number(text, number):
    assert number_in(text) == number


def test_chosen_cells_leave_unused_labels_behind():
    few = chosen(CODES, np.asarray([3, 0]))
    assert few.cells() == ["7", "1.50"]
    assert few.labels == ("1.50", "7")
    assert chosen(CODES, np.asarray([0, 1, 2, 3, 3])).labels == CODES.labels
    assert chosen(FLOATS, np.asarray([1])).cells() == ["0.5"]
