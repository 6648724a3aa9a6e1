"""Quantiles of every law: one conformance test for all, and each against its formula in mpmath."""

from fractions import Fraction as F

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.generators.catalogue import bounds_of
from doe_compiler.generators.laws.log_normal import LogNormal
from doe_compiler.generators.laws.normal import Normal
from doe_compiler.generators.laws.triangular import Triangular
from doe_compiler.generators.laws.uniform import Uniform
from doe_compiler.generators.sampling import level_index, quantile
from doe_compiler.generators.streams import Stream

LAWS = [
    Uniform(F(10), F(30)),
    Uniform(F(-1), F(1, 3)),
    Normal(F(5), F(2)),
    Normal(F(0), F(2), lower=F(-5), upper=F(5)),
    Normal(F(0), F(1), lower=F(6)),
    LogNormal(F(0), F(1, 2)),
    LogNormal(F(1), F(1, 4), lower=F(2), upper=F(4)),
    LogNormal(F(1), F(1, 4), lower=F(-2), upper=F(4)),
    Triangular(F(0), F(1), F(4)),
    Triangular(F(0), F(0), F(1)),
    Triangular(F(0), F(1), F(1)),
]
WHOLE = [
    Uniform(F(1), F(6)),
    Uniform(F(1, 2), F(7, 2)),
    Normal(F(0), F(3), lower=F(-9, 2), upper=F(7, 2)),
    LogNormal(F(2), F(1), lower=F(1)),
    Triangular(F(1, 3), F(2), F(9)),
]


class TestEveryLaw:
    @pytest.mark.parametrize("law", LAWS)
    @given(u=st.lists(st.integers(0, 2**52 - 1), min_size=1, max_size=30))
    def test_values_rise_with_the_coordinate_within_the_bounds(self, law, u):
        coordinates = np.sort((np.asarray(u) + 0.5) * 2.0**-52)
        values = quantile(law, coordinates)
        lower, upper = bounds_of(law)
        assert values.shape == (len(u),)
        assert np.isfinite(values).all()
        assert (np.diff(values) >= -1e-12).all()
        assert lower is None or values.min() >= float(lower)
        assert upper is None or values.max() <= float(upper)

    @pytest.mark.parametrize("law", WHOLE)
    @given(u=st.lists(st.integers(0, 2**52 - 1), min_size=1, max_size=30))
    def test_whole_numbers_are_whole_and_within_the_bounds(self, law, u):
        values = quantile(law, (np.asarray(u) + 0.5) * 2.0**-52, is_integer=True)
        lower, upper = bounds_of(law)
        assert (np.rint(values) == values).all()
        assert lower is None or values.min() >= lower
        assert upper is None or values.max() <= upper

    @pytest.mark.parametrize("law", LAWS)
    def test_the_extreme_coordinates_have_finite_values(self, law):
        assert np.isfinite(quantile(law, np.asarray([2.0**-53, 1 - 2.0**-53]))).all()


def test_uniform_is_half_open():
    law = Uniform(F(0), F(1, 3))
    assert quantile(law, np.asarray([1 - 2.0**-53]))[0] < 1 / 3
    law = Uniform(F(10**15), F(10**15 + 1))
    assert quantile(law, np.asarray([1 - 2.0**-53]))[0] < 1e15 + 1


def test_uniform_whole_numbers_are_equally_likely():
    values = quantile(Uniform(F(1), F(6)), Stream(1, "s", "die", "p").uniforms(60_000), is_integer=True)
    counts = np.bincount(values.astype(int), minlength=7)
    assert counts[0] == 0
    assert len(counts) == 7
    assert abs(counts[1:] - 10_000).max() < 400


def test_the_others_round_half_to_even():
    law = Triangular(F(0), F(0), F(10))
    u = np.asarray([0.0975, 0.2775])  # 0.5 and 1.5
    assert np.allclose(quantile(law, u.copy()), [0.5, 1.5])
    assert set(quantile(law, np.linspace(0.001, 0.999, 999), is_integer=True)) == set(range(11))


@pytest.mark.parametrize("u", [0.01, 0.2, 0.25, 0.3, 0.999])
def test_triangular_is_its_formula(u):
    got = quantile(Triangular(F(0), F(1), F(4)), np.asarray([u]))[0]
    exact = mpmath.sqrt(u * 4) if u < 0.25 else 4 - mpmath.sqrt((1 - mpmath.mpf(u)) * 12)
    assert abs(got / float(exact) - 1) < 1e-12


@pytest.mark.parametrize("u", [1e-9, 0.01, 0.4, 0.7, 1 - 1e-9])
def test_log_normal_is_the_exponential_of_normal(u):
    law = LogNormal(F(1, 2), F(3, 4))
    got = quantile(law, np.asarray([u]))[0]
    with mpmath.workprec(200):
        z = (mpmath.log(mpmath.mpf(float(got))) - 0.5) / 0.75
        assert abs(mpmath.ncdf(z) - mpmath.mpf(u)) / mpmath.npdf(z) < 1e-12 * max(abs(z), 1)


def test_truncated_is_not_clipped():
    values = quantile(Normal(F(0), F(1), lower=F(-1), upper=F(1)), Stream(1, "s", "x", "p").uniforms(10_000))
    assert len(np.unique(values)) == 10_000


@pytest.mark.parametrize(
    ("law", "is_integer"),
    [
        (Uniform(F(1, 3), F(2, 3)), True),
        (Normal(F(0), F(1), lower=F(1, 3), upper=F(2, 3)), True),
        (Normal(F(0), F(1), lower=F(50), upper=F(60)), False),
        (LogNormal(F(0), F(1), upper=F(-1)), False),
        (Uniform(F(0), F(10) ** 400), False),
    ],
)
def test_a_law_without_values_is_refused(law, is_integer):
    with pytest.raises(ValueError, match=r"no whole number|no probability|too large"):
        quantile(law, np.asarray([0.5]), is_integer=is_integer)


@given(st.integers(1, 10**7), st.lists(st.integers(0, 2**52 - 1), min_size=1, max_size=10))
def test_level_indices_are_in_range(count, u):
    index = level_index((np.asarray(u) + 0.5) * 2.0**-52, count)
    assert index.min() >= 0
    assert index.max() < count
