"""A draft whose DELETEs were not answered is given up: one of them may act late, and would meet its submit."""

from dataclasses import replace

import numpy as np
import pytest

from doe_compiler.bundle.mark import Mark
from doe_compiler.bundle.observation import Holding, Observation, Phase, SeenJob
from doe_compiler.bundle.rows import row_set
from doe_compiler.plan.memory import (
    ELSEWHERE,
    MOST_IN_A_ROW,
    Answer,
    Memory,
    answered_create,
    created,
    learnt,
    noted,
)
from doe_compiler.plan.steps import Delete, Statuses, Submit
from doe_compiler.plan.tables import Want, agreement, next_step

KEYS = np.array([7], np.uint64)
WANT = Want(KEYS, lambda rows: [rows])
NONCE = f"{1_000_000:08x}{1:08x}"


def look(now, *, shows):
    mark = Mark("s", "0" * 12, row_set(KEYS), None, 0, NONCE)
    job = SeenJob("d", str(mark), mark, Phase.DRAFT, "", 1_000_000 * 1_000_000)
    nothing = np.zeros(0, np.uint64)
    holdings = (Holding(job, KEYS, nothing, nothing, nothing),) if shows else ()
    return Observation(now, now, (1_000_000 + round(now)) * 1_000_000, holdings)


@pytest.fixture
def unanswered():
    """An apply whose create of the only row was not answered."""
    seen = look(0.0, shows=False)
    memory = Memory(agreed=agreement(seen, Memory(), WANT))
    memory = created(noted(memory, seen), NONCE, 1.0)
    return answered_create(memory, NONCE, Answer.LOST, 2.0)


def given_up(memory, deletes=MOST_IN_A_ROW):
    """The same after some DELETEs without an answer, as many as there may be."""
    memory = noted(memory, look(3.0, shows=True))
    for attempt in range(deletes):
        memory = learnt(memory, Statuses("d"), "d", Answer.EMPTY, 3.0 + attempt)
        memory = learnt(memory, Delete("d"), "d", Answer.LOST, 3.5 + attempt)
    return memory


def steps_of(memory, times, until):
    """What the tables say at every second, the draft being in every list."""
    for now in np.arange(10.0, until, 1.0):
        step, memory = next_step(
            look(now, shows=True), noted(memory, look(now, shows=True)), WANT, times, now
        )
        yield step


def test_it_is_never_taken_up_again(unanswered):
    memory = given_up(unanswered)
    steps = list(steps_of(memory, ELSEWHERE, ELSEWHERE.own))
    assert not any(isinstance(step, Submit | Statuses | Delete) for step in steps)


def test_one_that_was_not_given_up_is(unanswered):
    steps = list(steps_of(noted(unanswered, look(3.0, shows=True)), ELSEWHERE, ELSEWHERE.own))
    assert any(isinstance(step, Submit) for step in steps)


@pytest.mark.parametrize("deletes", range(1, MOST_IN_A_ROW))
def test_one_that_is_half_deleted_is_deleted_on(unanswered, deletes):
    memory = given_up(unanswered, deletes)
    first, *others = steps_of(memory, ELSEWHERE, ELSEWHERE.own)
    assert isinstance(first, Statuses)
    assert not any(isinstance(step, Submit) for step in others)


def test_forgetting_the_deletes_would_take_it_up_again(unanswered):
    memory = replace(given_up(unanswered), attempts={}, kept=frozenset())
    assert any(isinstance(step, Submit) for step in steps_of(memory, ELSEWHERE, ELSEWHERE.own))
