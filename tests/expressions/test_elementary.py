"""The elementary functions against mpmath: at most the units in the last place that are promised."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.expressions.elementary import FUNCTIONS

RANDOM = np.random.default_rng(20)


def spread(low, high, n=150):
    return RANDOM.uniform(low, high, n)


def decades(low, high, n=150):
    return 10.0 ** RANDOM.uniform(low, high, n)


def joined(*parts):
    return np.concatenate([np.asarray(part, dtype=np.float64) for part in parts])


TURNS = joined(
    spread(-8, 8), spread(-1e6, 1e6), decades(6, 300, 40), np.arange(1, 60) * (math.pi / 4), [2.0**20]
)
HYPERBOLIC = joined(spread(-1.5, 1.5), spread(-40, 40), spread(-709, 709), decades(-12, 0))
UNIT = joined(spread(-1, 1), 1 - decades(-16, -1), decades(-16, -1) - 1, [0.5, -0.5, 1, -1])

CASES = [
    ("exp", (joined(spread(-708, 709), spread(-1, 1), decades(-12, 0)),), mpmath.exp, 1),
    ("log", (joined(decades(-300, 300), spread(0.5, 2)),), mpmath.log, 1),
    ("log10", (joined(decades(-300, 300), spread(0.5, 2)),), mpmath.log10, 1),
    ("sin", (TURNS,), mpmath.sin, 1),
    ("cos", (TURNS,), mpmath.cos, 1),
    ("tan", (TURNS,), mpmath.tan, 1),
    ("asin", (UNIT,), mpmath.asin, 1),
    ("acos", (UNIT,), mpmath.acos, 1),
    ("atan", (joined(spread(-5, 5), decades(-12, 12)),), mpmath.atan, 1),
    ("atan2", (spread(-5, 5), spread(-5, 5)), mpmath.atan2, 1.5),
    ("sinh", (HYPERBOLIC,), mpmath.sinh, 2),
    ("cosh", (HYPERBOLIC,), mpmath.cosh, 2),
    ("tanh", (HYPERBOLIC,), mpmath.tanh, 2.1),
    ("pow", (decades(-50, 50), spread(-6, 6)), mpmath.power, 1),
    ("pow", (spread(0.9, 1.1), spread(-6000, 6000)), mpmath.power, 1),
    ("pow", (spread(-10, 10), np.rint(spread(-9, 9))), mpmath.power, 1),
    ("hypot", (decades(-150, 150), decades(-150, 150)), mpmath.hypot, 1.5),
    ("hypot", (spread(1, 2), spread(1, 2)), mpmath.hypot, 1.5),
    ("sqrt", (decades(-300, 300),), mpmath.sqrt, 0.5),
]


@pytest.mark.parametrize(("name", "arguments", "reference", "ulps"), CASES)
def test_values_are_within_their_ulps_of_the_truth(name, arguments, reference, ulps):
    got = FUNCTIONS[name](*arguments)
    with mpmath.workprec(160):
        for index, value in enumerate(got.tolist()):
            exact = reference(*(mpmath.mpf(float(argument[index])) for argument in arguments))
            unit = mpmath.mpf(math.ulp(float(exact)))
            at = [float(argument[index]) for argument in arguments]
            assert abs(mpmath.mpf(value) - exact) <= ulps * unit, (name, at)


INF, NAN = math.inf, math.nan


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("exp", (0.0,), 1.0),
        ("exp", (-0.0,), 1.0),
        ("exp", (INF,), INF),
        ("exp", (-INF,), 0.0),
        ("exp", (709.79,), INF),
        ("exp", (-746.0,), 0.0),
        ("exp", (-745.1,), 5e-324),
        ("exp", (NAN,), NAN),
        ("log", (0.0,), -INF),
        ("log", (1.0,), 0.0),
        ("log", (-1.0,), NAN),
        ("log", (INF,), INF),
        ("log", (5e-324,), -744.4400719213812),
        ("log10", (1e-5,), -5.0),
        ("log10", (1e22,), 22.0),
        ("log10", (-1.0,), NAN),
        ("sin", (0.0,), 0.0),
        ("cos", (0.0,), 1.0),
        ("sin", (INF,), NAN),
        ("tan", (-INF,), NAN),
        ("sin", (1e22,), -0.8522008497671888),
        ("asin", (1.0,), math.pi / 2),
        ("asin", (1.1,), NAN),
        ("acos", (-1.0,), math.pi),
        ("acos", (1.0,), 0.0),
        ("acos", (NAN,), NAN),
        ("acos", (-1.5,), NAN),
        ("atan", (INF,), math.pi / 2),
        ("atan", (-INF,), -math.pi / 2),
        ("atan", (NAN,), NAN),
        ("atan2", (0.0, 1.0), 0.0),
        ("atan2", (0.0, -1.0), math.pi),
        ("atan2", (-0.0, -1.0), math.pi),
        ("atan2", (1.0, 0.0), math.pi / 2),
        ("atan2", (-1.0, -0.0), -math.pi / 2),
        ("atan2", (0.0, 0.0), 0.0),
        ("atan2", (1.0, INF), 0.0),
        ("atan2", (1.0, -INF), math.pi),
        ("atan2", (INF, INF), math.pi / 4),
        ("atan2", (1e-300, -1e300), math.pi),
        ("atan2", (NAN, 1.0), NAN),
        ("sinh", (INF,), INF),
        ("sinh", (-800.0,), -INF),
        ("sinh", (710.0,), 1.1169973830808557e308),
        ("cosh", (-INF,), INF),
        ("cosh", (0.0,), 1.0),
        ("tanh", (INF,), 1.0),
        ("tanh", (-30.0,), -1.0),
        ("tanh", (NAN,), NAN),
        ("pow", (0.0, 0.0), 1.0),
        ("pow", (NAN, 0.0), 1.0),
        ("pow", (1.0, NAN), 1.0),
        ("pow", (0.0, -1.0), INF),
        ("pow", (0.0, 3.0), 0.0),
        ("pow", (-8.0, 3.0), -512.0),
        ("pow", (-8.0, 1 / 3), NAN),
        ("pow", (10.0, 308.0), 1e308),
        ("pow", (10.0, 309.0), INF),
        ("pow", (10.0, -400.0), 0.0),
        ("pow", (2.0, -1074.0), 5e-324),
        ("pow", (0.5, INF), 0.0),
        ("pow", (2.0, -INF), 0.0),
        ("pow", (2.0, INF), INF),
        ("pow", (INF, -1.0), 0.0),
        ("pow", (-INF, 3.0), -INF),
        ("pow", (1.0000000000000002, 1e300), INF),
        ("pow", (2.0, NAN), NAN),
        ("sqrt", (-1.0,), NAN),
        ("abs", (-2.5,), 2.5),
        ("min", (1.0, NAN), NAN),
        ("min", (3.0, 1.0, 2.0), 1.0),
        ("max", (NAN, 1.0), NAN),
        ("max", (3.0, 1.0, 2.0), 3.0),
        ("floor", (-1.5,), -2.0),
        ("ceil", (-1.5,), -1.0),
        ("round", (2.5,), 2.0),
        ("round", (3.14159, 2.0), 3.14),
        ("round", (1e300, 2.0), 1e300),
        ("round", (1.0, -1.0), NAN),
        ("round", (1.0, 0.5), NAN),
        ("hypot", (3e300, 4e300), 5e300),
        ("hypot", (3 * 2.0**-1000, 4 * 2.0**-1000), 5 * 2.0**-1000),
        ("hypot", (0.0, 0.0), 0.0),
        ("hypot", (INF, 1.0), INF),
        ("hypot", (1.0, 2.0, 2.0), 3.0),
    ],
)
def test_values_at_the_edges(name, arguments, expected):
    got = FUNCTIONS[name](*(np.asarray([argument]) for argument in arguments))[0]
    assert got == expected or (math.isnan(got) and math.isnan(expected))


@given(st.lists(st.floats(-1e150, 1e150), min_size=1, max_size=20))
def test_a_square_is_the_rounded_product(values):
    x = np.asarray(values)
    assert (FUNCTIONS["pow"](x, np.asarray([2.0])) == x * x).all()


@given(st.sampled_from(sorted(FUNCTIONS)), st.lists(st.floats(), min_size=1, max_size=8), st.floats())
def test_no_argument_makes_a_warning_or_changes_the_shape(name, values, other):
    x = np.asarray(values)
    two = name in ("atan2", "pow", "hypot", "min", "max")
    result = FUNCTIONS[name](x, np.asarray([other])) if two else FUNCTIONS[name](x)
    assert result.shape == x.shape
    assert result.dtype == np.float64


@given(st.lists(st.floats(-700, 700), min_size=2, max_size=30))
def test_a_value_does_not_depend_on_its_neighbours(values):
    x = np.asarray(values)
    for name in ("exp", "sin", "tan", "atan", "tanh", "sinh"):
        alone = np.concatenate([FUNCTIONS[name](x[i : i + 1]) for i in range(len(x))])
        assert alone.tobytes() == FUNCTIONS[name](x).tobytes()
