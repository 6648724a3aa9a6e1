"""Optimal designs: proved on small cases by trying all, and against designs that are known to be optimal."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from doe_compiler.methods.catalogue import METHODS
from doe_compiler.methods.method import Task
from doe_compiler.methods.optimal import _moments, column_count, d_efficiency, model_matrix, terms_of


def chosen(name, task):
    assert list(METHODS[name].misfits(task)) == []
    points = METHODS[name].coded(task)
    assert len(points) == task.runs
    return points


def information(task, points):
    model = model_matrix(task, points)
    return model.T @ model / len(points)


def all_designs(grid, n):
    return itertools.combinations_with_replacement(range(len(grid)), n)


GRID = np.asarray(list(itertools.product([-1.0, 0.0, 1.0], repeat=2)))


@pytest.mark.parametrize("n", [6, 7, 8, 9])
def test_no_design_on_the_grid_determines_a_quadratic_model_better(n, task):
    """All designs of n runs on the 3 x 3 grid are tried (3,003 to 24,310)."""
    asked = task(2, n, model="quadratic")
    rows = model_matrix(asked, GRID)
    squares = rows[:, :, None] * rows[:, None, :]
    best = max(np.linalg.det(squares[list(design)].sum(axis=0)) for design in all_designs(GRID, n))
    found = np.linalg.det(information(asked, chosen("d-optimal", asked)) * n)
    assert found == pytest.approx(best, rel=1e-9)


def mean_over_the_region(task):
    """The mean of f f' over the cube, by Gauss-Legendre of 6 nodes a range and all levels."""
    nodes, weights = np.polynomial.legendre.leggauss(6)
    places = [range(factor.count) if factor.count else nodes for factor in task.factors]
    shares = [np.full(f.count, 1 / f.count) if f.count else weights / 2 for f in task.factors]
    rows = model_matrix(task, np.asarray(list(itertools.product(*places)), float))
    share = np.asarray([np.prod(each) for each in itertools.product(*shares)])
    return (rows * share[:, None]).T @ rows


def mean_variance(task, points):
    """The variance of a prediction averaged over the region, in units of that of an observation."""
    return np.trace(np.linalg.inv(information(task, points) * len(points)) @ mean_over_the_region(task))


@pytest.mark.parametrize(
    ("counts", "model"),
    [([0, 0, 0], "quadratic"), ([3, 0, 2], "interactions"), ([0, 4], ["v0**4", "v0*v1"]), ([5], "linear")],
)
def test_the_region_is_weighted_evenly(counts, model, task):
    asked = task(len(counts), 40, counts=counts, model=model)
    assert _moments(asked) == pytest.approx(mean_over_the_region(asked), abs=1e-14)


def test_within_constraints_the_region_is_what_they_leave(task):
    asked = replace(task(2, 12, model="quadratic"), allowed=lambda points: points[:, 0] + points[:, 1] <= 0)
    found = _moments(asked)
    # Of the triangle below the diagonal: the means of 1, x, y, x*y, x**2 and y**2.
    assert found[0, :3] == pytest.approx([1, -1 / 3, -1 / 3], abs=0.01)
    assert found[0, 3:] == pytest.approx([0, 1 / 3, 1 / 3], abs=0.01)


# One factor: weights 1/4, 1/2, 1/4 on -1, 0, 1 (Goos and Jones 2011, chapter 4); 8/15 of a middle, 2/15 of an end.
@pytest.mark.parametrize(("n", "middle"), [(4, 2), (8, 4), (12, 6)])
def test_a_quadratic_in_one_factor_has_half_of_its_runs_in_the_middle(n, middle, task):
    asked = task(1, n, model="quadratic")
    points = chosen("i-optimal", asked)
    assert (points == 0).sum() == middle
    ends = (n - middle) / 2
    assert mean_variance(asked, points) == pytest.approx(8 / 15 / middle + 2 * 2 / 15 / ends)


@pytest.mark.parametrize(
    ("k", "n", "most"), [(2, 8, 0.5219), (2, 12, 0.3029), (3, 14, 0.4168), (3, 20, 0.2668)]
)
def test_predictions_are_as_sharp_as_those_of_designs_found_elsewhere(k, n, most, task):
    """Found by an exchange on the three-level grid of another hand."""
    asked = task(k, n, model="quadratic")
    assert mean_variance(asked, chosen("i-optimal", asked)) <= most


@pytest.mark.parametrize("n", [6, 8])
def test_no_design_on_the_grid_predicts_a_quadratic_model_better(n, task):
    asked = task(2, n, model="quadratic")
    rows = model_matrix(asked, GRID)
    moments = mean_over_the_region(asked)
    squares = rows[:, :, None] * rows[:, None, :]

    def variance(matrix):
        return np.trace(np.linalg.inv(matrix) @ moments) if np.linalg.det(matrix) > 1e-9 else np.inf

    best = min(variance(squares[list(design)].sum(axis=0)) for design in all_designs(GRID, n))
    found = variance(information(asked, chosen("i-optimal", asked)) * n)
    assert found == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize(("k", "n"), [(2, 4), (3, 4), (3, 8), (7, 8), (7, 16), (11, 12)])
def test_a_linear_model_gets_an_orthogonal_design_where_there_is_one(k, n, task):
    """A Hadamard matrix is D-optimal (Hotelling 1944): the efficiency is 100 %."""
    asked = task(k, n, model="linear")
    assert d_efficiency(asked, chosen("d-optimal", asked)) > 99


def test_a_main_effects_and_interactions_model_gets_the_factorial(task):
    asked = task(3, 8, model="interactions")
    assert d_efficiency(asked, chosen("d-optimal", asked)) == pytest.approx(100)


# St. John and Draper, Technometrics 17 (1975): |X'X|/n**p of the best exact designs of Box and Draper 1971 (k = 2) on a
# square, quadratic model; nine runs are the 3 x 3 factorial.
def test_nine_runs_of_a_quadratic_model_are_the_three_level_factorial(task):
    points = chosen("d-optimal", task(2, 9, model="quadratic"))
    assert sorted(map(tuple, points.tolist())) == sorted(map(tuple, GRID.tolist()))


def test_categories_are_balanced(task):
    asked = task(3, 12, counts=[0, 3, 2], model="linear")
    points = chosen("d-optimal", asked)
    assert column_count(asked) == 5
    assert np.bincount(points[:, 1].astype(int)).tolist() == [4, 4, 4]
    assert np.bincount(points[:, 2].astype(int)).tolist() == [6, 6]


def test_terms_are_read_as_written(task):
    asked = task(3, 9, names=["x", "y", "z"], model=["x", "y", "x*y", "x**2", "y*z**2"])
    assert terms_of(asked) == (((0, 1),), ((1, 1),), ((0, 1), (1, 1)), ((0, 2),), ((1, 1), (2, 2)))
    point = np.asarray([[2.0, 3.0, 5.0]])
    assert model_matrix(asked, point).tolist() == [[1, 2, 3, 6, 4, 75]]


def test_constraints_cut_the_candidates(task):
    asked = task(2, 10, model="quadratic")
    cut = Task(
        asked.factors,
        asked.runs,
        asked.options,
        asked.dimensions,
        asked.stream,
        lambda p: p.sum(axis=1) <= 0.5,
    )
    points = chosen("d-optimal", cut)
    assert (points.sum(axis=1) <= 0.5).all()
    assert np.linalg.matrix_rank(model_matrix(cut, points)) == 6


def test_large_grids_are_sampled(task):
    asked = task(12, 30, model="linear")
    assert d_efficiency(asked, chosen("d-optimal", asked)) > 85


@pytest.mark.parametrize(
    ("options", "runs", "part"),
    [
        ({"model": "quadratic"}, 5, "6 coefficients"),
        ({"model": ["v0*q"]}, 9, "'q' in 'v0*q'"),
        ({"model": ["v0+v1"]}, 9, "not a product"),
        ({"model": "linear"}, 1001, "more than 1,000"),
    ],
)
def test_what_cannot_be_had_is_told(options, runs, part, task):
    misfit, *_ = METHODS["d-optimal"].misfits(task(2, runs, **options))
    assert part in misfit.message
