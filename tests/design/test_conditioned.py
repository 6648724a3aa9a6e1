"""Hypercubes within constraints: the number of runs is kept, and so is the evenness of the region that is left."""

from fractions import Fraction as F

import numpy as np
import pytest
from design_studies import built, levels, refusals, study, uniform
from scipy.stats import kstest, spearmanr

from doe_compiler.design.build import build
from doe_compiler.spec.model import Correlation


def numbers(design, *names):
    return np.column_stack([[float(cell) for cell in design.cells(name)] for name in names])


@pytest.mark.parametrize("n", [10, 100, 400])
def test_the_runs_are_kept_and_satisfy_the_constraints(n):
    design = built(
        study(uniform("x"), uniform("y"), method="latin-hypercube", runs=n, constraints=["x + y < 1.2"])
    )
    found = numbers(design, "x", "y")
    assert len(found) == n
    assert (found.sum(axis=1) < 1.2).all()


def test_a_triangle_is_filled_as_its_own_law_says():
    """x < y on the unit square: P(x < t) = 1 - (1 - t)**2, P(y < t) = t**2; a hypercube is closer than chance."""
    spec = study(uniform("x"), uniform("y"), method="latin-hypercube", runs=200, constraints=["x < y"])
    found = numbers(built(spec), "x", "y")
    assert kstest(found[:, 0], lambda t: 1 - (1 - t) ** 2).statistic < 0.03
    assert kstest(found[:, 1], lambda t: t**2).statistic < 0.03


def test_a_constraint_that_leaves_all_gives_a_hypercube():
    spec = study(uniform("x"), uniform("y"), method="latin-hypercube", runs=50, constraints=["x < 2"])
    for column in numbers(built(spec), "x", "y").T:
        counts = np.bincount((column * 50).astype(int), minlength=50)
        assert (counts > 0).mean() > 0.6  # strata are those of the candidates, near those of the law


def test_levels_are_used_evenly_and_cells_are_crossed():
    design = built(
        study(
            uniform("x"),
            levels("m", "a", "b", "c"),
            levels("s", "p", "q"),
            method="latin-hypercube",
            runs=30,
            constraints=["x < 0.7"],
            cross=("s",),
        )
    )
    assert design.n == 60
    assert [design.cells("m").count(level) for level in "abc"] == pytest.approx([20, 20, 20], abs=4)
    assert design.cells("s")[:2] == ["p", "q"]
    assert design.cells("x")[0] == design.cells("x")[1]


def test_correlation_goes_with_it():
    pair = Correlation(("x", "y"), ((F(1), F("0.7")), (F("0.7"), F(1))))
    spec = study(
        uniform("x"),
        uniform("y"),
        method="latin-hypercube",
        runs=300,
        constraints=["x < 0.9"],
        correlation=pair,
    )
    assert spearmanr(numbers(built(spec), "x", "y")).statistic > 0.5


def test_an_empty_region_is_found_out():
    spec = study(uniform("x"), uniform("y"), method="latin-hypercube", runs=10, constraints=["x + y > 3"])
    (finding,) = refusals(spec)
    assert finding.code == "E525"


def test_a_region_that_cannot_be_even_is_told():
    """Two far corners and no more: half of the strata of each variable are those of one corner."""
    spec = study(
        *(uniform(name) for name in "abcdef"),
        method="latin-hypercube",
        runs=40,
        constraints=["(a < 0.3 and b < 0.3 and c < 0.3) or (a > 0.7 and b > 0.7 and c > 0.7)"],
    )
    design, findings = build(spec)
    assert design.n == 40
    assert {finding.code for finding in findings} <= {"E526", "E529"}
