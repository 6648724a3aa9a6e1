"""Random streams: keyed by name, prefix-stable, inside the open unit interval; strata are hit once each."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.generators.streams import Stream, _by_comparison, _by_digits, balanced, permutation, strata


def stream(name="x", seed=7, study="s", purpose="p"):
    return Stream(seed, study, name, purpose)


@given(st.integers(0, 50), st.integers(0, 50))
def test_n_draws_are_the_first_of_more_draws(n, m):
    assert stream().uniforms(n).tolist() == stream().uniforms(n + m)[:n].tolist()


@given(st.lists(st.integers(0, 20), max_size=6))
def test_draws_in_parts_are_the_draws_at_once(parts):
    one = stream()
    in_parts = [value for part in parts for value in one.uniforms(part).tolist()]
    assert in_parts == stream().uniforms(sum(parts)).tolist()


@pytest.mark.parametrize("other", [{"name": "y"}, {"seed": 8}, {"study": "t"}, {"purpose": "q"}])
def test_every_part_of_the_key_counts(other):
    assert stream().uniforms(3).tolist() != stream(**other).uniforms(3).tolist()


def test_parts_of_the_key_do_not_run_into_each_other():
    assert stream(study="ab", name="c").uniforms(1) != stream(study="a", name="bc").uniforms(1)


def test_the_streams_are_those_of_every_other_machine():
    assert [hex(word) for word in stream().words(3).tolist()] == GOLDEN


GOLDEN = ["0x69bab9879186929c", "0x27fa0eeb4a9b3841", "0xf969cd978d4441cf"]


def test_uniforms_are_odd_multiples_of_the_smallest_step():
    u = stream().uniforms(10_000)
    scaled = u * 2.0**53
    assert (scaled % 2 == 1).all()
    assert u.min() > 0
    assert u.max() < 1
    assert abs(u.mean() - 0.5) < 0.015
    assert ((1.0 - u) + u == 1.0).all()


@given(st.integers(1, 400), st.integers(0, 5))
def test_a_permutation_holds_every_index_once(n, seed):
    assert sorted(permutation(stream(seed=seed), n).tolist()) == list(range(n))


@given(st.integers(1, 400), st.integers(0, 5))
def test_every_stratum_is_hit_once(n, seed):
    u = strata(stream("order", seed), stream("jitter", seed), n)
    assert sorted(np.floor(u * n).astype(int).tolist()) == list(range(n))
    assert u.min() > 0
    assert u.max() < 1


@given(st.integers(1, 200), st.integers(1, 40), st.integers(0, 50))
def test_levels_are_used_as_often_within_one(n, count, seed):
    u = balanced(stream("order", seed), stream("shift", seed), n, count)
    used = np.bincount(np.floor(u * count).astype(int), minlength=count)
    assert len(used) == count
    assert used.sum() == n
    assert set(used.tolist()) <= {n // count, -(-n // count)}


def test_no_level_is_favoured():
    first = [int(balanced(stream("o", seed), stream("s", seed), 1, 4)[0] * 4) for seed in range(400)]
    assert np.bincount(first, minlength=4).min() > 70


def test_a_million_strata_are_hit_once():
    u = strata(stream("order"), stream("jitter"), 1_000_000)
    u *= 1_000_000
    assert (np.sort(np.floor(u).astype(np.int64)) == np.arange(1_000_000)).all()


@pytest.mark.parametrize("n", [2, 3, 5_000, 100_000])
@pytest.mark.parametrize("kept", [64, 34, 33, 8, 0])
def test_both_ways_of_sorting_give_one_order(n, kept):
    """Also where few bits of the keys differ, so that many are equal in what is sorted first."""
    keys = stream().words(n)
    keys >>= np.uint64(64 - kept) if kept else np.uint64(63)
    keys <<= np.uint64(64 - kept) if kept else np.uint64(63)
    assert _by_digits(keys.copy()).tolist() == _by_comparison(keys).tolist()
