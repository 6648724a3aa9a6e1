"""A job's JSON is read with patience, never with a guess, and nothing in it stops the reading."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.bundle.importing.reading import entries, flag, mapping, number, said, text, whole

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.from_regex(r"\s?[+-]?[0-9.]{0,4}(e[+-]?[0-9]{0,4})?\s?", fullmatch=True)
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(JSON)
def test_anything_is_read_as_what_it_is_or_as_nothing(value):
    assert isinstance(text(value), str)
    assert isinstance(mapping(value), dict)
    assert all(isinstance(entry, dict) for entry in entries(value))
    assert flag(value) in (True, False)
    found = whole(value)
    assert found is None or (type(found) is int and found >= 0)
    read = number(value)
    assert read is None or (type(read) in (int, float) and math.isfinite(read))


@given(st.integers(0, 10**15))
def test_a_whole_number_is_itself_in_every_spelling(value):
    for spelling in (value, str(value), f" {value} ", f"+{value}", f"{value}.0", f"{value}."):
        assert whole(spelling) == value, spelling
        assert number(spelling) == value, spelling
    assert whole(f"{value}.5") is None
    assert whole(-value - 1) is None


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_itself_as_text_too(value):
    assert number(value) == number(str(value)) == value


@pytest.mark.parametrize(
    "value", ["1e999", "-1e999", "inf", "nan", "1_000", "0x10", "1,5", "", " ", "١", True, None, [1]]
)
def test_what_is_no_number_is_none(value):
    assert number(value) is None


@pytest.mark.parametrize("value", [True, "true", "True", "yes", "on", 1, "1"])
def test_web_forms_say_yes_in_many_words(value):
    assert flag(value) is True


@pytest.mark.parametrize("value", [False, "false", "no", "off", 0, "0", "", None, 2, 1.0, [1], {"a": 1}])
def test_nothing_else_is_a_yes(value):
    assert flag(value) is False


@given(st.dictionaries(st.text(max_size=2), JSON), st.frozensets(st.text(max_size=2)))
def test_what_is_said_beyond_the_known_keys_is_all_kept_but_what_is_empty(fields, known):
    found = said(fields, known)
    assert found.keys().isdisjoint(known)
    for key, value in fields.items():
        if key in known:
            continue
        is_empty = value is None or (isinstance(value, str | list | dict) and not value)
        assert (key in found) is not is_empty
