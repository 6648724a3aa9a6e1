"""Evaluation over columns: what Python computes row by row, at once and without warnings."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.expressions.evaluation import evaluate
from doe_compiler.expressions.parser import ExpressionError, parse

X = np.asarray([1.0, 2.0, -3.0])
S = np.asarray(["box", "ball", "box"], dtype=object)
MIXED = np.asarray(["auto", "1", "2.5"], dtype=object)
COLUMNS = {"x": X, "s": S, "m": MIXED}


def value(source, columns=COLUMNS):
    return evaluate(parse(source), columns, 3).tolist()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("2*x + 1", [3.0, 5.0, -5.0]),
        ("x**2 - x/2", [0.5, 3.0, 10.5]),
        ("-x + +x", [0.0, 0.0, 0.0]),
        ("7", [7.0, 7.0, 7.0]),
        ("pi", [math.pi] * 3),
        ("e", [math.e] * 3),
        ("x > 0", [True, True, False]),
        ("0 < x < 2", [True, False, False]),
        ("x == 1 or x == 2 and x != 2", [True, False, False]),
        ("x/10 + 0.2 <= 0.3", [True, False, True]),
        ("x/10 + 0.2 > 0.3", [False, True, False]),
        ("x/10 + 0.2 - 0.3 == 0", [True, False, False]),
        ("0 >= 0.3 - 0.2 - x/10", [True, True, False]),
        ("x/10 + 0.2 < 0.3 + 1e-14", [True, False, True]),
        ("9007199254740992 < 9007199254740994", [True] * 3),
        ("x + 1e16 > 1e16 + 2", [False, False, False]),
        ("not x > 0", [False, False, True]),
        ("abs(x) if x < 0 else x*10", [10.0, 20.0, 3.0]),
        ('s == "box"', [True, False, True]),
        ('s != "box" and x > 0', [False, True, False]),
        ('"big" if x > 1 else "small"', ["small", "big", "small"]),
        ('1 if s == "box" else 2', [1.0, 2.0, 1.0]),
        ("m == 1", [False, True, False]),
        ("m == 2.50", [False, False, True]),
        ('x == "1"', [True, False, False]),
        ("max(x, 0)", [1.0, 2.0, 0.0]),
        ("round(x/3, 2)", [0.33, 0.67, -1.0]),
        ("1 < 2", [True, True, True]),
    ],
)
def test_values(source, expected):
    assert value(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [("sqrt(x)", [1.0, math.sqrt(2), math.nan]), ("1/(x - 2)", [-1.0, math.inf, -0.2]), ("log(0*x)", None)],
)
def test_outside_the_domain_there_is_no_finite_value_and_no_warning(source, expected):
    got = value(source)
    if expected is None:
        assert not any(map(math.isfinite, got))
    else:
        assert np.array_equal(got, expected, equal_nan=True)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("s + 1", "'s' is text"),
        ("sqrt(s)", "'s' is text"),
        ("y + 1", "no variable 'y'"),
        ("s < 3", "cannot order texts"),
        ("s if x > 0 else x", "one side of the conditional"),
        ("-s", "'s' is text"),
    ],
)
def test_a_text_where_a_number_is_needed_is_an_error(source, message):
    with pytest.raises(ExpressionError, match=message):
        value(source)


def test_a_long_sum_needs_no_deep_recursion():
    assert value("+".join(["x"] * 250)) == [250.0, 500.0, -750.0]


def test_the_result_is_a_fresh_array():
    result = evaluate(parse("x"), COLUMNS, 3)
    result[0] = 99
    assert X[0] == 1.0


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=10), st.floats(0.5, 10))
def test_arithmetic_is_ieee_row_by_row(xs, y):
    columns = {"x": np.asarray(xs), "y": np.full(len(xs), y)}
    got = evaluate(parse("(x + y)*x - x/y + (x if x > y else -y)"), columns, len(xs))
    assert got.tolist() == [(x + y) * x - x / y + (x if x > y else -y) for x in xs]
