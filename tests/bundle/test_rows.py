"""Keys of rows: by name and text, order-free in sum, the same from a design and from its CSV."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.bundle.rows import RowSet, contiguous_ranges, design_keys, row_set, text_keys
from doe_compiler.design.columns import CodedColumn, FloatColumn, TextColumn
from doe_compiler.design.design import Design
from doe_compiler.kernel.canonical import number_text

floats = st.floats(allow_nan=False, allow_infinity=False)
cells = st.text("abc019.e-+ xÅ", min_size=1, max_size=8)


@given(st.lists(floats, min_size=1, max_size=20))
def test_keys_of_numbers_are_the_keys_of_their_texts(values):
    design = Design("s", (FloatColumn("x", np.array(values)),), ("x",), "monte-carlo")
    texts = [number_text(value) for value in values]
    assert design_keys(design).tolist() == text_keys({"x": texts}, len(values)).tolist()


def test_keys_do_not_depend_on_how_a_column_is_held():
    texts = ["1", "2.5", "a", "1"]
    coded = CodedColumn("x", np.array([0, 1, 2, 0], np.int32), ("1", "2.5", "a"))
    held = [Design("s", (column,), ("x",), "table") for column in (coded, TextColumn("x", tuple(texts)))]
    assert design_keys(held[0]).tolist() == design_keys(held[1]).tolist()


def test_keys_are_pinned():
    keys = text_keys({"x": ["1", "0.1", "kEpsilon"], "y": ["2", "1e-7", "-3"]}, 3)
    assert [f"{key:016x}" for key in keys.tolist()] == PINNED


PINNED = ["9527eb8a1440eb39", "266f8b52d93475de", "f0c2c818ec13fe46"]


def test_large_integers_that_round_to_one_float_are_different_rows():
    numbers = [
        2**53,
        2**53 + 1,
        2**60,
        1152921504606847000,
        2**60 + 1,
        -(2**53) - 1,
        10**16,
        10**23,
        10**23 + 1,
    ]
    keys = text_keys({"x": [str(number) for number in numbers]}, len(numbers)).tolist()
    assert len(set(keys)) == len(numbers)


def test_a_number_of_a_float_has_one_key_by_its_digits_and_by_its_exponent():
    digits = text_keys({"x": ["10000000000000000", "100000000000000000000000", "1152921504606847000"]}, 3)
    shortest = text_keys({"x": ["1e16", "1e23", "1.152921504606847e18"]}, 3)
    assert digits.tolist() == shortest.tolist()
    assert f"{shortest.tolist()[0]:016x}" == "ad1d0bd4ac510cee"


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=10))
def test_order_of_columns_does_not_matter(rows):
    a, b = [row[0] for row in rows], [row[1] for row in rows]
    forwards = text_keys({"a": a, "b": b}, len(rows))
    backwards = text_keys({"b": b, "a": a}, len(rows))
    assert forwards.tolist() == backwards.tolist()


@given(cells, cells)
def test_swapping_two_cells_gives_another_row(a, b):
    one, other = text_keys({"a": [a], "b": [b]}, 1), text_keys({"a": [b], "b": [a]}, 1)
    assert (one.tolist() == other.tolist()) == (a == b)


def test_a_replicate_is_part_of_the_row_and_the_first_is_the_default():
    plain = text_keys({"x": ["1"]}, 1)
    assert text_keys({"x": ["1"], "doe_replicate": ["1"]}, 1).tolist() == plain.tolist()
    assert text_keys({"x": ["1"], "doe_replicate": ["2"]}, 1).tolist() != plain.tolist()


def test_a_million_rows_have_a_million_keys():
    keys = design_keys(Design("s", (FloatColumn("x", np.arange(1_000_000) / 7),), ("x",), "monte-carlo"))
    assert len(np.unique(keys)) == 1_000_000


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=30, unique=True), st.data())
def test_a_range_is_found_by_its_count_and_sum(keys, data):
    start = data.draw(st.integers(0, len(keys) - 1))
    stop = data.draw(st.integers(start + 1, len(keys)))
    everything = np.array(keys, np.uint64)
    part = everything[start:stop].copy()
    assert start in contiguous_ranges(everything, row_set(part))
    assert row_set(part) == row_set(part[::-1].copy())


@pytest.mark.parametrize("count", [0, 4])
def test_a_range_longer_than_the_design_or_empty_is_not_found(count):
    assert contiguous_ranges(np.array([1, 2, 3], np.uint64), RowSet(count, 6)) == []


# Laws of keys

LABELS = st.lists(
    cells | st.sampled_from(["0", "-0", "1", "1.0", "01", "1e0", "9007199254740993"]), min_size=1, max_size=12
)


def design_of(*columns, varied=("x",)):
    return Design("s", columns, varied, "table")


@given(LABELS)
def test_two_cells_have_one_key_only_if_they_are_one_text(texts):
    keys = text_keys({"x": texts}, len(texts)).tolist()
    for one, key in zip(texts, keys, strict=True):
        for other, another in zip(texts, keys, strict=True):
            assert (key == another) is (one == other)


@given(LABELS, st.randoms())
def test_the_set_of_rows_does_not_hang_on_their_order_but_on_their_count(texts, random):
    keys = text_keys({"x": texts}, len(texts))
    shuffled = list(texts)
    random.shuffle(shuffled)
    assert row_set(text_keys({"x": shuffled}, len(texts))) == row_set(keys)
    assert row_set(np.concatenate([keys, keys[:1]])) != row_set(keys)
    assert row_set(keys[:0]) == RowSet(0, 0)


@given(LABELS, st.integers(0, 12))
def test_parts_of_a_design_add_up_to_the_whole(texts, at):
    keys = text_keys({"x": texts}, len(texts))
    at = min(at, len(texts))
    parts, whole = [row_set(keys[:at]), row_set(keys[at:])], row_set(keys)
    assert sum(part.count for part in parts) == whole.count
    assert sum(part.total for part in parts) % 2**64 == whole.total


@given(st.lists(st.sampled_from(["1", "2", "0.5", "a", "1e16", "007"]), min_size=1, max_size=9))
def test_every_way_to_hold_a_column_has_the_keys_of_its_texts(texts):
    labels = tuple(dict.fromkeys(texts))
    codes = np.array([labels.index(text) for text in texts], np.int32)
    held = [
        TextColumn("x", tuple(texts)),
        TextColumn("x", tuple(texts), True),
        CodedColumn("x", codes, labels),
        CodedColumn("x", codes, labels, True),
    ]
    wanted = text_keys({"x": texts}, len(texts)).tolist()
    assert [design_keys(design_of(column)).tolist() for column in held] == [wanted] * len(held)


def test_keys_are_the_same_on_both_sides_of_a_chunk():
    n = 50_003
    numbers = np.arange(n) / 3
    texts = tuple(number_text(value) for value in numbers[49_998:].tolist())
    keys = design_keys(design_of(FloatColumn("x", numbers)))
    assert keys[49_998:].tolist() == text_keys({"x": texts}, len(texts)).tolist()
    labels = tuple(map(str, range(7)))
    coded = CodedColumn("x", np.arange(n, dtype=np.int32) % 7, labels)
    assert (
        design_keys(design_of(coded))[49_998:].tolist() == text_keys({"x": coded.cells(49_998)}, 5).tolist()
    )


@given(LABELS)
def test_columns_that_follow_and_the_names_of_studies_are_no_identity(texts):
    x = TextColumn("x", tuple(texts))
    derived = TextColumn("y", tuple(reversed(texts)))
    plain = design_keys(design_of(x)).tolist()
    assert design_keys(design_of(x, derived)).tolist() == plain
    assert design_keys(design_of(derived, x)).tolist() == plain
    assert design_keys(Design("other", (x,), ("x",), "sobol")).tolist() == plain
    assert design_keys(design_of(x, derived, varied=("x", "y"))).tolist() != plain


@given(LABELS, st.integers(2, 5))
def test_replicates_are_rows_of_their_own_and_adding_them_keeps_the_first(texts, replicates):
    texts = list(dict.fromkeys(texts))
    x = TextColumn("x", tuple(text for text in texts for _ in range(replicates)))
    number = TextColumn("doe_replicate", tuple(str(n + 1) for _ in texts for n in range(replicates)))
    keys = design_keys(design_of(x, number)).tolist()
    assert len(set(keys)) == len(texts) * replicates
    assert keys[::replicates] == text_keys({"x": texts}, len(texts)).tolist()


@given(st.lists(st.integers(0, 3), max_size=12), st.integers(0, 5), st.integers(0, 12))
def test_exactly_the_ranges_with_the_count_and_the_sum_are_found(keys, count, total):
    found = contiguous_ranges(np.array(keys, np.uint64), RowSet(count, total))
    wanted = [s for s in range(len(keys) - count + 1) if count and sum(keys[s : s + count]) == total]
    assert found == wanted


def test_sums_of_keys_run_over_without_a_warning():
    keys = np.full(5, 2**64 - 1, np.uint64)
    assert row_set(keys) == RowSet(5, 2**64 - 5)
    assert contiguous_ranges(keys, RowSet(2, 2**64 - 2)) == [0, 1, 2, 3]


def test_a_design_without_varied_columns_has_rows_that_are_counted():
    keys = design_keys(Design("s", (), (), "table", bare_runs=3))
    assert len(set(keys.tolist())) == 1
    assert row_set(keys).count == 3
