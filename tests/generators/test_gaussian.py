"""The normal distribution against mpmath, far into the tails."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.generators.gaussian import normal_cdf, normal_quantile, truncated_normal_quantile

RANDOM = np.random.default_rng(5)


def test_the_cumulative_function_keeps_its_digits_in_the_tail():
    z = np.concatenate(
        [RANDOM.uniform(-37, 8, 200), RANDOM.uniform(-1, 1, 100), [0.0, -0.67448975, 5.656854249]]
    )
    with mpmath.workprec(120):
        for at, p in zip(z.tolist(), normal_cdf(z).tolist(), strict=True):
            assert abs(mpmath.mpf(p) / mpmath.ncdf(at) - 1) < 1e-14, at


def test_the_cumulative_function_at_its_ends():
    assert normal_cdf(np.asarray([-math.inf, math.inf, -50, 50, 0])).tolist() == [0.0, 1.0, 0.0, 1.0, 0.5]
    assert np.isnan(normal_cdf(np.asarray([math.nan]))).all()


def quantile_error(z, p):
    """The relative error of a quantile, from the probability that it has."""
    exact_p, exact_z = mpmath.mpf(p), mpmath.mpf(z)
    missing = mpmath.ncdf(exact_z) - exact_p if z < 0 else (1 - exact_p) - mpmath.ncdf(-exact_z)
    return abs(missing / mpmath.npdf(exact_z) / exact_z)


def test_quantiles_are_right_to_1e_12():
    p = np.concatenate(
        [RANDOM.uniform(0, 1, 100), 10.0 ** RANDOM.uniform(-300, -1, 60), [2.0**-53, 1 - 2.0**-53]]
    )
    with mpmath.workprec(1100):
        for at, z in zip(p.tolist(), normal_quantile(p).tolist(), strict=True):
            assert quantile_error(z, at) < 1e-15, at


def test_quantiles_are_symmetric():
    u = (np.arange(1, 2000) + 0.5) * 2.0**-11
    u = u[u < 1]
    assert (normal_quantile(u) == -normal_quantile(1.0 - u)).all()


@pytest.mark.parametrize(
    ("lower", "upper"),
    [
        (-1, 2),
        (-5, 5),
        (-8, 1),
        (3, 4),
        (8, 9),
        (30, 31),
        (-31, -30),
        (-math.inf, -10),
        (10, math.inf),
        (0, 1),
        (-1, 0),
    ],
)
def test_truncated_quantiles_are_right_to_1e_12(lower, upper):
    u = np.concatenate([RANDOM.uniform(0, 1, 15), [2.0**-53, 1 - 2.0**-53, 0.5]])
    with mpmath.workprec(1600):
        below, above = mpmath.ncdf(lower), mpmath.ncdf(-mpmath.mpf(upper))
        width = 1 - below - above
        for at, z in zip(u.tolist(), truncated_normal_quantile(u, lower, upper).tolist(), strict=True):
            assert lower <= z <= upper
            missing = mpmath.ncdf(z) - below - mpmath.mpf(at) * width
            error = abs(missing / mpmath.npdf(z))
            assert error < 1e-12 * max(abs(z), 1), (at, z)


@given(st.floats(-30, 29), st.floats(1e-6, 50), st.lists(st.floats(1e-9, 1 - 1e-9), min_size=1, max_size=20))
def test_truncation_keeps_the_order_and_the_bounds(lower, width, coordinates):
    u = np.sort(np.asarray(coordinates))
    z = truncated_normal_quantile(u, lower, lower + width)
    assert (np.diff(z) >= -1e-12).all()
    assert z.min() >= lower
    assert z.max() <= lower + width


def test_mirrored_bounds_mirror_the_quantiles():
    u = np.asarray([0.125, 0.5, 0.875])
    left, right = truncated_normal_quantile(u, -9, -8), truncated_normal_quantile(1 - u, 8, 9)
    assert (left == -right).all()


@pytest.mark.parametrize(("lower", "upper"), [(40, 41), (2, 1), (-60, -50), (1, 1)])
def test_bounds_without_probability_are_refused(lower, upper):
    with pytest.raises(ValueError, match="no probability"):
        truncated_normal_quantile(np.asarray([0.5]), lower, upper)
