"""What a plan says: desired rows less standing ones are missing, and each action has its reason."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.bundle.mark import Mark
from doe_compiler.bundle.observation import Holding, Observation, Phase, SeenJob
from doe_compiler.bundle.rows import row_set
from doe_compiler.plan.account import Account
from doe_compiler.plan.action import Kind, Why
from doe_compiler.plan.decide import Around, Wishes, decided
from doe_compiler.plan.memory import OURS, Memory, noted
from doe_compiler.plan.steps import Double
from doe_compiler.plan.tables import Want, agreement

keys = st.lists(st.integers(0, 6), max_size=12)
NOW_S = 1_000_000


def array(values):
    return np.array(list(values), np.uint64)


def job(job_id, rows=(), *, phase=Phase.SUBMITTED, age_s=10, number=0, **more):
    mark = Mark("s", "0" * 12, row_set(array(rows)), None, 0, f"{NOW_S:08x}{number:08x}")
    return SeenJob(job_id, str(mark), mark, phase, phase.value, (NOW_S - age_s) * 1_000_000, **more)


def holding(job_id, rows, *, lost=(), failed=(), lacking=(), **more):
    return Holding(job(job_id, rows, **more), array(rows), array(lost), array(failed), array(lacking))


def seen(*holdings, **more):
    return Observation(0.0, 0.0, NOW_S * 1_000_000, tuple(holdings), **more)


def decide(desired, observation, around=None, wishes=None, retry=()):
    want = Want(array(desired), lambda rows: [rows])
    as_lost = Observation(
        0.0,
        0.0,
        observation.date_us,
        tuple(
            Holding(h.job, h.keys, array([*h.lost, *(k for k in h.failed if k in retry)]))
            for h in observation.holdings
        ),
    )
    memory = Memory(agreed=agreement(as_lost, Memory(), want))
    memory = noted(memory, observation)
    return decided(observation, memory, want, OURS, around or Around(), wishes or Wishes())


def told(decision, *parts):
    return [tuple(getattr(action, part) for part in parts) for action in decision.actions]


@given(keys, st.lists(keys, max_size=3))
def test_rows_in_jobs_and_rows_to_create_make_up_the_design(desired, held):
    decision = decide(desired, seen(*(holding(f"j{index}", rows) for index, rows in enumerate(held))))
    created = Counter(desired[row] for action in decision.of(Kind.CREATE) for row in action.rows)
    existing = Counter(key for rows in held for key in rows)
    assert created == Counter(desired) - existing
    assert decision.runs_unchanged + created.total() == len(desired)


def test_a_new_study_is_created_whole():
    decision = decide([1, 2, 3], seen())
    assert [(a.kind, a.rows, a.generation, a.reason.why) for a in decision.actions] == [
        (Kind.CREATE, (0, 1, 2), 0, Why.NEW_STUDY)
    ]


def test_growing_creates_only_the_new_rows():
    decision = decide([1, 2, 3], seen(holding("a", [1, 2])))
    assert [(a.kind, a.rows, a.reason.why) for a in decision.actions] == [(Kind.CREATE, (2,), Why.NEW_ROWS)]


def test_rows_that_an_older_recipe_has_run_are_superseded_and_the_others_created():
    around = Around(paid=frozenset({1, 2}), changes=("command changed",))
    decision = decide([1, 2, 3], seen(older=(job("old", [1, 2]),)), around)
    assert [(a.kind, a.rows, a.reason.why) for a in decision.actions] == [
        (Kind.CREATE, (2,), Why.RECIPE_CHANGED),
        (Kind.SUPERSEDE, (0, 1), Why.RECIPE_CHANGED),
    ]
    assert str(decision.actions[1].reason).endswith("has changed: command changed")


def test_rows_that_were_stopped_are_a_second_try_and_failed_ones_only_if_asked():
    found = seen(holding("a", [1, 2, 3], lost=[2], failed=[3], phase=Phase.FINISHED))
    decision = decide([1, 2, 3], found)
    assert [(a.rows, a.generation, a.reason.why) for a in decision.actions] == [((1,), 1, Why.STOPPED)]
    assert decision.failed == (2,)
    again = decide([1, 2, 3], found, retry=[3])
    assert sorted(row for action in again.of(Kind.CREATE) for row in action.rows) == [1, 2]
    assert again.failed == ()


def test_a_draft_of_a_living_applier_is_told_and_one_left_behind_deleted():
    living = holding("a", [1], phase=Phase.DRAFT, age_s=5)
    left = holding("b", [2], phase=Phase.DRAFT, age_s=50, number=1)
    idle = holding("c", [9], phase=Phase.DRAFT, age_s=50, number=2)
    decision = decide([1, 2, 3], seen(left, idle, living))
    assert told(decision, "kind", "job_id", "rows") == [
        (Kind.DELETE, "b", ()),
        (Kind.CREATE, None, (0, 1, 2)),
        (Kind.ATTENTION, "a", ()),
    ]


def test_pruning_touches_only_what_was_applied_from_here_and_has_not_ended():
    found = seen(
        holding("running", [8], number=1),
        holding("elsewhere", [4], number=2),
        holding("ended", [5], phase=Phase.FINISHED, number=3),
        holding("partly", [1, 9], number=4),
        holding("left", [7], phase=Phase.DRAFT, age_s=50, number=5),
    )
    assert decide([1], found).is_empty
    around = Around(from_here=frozenset({"running", "ended", "partly", "left"}))
    pruned = decide([1], found, around, Wishes(prune=True))
    assert told(pruned, "kind", "job_id") == [(Kind.STOP, "running"), (Kind.DELETE, "left")]


def test_a_running_older_recipe_is_stopped_only_when_asked():
    older = (job("old", [1]), job("ended", [1], phase=Phase.FINISHED), job("other", [1]))
    found = seen(holding("new", [1]), older=older)
    around = Around(from_here=frozenset({"old", "ended"}))
    assert decide([1], found, around).is_empty
    replaced = decide([1], found, around, Wishes(replace=True))
    assert told(replaced, "kind", "job_id") == [(Kind.STOP, "old")]


def test_doubles_are_told_with_the_one_to_keep_and_are_no_change_to_make():
    decision = decide([1, 2], seen(holding("a", [1, 2]), holding("b", [2], number=1)))
    (double,) = decision.actions
    assert (double.kind, double.reason.why, double.reason.changes[0]) == (
        Kind.ATTENTION,
        Why.DOUBLE,
        "keep a",
    )
    assert decision.is_empty
    assert not decision.is_clean


def test_copies_and_unknown_words_need_a_person_and_are_no_change():
    decision = decide([1], seen(holding("a", [1], phase=Phase.UNKNOWN), copies=(job("copy", [1]),)))
    assert [action.reason.why for action in decision.actions] == [Why.CLONE, Why.UNKNOWN_STATUS]
    assert decision.is_clean


counts = st.lists(st.integers(0, 3), max_size=6)


def doubles(desired, *holdings):
    return Account(array(desired), seen(*holdings), noted(Memory(), seen(*holdings))).doubles()


@given(counts, st.lists(counts, min_size=1, max_size=4))
def test_a_row_is_doubled_where_more_copies_live_than_are_wanted_or_than_one_job_holds(desired, held):
    jobs = [holding(f"j{index}", rows, number=index) for index, rows in enumerate(held)]
    total = Counter(key for rows in held for key in rows)
    most = Counter(desired)
    for rows in held:
        most |= Counter(rows)
    assert sum(double.rows for double in doubles(desired, *jobs)) == (total - most).total()


def test_tries_that_failed_or_ended_are_no_doubles():
    first = holding("a", [1, 2, 3], lost=[1], failed=[2], lacking=[3], phase=Phase.FINISHED)
    assert doubles([1, 2, 3], first, holding("b", [1, 2, 3], number=1)) == ()
    assert doubles([1], holding("a", [1]), holding("b", [1], number=1)) == (Double(("a", "b"), 1),)


def test_a_draft_whose_rows_cannot_be_read_holds_every_row():
    unread = Holding(job("a", [1], phase=Phase.DRAFT, age_s=1), None)
    found = seen(unread)
    account = Account(array([1, 2, 2]), found, Memory())
    assert account.less(account.missing, [unread]).tolist() == [0, 0]
    assert not account.fits(unread, account.missing)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=10), st.data())
def test_the_indices_of_copies_are_rows_of_these_keys_and_no_others(desired, data):
    account = Account(array(desired), seen(), Memory())
    copies = array([data.draw(st.integers(0, int(n))) for n in account.wanted]).astype(np.int64)
    chosen = account.indices(copies).tolist()
    assert len(set(chosen)) == len(chosen) == copies.sum()
    assert Counter(desired[index] for index in chosen) == Counter(account.keys(copies).tolist())
