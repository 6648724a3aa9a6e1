"""Random streams: keyed by name, prefix-stable, inside the open unit interval; strata are hit once each."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.generators.streams import Stream, permutation, strata


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
    assert 0 < u.min()
    assert u.max() < 1


def test_a_million_strata_are_hit_once():
    u = strata(stream("order"), stream("jitter"), 1_000_000)
    u *= 1_000_000
    assert (np.sort(np.floor(u).astype(np.int64)) == np.arange(1_000_000)).all()
