"""The parameter CSV: what is written is read back, from any row, and what is no table is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.platform.store.tables import TableError, indexed_table, rows_from, table_text

CELLS = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\x00"), max_size=8)


def _indexed(folder, content):
    path = folder / "t.csv"
    path.write_bytes(content)
    return path, indexed_table(path)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=20), st.integers(1, 20))
def test_a_written_table_reads_back_from_any_row(tmp_path_factory, rows, first):
    folder = tmp_path_factory.mktemp("t")
    path, index = _indexed(folder, b"".join(table_text(("a", "b"), iter(rows))))
    assert (index.names, index.count) == (("a", "b"), len(rows))
    assert [tuple(row) for row in rows_from(path, index, first)] == rows[first - 1 :]


@pytest.mark.parametrize("first", [1, 2, 255, 256, 257, 512, 513, 999, 1000, 1001])
def test_a_long_table_is_entered_anywhere(tmp_path, first):
    text = "n, text\n" + "".join(f'{n}, "a\nb,{n}"\n' + "\n" * (n % 3) for n in range(1, 1001))
    path, index = _indexed(tmp_path, text.encode())
    assert index.count == 1000
    expected = [[str(n), f"a\nb,{n}"] for n in range(first, 1001)]
    assert list(rows_from(path, index, first)) == expected


def test_marks_blanks_and_line_ends_of_other_programs_are_taken(tmp_path):
    path, index = _indexed(tmp_path, b"\xef\xbb\xbfa, b\r\n1, x y\r\n\r\n1,  x y\r\n")
    assert index.names == ("a", "b")
    assert list(rows_from(path, index, 1)) == [["1", "x y"], ["1", "x y"]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"a,b\n", "no rows"),
        (b"a,\n1,2\n", "Column 2 has no name"),
        (b"a, a\n1,2\n", '"a"'),
        (b"a,b\n1,2\n3\n", "Row 2 has 1 cells, the header has 2"),
        (b"a\n\xff\n", "UTF-8"),
        (b"a\n\x00\n", "NUL"),
        (b"a\n" + b"x" * 200_000, "not CSV"),
        (b"a\n" + b"x" * (5 << 20), "longer"),
    ],
)
def test_what_is_no_table_says_why(tmp_path, content, message):
    with pytest.raises(TableError, match=message):
        _indexed(tmp_path, content)
