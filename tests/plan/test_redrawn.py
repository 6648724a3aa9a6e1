"""A plan says when an edit buys everything again, and which method would not have."""

from dataclasses import dataclass

import numpy as np
import pytest

from doe_compiler.plan.redrawn import redrawn_warnings


@dataclass
class Job:
    is_draft: bool


@dataclass
class Held:
    keys: np.ndarray
    job: Job


@dataclass
class Seen:
    holdings: tuple


def seen(*keys, is_draft=False):
    return Seen((Held(np.asarray(keys, np.uint64), Job(is_draft)),))


def keys(*values):
    return np.asarray(values, np.uint64)


def test_a_hypercube_that_is_drawn_anew_is_told_with_what_would_keep_it():
    (text,) = redrawn_warnings("latin-hypercube", keys(4, 5, 6, 7), seen(1, 2, 3))
    assert text.startswith("3 of 3 runs that exist are not of this design any more, and 4 others are bought.")
    assert "nested: true" in text
    assert "sobol" in text


def test_a_sequence_tells_what_moved_it():
    (text,) = redrawn_warnings("sobol", keys(4, 5), seen(1, 2))
    assert "keeps its dimension" in text
    assert "nested" not in text


@pytest.mark.parametrize(
    ("wanted", "held"),
    [((1, 2, 3, 4), (1, 2, 3)), ((1, 2), (1, 2, 3)), ((1, 2, 9), (1, 2, 3)), ((1, 2), ())],
)
def test_what_keeps_most_runs_is_not_told(wanted, held):
    assert redrawn_warnings("latin-hypercube", keys(*wanted), seen(*held)) == ()


def test_drafts_cost_nothing_and_tables_are_the_user_s():
    assert redrawn_warnings("latin-hypercube", keys(4), seen(1, 2, is_draft=True)) == ()
    assert redrawn_warnings("table", keys(4), seen(1, 2)) == ()


def test_variables_that_moved_are_told_with_the_dimensions_that_bring_the_runs_back():
    (text,) = redrawn_warnings("sobol", keys(1, 2, 3, 5), seen(1, 2, 3, 4), lambda: {"a": 1, "b": 2})
    assert text.startswith("1 of 4 runs that exist are not of this design any more, and 1 others are bought:")
    assert text.endswith("Put them back, or give a `dimension: 1`, b `dimension: 2`")
    assert redrawn_warnings("sobol", keys(1, 2, 3, 4, 5), seen(1, 2, 3, 4), pytest.fail) == ()
