"""Desired rows minus existing rows are missing, and counted."""

from collections import Counter
from datetime import UTC, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.actual.jobs import ActualJob, Holding, Phase, clones
from doe_compiler.bundle.mark import Mark
from doe_compiler.bundle.rows import row_set
from doe_compiler.plan.action import Kind, Why
from doe_compiler.plan.decide import Existing, Wishes, decided, decided_unit
from doe_compiler.plan.ledger import ledger
from doe_compiler.plan.rivals import doubled, losing_drafts, losing_units

keys = st.lists(st.integers(0, 6), max_size=12)


def array(values):
    return np.array(values, np.uint64)


def job(job_id, rows=(), *, phase=Phase.SUBMITTED, created="1", unit=None, generation=0, nonce=None, **more):
    rows = None if unit else row_set(array(list(rows)))
    mark = Mark("s", "0" * 12, rows, unit, generation, nonce or f"{job_id}-nonce".replace("-", ""))
    return ActualJob(
        job_id, str(mark), mark, phase, phase.value, datetime.fromtimestamp(int(created), UTC), **more
    )


def holding(job_id, rows, *, stands=None, failed=(), **more):
    stood = rows if stands is None else stands
    return Holding(job(job_id, rows, **more), array(rows), array(stood), array(list(failed)))


def actions(decision, *parts):
    return [tuple(getattr(action, part) for part in parts) for action in decision.actions]


def lose(desired, holdings, mine):
    drafts = [entry for entry in holdings if entry.job.is_draft]
    return losing_drafts(ledger(desired, holdings), drafts, mine)


def doubles(desired, holdings):
    return [
        (double.job.id, double.runs, double.is_whole, double.earlier)
        for double in doubled(ledger(desired, holdings), holdings)
    ]


@given(keys, st.lists(keys, max_size=3))
def test_rows_in_jobs_and_rows_to_create_make_up_the_design(desired, held):
    jobs = [holding(f"j{index}", rows) for index, rows in enumerate(held)]
    decision = decided(array(desired), Existing(tuple(jobs)))
    created = Counter(desired[row] for action in decision.of(Kind.CREATE) for row in action.rows)
    existing = Counter(key for rows in held for key in rows)
    assert created == Counter(desired) - existing
    assert decision.runs_unchanged + created.total() == len(desired)


def test_a_new_study_is_created_whole():
    decision = decided(array([1, 2, 3]), Existing())
    assert [(a.kind, a.rows, a.generation, a.reason.why) for a in decision.actions] == [
        (Kind.CREATE, (0, 1, 2), 0, Why.NEW_STUDY)
    ]


def test_growing_creates_only_the_new_rows():
    decision = decided(array([1, 2, 3]), Existing((holding("a", [1, 2]),)))
    assert [(a.kind, a.rows, a.reason.why) for a in decision.actions] == [(Kind.CREATE, (2,), Why.NEW_ROWS)]


def test_rows_that_an_older_recipe_has_run_are_superseded_and_the_others_created():
    existing = Existing(older=(job("old", [1, 2]),), paid=frozenset({1, 2}), changes=("command changed",))
    decision = decided(array([1, 2, 3]), existing)
    assert [(a.kind, a.rows, a.reason.why) for a in decision.actions] == [
        (Kind.CREATE, (2,), Why.RECIPE_CHANGED),
        (Kind.SUPERSEDE, (0, 1), Why.RECIPE_CHANGED),
    ]
    assert str(decision.actions[1].reason).endswith("has changed: command changed")


def test_a_wanted_draft_is_submitted_and_a_half_wanted_one_deleted_first():
    drafts = (holding("a", [1, 2], phase=Phase.DRAFT), holding("b", [3, 9], phase=Phase.DRAFT))
    decision = decided(array([1, 2, 3]), Existing(drafts))
    assert actions(decision, "kind", "job_id", "rows") == [
        (Kind.DELETE, "b", ()),
        (Kind.SUBMIT, "a", (0, 1)),
        (Kind.CREATE, None, (2,)),
    ]


def test_a_draft_that_differs_from_the_study_is_edited():
    existing = Existing((holding("a", [1], phase=Phase.DRAFT),), edited={"a": ("jobanalyses[0].command",)})
    assert actions(decided(array([1]), existing), "kind", "job_id") == [(Kind.EDIT, "a")]


def test_a_draft_that_is_not_wanted_at_all_is_left_to_others_unless_pruned():
    existing = Existing((holding("a", [9], phase=Phase.DRAFT), holding("b", [1])), prunable=frozenset({"a"}))
    assert decided(array([1]), existing).is_empty
    pruned = decided(array([1]), existing, Wishes(prune=True))
    assert actions(pruned, "kind", "job_id") == [(Kind.DELETE, "a")]


def test_pruning_keeps_what_was_applied_from_elsewhere_and_what_is_wanted_in_part():
    existing = Existing(
        (holding("a", [8]), holding("b", [1, 9])), older=(job("c", [1]),), prunable=frozenset("bc")
    )
    pruned = decided(array([1]), existing, Wishes(prune=True))
    assert actions(pruned, "kind", "job_id") == [(Kind.DELETE, "c")]


def test_a_running_older_recipe_is_stopped_only_when_asked():
    older = (job("old", [1]), job("ended", [1], phase=Phase.FINISHED))
    existing = Existing((holding("new", [1]),), older=older)
    assert decided(array([1]), existing).is_empty
    replaced = decided(array([1]), existing, Wishes(replace=True))
    assert actions(replaced, "kind", "job_id") == [(Kind.STOP, "old")]


def test_a_row_that_was_stopped_is_tried_again_under_the_next_generation():
    stopped = holding("a", [1, 2], stands=[1], phase=Phase.FINISHED)
    decision = decided(array([1, 2]), Existing((stopped,)))
    assert actions(decision, "kind", "rows", "generation") == [(Kind.CREATE, (1,), 1)]
    assert decision.actions[0].reason.why is Why.STOPPED


def test_two_who_retry_aim_at_the_same_generation_and_a_third_try_at_the_next():
    first = holding("a", [1], stands=[], failed=[1], phase=Phase.FINISHED)
    retry = holding("b", [1], stands=[], failed=[1], phase=Phase.FINISHED, generation=1, created="2")
    assert decided(array([1]), Existing((first,))).actions[0].generation == 1
    decision = decided(array([1]), Existing((first, retry)))
    assert actions(decision, "generation") == [(2,)]
    assert decision.actions[0].reason.why is Why.RETRIED


def test_a_retry_is_no_double():
    shown = [holding("a", [1]), holding("b", [1], generation=1, created="2")]
    assert doubles([1], shown) == []


def test_a_row_that_is_wanted_twice_is_created_twice():
    decision = decided(array([5, 5]), Existing((holding("a", [5]),)))
    assert sum(len(action.rows) for action in decision.actions) == 1


def test_a_unit_is_one_job():
    assert decided_unit([], Existing()).actions[0].kind is Kind.CREATE
    assert decided_unit([job("a", unit="u")], Existing()).is_empty
    drafts = [job("b", unit="u", phase=Phase.DRAFT, created="2"), job("a", unit="u", phase=Phase.DRAFT)]
    assert actions(decided_unit(drafts, Existing()), "kind", "job_id") == [(Kind.SUBMIT, "a")]


def test_a_clone_has_the_nonce_of_an_earlier_job():
    made = [job("later", nonce="same", created="2"), job("first", nonce="same"), job("other", created="3")]
    assert clones(made) == {"later"}


def test_rows_of_a_submitted_clone_exist_and_need_a_person():
    copy = holding("copy", [1])
    decision = decided(array([1]), Existing(copied=(copy,), clones=(copy.job,)))
    assert (decision.is_empty, decision.runs_unchanged) == (True, 1)
    assert actions(decision, "kind", "job_id") == [(Kind.ATTENTION, "copy")]


def test_an_unknown_status_counts_as_submitted_and_needs_a_person():
    decision = decided(array([1]), Existing((holding("a", [1], phase=Phase.UNKNOWN),)))
    assert (decision.is_empty, decision.runs_unchanged) == (True, 1)
    assert decision.actions[0].reason.why is Why.UNKNOWN_STATUS


def test_jobs_are_shared_with_whom_the_study_names():
    existing = Existing((holding("a", [1]),), unshared={"a": ("x@y.z",)})
    assert actions(decided(array([1]), existing), "kind", "job_id", "emails") == [
        (Kind.SHARE, "a", ("x@y.z",))
    ]


def test_the_later_of_two_drafts_loses():
    drafts = [
        holding("mine", [1, 2], phase=Phase.DRAFT, created="2"),
        holding("theirs", [2, 3], phase=Phase.DRAFT, created="1"),
    ]
    assert lose([1, 2, 3], drafts, ["mine"]) == {"mine"}
    assert lose([1, 2, 3], drafts, ["theirs"]) == set()


def test_an_earlier_draft_wins_though_i_want_only_a_part_of_it():
    drafts = [
        holding("mine", [1, 2], phase=Phase.DRAFT, created="2"),
        holding("theirs", [2, 99], phase=Phase.DRAFT, created="1"),
    ]
    assert lose([1, 2], drafts, ["mine"]) == {"mine"}


def test_a_draft_loses_to_any_submitted_job_that_holds_its_row():
    shown = [holding("mine", [1], phase=Phase.DRAFT, created="1"), holding("theirs", [1], created="2")]
    assert lose([1], shown, ["mine"]) == {"mine"}


def test_a_draft_of_another_try_loses():
    shown = [
        holding("mine", [1], phase=Phase.DRAFT, created="3"),
        holding("stopped", [1], stands=[], phase=Phase.FINISHED),
    ]
    assert lose([1], shown, ["mine"]) == {"mine"}


def test_a_draft_that_is_not_shown_loses():
    assert lose([1], [], ["mine"]) == {"mine"}


def test_a_row_that_is_wanted_twice_has_room_for_two():
    shown = [holding("mine", [5], phase=Phase.DRAFT, created="2"), holding("theirs", [5], created="1")]
    assert lose([5, 5], shown, ["mine"]) == set()


@given(st.lists(keys.filter(bool), min_size=2, max_size=4), st.data())
def test_whoever_looks_with_whatever_design_no_row_has_two_winners(held, data):
    shown = [holding(f"j{i}", rows, phase=Phase.DRAFT, created=str(i)) for i, rows in enumerate(held)]
    winners = []
    for entry in shown:
        others = data.draw(st.sets(st.integers(0, 6)))
        desired = sorted({*entry.keys.tolist(), *others})
        if entry.job.id not in lose(desired, shown, [entry.job.id]):
            winners.append(entry)
    copies = Counter(key for entry in winners for key in entry.keys.tolist())
    assert all(count == 1 for count in copies.values())


def test_a_claimed_draft_comes_before_an_earlier_one():
    drafts = [
        holding("early", [1], phase=Phase.DRAFT, created="1"),
        holding("claimed", [1], phase=Phase.DRAFT, created="2"),
    ]
    account = ledger([1], drafts)
    assert losing_drafts(account, drafts, ["early", "claimed"], {"claimed"}) == {"early"}


def test_units_have_one_winner():
    drafts = [
        job("b", unit="u", phase=Phase.DRAFT, created="2"),
        job("a", unit="u", phase=Phase.DRAFT, created="1"),
    ]
    assert losing_units(drafts, ["b"]) == {"b"}
    assert losing_units(drafts, ["a"]) == set()
    assert losing_units([*drafts, job("c", unit="u")], ["a"]) == {"a"}


def test_the_later_job_of_doubled_rows_is_stopped_whole_or_by_its_runs():
    shown = [
        holding("b", [2, 3], created="2"),
        holding("a", [1, 2], created="1"),
        holding("c", [1], created="3"),
    ]
    assert doubles([1, 2, 3], shown) == [("b", (1,), False, ("a",)), ("c", (1,), True, ("a",))]
    assert doubles([1, 1, 2, 2, 3], shown) == []
    decision = decided(array([1, 2, 3]), Existing(tuple(shown)))
    assert actions(decision, "kind", "job_id", "runs_to_stop") == [
        (Kind.STOP, "b", (1,)),
        (Kind.STOP, "c", ()),
    ]


def test_a_double_that_has_ended_or_is_being_stopped_is_history():
    ended = holding("b", [1], phase=Phase.FINISHED, created="2")
    stopping = holding("c", [1], phase=Phase.STOPPING, created="3")
    assert decided(array([1]), Existing((holding("a", [1]), ended, stopping))).is_empty
