"""What a design must not be silent about: models that it cannot determine, values that no law has, runs that repeat others."""

from fractions import Fraction

import numpy as np
import pytest
from design_studies import built, levels, refusals, study, uniform, variable

from doe_compiler.cli.design_shown import block_text
from doe_compiler.design.measure import measures
from doe_compiler.generators.laws.log_uniform import LogUniform
from doe_compiler.generators.laws.normal import Normal
from doe_compiler.generators.laws.weibull import Weibull
from doe_compiler.generators.sampling import quantile
from doe_compiler.methods.catalogue import METHODS
from doe_compiler.methods.method import Factor, Task
from doe_compiler.methods.optimal import model_matrix
from doe_compiler.spec.model import Levels

X, Y = uniform("x"), uniform("y")


@pytest.mark.parametrize("method", ["d-optimal", "i-optimal"])
def test_a_narrow_region_gets_a_grid_that_determines_the_model(method):
    spec = study(
        X,
        Y,
        method=method,
        runs=6,
        options={"model": "quadratic"},
        constraints=["x + y > 0.7", "x + y < 0.95"],
    )
    design = built(spec)
    points = np.stack([design.column(name).numbers() for name in "xy"], axis=1) * 2.0 - 1.0
    model = model_matrix(Task((Factor("x"), Factor("y")), options={"model": "quadratic"}), points)
    assert np.linalg.matrix_rank(model) == 6
    assert measures(spec, design).repeats == 0


@pytest.mark.parametrize("method", ["d-optimal", "i-optimal"])
def test_a_model_that_no_runs_determine_is_refused(method):
    spec = study(X, Y, method=method, runs=6, options={"model": "linear"}, constraints=["x + y == 1"])
    (finding,) = refusals(spec)
    assert "no runs within the constraints determine the model" in finding.message


@pytest.mark.parametrize(
    "option", [{"nested": True}, {"sliced": ["s"]}, {"strength": 2}, {"criterion": "maximin"}]
)
def test_a_hypercube_that_correlation_would_spoil_is_refused(option):
    factors = (Factor("x"), Factor("y"), Factor("s", 2))
    options = {**option, "correlation": {"x/y": 0.6}}
    (misfit,) = METHODS["latin-hypercube"].misfits(Task(factors, 16, options))
    assert "correlation do not go together" in misfit.message
    for criterion in ("random", "centered"):
        fine = Task(factors, 16, {"criterion": criterion, "correlation": {"x/y": 0.6}})
        assert list(METHODS["latin-hypercube"].misfits(fine)) == []


@pytest.mark.parametrize("options", [{"method": "star"}, {"method": "full-factorial", "options": {"levels": 5}},
                                     {"method": "d-optimal", "runs": 8, "options": {"model": "quadratic"}}])  # fmt: skip
def test_a_design_on_levels_is_measured_by_its_codes(options):
    spread = study(variable("x", LogUniform(Fraction(1), Fraction(100))), Y, **options)
    plain = study(X, Y, **options)
    assert measures(spread, built(spread)).distance == pytest.approx(measures(plain, built(plain)).distance)
    assert measures(spread, built(spread)).discrepancy == pytest.approx(
        measures(plain, built(plain)).discrepancy
    )


def test_runs_that_repeat_others_are_counted():
    few = (levels("a", "1", "2"), levels("b", "1", "2"), levels("c", "p", "q", "r"))
    spec = study(*few, method="orthogonal-array", options={"array": "L36"})
    assert measures(spec, built(spec)).repeats == 24
    spec = study(X, Y, method="full-factorial", options={"levels": 3}, replicates=4)
    assert measures(spec, built(spec)).repeats == 0


def test_an_array_that_is_no_smaller_than_all_combinations_is_refused():
    factors = (Factor("a", 2), Factor("b", 2), Factor("c", 3))
    (misfit,) = METHODS["orthogonal-array"].misfits(Task(factors))
    assert misfit.message.endswith("has 36 runs, all combinations are 12")
    assert list(METHODS["orthogonal-array"].misfits(Task(factors, options={"array": "L36"}))) == []


def test_a_design_that_would_leave_a_law_is_refused():
    strength = variable("y", Weibull(Fraction(2), Fraction(1), lower=Fraction("0.1"), upper=Fraction(3)))
    (finding,) = refusals(study(X, strength, method="central-composite"))
    assert "below its minimum 0.1" in finding.message
    assert "axial: inscribed" in finding.hint
    assert built(study(X, strength, method="central-composite", options={"axial": "faced"})).n == 9
    assert min(built(study(X, Y, method="central-composite")).column("y").numbers()) < 0


def test_a_variable_that_never_changes_is_told_of():
    """The levels of a morris design are the middles of quarters, and all of them are in the first level's share."""
    rare = variable("w", Levels(("p", "q"), weights=(Fraction(9), Fraction(1))))
    design = built(study(X, rare, method="morris", runs=12), "E573")
    assert set(design.cells("w")) == {"p"}
    built(study(X, rare, method="monte-carlo", runs=100))


@pytest.mark.parametrize("ends", [(-1, 2), (-1, None), (None, 2)])
def test_the_ends_of_a_whole_law_have_their_whole_share(ends):
    low, high = (None if end is None else Fraction(end) for end in ends)
    law = Normal(Fraction(0), Fraction(3, 2), lower=low, upper=high)
    n = 200_000
    values = quantile(law, (np.arange(n) + 0.5) / n, is_integer=True)
    whole = np.arange(ends[0] if low is not None else -9, (ends[1] if high is not None else 9) + 1)
    from statistics import NormalDist

    cdf = NormalDist(0, 1.5).cdf
    shares = np.asarray([cdf(k + 0.5) - cdf(k - 0.5) for k in whole.tolist()])
    found = np.asarray([(values == k).mean() for k in whole])
    assert found == pytest.approx(shares / shares.sum(), abs=2e-5)
    assert (values.min(), values.max()) == (whole[0], whole[-1]) or None in ends


def test_what_blocks_hide_is_shown():
    six = [uniform(name) for name in "abcdef"]
    text = block_text(study(*six, method="fractional-factorial", options={"blocks": 4}))
    assert text.startswith("Not told apart from the blocks: ")
    assert text.count("*") == 3
    five = [uniform(name) for name in "abcde"]
    text = block_text(study(*five, method="full-factorial", options={"levels": 2, "blocks": 4}))
    assert text == "Not told apart from the blocks: no variable and no product of two\n"
