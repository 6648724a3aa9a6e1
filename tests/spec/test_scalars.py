"""YAML 1.2 core schema, where engineers get hurt."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.spec.scalars import decimal_number, exact_number, is_decimal, meaning


@pytest.mark.parametrize(
    "text",
    ["no", "on", "yes", "off", "Yes", "12:30:45", "1e", "+", ".", "0b11", "1-2", "nan", "inf", "2024-01-01"],
)
def test_what_looks_special_to_yaml_1_1_is_text(text):
    assert meaning(text).value == text
    assert meaning(text).problem == ""


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-5", Fraction(1, 100000)),
        ("1E3", Fraction(1000)),
        (".5", Fraction(1, 2)),
        ("5.", Fraction(5)),
        ("5.e1", Fraction(50)),
        ("-3", Fraction(-3)),
        ("+3", Fraction(3)),
        ("0x1F", Fraction(31)),
        ("0o17", Fraction(15)),
        ("0", Fraction(0)),
        ("-0.0", Fraction(0)),
        ("0.1", Fraction(1, 10)),
        ("0e999999999", Fraction(0)),
    ],
)
def test_numbers_keep_their_exact_value(text, value):
    assert meaning(text).number == value
    assert not isinstance(meaning(text).value, str)


@pytest.mark.parametrize("text", ["true", "True", "TRUE"])
def test_three_spellings_are_true(text):
    assert meaning(text).value is True


@pytest.mark.parametrize("text", ["", "~", "null", "Null", "NULL"])
def test_five_spellings_are_null(text):
    assert meaning(text).value is None


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("012", "12"),
        ("-012", "-12"),
        ("1_000", "1000"),
        ("00", "0"),
        ("00.5", "0.5"),
        ("1_0.5", "10.5"),
        ("007", "7"),
    ],
)
def test_ambiguous_numbers_are_problems_with_advice(text, advice):
    read = meaning(text)
    assert read.problem
    assert read.number is None
    assert f"say {advice}," in read.hint


@pytest.mark.parametrize("text", [".inf", "-.INF", ".nan", ".NaN", "1e999", "-1e999", "1e-999", "9" * 500])
def test_numbers_that_no_float_holds_are_problems(text):
    assert meaning(text).problem
    assert meaning(text).number is None


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_reads_back_from_its_repr(value):
    number = exact_number(repr(value))
    assert number is not None
    assert float(number) == value


@given(st.integers(-(10**30), 10**30))
def test_every_integer_is_exact(value):
    assert meaning(str(value)).number == value


@given(st.text(max_size=12) | st.from_regex(r"[-+0-9.eE_x]{0,9}", fullmatch=True))
def test_no_text_breaks_the_reading(text):
    read = meaning(text)
    if read.number is not None:
        assert math.isfinite(float(read.number))
    assert is_decimal(text) == (decimal_number(text) is not None)
