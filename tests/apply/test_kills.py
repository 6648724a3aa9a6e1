"""A real `kill -9` before and after every call and every local write of an apply, then another one in peace."""

import multiprocessing
import os
import signal
from collections import Counter

import pytest

from doe_compiler.client.client import Client
from doe_compiler.observe.listing import study_jobs
from doe_compiler.pipeline.compiling import compiled
from doe_compiler.pipeline.desk import Desk
from doe_compiler.pipeline.kept import kept_facts
from doe_compiler.pipeline.makers import Makers
from doe_compiler.pipeline.receipts import Receipts
from doe_compiler.platform.api.service import open_platform

from .applying import apply, missing, order_of
from .network import rows_of

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.apply.applying", "doe_compiler.pipeline.compiling", "httpx2"])
JOBS = 3


@pytest.fixture
def study(study_at):
    """Three jobs of two rows; two uploads each beside the parameter CSV."""
    return study_at(design="{method: monte-carlo, runs: 6}", rest="job: {runsPerJob: 2}")


def opened(data):
    platform = open_platform(data)
    platform.ensure_executor = lambda *, detached: None
    return platform


def desk_at(folder):
    kept = kept_facts(folder / "client", "local", "me")
    return Desk(Receipts(folder, "local", "me"), "me", kept, Makers(folder / "client" / "makers"))


def killed_at(data, study, boundary):
    """An apply that is killed at one boundary; a boundary lies before and after every call and every local write."""
    platform, desk = opened(data), desk_at(data.parent / f"{data.name}.doe")
    passed = 0

    def reach():
        nonlocal passed
        passed += 1
        if passed == boundary:
            os.kill(os.getpid(), signal.SIGKILL)

    def answer(request):
        reach()
        response = platform.answer(request)
        reach()
        return response

    def tell(receipt):
        reach()
        desk.add(receipt)
        reach()

    with desk.makers.at_work() as signed:

        def sign(nonce):
            reach()
            signed(nonce)
            reach()

        apply(Client.embedded(answer), order_of(compiled(study)[0]), tell=tell, sign=sign)


class Time:
    """A clock of the test: waiting costs nothing."""

    now_s = 0.0

    def sleep(self, seconds):
        self.now_s += seconds


@pytest.mark.parametrize("part", range(2))
def test_a_kill_at_every_boundary_submits_every_row_once(tmp_path, study, part):
    boundary, was_killed = part + 1, True
    while was_killed:
        data = tmp_path / str(boundary)
        process = CONTEXT.Process(target=killed_at, args=(data, study, boundary))
        process.start()
        process.join()
        was_killed = process.exitcode == -signal.SIGKILL
        assert was_killed or process.exitcode == 0
        platform, time = opened(data), Time()
        with Client.embedded(platform.answer) as client:
            order = order_of(compiled(study)[0])
            abandoned = desk_at(tmp_path / f"{boundary}.doe").makers.dead
            apply(client, order, now=lambda time=time: time.now_s, sleep=time.sleep, abandoned=abandoned)
            assert time.now_s == 0, "what a dead maker left is not waited for"
            jobs = study_jobs(client, "adder")
            submitted = [job for job in jobs if not job.is_draft]
            copies = Counter(key for job in submitted for key in rows_of(client, job.id))
            assert sorted(copies.values()) == [1] * 6, boundary
            assert len(jobs) - len(submitted) <= JOBS, boundary
            assert missing(client, order) == 0
            uploads = Counter(
                (file.name, file.sha512)
                for name in ("deck.template", "adder.csv")
                for file in client.find_files(name)
            )
            assert max(uploads.values()) <= 2, boundary
        platform.close()
        boundary += 2
    assert boundary > 60
