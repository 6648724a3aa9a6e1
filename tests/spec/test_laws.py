"""The logarithmic parameters against the textbook and against a library of many digits."""

from fractions import Fraction

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.generators.laws.log_normal import logarithmic_parameters

_positive = st.fractions(min_value=Fraction(1, 10**6), max_value=10**6)


@given(_positive, _positive)
def test_the_mean_and_std_come_back(mean, std):
    mu, sigma = logarithmic_parameters(mean, std)
    with mpmath.workdps(40):
        mu_mp = mpmath.mpf(mu.numerator) / mu.denominator
        variance = (mpmath.mpf(sigma.numerator) / sigma.denominator) ** 2
        mean_back = mpmath.exp(mu_mp + variance / 2)
        std_back = mean_back * mpmath.sqrt(mpmath.expm1(variance))
        assert mpmath.almosteq(mean_back, mpmath.mpf(mean.numerator) / mean.denominator, 1e-25)
        assert mpmath.almosteq(std_back, mpmath.mpf(std.numerator) / std.denominator, 1e-15)


@pytest.mark.parametrize("ratio", [Fraction(1, 10**150), Fraction(1, 10**25), Fraction(10**100)])
def test_extreme_ratios_keep_their_digits(ratio):
    _, sigma = logarithmic_parameters(Fraction(1), ratio)
    assert sigma > 0
    if ratio < 1:
        assert abs(sigma / ratio - 1) < Fraction(1, 10**30)


def test_the_same_arguments_give_the_same_digits():
    mu, sigma = logarithmic_parameters(Fraction(5, 2), Fraction(1, 2))
    assert f"{float(mu):.17g} {float(sigma):.17g}" == "0.89668037529751443 0.19804220043536502"
