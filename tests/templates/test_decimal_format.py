import math
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from doe_compiler.kernel.errors import ExitCode
from doe_compiler.templates.decimal_format import (
    NotANumber,
    PatternError,
    _java_text,
    compile_pattern,
    formatted,
    number_in,
)

# What JDK 17 writes with new DecimalFormat(pattern, DecimalFormatSymbols.getInstance(Locale.ROOT)).format(value).
_TABLE = (Path(__file__).parent / "java_cells.tsv").read_text(encoding="utf-8")
_JAVA_CELLS = [line.split("\t") for line in _TABLE.split("\n")[1:] if line]

PUBLISHED = [
    ("0", 0.9, "1"),
    ("0.0", 0.9, "0.9"),
    ("0.00##", 0.9, "0.90"),
    ("0", 1.49, "1"),
    ("0.0", 1.49, "1.5"),
    ("0.00##", 1.49, "1.49"),
    ("0", -55.123, "-55"),
    ("0.0", -55.123, "-55.1"),
    ("0.00##", -55.123, "-55.123"),
    ("0", 9810.0, "9810"),
    ("0.0", 9810.0, "9810.0"),
    ("0.00##", 9810.0, "9810.00"),
    ("0", 0.5, "0"),
    ("0", 1.5, "2"),
    ("0", 2.5, "2"),
    ("0.00", 0.125, "0.12"),
    ("0.00E0", -55.123, "-5.51E1"),
    ("##0.0E0", 0.9, "900E-3"),
    ("0", -0.0, "0"),
]

PATTERNS = st.sampled_from(
    [
        "0",
        "00",
        "0.0",
        "0.000",
        "000.00",
        "0.000000000000000",
        "0.00 m;(0.00)",
        "0.0##",
        "#,##0.00",
        "0.0##E0",
        "##0.0E0",
    ]
)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
EVERYDAY = st.floats(min_value=-1e9, max_value=1e9) | st.integers(-(10**7), 10**7).map(lambda n: n / 1024)


@pytest.mark.parametrize(("pattern", "value", "text"), PUBLISHED)
def test_published_cells(pattern, value, text):
    assert formatted(pattern, value) == text


@pytest.mark.parametrize("feature", sorted({feature for feature, *_ in _JAVA_CELLS}))
def test_texts_are_javas(feature):
    cells = [(pattern, value, text) for name, pattern, value, text in _JAVA_CELLS if name == feature]
    assert len(cells) >= 8
    assert [(*cell[:2], formatted(cell[0], float(cell[1]))) for cell in cells] == cells


@pytest.mark.parametrize(
    ("pattern", "index"),
    [
        ("0.0.0", 3),
        ("0#", 1),
        ("0#.0", 3),
        ("#.0#0", 4),
        ("#,", 1),
        ("0,.0", 1),
        ("0.0,", 3),
        ("0'abc", 1),
        ("0;'abc", 2),
        ("0E", 1),
        ("0.0E", 3),
        ("0E0E00.0E0", 8),
        ("0E#", 1),
        (".E0", 1),
        (";0", 0),
        ("a;0", 1),
        ("0;0;0", 3),
        ("0%%", 2),
        ("%0\u2030", 2),
    ],
)
def test_patterns_that_java_refuses_are_refused_at_the_character(pattern, index):
    with pytest.raises(PatternError) as caught:
        compile_pattern(pattern)
    assert caught.value.index == index
    assert caught.value.exit_code is ExitCode.INVALID


@pytest.mark.parametrize("pattern", ["", ".", "number", "percent", "abc", "%", ",", "'0'"])
def test_a_pattern_without_a_digit_is_refused(pattern):
    with pytest.raises(PatternError, match="no digit"):
        compile_pattern(pattern)


@pytest.mark.parametrize(("pattern", "index"), [("¤0", 0), ("0 ¤", 2), ("0;¤0", 2)])
def test_an_unquoted_currency_sign_is_refused(pattern, index):
    with pytest.raises(PatternError, match="currency") as caught:
        compile_pattern(pattern)
    assert caught.value.index == index


@pytest.mark.parametrize("pattern", ["0", "0.00", "0.0E0", "0;(0)", "#,##0.##", "0%"])
def test_zero_has_no_sign(pattern):
    assert formatted(pattern, -0.0) == formatted(pattern, 0.0)
    assert formatted(pattern, "-0") == formatted(pattern, "0")


def test_a_negative_number_that_rounds_to_zero_keeps_its_minus():
    assert formatted("0", -0.001) == "-0"
    assert formatted("0.00", -0.001) == "-0.00"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1),
        ("+1.5", 1.5),
        ("-.5", -0.5),
        ("2.", 2),
        ("1e-5", 1e-5),
        ("1E+3", 1000),
        (" 7\t", 7),
        ("1e-999", 0),
    ],
)
def test_numbers_in_cells(text, number):
    assert number_in(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "abc",
        "1,5",
        "1 2",
        "0x10",
        "1_000",
        "NaN",
        "inf",
        "Infinity",
        "1e999",
        "-1e999",
        "1e",
        ".",
        "١",
        "1\n",
    ],
)
def test_cells_that_are_no_number_are_refused(text):
    with pytest.raises(NotANumber) as caught:
        formatted("0", text)
    assert repr(text) in caught.value.message


def test_text_decimal_and_float_are_one_number():
    assert formatted("0.0", "0.15") == formatted("0.0", Decimal("0.15")) == formatted("0.0", 0.15) == "0.1"
    assert formatted("0.0", 3) == "3.0"


def test_the_format_keeps_its_pattern():
    assert compile_pattern("#,##0.0").pattern == "#,##0.0"


@given(PATTERNS, EVERYDAY | FINITE)
@example("0.000", 0.0005)
@example("0.000", 0.001)
@example("0.000000000000000", 0.9999999999999999)
def test_the_short_way_writes_what_the_long_way_writes(pattern, value):
    parts = compile_pattern(pattern).parts
    assert compile_pattern(pattern).text(value) == _java_text(parts, value)


@given(st.integers(0, 6), st.floats(min_value=1e-3, max_value=1e8))
def test_rounding_is_to_the_nearest_with_ties_to_even(places, value):
    text = formatted("0." + "0" * places if places else "0", value)
    assert Fraction(text) == round(Fraction(value), places)


@given(st.floats(min_value=1e-3, max_value=1e15, exclude_max=True))
def test_enough_digits_read_back_as_the_same_number(value):
    assert float(formatted("0." + "#" * 25, value)) == value
    assert float(formatted("0." + "#" * 25 + "E0", value)) == value


@given(FINITE, st.integers(2, 5))
def test_engineering_exponents_are_multiples(value, group):
    text = formatted("#" * (group - 1) + "0.00E0", value)
    mantissa, _, exponent = text.partition("E")
    assert int(exponent) % group == 0
    assert 1 <= len(mantissa.lstrip("-").partition(".")[0]) <= group


@given(st.floats(min_value=0, max_value=1e14), st.integers(1, 5))
def test_groups_are_only_commas(value, size):
    plain = formatted("0.00", value)
    grouped = formatted("#," + "#" * (size - 1) + "0.00", value)
    assert grouped.replace(",", "") == plain
    head, *groups = grouped.partition(".")[0].split(",")
    assert 1 <= len(head) <= size
    assert all(len(group) == size for group in groups)


@given(FINITE.filter(lambda value: value != 0), st.sampled_from(["0.00", "#,##0.#", "0.0E0", "0.000%"]))
def test_a_negative_is_the_positive_with_a_minus(value, pattern):
    assert formatted(pattern, -abs(value)) == "-" + formatted(pattern, abs(value))


@given(
    st.text(alphabet="#0,.E;%'-a \u2030¤", max_size=9), st.sampled_from([0.0, -1.5, 1234.5, 1e-7, math.inf])
)
def test_any_pattern_writes_or_is_refused_with_a_place_in_it(pattern, value):
    try:
        text, index = compile_pattern(pattern).text(value), 0
    except PatternError as error:
        text, index = "refused", error.index
    assert text
    assert 0 <= index < max(len(pattern), 1)


@given(st.text(alphabet="abc#0,.E;%-'¤ ", max_size=8).filter(lambda text: not text.startswith("'")))
def test_quoted_text_stands_as_it_is(text):
    quoted = "'" + text.replace("'", "''") + "'" if text else ""
    assert formatted(f"{quoted}0{quoted}", 7) == f"{text}7{text}"


@pytest.mark.parametrize("value", [2**53 + 1, str(2**53 + 1)])
def test_whole_numbers_beyond_doubles_keep_their_digits(value):
    assert formatted("0", value) == "9007199254740993"
    assert formatted("#,##0.00##", value) == "9,007,199,254,740,993.00"
    assert formatted("0.000E0", value) == "9.007E15"
    assert formatted("0%", value) == "900719925474099300%"


def test_negative_whole_numbers_beyond_doubles_keep_their_digits():
    assert formatted("0;(0)", "-1234567890123456789") == "(1234567890123456789)"
