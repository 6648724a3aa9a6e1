"""Marks read back as they were written, and nothing else is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.bundle.mark import (
    Mark,
    marked_name,
    nonce_of,
    nonce_time_s,
    read_mark,
    shown_title,
    title_of,
)
from doe_compiler.bundle.rows import RowSet

hexadecimal = st.text("0123456789abcdef", min_size=12, max_size=12)
marks = st.builds(
    Mark,
    study=st.from_regex(r"[a-z0-9][a-z0-9-]{0,39}", fullmatch=True),
    recipe=hexadecimal,
    rows=st.builds(RowSet, st.integers(0, 10**9 - 1), st.integers(0, 2**64 - 1)),
    unit=st.none(),
    generation=st.integers(0, 999_999),
    nonce=st.text("0123456789abcdef", min_size=16, max_size=16),
)


@given(st.text(max_size=200), marks)
def test_a_mark_reads_back_whatever_the_title(title, mark):
    assert read_mark(marked_name(title, mark)) == mark


def test_a_unit_reads_back():
    mark = Mark("s", "0123456789ab", None, "0123456789abcdef", 0, "65f3a1c09b1d44e2")
    assert read_mark(marked_name("title", mark)) == mark


@pytest.mark.parametrize(
    "name",
    ["", "a job", "[doe1 s 0123.1-2.g0.x]", "[doe1 s 0123456789ab.1-0123456789abcdef.g0.65f3a1c09b1d44e2]"],
)
def test_other_names_have_no_mark(name):
    assert read_mark(name) is None


def test_a_name_stays_short():
    mark = Mark("s" * 40, "0" * 12, RowSet(10**9 - 1, 2**64 - 1), None, 999_999, "f" * 16)
    assert len(marked_name("title " * 100, mark)) < 200


@given(st.text(max_size=200), marks)
def test_a_name_without_its_mark_is_the_title_that_is_shown(title, mark):
    assert title_of(marked_name(title, mark)) == shown_title(title)


@given(st.text(max_size=200))
def test_a_shown_title_is_one_short_line_that_hides_no_mark(title):
    shown = shown_title(title)
    assert len(shown) <= 60
    assert shown == shown_title(shown)
    assert "[" not in shown
    assert len(shown.splitlines()) <= 1
    assert read_mark(shown) is None


@given(marks, marks, st.text(max_size=20))
def test_the_title_of_a_study_cannot_bring_in_a_mark(mark, forged, title):
    assert read_mark(marked_name(f"{title} {forged}", mark)) == mark


@given(marks, marks)
def test_two_marks_are_written_differently(one, other):
    assert (str(one) == str(other)) is (one == other)


@given(marks, st.integers(0, 80), st.sampled_from("[] .-gxG0é"))
def test_a_damaged_mark_is_never_taken_for_the_one_it_was(mark, at, char):
    text = str(mark)
    at = min(at, len(text) - 1)
    damaged = text[:at] + char + text[at + 1 :]
    assert (read_mark(damaged) == mark) is (damaged == text)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_a_nonce_begins_with_the_time_of_its_post(time, chance):
    assert nonce_time_s(nonce_of(time + 0.5, chance)) == time
