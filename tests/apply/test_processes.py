"""Real processes that apply one study, and overlapping versions of it, to one platform at the same moment."""

import multiprocessing
import os
import subprocess
import sys
import time
from collections import Counter

import pytest

from doe_compiler.client.client import Client
from doe_compiler.client.settings import account_for
from doe_compiler.kernel.errors import DoeError
from doe_compiler.observe.listing import study_jobs
from doe_compiler.pipeline.compiling import compiled
from doe_compiler.platform.api.service import open_platform

from .applying import apply, missing, order_of
from .network import rows_of

TIMES = int(os.environ.get("DOE_RACES", "20"))
PARTS = 2
VERSIONS = {
    "equal": ["1, 2, 3, 4"] * 2,
    "nested": ["1, 2, 3, 4, 5, 6", "1, 2, 3, 4, 5, 6, 7, 8"],
    "overlapping": ["1, 2", "2, 3"],
    "eight": ["1, 2", "2, 3", "3, 4", "1, 2, 3, 4"] * 2,
}
DONE = {"nested": "1, 2, 3"}
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.apply.applying", "doe_compiler.pipeline.compiling", "httpx2"])


def version_at(study_at, folder, levels, name="adder"):
    return study_at(
        f"{folder}/{levels.replace(', ', '-')}",
        name=name,
        variables=f"  x: {{levels: [{levels}]}}",
        design="{}",
        rest="job: {runsPerJob: 2}",
    )


def connected(place):
    """A client of the platform in a folder, or at an address, and what is to be closed."""
    if "url" in place:
        return Client.connect(account_for(place["url"], place["environ"], place["home"])), lambda: None
    platform = open_platform(place["data"])
    platform.ensure_executor = lambda *, detached: None
    return Client.embedded(platform.answer), platform.close


def applier(place, study, barrier, answers):
    """What one process does: the jobs that it submitted, or the error that it ended with."""
    client, close = connected(place)
    try:
        order = order_of(compiled(study)[0])
        barrier.wait()
        try:
            done = apply(client, order, sleep=time.sleep)
            answers.put(([job for what, answer, job in done if (what, answer) == ("submit", "done")], ""))
        except DoeError as error:
            answers.put(([], f"{type(error).__name__}: {error}"))
    finally:
        client.close()
        close()


def raced(place, studies):
    """All at once; the jobs that were submitted."""
    barrier, answers = CONTEXT.Barrier(len(studies)), CONTEXT.Queue()
    processes = [CONTEXT.Process(target=applier, args=(place, study, barrier, answers)) for study in studies]
    for process in processes:
        process.start()
    told = [answers.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert [error for _, error in told if error] == []
    return [job for jobs, _ in told for job in jobs]


def check(place, studies, submitted):
    client, close = connected(place)
    try:
        jobs = study_jobs(client, "adder")
        copies = Counter(key for job in jobs if not job.is_draft for key in rows_of(client, job.id))
        assert set(copies.values()) == {1}, copies
        assert set(submitted) <= {job.id for job in jobs}, "a submitted job was deleted"
        assert len(set(submitted)) == len(submitted)
        assert not any(job.is_draft for job in jobs)
        for study in studies:
            assert missing(client, order_of(compiled(study)[0])) == 0
    finally:
        client.close()
        close()


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("name", VERSIONS)
def test_processes_in_one_folder_pay_once_and_tell_the_same_story(tmp_path, study_at, name, part):
    studies = [version_at(study_at, name, levels) for levels in VERSIONS[name]]
    for number in range(TIMES // PARTS):
        place = {"data": tmp_path / f"{part}-{number}"}
        open_platform(place["data"]).close()
        if name in DONE:
            raced(place, [version_at(study_at, name, DONE[name])])
        check(place, studies, raced(place, studies))


@pytest.fixture
def served(tmp_path):
    """A served platform of another process: where it is, and with which key."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("DOE_", "RESCALE_"))}
    environ |= {"HOME": str(tmp_path), "DOE_DATA": str(tmp_path / "served")}
    (tmp_path / "token").write_text("a-token-of-a-test\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "doe_compiler", "serve", "--port", "0", "--token-file", str(tmp_path / "token")],
        env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        told = ""
        while "http://" not in told:
            line = process.stdout.readline()
            assert line, told
            told += line
        url = next(word for word in told.split() if word.startswith("http://")).rstrip(",.")
        yield {"url": url, "environ": {"RESCALE_API_KEY": "a-token-of-a-test"}, "home": tmp_path}
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("name", VERSIONS)
def test_processes_at_one_server_pay_once_and_tell_the_same_story(served, study_at, name):
    for number in range(max(TIMES // 5, 1)):
        folder = f"{name}{number}"
        studies = [version_at(study_at, folder, levels, f"adder{number}") for levels in VERSIONS[name]]
        submitted = raced(served, studies)
        with connected(served)[0] as client:
            jobs = study_jobs(client, f"adder{number}")
            copies = Counter(key for job in jobs if not job.is_draft for key in rows_of(client, job.id))
            assert set(copies.values()) == {1}, copies
            assert sorted(submitted) == sorted(job.id for job in jobs)
            assert all(missing(client, order_of(compiled(study)[0])) == 0 for study in studies)
