"""Desired rows minus existing rows are missing, and counted."""

from collections import Counter
from datetime import UTC, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.actual.jobs import ActualJob, Phase
from doe_compiler.bundle.mark import Mark
from doe_compiler.bundle.rows import row_set
from doe_compiler.plan.decide import Kind, Standing, decided, decided_unit
from doe_compiler.plan.rivals import doubled, losing_drafts, losing_units

keys = st.lists(st.integers(0, 6), max_size=12)


def array(values):
    return np.array(values, np.uint64)


def job(job_id, rows=(), *, phase=Phase.SUBMITTED, created="1", unit=None):
    mark = Mark("s", "0" * 12, None if unit else row_set(array(list(rows))), unit, 0, "abcd")
    return ActualJob(job_id, str(mark), mark, phase, "", datetime.fromtimestamp(int(created), UTC))


def standing(job_id, rows, **more):
    return Standing(job(job_id, rows, **more), array(rows))


@given(keys, st.lists(keys, max_size=3))
def test_rows_in_jobs_and_rows_to_create_make_up_the_design(desired, held):
    jobs = [standing(f"j{index}", rows) for index, rows in enumerate(held)]
    decision = decided(array(desired), jobs, [], [])
    created = Counter(desired[row] for action in decision.actions for row in action.rows)
    existing = Counter(key for rows in held for key in rows)
    assert created == Counter(desired) - existing
    assert decision.runs_unchanged + created.total() == len(desired)


def test_a_new_study_is_created_whole():
    decision = decided(array([1, 2, 3]), [], [], [])
    assert [(a.kind, a.rows, a.generation, a.reason) for a in decision.actions] == [
        (Kind.CREATE, (0, 1, 2), 0, "a new study")
    ]


def test_growing_creates_only_the_new_rows():
    decision = decided(array([1, 2, 3]), [standing("a", [1, 2])], [], [])
    assert [(a.kind, a.rows, a.reason) for a in decision.actions] == [
        (Kind.CREATE, (2,), "new rows of the design")
    ]


def test_a_new_recipe_says_so():
    decision = decided(array([1]), [], [job("old")], [])
    assert decision.actions[0].reason.startswith("a new recipe")


def test_a_wanted_draft_is_submitted_and_a_half_wanted_one_deleted_first():
    drafts = [standing("a", [1, 2], phase=Phase.DRAFT), standing("b", [3, 9], phase=Phase.DRAFT)]
    decision = decided(array([1, 2, 3]), drafts, [], [])
    assert [(a.kind, a.job_id, a.rows) for a in decision.actions] == [
        (Kind.DELETE, "b", ()),
        (Kind.SUBMIT, "a", (0, 1)),
        (Kind.CREATE, None, (2,)),
    ]


def test_a_row_that_was_stopped_is_tried_again_under_the_next_generation():
    decision = decided(array([1, 2]), [standing("a", [1], phase=Phase.FINISHED)], [], [array([2])])
    assert [(a.kind, a.rows, a.generation) for a in decision.actions] == [(Kind.CREATE, (1,), 1)]


def test_a_row_that_is_wanted_twice_is_created_twice():
    decision = decided(array([5, 5]), [standing("a", [5])], [], [])
    assert sum(len(action.rows) for action in decision.actions) == 1


def test_a_unit_is_one_job():
    assert decided_unit("u", [], []).actions[0].kind is Kind.CREATE
    assert decided_unit("u", [job("a", unit="u")], []).is_empty
    draft = job("a", unit="u", phase=Phase.DRAFT)
    assert [(a.kind, a.job_id) for a in decided_unit("u", [draft], []).actions] == [(Kind.SUBMIT, "a")]


def test_the_later_of_two_drafts_loses():
    drafts = [
        standing("mine", [1, 2], phase=Phase.DRAFT, created="2"),
        standing("theirs", [2, 3], phase=Phase.DRAFT, created="1"),
    ]
    assert losing_drafts(array([1, 2, 3]), drafts, ["mine"]) == {"mine"}
    assert losing_drafts(array([1, 2, 3]), drafts, ["theirs"]) == set()


def test_a_draft_loses_to_any_submitted_job_that_holds_its_row():
    shown = [standing("mine", [1], phase=Phase.DRAFT, created="1"), standing("theirs", [1], created="2")]
    assert losing_drafts(array([1]), shown, ["mine"]) == {"mine"}


def test_a_draft_that_is_not_shown_loses():
    assert losing_drafts(array([1]), [], ["mine"]) == {"mine"}


def test_a_row_that_is_wanted_twice_has_room_for_two():
    shown = [standing("mine", [5], phase=Phase.DRAFT, created="2"), standing("theirs", [5], created="1")]
    assert losing_drafts(array([5, 5]), shown, ["mine"]) == set()


@given(st.lists(keys.filter(bool), min_size=2, max_size=4))
def test_whoever_looks_at_the_same_list_no_row_has_two_winners(held):
    desired = array(sorted({key for rows in held for key in rows}))
    shown = [standing(f"j{i}", rows, phase=Phase.DRAFT, created=str(i)) for i, rows in enumerate(held)]
    winners = [entry for entry in shown if entry.job.id not in losing_drafts(desired, shown, [entry.job.id])]
    copies = Counter(key for entry in winners for key in entry.keys.tolist())
    assert all(count == 1 for count in copies.values())


def test_units_have_one_winner():
    drafts = [
        job("b", unit="u", phase=Phase.DRAFT, created="2"),
        job("a", unit="u", phase=Phase.DRAFT, created="1"),
    ]
    assert losing_units(drafts, ["b"]) == {"b"}
    assert losing_units(drafts, ["a"]) == set()
    assert losing_units([*drafts, job("c", unit="u")], ["a"]) == {"a"}


def test_a_double_submit_names_both_jobs_and_needs_me_in_it():
    shown = [standing("a", [1, 2]), standing("b", [2])]
    assert doubled(array([1, 2]), shown, frozenset(["b"])) == ("a", "b")
    assert doubled(array([1, 2]), shown, frozenset(["c"])) == ()
    assert doubled(array([1, 2, 2]), shown, frozenset(["b"])) == ()
