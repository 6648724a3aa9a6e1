"""Sequences against published points: Joe and Kuo's Sobol numbers, Halton's, Roberts' ratios."""

import numpy as np
import pytest
from scipy.stats import qmc

from doe_compiler.methods.catalogue import METHODS
from doe_compiler.methods.halton import prime
from doe_compiler.methods.r_sequence import steps
from doe_compiler.methods.sequences import MOST_DIMENSIONS
from doe_compiler.methods.sobol import direction_numbers


def points(name, task):
    return np.column_stack(list(METHODS[name].unit(task)(task.runs)))


# The first ten points in three dimensions as the program sobol.cc of Joe and Kuo prints them.
JOE_KUO = [
    (0, 0, 0),
    (0.5, 0.5, 0.5),
    (0.75, 0.25, 0.25),
    (0.25, 0.75, 0.75),
    (0.375, 0.375, 0.625),
    (0.875, 0.875, 0.125),
    (0.625, 0.125, 0.875),
    (0.125, 0.625, 0.375),
    (0.1875, 0.3125, 0.9375),
    (0.6875, 0.8125, 0.4375),
]


def test_the_first_sobol_points_are_those_of_joe_and_kuo(task):
    assert np.allclose(points("sobol", task(3, 10, scramble=False)), JOE_KUO, rtol=0, atol=2.0**-52)


def test_sobol_points_are_scipy_s_in_all_dimensions(task):
    found = points("sobol", task(MOST_DIMENSIONS, 512, scramble=False))
    wanted = qmc.Sobol(MOST_DIMENSIONS, scramble=False, bits=52).random(512)
    assert np.abs(found - wanted).max() <= 2.0**-52


@pytest.mark.parametrize("dimension", [1, 2, 3, 17, 999])
def test_every_block_of_a_power_of_two_has_one_point_in_each_stratum(dimension, task):
    for scramble in (True, False):
        column = points("sobol", task(1, 1024, dimensions=[dimension], scramble=scramble))[:, 0]
        for start in range(0, 1024, 256):
            assert sorted((column[start : start + 256] * 256).astype(int)) == list(range(256))


def test_scrambled_pairs_of_sobol_keep_the_net(task):
    """A (0, 8, 2)-net: one point in each box of area 2**-8 of the first two dimensions."""
    found = points("sobol", task(2, 256))
    for bits in range(9):
        boxes = {(int(x * 2**bits), int(y * 2 ** (8 - bits))) for x, y in found}
        assert len(boxes) == 256


def test_direction_numbers_are_odd_in_their_last_place():
    for dimension in range(1, MOST_DIMENSIONS + 1):
        assert all(number >> (51 - k) & 1 for k, number in enumerate(direction_numbers(dimension)))


def test_the_first_halton_points_are_the_published_ones(task):
    """Bases 2, 3 and 5; the first coordinate is van der Corput's (1935)."""
    found = points("halton", task(3, 9, scramble=False))
    binary = [0, 1 / 2, 1 / 4, 3 / 4, 1 / 8, 5 / 8, 3 / 8, 7 / 8, 1 / 16]
    ternary = [0, 1 / 3, 2 / 3, 1 / 9, 4 / 9, 7 / 9, 2 / 9, 5 / 9, 8 / 9]
    fifths = [0, 1 / 5, 2 / 5, 3 / 5, 4 / 5, 1 / 25, 6 / 25, 11 / 25, 16 / 25]
    assert np.allclose(found, np.column_stack([binary, ternary, fifths]), rtol=0, atol=2.0**-53)


def test_halton_points_are_scipy_s_in_many_dimensions(task):
    found = points("halton", task(40, 3000, scramble=False))
    assert np.allclose(found, qmc.Halton(40, scramble=False).random(3000), rtol=0, atol=1e-15)


def test_scrambled_halton_has_as_many_points_in_every_stratum(task):
    found = points("halton", task(3, 2 * 9 * 25 * 5))
    for column, base in zip(found.T, (2, 9, 25), strict=True):
        counts = np.bincount((column * base).astype(int), minlength=base)
        assert set(counts) == {len(column) // base}


def test_primes():
    assert [prime(k) for k in (1, 2, 3, 10, 1000)] == [2, 3, 5, 29, 7919]


def test_the_steps_of_r_sequences_are_roberts_ratios():
    """Golden ratio, plastic number, and the root of x**4 = x + 1, as his article lists them."""
    assert steps(1)[0] / 2**64 == pytest.approx(0.6180339887498948)
    assert [step / 2**64 for step in steps(2)] == pytest.approx([0.7548776662466927, 0.5698402909980532])
    assert 2**64 / steps(3)[0] == pytest.approx(1.2207440846057596)


def test_r_sequences_begin_as_published(task):
    found = points("r-sequence", task(2, 2, scramble=False))
    assert np.allclose(found[0], (0.5 + np.asarray([0.7548776662466927, 0.5698402909980532])) % 1)
