"""Rows are read from a parameter CSV whatever its columns, and a broken one is told, not guessed at."""

import pytest

from doe_compiler.bundle.rows import text_keys
from doe_compiler.kernel.errors import DoeError
from doe_compiler.observe.rows import parameter_keys


def test_rows_are_read_by_name_and_other_columns_do_not_count():
    content = b"b, a, c\n1, x, 9\n2, y, 9\n"
    keys = parameter_keys(content, ["a", "b"], where="CSV")
    assert keys.tolist() == text_keys({"a": ["x", "y"], "b": ["1", "2"]}, 2).tolist()


def test_replicates_are_read():
    keys = parameter_keys(b"a,doe_replicate\n1,1\n1,2\n", ["a"], where="CSV")
    assert keys.tolist() == text_keys({"a": ["1", "1"], "doe_replicate": ["1", "2"]}, 2).tolist()


@pytest.mark.parametrize("content", [b"", b"a\n", b"b\n1\n"])
def test_a_csv_without_the_rows_holds_none(content):
    assert len(parameter_keys(content, ["a"], where="CSV")) == 0


@pytest.mark.parametrize("char", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_only_a_line_feed_ends_a_row(char):
    cells = [f"p{char}q", "r"]
    content = f"a\n{cells[0]}\n{cells[1]}\n".encode()
    assert parameter_keys(content, ["a"], where="CSV").tolist() == text_keys({"a": cells}, 2).tolist()


@pytest.mark.parametrize("content", [b"a,b\n1\n", b"a\n\xff\n", b"a\n1,2\n"])
def test_a_broken_csv_is_an_error(content):
    with pytest.raises(DoeError, match="CSV"):
        parameter_keys(content, ["a"], where="the parameter CSV")
