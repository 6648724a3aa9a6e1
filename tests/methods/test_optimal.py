"""Optimal designs: proved on small cases by trying all, and against designs that are known to be optimal."""

import itertools

import numpy as np
import pytest

from doe_compiler.methods.catalogue import METHODS
from doe_compiler.methods.method import Task
from doe_compiler.methods.optimal import column_count, d_efficiency, model_matrix, terms_of


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


@pytest.mark.parametrize("n", [6, 8])
def test_no_design_on_the_grid_predicts_a_quadratic_model_better(n, task):
    asked = task(2, n, model="quadratic")
    rows = model_matrix(asked, GRID)
    moments = rows.T @ rows / len(rows)
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
