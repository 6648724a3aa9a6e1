"""Marks read back as they were written, and nothing else is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.bundle.mark import Mark, marked_name, read_mark
from doe_compiler.bundle.rows import RowSet

hexadecimal = st.text("0123456789abcdef", min_size=12, max_size=12)
marks = st.builds(
    Mark,
    study=st.from_regex(r"[a-z0-9][a-z0-9-]{0,39}", fullmatch=True),
    recipe=hexadecimal,
    rows=st.builds(RowSet, st.integers(0, 10**9 - 1), st.integers(0, 2**64 - 1)),
    unit=st.none(),
    generation=st.integers(0, 999_999),
    nonce=st.text("0123456789abcdefghijklmnopqrstuvwxyz", min_size=4, max_size=32),
)


@given(st.text(max_size=200), marks)
def test_a_mark_reads_back_whatever_the_title(title, mark):
    assert read_mark(marked_name(title, mark)) == mark


def test_a_unit_reads_back():
    mark = Mark("s", "0123456789ab", None, "0123456789abcdef", 0, "abcd")
    assert read_mark(marked_name("title", mark)) == mark


@pytest.mark.parametrize(
    "name", ["", "a job", "[doe1 s 0123.1-2.g0.x]", "[doe2 s 0123456789ab.1-0123456789abcdef.g0.abcd]"]
)
def test_other_names_have_no_mark(name):
    assert read_mark(name) is None


def test_a_name_stays_short():
    mark = Mark("s" * 40, "0" * 12, RowSet(10**9 - 1, 2**64 - 1), None, 999_999, "z" * 8)
    assert len(marked_name("title " * 100, mark)) < 200
