"""Rank correlation: reached within its sampling error, on any laws, keeping old rows or strata."""

from fractions import Fraction as F

import numpy as np
import pytest
from design_studies import CORRELATIONS, MIXED, built, study, uniform
from scipy.stats import spearmanr

from doe_compiler.spec.model import Correlation

PAIR = Correlation(("x", "y"), ((F(1), F("0.7")), (F("0.7"), F(1))))


def columns(design, *names):
    codes = {"p": 0.0, "q": 1.0, "r": 2.0}
    return np.column_stack(
        [[codes.get(c) if c in codes else float(c) for c in design.cells(n)] for n in names]
    )


@pytest.mark.parametrize("method", ["monte-carlo", "sobol", "halton", "r-sequence", "latin-hypercube"])
@pytest.mark.parametrize("by", ["copula", "iman-conover"])
@pytest.mark.parametrize("rho", ["-0.95", "-0.3", "0.5", "0.9"])
def test_a_pair_has_the_rank_correlation_that_was_asked_for(method, by, rho):
    asked = Correlation(("x", "y"), ((F(1), F(rho)), (F(rho), F(1))), by)
    design = built(study(*MIXED, method=method, runs=4000, correlation=asked))
    found = spearmanr(columns(design, "x", "y")).statistic
    error = 1 / np.sqrt(4000) if method == "monte-carlo" and by == "copula" else 0.01
    assert abs(found - float(rho)) < 3 * error


@pytest.mark.parametrize("method", ["sobol", "latin-hypercube"])
def test_a_matrix_of_mixed_laws_is_reached_and_others_stay_free(method):
    design = built(
        study(*MIXED, method=method, runs=8000, correlation=Correlation(("x", "y", "m"), CORRELATIONS))
    )
    found = spearmanr(columns(design, "free", "x", "y", "m")).statistic
    assert abs(found[1, 2] - 0.8) < 0.02
    assert abs(found[1, 3] + 0.5) < 0.06  # three levels have ties
    assert abs(found[2, 3] + 0.3) < 0.06
    assert np.abs(found[0, 1:]).max() < 0.04


def test_a_copula_keeps_old_rows_and_columns_outside():
    pair = (uniform("free"), uniform("x"), uniform("y"))
    few, many = (built(study(*pair, method="sobol", runs=n, correlation=PAIR)) for n in (50, 80))
    for name in ("free", "x", "y"):
        assert many.cells(name)[:50] == few.cells(name)
    plain = built(study(*pair, method="sobol", runs=50))
    assert plain.cells("free") == few.cells("free")
    assert plain.cells("x") == few.cells("x")
    assert plain.cells("y") != few.cells("y")


def test_iman_and_conover_keep_the_strata_of_a_hypercube():
    design = built(study(uniform("x"), uniform("y"), method="latin-hypercube", runs=100, correlation=PAIR))
    for column in columns(design, "x", "y").T:
        assert sorted((column * 100).astype(int)) == list(range(100))
    assert spearmanr(columns(design, "x", "y")).statistic == pytest.approx(0.7, abs=0.05)


def test_few_runs_are_taken_as_they_are():
    design = built(study(uniform("x"), uniform("y"), method="latin-hypercube", runs=2, correlation=PAIR))
    assert design.n == 2


def test_constraints_and_a_copula_go_together():
    design = built(
        study(
            uniform("x"),
            uniform("y"),
            method="sobol",
            runs=200,
            correlation=PAIR,
            constraints=["x + y < 1.2"],
        )
    )
    assert (columns(design, "x", "y").sum(axis=1) < 1.2).all()
    assert spearmanr(columns(design, "x", "y")).statistic > 0.3
