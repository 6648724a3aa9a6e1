"""What appliers rely on: stamps that rise in the order of commits, dated answers, and a DELETE of drafts only."""

import multiprocessing
import threading
import time
from datetime import UTC, datetime

import pytest

from doe_compiler.client.client import Client
from doe_compiler.client.errors import Changed, NotFound, Refused
from doe_compiler.client.patience import Patience
from doe_compiler.client.settings import Account, Secret
from doe_compiler.platform.api.service import open_platform
from doe_compiler.platform.store.records import now_us

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
        monkeypatch.setattr(f"doe_compiler.platform.api.{name}.now_us", lambda: now_us() - 3600_000_000)
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


def connected(server, patience=None):
    url = f"http://127.0.0.1:{server.port}/api/v2/"
    return Client.connect(Account(url, Secret(server.token)), patience)


class Rests:
    """A patience that asks a throttled server again and again, and counts how often."""

    def __init__(self):
        self.count = 0
        self.patience = Patience(tries=1000, sleep=self.sleep)

    def sleep(self, _):
        self.count += 1
        time.sleep(0.02)


class Names:
    """A payload with a name of its own for every sending."""

    def __init__(self):
        self.given = []

    def __call__(self):
        self.given.append(f"job {len(self.given)}")
        return {**PAYLOAD, "name": self.given[-1]}


def test_every_sending_of_a_throttled_create_carries_another_name(serve_at, tmp_path):
    server = serve_at(tmp_path / "data", "--throttle", "others=1/s")
    rests, names = Rests(), Names()
    with connected(server, rests.patience) as client:
        made = [client.create_job(names).name for _ in range(2)]
        listed = [entry.name for entry in client.all_jobs()]
    assert rests.count > 0
    assert len(set(names.given)) == len(names.given) == 2 + rests.count
    assert made == [names.given[0], names.given[-1]]
    assert listed == made[::-1]


def test_a_throttled_submit_is_checked_before_every_sending_and_can_be_given_up(serve_at, tmp_path):
    server = serve_at(tmp_path / "data", "--throttle", "submits=1/h")
    checks = []

    def check():
        checks.append(rests.count)
        if len(checks) == 4:
            raise Refused("too late", status=0)

    rests = Rests()
    with connected(server, rests.patience) as client:
        first, second = client.create_job(PAYLOAD).id, client.create_job(PAYLOAD).id
        client.submit(first, check)
        with pytest.raises(Refused, match="too late"):
            client.submit(second, check)
        assert checks == [0, 0, 1, 2]
        assert [client.draft_tag(job_id)[0] for job_id in (first, second)] == [True, False]


def attempt_each(act, port, token, job_ids, barrier, won):
    with Client.connect(Account(f"http://127.0.0.1:{port}/api/v2/", Secret(token))) as client:
        for job_id in job_ids:
            barrier.wait(60)
            try:
                if act == "submit":
                    client.submit(job_id)
                else:
                    client.delete(job_id, '"draft"')
            except (Changed, NotFound):
                continue
            won.put((job_id, act))
    won.put(None)


def test_of_a_submit_and_a_delete_of_two_processes_over_http_exactly_one_wins(serve_at, tmp_path):
    server = serve_at(tmp_path / "data")
    with connected(server) as client:
        job_ids = [client.create_job(PAYLOAD).id for _ in range(12)]
        context = multiprocessing.get_context("spawn")
        barrier, won = context.Barrier(2), context.Queue()
        processes = [
            context.Process(target=attempt_each, args=(act, server.port, server.token, job_ids, barrier, won))
            for act in ("submit", "delete")
        ]
        for process in processes:
            process.start()
        ends = [list(iter(lambda: won.get(timeout=60), None)) for _ in processes]
        for process in processes:
            process.join()
        winners = [each for end in ends for each in end]
        assert sorted(job_id for job_id, _ in winners) == sorted(job_ids)
        listed = {entry.id: entry.status for entry in client.all_jobs()}
    assert set(listed) == {job_id for job_id, act in winners if act == "submit"}
    assert "" not in listed.values()


def test_a_page_and_its_count_are_of_one_moment_newest_first(api):
    creator = multiprocessing.get_context("spawn").Process(target=create_many, args=(api.data, 60))
    creator.start()
    pages = []
    while creator.is_alive():
        pages.append(api.get("jobs/", page_size=100))
    creator.join()
    pages.append(api.get("jobs/", page_size=100))
    assert pages[-1]["count"] == 60
    for page in pages:
        dates = [row["dateInserted"] for row in page["results"]]
        assert page["count"] == len(dates)
        assert dates == sorted(dates, reverse=True)


def test_every_answer_over_http_has_one_date(serve_at, tmp_path):
    server = serve_at(tmp_path / "data", "--throttle", "job-reads=2/h")
    answers = [server.call("GET", path) for path in ("jobs/", "jobs/none/", "jobs/")]
    assert [status for status, _, _ in answers] == [200, 404, 429]
    assert [len(headers.get_all("date")) for _, _, headers in answers] == [1, 1, 1]
