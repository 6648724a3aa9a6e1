"""The table of a job's life: it is what the store carries out, and what the page about the platform shows."""

import random
from pathlib import Path

import pytest

from doe_compiler.platform.store.states import DRAFT, JOB_STATUSES, MOVES, NAMES, Event, JobState, diagram

PAGE = Path(__file__).parents[2] / "doe_compiler" / "platform" / "README.md"
REFERENCE = {
    "Pending", "Queued", "Started", "Validated", "Executing", "Completed", "Stopping", "Force Stop", "Waiting for Queue",
    "Waiting for Cluster",
}  # fmt: skip


def test_the_page_shows_the_table():
    assert f"```mermaid\n{diagram()}```\n" in PAGE.read_text()


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
