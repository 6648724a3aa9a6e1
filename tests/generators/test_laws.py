"""Every law of the catalogue: one conformance class, and its numbers against scipy and mpmath."""

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction as F

import mpmath
import numpy as np
import pytest
from scipy import stats

from doe_compiler.generators.catalogue import GENERATORS, bounds_of, record_of
from doe_compiler.generators.laws.beta import Beta
from doe_compiler.generators.laws.binomial import Binomial
from doe_compiler.generators.laws.empirical import Empirical
from doe_compiler.generators.laws.exponential import Exponential
from doe_compiler.generators.laws.gamma import Gamma
from doe_compiler.generators.laws.gumbel import Gumbel
from doe_compiler.generators.laws.histogram import Histogram
from doe_compiler.generators.laws.log_normal import LogNormal
from doe_compiler.generators.laws.log_uniform import LogUniform
from doe_compiler.generators.laws.normal import Normal
from doe_compiler.generators.laws.pert import Pert
from doe_compiler.generators.laws.poisson import Poisson
from doe_compiler.generators.laws.student import Student
from doe_compiler.generators.laws.triangular import Triangular
from doe_compiler.generators.laws.uniform import Uniform
from doe_compiler.generators.laws.weibull import Weibull
from doe_compiler.generators.sampling import quantile, weighted_index
from doe_compiler.generators.streams import Stream

# law, and the same one of scipy
CONTINUOUS = [
    (Uniform(F(10), F(30)), stats.uniform(10, 20)),
    (Normal(F(5), F(2)), stats.norm(5, 2)),
    (LogNormal(F(1, 2), F(3, 4)), stats.lognorm(0.75, scale=np.exp(0.5))),
    (Triangular(F(0), F(1), F(4)), stats.triang(0.25, 0, 4)),
    (LogUniform(F(1, 1000), F(100)), stats.loguniform(0.001, 100)),
    (Pert(F(1), F(2), F(5)), stats.beta(2, 4, 1, 4)),
    (Pert(F(0), F(0), F(1), F(2)), stats.beta(1, 3)),
    (Beta(F(2), F(5)), stats.beta(2, 5)),
    (Beta(F(1, 2), F(1, 2), F(-1), F(3)), stats.beta(0.5, 0.5, -1, 4)),
    (Beta(F(300), F(20)), stats.beta(300, 20)),
    (Gamma(F(5, 2), F(3, 2)), stats.gamma(2.5, scale=1.5)),
    (Gamma(F(1, 5), F(1)), stats.gamma(0.2)),
    (Gamma(F(900), F(1, 10)), stats.gamma(900, scale=0.1)),
    (Weibull(F(3, 2), F(100)), stats.weibull_min(1.5, scale=100)),
    (Exponential(F(5, 2)), stats.expon(scale=2.5)),
    (Gumbel(F(25), F(3)), stats.gumbel_r(25, 3)),
    (Student(F(5)), stats.t(5)),
    (Student(F(5, 2), F(3), F(2)), stats.t(2.5, 3, 2)),
    (
        Histogram((F(0), F(1), F(2), F(5)), (F(1), F(3), F(2))),
        stats.rv_histogram(([1, 3, 2], [0, 1, 2, 5]), density=False),
    ),
]
COUNTED = [
    (Poisson(F(9, 2)), stats.poisson(4.5)),
    (Poisson(F(100_000)), stats.poisson(100_000)),
    (Poisson(F(1, 100)), stats.poisson(0.01)),
    (Binomial(20, F(3, 10)), stats.binom(20, 0.3)),
    (Binomial(1_000_000, F(1, 3)), stats.binom(1_000_000, 1 / 3)),
]
SEEN = Empirical((F(1), F(2), F(7)), (1, 2, 1))
TAILS = np.concatenate([2.0 ** -np.arange(1.0, 54.0), [0.3, 0.01, 0.123456, 0.499]])
HALF_ULP = 2.0**-53


def test_every_drawn_law_is_held_against_another_s_numbers():
    told = {type(law).__name__ for law, _ in (*CONTINUOUS, *COUNTED)} | {"Empirical"}
    assert told == {name for name, record in GENERATORS.items() if record.drawn is not None}


def number(value):
    return mpmath.mpf(value.numerator) / value.denominator


class TestEveryLaw:
    @pytest.mark.parametrize("law", [law for law, _ in (*CONTINUOUS, *COUNTED)] + [SEEN])
    def test_values_rise_within_the_bounds_and_extremes_are_finite(self, law):
        u = np.sort(np.concatenate([TAILS, 1.0 - TAILS]))
        values = quantile(law, u)
        low, high = bounds_of(law)
        assert np.isfinite(values).all()
        assert (np.diff(values) >= 0).all()
        assert low is None or values.min() >= float(low)
        assert high is None or values.max() <= float(high)

    @pytest.mark.parametrize("law", [law for law, _ in (*CONTINUOUS, *COUNTED)] + [SEEN])
    def test_truncation_keeps_the_law_between_its_bounds(self, law):
        lower, upper = (F(value) for value in quantile(law, np.asarray([0.2, 0.9])).tolist())
        cut = replace(law, lower=lower, upper=upper)
        u = Stream(1, "s", "x", "truncated").uniforms(2000)
        values = quantile(cut, u.copy())
        assert values.min() >= float(lower)
        assert values.max() <= float(upper)
        below, _ = record_of(law).drawn.tails(law, np.asarray([float(lower), float(upper)]))
        if (law, None) not in [(one, None) for one, _ in COUNTED] and law is not SEEN:
            free = quantile(law, below[0] + u * (below[1] - below[0]))
            assert np.allclose(values, free, rtol=1e-9, atol=1e-12)

    @pytest.mark.parametrize("law", [law for law, _ in (*CONTINUOUS, *COUNTED)])
    def test_a_value_does_not_hang_on_its_neighbours(self, law):
        u = Stream(1, "s", "x", "alone").uniforms(50)
        together = quantile(law, u.copy())
        alone = [quantile(law, np.asarray([one]))[0] for one in u]
        assert together.tolist() == alone

    @pytest.mark.parametrize(("law", "other"), CONTINUOUS)
    def test_quantiles_are_scipy_s(self, law, other):
        u = np.asarray([1e-12, 1e-9, 1e-3, 0.1, 0.3, 0.5, 0.7, 0.9, 0.999, 1 - 1e-9])
        assert np.allclose(quantile(law, u.copy()), other.ppf(u), rtol=1e-9, atol=1e-9)

    @pytest.mark.parametrize(("law", "other"), COUNTED)
    def test_counts_are_scipy_s(self, law, other):
        u = Stream(1, "s", "x", "counts").uniforms(20_000)
        assert (quantile(law, u.copy()) == other.ppf(u)).all()
        u = np.concatenate([TAILS[TAILS > 1e-13], 1.0 - TAILS[TAILS > 1e-13]])
        assert np.abs(quantile(law, u.copy()) - other.ppf(u)).max() <= 1

    @pytest.mark.parametrize(("law", "other"), [*CONTINUOUS, *COUNTED])
    def test_a_million_draws_have_the_moments_and_pass_kolmogorov_smirnov(self, law, other):
        values = quantile(law, Stream(3, "s", type(law).__name__, "moments").uniforms(1_000_000))
        drawn = record_of(law).drawn
        mean, variance = drawn.mean(law), drawn.variance(law)
        assert mean == pytest.approx(other.mean(), rel=1e-9, abs=1e-12)
        assert variance == pytest.approx(other.var(), rel=1e-6)
        error = 6 * (variance / len(values)) ** 0.5
        assert abs(values.mean() - mean) < error
        if (law, other) in CONTINUOUS:
            distance = stats.kstest(values, other.cdf).statistic
            assert distance < 1.95 / 1000  # significance 0.001

    @pytest.mark.parametrize(("law", "other"), CONTINUOUS)
    def test_tails_are_scipy_s(self, law, other):
        x = other.ppf(np.asarray([1e-9, 0.01, 0.3, 0.5, 0.8, 0.99, 1 - 1e-9]))
        below, above = record_of(law).drawn.tails(law, x)
        assert np.allclose(below, other.cdf(x), rtol=1e-6)
        assert np.allclose(above, other.sf(x), rtol=1e-6)


def tail_error(law, u, tails, density):
    """The relative error of values, from how far their tails in mpmath are from the coordinates."""
    worst = 0.0
    values = quantile(law, np.asarray(u))
    with mpmath.workdps(40):
        for coordinate, value in zip(u, values.tolist(), strict=True):
            x = mpmath.mpf(value)
            p = mpmath.mpf(coordinate)
            below = tails(x)
            worst = max(worst, float(abs((below - p) / (density(x) * x))))
    return worst


LOW = [HALF_ULP, 1e-12, 1e-6, 0.01, 0.2, 0.5]
HIGH = [0.5, 0.8, 0.99, 1 - 1e-6, 1 - 1e-12]


@pytest.mark.parametrize("law", [law for law, _ in CONTINUOUS if isinstance(law, Gamma)])
def test_gamma_has_twelve_digits_in_both_tails(law):
    a, scale = number(law.shape), number(law.scale)

    def below(x):
        return mpmath.gammainc(a, 0, x / scale, regularized=True)

    def density(x):
        return mpmath.exp((a - 1) * mpmath.log(x / scale) - x / scale - mpmath.loggamma(a)) / scale

    assert tail_error(law, [*LOW, *HIGH], below, density) < 1e-12


@pytest.mark.parametrize("law", [Beta(F(2), F(5)), Beta(F(1, 2), F(1, 2)), Beta(F(300), F(20))])
def test_beta_has_twelve_digits_in_both_tails(law):
    a, b = number(law.alpha), number(law.beta)

    def below(x):
        return mpmath.betainc(a, b, 0, x, regularized=True)

    def density(x):
        return x ** (a - 1) * (1 - x) ** (b - 1) / mpmath.beta(a, b)

    assert tail_error(law, LOW, below, density) < 1e-12
    mirrored = Beta(law.beta, law.alpha)
    high = quantile(law, 1.0 - np.asarray(LOW))
    assert np.allclose(1.0 - high, quantile(mirrored, 1.0 - (1.0 - np.asarray(LOW))), rtol=1e-12, atol=2e-16)


@pytest.mark.parametrize("df", [F(1), F(5, 2), F(30)])
def test_student_has_twelve_digits_in_both_tails(df):
    n = number(df)

    def below(x):
        share = mpmath.betainc(n / 2, mpmath.mpf(1) / 2, 0, n / (n + x * x), regularized=True) / 2
        return share if x < 0 else 1 - share

    def density(x):
        return (1 + x * x / n) ** (-(n + 1) / 2) / (mpmath.sqrt(n) * mpmath.beta(n / 2, mpmath.mpf(1) / 2))

    assert (
        tail_error(Student(df), [HALF_ULP, 1e-12, 0.01, 0.2, 0.499, 0.51, 0.8, 1 - 1e-9], below, density)
        < 1e-12
    )
    assert quantile(Student(df), np.asarray([0.5]))[0] == 0


@pytest.mark.parametrize("u", [HALF_ULP, 1e-9, 0.1, 0.49, 0.51, 0.9, 1 - 1e-9, 1 - HALF_ULP])
def test_formulas_have_twelve_digits(u):
    with mpmath.workdps(40):
        p = mpmath.mpf(u)
        wanted = {
            LogUniform(F(1, 1000), F(100)): mpmath.mpf("0.001") * mpmath.mpf(10) ** (5 * p),
            Exponential(F(5, 2)): -mpmath.log(1 - p) * 5 / 2,
            Weibull(F(3, 2), F(100)): 100 * (-mpmath.log(1 - p)) ** (mpmath.mpf(2) / 3),
            Gumbel(F(25), F(3)): 25 - 3 * mpmath.log(-mpmath.log(p)),
            Triangular(F(0), F(1), F(4)): mpmath.sqrt(4 * p) if p < 0.25 else 4 - mpmath.sqrt((1 - p) * 12),
        }
        for law, value in wanted.items():
            assert abs(mpmath.mpf(quantile(law, np.asarray([u]))[0]) / value - 1) < 1e-12, law


def test_a_histogram_is_even_within_its_bins_and_leaves_empty_ones_out():
    law = Histogram((F(0), F(1), F(2), F(6)), (F(1), F(0), F(1)))
    u = np.asarray([0.25, 0.499999, 0.5, 0.75])
    assert quantile(law, u).tolist() == pytest.approx([0.5, 0.999998, 2, 4])
    values = quantile(law, Stream(1, "s", "x", "h").uniforms(10_000))
    assert not ((values > 1) & (values < 2)).any()


def test_an_empirical_value_is_as_likely_as_it_is_frequent():
    u = np.asarray([0.1, 0.24, 0.26, 0.74, 0.76, 0.99])
    assert quantile(SEEN, u).tolist() == [1, 1, 2, 2, 7, 7]
    assert quantile(replace(SEEN, lower=F(2)), u).tolist() == [2, 2, 2, 7, 7, 7]


def test_weighted_levels_are_as_likely_as_their_weights():
    index = weighted_index(Stream(1, "s", "x", "w").uniforms(100_000), (F(3), F(0), F(1)))
    counts = np.bincount(index, minlength=3)
    assert counts[1] == 0
    assert abs(counts[0] - 75_000) < 800


def test_records_are_read_without_numpy():
    code = (
        "import sys; from doe_compiler.generators.catalogue import GENERATORS;"
        "assert len(GENERATORS) == 18; assert 'numpy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
