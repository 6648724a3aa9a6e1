"""Designs for sensitivity: the indices of functions whose indices are known, from their rows."""

import numpy as np
import pytest
from scipy.fft import rfft

from doe_compiler.methods.catalogue import METHODS
from doe_compiler.methods.fast import HARMONICS, frequencies


def points(name, task):
    assert list(METHODS[name].misfits(task)) == []
    return np.column_stack(list(METHODS[name].unit(task)(task.runs)))


def ishigami(u):
    """Ishigami and Homma 1990, a = 7, b = 0.1, on [-pi, pi]."""
    x = (2 * u - 1) * np.pi
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def of_ishigami():
    """First-order, total and second-order (1, 3) indices, by their formulas."""
    v1 = 0.5 * (1 + 0.1 * np.pi**4 / 5) ** 2
    v2 = 49 / 8
    v13 = 0.01 * np.pi**8 * (1 / 18 - 1 / 50)
    total = v1 + v2 + v13
    return np.array([v1, v2, 0]) / total, np.array([v1 + v13, v2, v13]) / total, v13 / total


def g_function(u, a):
    return np.prod((np.abs(4 * u - 2) + a) / (1 + a), axis=1)


def of_g(a):
    """Saltelli and Sobol' 1995."""
    v = 1 / (3 * (1 + a) ** 2)
    total = np.prod(1 + v) - 1
    return v / total, v * np.prod(1 + v) / (1 + v) / total


def indices(values, k, block):
    """First-order (Saltelli 2010) and total (Jansen 1999) indices from runs in blocks A, mixtures, B."""
    rows = values.reshape(-1, block)
    rows = (rows - rows.mean()) / rows.std()
    a, b, mixed = rows[:, 0], rows[:, -1], rows[:, 1 : k + 1]
    variance = np.var(np.concatenate([a, b]))
    first = (b[:, None] * (mixed - a[:, None])).mean(axis=0) / variance
    return first, ((a[:, None] - mixed) ** 2).mean(axis=0) / (2 * variance)


def test_sobol_indices_of_ishigami_from_saltelli_s_rows(task):
    first, total = indices(ishigami(points("saltelli", task(3, 4096 * 5))), 3, 5)
    wanted_first, wanted_total, _ = of_ishigami()
    assert np.abs(first - wanted_first).max() < 0.01
    assert np.abs(total - wanted_total).max() < 0.01


def test_sobol_indices_of_the_g_function_from_saltelli_s_rows(task):
    a = np.array([0, 1, 4.5, 9, 99, 99, 99, 99])
    first, total = indices(g_function(points("saltelli", task(8, 4096 * 10)), a), 8, 10)
    wanted_first, wanted_total = of_g(a)
    assert np.abs(first - wanted_first).max() < 0.02
    assert np.abs(total - wanted_total).max() < 0.02


def test_second_order_indices_of_ishigami(task):
    values = ishigami(points("saltelli", task(3, 8192 * 8, secondOrder=True))).reshape(-1, 8)
    values = (values - values.mean()) / values.std()
    a, b, ab, ba = values[:, 0], values[:, -1], values[:, 1:4], values[:, 4:7]
    first, _, interaction = of_ishigami()
    pair = (ba[:, 0] * ab[:, 2] - a * b).mean() / np.var(values)
    assert pair - first[0] - first[2] == pytest.approx(interaction, abs=0.03)


def test_rows_of_a_base_point_differ_in_one_column(task):
    rows = points("saltelli", task(4, 6 * 8)).reshape(8, 6, 4)
    for a, *mixed, b in rows:
        for column, row in enumerate(mixed):
            assert row[column] == b[column]
            assert (np.delete(row, column) == np.delete(a, column)).all()


def test_saltelli_s_points_stay_when_more_are_asked_for(task):
    assert (points("saltelli", task(3, 50)) == points("saltelli", task(3, 200))[:50]).all()


def test_morris_steps_one_variable_at_a_time_over_half_of_the_levels(task):
    rows = points("morris", task(5, 6 * 40)).reshape(40, 6, 5)
    steps = np.diff(rows, axis=1)
    assert (np.count_nonzero(steps, axis=2) == 1).all()
    assert set(np.abs(steps[steps != 0])) == {0.5}
    for trajectory in steps:
        assert sorted(np.argmax(np.abs(trajectory), axis=1)) == [0, 1, 2, 3, 4]
    assert set(np.unique(rows)) == {0.125, 0.375, 0.625, 0.875}
    orders = {tuple(np.argmax(np.abs(trajectory), axis=1)) for trajectory in steps}
    assert len(orders) > 20


def test_morris_trajectories_stay_when_more_are_asked_for(task):
    assert (points("morris", task(3, 40)) == points("morris", task(3, 80))[:40]).all()


def test_elementary_effects_of_a_linear_function_are_its_coefficients(task):
    rows = points("morris", task(3, 4 * 10, levels=8)).reshape(10, 4, 3)
    values = rows @ np.array([1.0, -2.0, 5.0])
    steps = np.diff(rows, axis=1)
    effects = np.diff(values, axis=1) / steps.sum(axis=2)
    for column, coefficient in enumerate([1.0, -2.0, 5.0]):
        assert np.allclose(effects[steps[:, :, column] != 0], coefficient)


def fast_indices(values, k):
    """First-order and total indices of the extended FAST (Saltelli et al. 1999), a curve a variable."""
    first, total = [], []
    for curve in values.reshape(k, -1):
        own, _ = frequencies(k, len(curve))
        spectrum = np.abs(rfft(curve) / len(curve))[1 : (len(curve) + 1) // 2] ** 2
        variance = 2 * spectrum.sum()
        first.append(2 * spectrum[np.arange(1, HARMONICS + 1) * own - 1].sum() / variance)
        total.append(1 - 2 * spectrum[: own // 2].sum() / variance)
    return np.array(first), np.array(total)


def test_indices_of_ishigami_from_fast_s_curves(task):
    first, total = fast_indices(ishigami(points("fast", task(3, 3 * 4096))), 3)
    wanted_first, wanted_total, _ = of_ishigami()
    assert np.abs(first - wanted_first).max() < 0.02
    assert np.abs(total - wanted_total).max() < 0.06


def test_frequencies_are_those_of_salib():
    """SALib 1.5, fast_sampler: N = 1000, M = 4, D = 8."""
    assert frequencies(8, 1000) == (124, (1, 3, 5, 8, 10, 12, 15))


@pytest.mark.parametrize(
    ("name", "k", "runs", "hint"),
    [
        ("morris", 4, 12, "10 or 15"),
        ("morris", 4, 3, "5"),
        ("saltelli", 3, 12, "10 or 15"),
        ("fast", 3, 100, "195"),
        ("fast", 3, 301, "300"),
    ],
)
def test_sizes_that_do_not_exist_name_the_nearest(name, k, runs, hint, task):
    (misfit,) = METHODS[name].misfits(task(k, runs))
    assert misfit.hint == f"say runs: {hint}"
