"""The table of a job's life: it is what the store carries out, and what the page about the platform shows."""

import random
from pathlib import Path

import pytest

from doe_compiler.platform.store.records import Run, RunEnd
from doe_compiler.platform.store.states import (
    DRAFT,
    JOB_STATUSES,
    MOVES,
    NAMES,
    RUN_MOVES,
    Event,
    JobState,
    RunCall,
    RunEvent,
    RunState,
    diagram,
    run_diagram,
)

PAGE = Path(__file__).parents[2] / "doe_compiler" / "platform" / "README.md"
REFERENCE = {
    "Pending", "Queued", "Started", "Validated", "Executing", "Completed", "Stopping", "Force Stop", "Waiting for Queue",
    "Waiting for Cluster",
}  # fmt: skip


def test_the_page_shows_the_table():
    assert f"```mermaid\n{diagram()}```\n" in PAGE.read_text()
    assert f"```mermaid\n{run_diagram()}```\n" in PAGE.read_text()


def test_the_words_are_those_of_the_reference():
    assert set(JOB_STATUSES) == REFERENCE


def test_every_place_is_reached_and_left():
    reached = {DRAFT}
    for (place, _), move in MOVES.items():
        if move.to is not None:
            reached.add((move.to, place[1] or move.asks_for_stop))
    assert reached == set(NAMES) == {place for place, _ in MOVES}


def happen(store, job, event, now_us):
    match event:
        case Event.SUBMIT:
            store.submit(job.id, now_us)
        case Event.STOP:
            store.request_stop(job.id, now_us)
        case Event.START:
            store.start_job(job.key, now_us)
        case Event.FINISH:
            store.finish_job(job.key, "Completed successfully", now_us)
        case Event.DELETE:
            store.delete_job(job.id)


@pytest.mark.parametrize("seed", range(20))
def test_the_store_does_what_the_table_says_in_any_order(api, seed):
    dice = random.Random(seed)
    store = api.platform._store
    for _ in range(5):
        job_id = api.create(api.analysis("true"))
        place, words, cluster = DRAFT, [], []
        for number in range(12):
            event = dice.choice(list(Event))
            job = store.job(job_id)
            happen(store, job, event, number)
            move = MOVES.get((place, event))
            if move is not None and move.to is None:
                assert store.job(job_id) is None
                break
            if move is not None:
                place = (move.to, place[1] or move.asks_for_stop)
                words += move.words
                cluster += move.cluster
            job = store.job(job_id)
            assert (job.state, job.stop_requested) == place
            assert [each.status for each in reversed(store.statuses(job, of_cluster=False))] == words
            assert [each.status for each in reversed(store.statuses(job, of_cluster=True))] == cluster
            assert (job.status, job.cluster_status) == ((words or [""])[-1], (cluster or [""])[-1])
            if job.state is JobState.FINISHED:
                assert (job.runs_completed, job.runs_failed) == (0, 0)
                expected = "Stopped by the user" if "Executing" not in words else "Completed successfully"
                assert job.status_reason == expected


def test_every_state_of_a_run_is_reached_and_may_be_asked_something():
    assert {RunState.WAITING, *RUN_MOVES.values()} == set(RunState)
    assert all(any(state in call.states for call in RunCall) for state in RunState)


def run_happens(store, job, event, now_us):
    match event:
        case RunEvent.START:
            store.record_runs([(job.key, Run(1, now_us, None, 0, 0, 0, ()))], {})
        case RunEvent.END:
            ended = RunEnd(Run(1, now_us - 1, now_us, 0, 1, 3, ()), (("a.txt", 3, "0" * 32),))
            store.record_runs([], {job.key: [ended]})
        case RunEvent.CUT:
            store.finish_job(job.key, "Stopped by the user", now_us)
        case RunEvent.INTERRUPT:
            store.forget_interrupted_runs(job.key)


@pytest.mark.parametrize("seed", range(20))
def test_a_run_may_be_asked_what_the_table_says(api, seed):
    dice = random.Random(seed)
    store = api.platform._store
    job_id = api.create(api.analysis("true"))
    store.submit(job_id, 1)
    key = store.job(job_id).key
    store.start_job(key, 2)
    state = RunState.WAITING
    calls = {
        RunCall.STOP: ("POST", f"jobs/{job_id}/runs/1/stop/", 202),
        RunCall.SNAPSHOT: ("POST", f"jobs/{job_id}/runs/1/snapshot/", 202),
        RunCall.LOOK: ("GET", f"jobs/{job_id}/runs/1/directory-contents/", 200),
    }
    for number in range(3, 12):
        for call, (method, address, status) in calls.items():
            may = state in call.states
            said = api.call(method, address)
            assert said[0] == (status if may else 400), (state, call)
            assert may or call.refusal in str(said[1])
        events = [event for (place, event) in RUN_MOVES if place is state]
        if not events:
            break
        event = dice.choice(events)
        run_happens(store, store.job(job_id), event, number)
        state = RUN_MOVES[state, event]
        run = store.runs(store.job(job_id), 1, 1).get(1)
        assert (RunState.WAITING if run is None else run.state(store.job(job_id).state)) is state


def test_outputs_of_a_run_that_was_cut_off_can_be_deleted(api, until):
    job = api.create(api.analysis("echo 1 > a.txt; sleep 60"))
    api.submit(job)
    until((api.data / "jobs" / job / "run1" / "a.txt").exists)
    assert api.call("POST", f"jobs/{job}/runs/1/snapshot/")[0] in (202, 400)
    api.call("POST", f"jobs/{job}/stop/")
    api.finished(job)
    shown = api.runs(job)[0]
    assert shown["dateStarted"] is not None
    assert shown["dateCompleted"] is None
    output = api.outputs(job)["a.txt"]
    assert api.call("DELETE", f"files/{output['id']}/")[0] == 204
    assert not (api.data / "jobs" / job / "run1" / "a.txt").exists()
