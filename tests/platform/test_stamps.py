"""What appliers rely on: stamps that rise in the order of commits, dated answers, and a DELETE of drafts only."""

import multiprocessing
import threading
from datetime import UTC, datetime

import pytest

from doe_compiler.client.client import Client
from doe_compiler.client.errors import Changed, NotFound, Refused
from doe_compiler.platform.records import now_us
from doe_compiler.platform.service import open_platform

PAYLOAD = {
    "name": "a job",
    "jobanalyses": [
        {
            "analysis": {"code": "user_included", "version": "0"},
            "command": "true",
            "hardware": {"coreType": "standard-plus", "coresPerSlot": 1, "slots": 1},
            "inputFiles": [],
        }
    ],
}


@pytest.fixture
def platform(tmp_path):
    opened = open_platform(tmp_path / "data")
    opened.ensure_executor = lambda *, detached: None
    yield opened
    opened.close()


@pytest.fixture
def client(platform):
    with Client.embedded(platform.answer) as opened:
        yield opened


def create_many(data, count):
    platform = open_platform(data)
    with Client.embedded(platform.answer) as client:
        for _ in range(count):
            client.create_job(PAYLOAD)
    platform.close()


def stamps(client):
    return [entry.date_inserted for entry in client.all_jobs(1000)]


def test_stamps_are_unique_and_rise_with_the_commits_of_several_processes(tmp_path):
    data = tmp_path / "data"
    open_platform(data).close()
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=create_many, args=(data, 20)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    platform = open_platform(data)
    with Client.embedded(platform.answer) as client:
        newest_first = stamps(client)
    platform.close()
    assert len(newest_first) == 60
    assert newest_first == sorted(set(newest_first), reverse=True)


def test_a_clock_that_is_set_back_turns_neither_stamps_nor_dates_back(client, monkeypatch):
    client.create_job(PAYLOAD)
    before = client.server_time()
    for name in ("service", "jobs"):
        monkeypatch.setattr(f"doe_compiler.platform.{name}.now_us", lambda: now_us() - 3600_000_000)
    deleted = client.create_job(PAYLOAD)
    client.delete(deleted.id)
    client.create_job(PAYLOAD)
    first, second = sorted(stamps(client))
    assert (second - first).total_seconds() == pytest.approx(2e-6, abs=1e-7)
    assert client.server_time() >= before


def test_every_answer_is_dated(client):
    client.me()
    assert abs((datetime.now(UTC) - client.server_time()).total_seconds()) < 5


def test_a_tag_lets_a_draft_be_deleted_and_nothing_else(client):
    draft, submitted = client.create_job(PAYLOAD).id, client.create_job(PAYLOAD).id
    was_submitted, tag = client.draft_tag(submitted)
    assert (was_submitted, tag) == (False, '"draft"')
    client.submit(submitted)
    assert client.draft_tag(submitted) == (True, None)
    with pytest.raises(Changed):
        client.delete(submitted, tag)
    client.stop(submitted)
    with pytest.raises(Changed):
        client.delete(submitted, tag)
    client.delete(draft, tag)
    with pytest.raises(NotFound):
        client.delete(draft, tag)
    client.delete(submitted)


def test_of_a_submit_and_a_delete_exactly_one_wins(platform):
    for _ in range(20):
        with Client.embedded(platform.answer) as client:
            job_id = client.create_job(PAYLOAD).id
        outcomes = []
        barrier = threading.Barrier(2)

        def attempt(act, job_id=job_id, outcomes=outcomes, barrier=barrier):
            with Client.embedded(platform.answer) as own:
                barrier.wait()
                try:
                    act(own, job_id)
                    outcomes.append(act)
                except (Changed, NotFound):
                    pass

        acts = [lambda c, j: c.submit(j), lambda c, j: c.delete(j, '"draft"')]
        threads = [threading.Thread(target=attempt, args=(act,)) for act in acts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(outcomes) == 1


def test_the_list_counts_the_runs_of_jobs_that_have_ended(client):
    job_id = client.create_job(PAYLOAD).id
    assert client.all_jobs()[0].runs_failed is None
    client.submit(job_id)
    client.stop(job_id)
    assert client.all_jobs()[0].runs_failed == 0


def test_a_check_before_the_sending_forbids_a_submit(client):
    job_id = client.create_job(PAYLOAD).id

    def forbid():
        raise Refused("too late", status=0)

    with pytest.raises(Refused, match="too late"):
        client.submit(job_id, forbid)
    assert client.draft_tag(job_id)[0] is False
