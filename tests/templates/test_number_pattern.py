import pytest

from doe_compiler.templates.number_pattern import PatternError, number_pattern


def _digits(pattern):
    parts = number_pattern(pattern)
    return (parts.min_integer, parts.min_fraction, parts.max_fraction)


@pytest.mark.parametrize(
    ("pattern", "digits"),
    [
        ("0", (1, 0, 0)),
        ("#", (0, 0, 0)),
        ("##00.00##", (2, 2, 4)),
        ("#.##", (1, 0, 2)),
        (".##", (0, 1, 2)),
        ("#,##0.###", (1, 0, 3)),
        ("0.", (1, 0, 0)),
    ],
)
def test_digits_are_counted(pattern, digits):
    assert _digits(pattern) == digits


def test_the_last_group_counts():
    assert number_pattern("#,##,###0").grouping == 4
    assert number_pattern("0").grouping == 0


def test_counts_stop_where_javas_stop():
    assert _digits("0" * 400 + "." + "0" * 400) == (309, 340, 340)


@pytest.mark.parametrize(
    ("pattern", "positive", "negative"),
    [
        ("0", ("", ""), ("-", "")),
        ("a0b", ("a", "b"), ("-a", "b")),
        ("0;(0)", ("", ""), ("(", ")")),
        ("+0;-0 x", ("+", ""), ("-", " x")),
        ("0%;0%", ("", "%"), ("-", "%")),
        ("'#'0''", ("#", "'"), ("-#", "'")),
        ("0;(#,##0.00E0)", ("", ""), ("(", ")")),
    ],
)
def test_affixes(pattern, positive, negative):
    parts = number_pattern(pattern)
    assert (parts.positive, parts.negative) == (positive, negative)


def test_the_negative_subpattern_changes_nothing_but_affixes():
    parts, alone = number_pattern("0.0#;(000%)"), number_pattern("0.0#")
    assert parts.multiplier == 1
    assert (parts.min_integer, parts.max_fraction) == (alone.min_integer, alone.max_fraction)


def test_a_refusal_says_what_to_do():
    with pytest.raises(PatternError) as caught:
        number_pattern("0.00.0")
    assert (caught.value.message, caught.value.index) == ("more than one decimal point", 4)
    assert caught.value.hint
