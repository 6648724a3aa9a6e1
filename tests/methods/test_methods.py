"""Every method: one conformance class, and what each promises to leave where it is."""

import numpy as np
import pytest

from doe_compiler.methods.catalogue import METHODS
from doe_compiler.methods.options import OPTIONS

UNIT = [method for method in METHODS.values() if method.unit is not None]
SPACE_FILLING = [method for method in UNIT if method.name not in ("morris", "saltelli", "fast")]
SEQUENCES = [method for method in UNIT if method.is_sequence]
BY_NAME = ("monte-carlo", "sobol", "halton", "latin-hypercube")


def points(method, task, n=None):
    return np.column_stack(list(method.unit(task)(method.size(task) if n is None else n)))


def test_every_method_is_named_as_its_key_and_takes_known_options():
    for name, method in METHODS.items():
        assert method.name == name
        assert set(method.options) <= set(OPTIONS)
        assert method.summary.endswith(".")
        assert method.source
        assert method.stays
        assert sum(part is not None for part in (method.unit, method.coded, method.levels)) == (
            name not in ("table", "combine")
        )


def test_every_option_is_some_method_s():
    assert set(OPTIONS) == {option for method in METHODS.values() for option in method.options}


@pytest.mark.parametrize("method", UNIT, ids=lambda method: method.name)
class TestUnitCube:
    def test_points_lie_inside_the_open_cube(self, method, task):
        found = points(method, task(4, 120))
        assert found.shape == (120, 4)
        assert found.min() > 0
        assert found.max() < 1

    def test_same_seed_same_points_and_another_seed_others(self, method, task):
        first = points(method, task(3, 60))
        assert (first == points(method, task(3, 60))).all()
        assert (first != points(method, task(3, 60, seed=8))).any()

    def test_one_point_and_no_column(self, method, task):
        if method.takes_runs:
            assert points(method, task(2, 1)).shape[1] == 2
            assert list(method.unit(task(0, 3))(3)) == []


@pytest.mark.parametrize("method", SPACE_FILLING, ids=lambda method: method.name)
class TestSpaceFilling:
    def test_columns_are_uniform(self, method, task):
        for column in points(method, task(5, 5040)).T:
            counts = np.histogram(column, bins=10, range=(0, 1))[0]
            assert abs(counts - 504).max() < 110

    def test_pairs_are_not_correlated(self, method, task):
        correlations = np.corrcoef(points(method, task(5, 5040)).T) - np.eye(5)
        assert abs(correlations).max() < 0.06


@pytest.mark.parametrize("method", SEQUENCES, ids=lambda method: method.name)
@pytest.mark.parametrize("options", [{}, {"skip": 5}, {"scramble": False}])
class TestSequences:
    def test_more_points_keep_the_old_ones(self, method, options, task):
        options = {key: value for key, value in options.items() if key in method.options}
        few, many = (points(method, task(3, n, **options)) for n in (37, 130))
        assert (many[:37] == few).all()

    def test_points_in_turn_are_those_at_once(self, method, options, task):
        options = {key: value for key, value in options.items() if key in method.options}
        following = method.unit(task(3, **options))
        parts = [np.column_stack(list(following(n))) for n in (1, 30, 2, 64, 3)]
        assert (np.concatenate(parts) == points(method, task(3, 100, **options))).all()


@pytest.mark.parametrize("name", BY_NAME)
def test_a_column_hangs_on_its_own_name_and_dimension_alone(name, task):
    method = METHODS[name]
    three = points(method, task(3, 50, names=["x", "y", "z"]))
    two = points(method, task(2, 50, names=["x", "z"], dimensions=[1, 3]))
    assert (two == three[:, [0, 2]]).all()
    turned = points(method, task(3, 50, names=["z", "x", "y"], dimensions=[3, 1, 2]))
    assert (turned == three[:, [2, 0, 1]]).all()


@pytest.mark.parametrize("name", ["sobol", "halton", "r-sequence"])
def test_sequences_fill_space_better_than_chance(name, task):
    from scipy.stats import qmc

    found = qmc.discrepancy(points(METHODS[name], task(4, 256)))
    chance = qmc.discrepancy(points(METHODS["monte-carlo"], task(4, 256)))
    assert found < chance / 3


def test_skipped_points_are_left_out(task):
    for method in SEQUENCES:
        if "skip" in method.options:
            whole = points(method, task(3, 40))
            assert (points(method, task(3, 33, skip=7)) == whole[7:]).all()
