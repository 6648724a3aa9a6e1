"""The protocol on the real embedded platform: races, lost answers, crashes between the steps."""

from dataclasses import replace

import pytest

from doe_compiler.apply.looking import looked
from doe_compiler.client.client import Client
from doe_compiler.kernel.errors import DoeError, ExitCode
from doe_compiler.kernel.wire import Response
from doe_compiler.observe.around import changes_since, paid_rows
from doe_compiler.observe.known import KnownJobs
from doe_compiler.observe.listing import study_jobs
from doe_compiler.pipeline.compiling import compiled
from doe_compiler.plan.action import Kind, Why
from doe_compiler.plan.decide import Around, decided
from doe_compiler.plan.memory import OURS, Leaving
from doe_compiler.platform.api.service import open_platform

from .applying import apply as carried_out
from .applying import driver_of, order_of

HASTY = replace(
    OURS, dead=0.5
)  # here a draft left behind is deleted soon: its maker waits for this very apply


@pytest.fixture
def platform(tmp_path):
    opened = open_platform(tmp_path / "data")
    yield opened
    opened.close()


def apply(client, bundle, **more):
    return [what for what, _, _ in carried_out(client, order_of(bundle), **more)]


def decision(client, bundle):
    order = order_of(bundle)
    (look,) = looked(driver_of(client).eye, [order])
    around = Around(
        paid_rows(client, order.subject, look.seen.older, KnownJobs()),
        changes_since(client, order.wanted, look.seen.older),
    )
    return decided(look.seen, look.memory, order.want, OURS, around)


def run_counts(client, study="adder"):
    return sum(job.mark.rows.count for job in study_jobs(client, study) if not job.is_draft)


def test_applying_twice_submits_once(platform, study_at):
    client = Client.embedded(platform.answer)
    bundle, _ = compiled(study_at())
    assert apply(client, bundle) == ["create", "submit"]
    assert apply(client, bundle) == []
    assert run_counts(client) == 5


def test_another_checkout_has_nothing_to_do(platform, study_at):
    client = Client.embedded(platform.answer)
    apply(client, compiled(study_at("here"))[0])
    assert decision(client, compiled(study_at("there"))[0]).is_empty


def test_growing_runs_only_the_new_rows(platform, study_at):
    client = Client.embedded(platform.answer)
    apply(client, compiled(study_at())[0])
    grown, _ = compiled(study_at(design="{method: monte-carlo, runs: 8}"))
    assert sum(action.runs for action in decision(client, grown).actions) == 3
    apply(client, grown)
    assert run_counts(client) == 8
    shrunk, _ = compiled(study_at(design="{method: monte-carlo, runs: 6}"))
    assert decision(client, shrunk).is_empty


def test_rows_of_a_grown_study_are_found_in_the_csv_too(platform, study_at):
    client = Client.embedded(platform.answer)
    levels = "  x: {levels: [%s]}"
    apply(client, compiled(study_at(variables=levels % "1, 2, 3", design="{}"))[0])
    bundle, _ = compiled(study_at(variables=levels % "3, 7, 1", design="{}"))
    actions = decision(client, bundle).actions
    assert [(action.kind, action.rows) for action in actions] == [(Kind.CREATE, (1,))]


def test_a_changed_command_is_a_new_recipe(platform, study_at):
    client = Client.embedded(platform.answer)
    apply(client, compiled(study_at())[0])
    bundle, _ = compiled(study_at(command="\"awk '{print $3 + 2}' deck.txt > y.txt\""))
    (action,) = decision(client, bundle).actions
    assert (action.kind, action.runs, action.reason.why, action.reason.changes) == (
        Kind.SUPERSEDE,
        5,
        Why.RECIPE_CHANGED,
        (
            "command \"awk '{print $3 + 1}' deck.txt > y.txt\" is now \"awk '{print $3 + 2}' deck.txt > y.txt\"",
        ),
    )


@pytest.mark.parametrize(
    "change",
    [
        {"rest": "job: {isLowPriority: true}"},
        {"rest": "limits: {runs: 1000}"},
        {"rest": "description: Another title"},
        {"responses": "  z: {file: y.txt, regex: '(.)'}"},
        {"variables": "  x: {generator: Uniform, min: 0.0, max: 10.00, unit: m, description: A length}"},
        {"variables": "  x: {max: 1e1, min: 0, generator: Uniform}   # a comment"},
    ],
    ids=["priority", "limits", "title", "responses", "spelling", "order"],
)
def test_what_is_not_in_the_recipe_buys_nothing_again(platform, study_at, change):
    client = Client.embedded(platform.answer)
    apply(client, compiled(study_at())[0])
    assert decision(client, compiled(study_at(**change))[0]).is_empty


class Crash(BaseException):
    """The applier is killed: nothing of it happens any more."""


def crashing(platform, path):
    """A platform in front of which the applier dies when it sends something to a path."""
    dead = []

    def answer(request):
        if dead or request.path.endswith(path):
            dead.append(1)
            raise Crash
        return platform.answer(request)

    return Client.embedded(answer)


class Time:
    """A clock of the test: waiting costs nothing."""

    def __init__(self, at_s):
        self.now_s = at_s
        self.slept_s = 0.0

    def sleep(self, seconds):
        self.now_s += seconds
        self.slept_s += seconds


def test_a_draft_that_a_crash_left_is_deleted_when_its_maker_must_be_gone_and_never_submitted(
    platform, study_at
):
    bundle, _ = compiled(study_at())
    with pytest.raises(Crash):
        apply(crashing(platform, "/submit/"), bundle)
    client, time = Client.embedded(platform.answer), Time(0.0)
    (left,) = study_jobs(client, "adder")
    done = apply(client, bundle, now=lambda: time.now_s, sleep=time.sleep)
    assert done == ["delete", "create", "submit"]
    assert OURS.dead <= time.slept_s <= OURS.dead + 5
    (job,) = study_jobs(client, "adder")
    assert job.id != left.id
    assert run_counts(client) == 5


def test_rows_that_a_dead_draft_does_not_hold_are_bought_at_once(platform, study_at):
    with pytest.raises(Crash):
        apply(crashing(platform, "/submit/"), compiled(study_at(design="{method: monte-carlo, runs: 3}"))[0])
    client, time = Client.embedded(platform.answer), Time(0.0)
    done = apply(client, compiled(study_at())[0], now=lambda: time.now_s, sleep=time.sleep)
    assert done == ["create", "submit", "delete", "create", "submit"]
    assert sorted(job.mark.rows.count for job in study_jobs(client, "adder")) == [2, 3]


def test_an_interrupted_apply_withdraws_its_drafts(platform, study_at):
    wanted = []

    def go_on():
        if wanted:
            raise KeyboardInterrupt

    client = Client.embedded(platform.answer)
    with pytest.raises(KeyboardInterrupt):
        apply(
            client,
            compiled(study_at())[0],
            go_on=go_on,
            tell=lambda receipt: (
                wanted.append(1) if (receipt.what, receipt.answer) == ("create", "done") else None
            ),
        )
    assert study_jobs(client, "adder") == ()


def test_a_draft_whose_submit_was_cut_off_is_left_to_its_fate(platform, study_at):
    def cut(request):
        if request.path.endswith("/submit/"):
            raise KeyboardInterrupt
        return platform.answer(request)

    with pytest.raises(KeyboardInterrupt):
        apply(Client.embedded(cut), compiled(study_at())[0])
    (left,) = study_jobs(Client.embedded(platform.answer), "adder")
    assert left.is_draft


@pytest.mark.parametrize("lost", ["jobs/", "submit/", "contents/"])
@pytest.mark.parametrize("happened", [True, False])
def test_a_lost_answer_is_not_a_second_submit(platform, study_at, lost, happened):
    left = [1]

    def losing(request):
        if request.method == "POST" and request.path.endswith(lost) and left:
            left.pop()
            answer = None
            if happened:
                answer = platform.answer(request)
                b"".join(answer)
            return Response(502, (("content-type", "text/html"),), [b"<html>bad gateway"])
        return platform.answer(request)

    apply(Client.embedded(losing), compiled(study_at())[0])
    client = Client.embedded(platform.answer)
    assert not left
    assert run_counts(client) == 5
    assert decision(client, compiled(study_at())[0]).is_empty


def test_two_appliers_at_every_step_of_each_other_submit_once(tmp_path, study_at):
    """A second apply runs whole inside the first one, before each of its calls in turn."""
    bundle, _ = compiled(study_at())
    step = 0
    while True:
        platform = open_platform(tmp_path / f"data{step}")
        calls = 0

        def interrupted(request, platform=platform, step=step):
            nonlocal calls
            calls += 1
            if calls == step + 1:
                apply(Client.embedded(platform.answer), bundle, times=HASTY)
            return platform.answer(request)

        apply(Client.embedded(interrupted), bundle)
        client = Client.embedded(platform.answer)
        assert run_counts(client) == 5, step
        assert decision(client, bundle).is_empty
        platform.close()
        if calls <= step:
            break
        step += 1
    assert step > 5


def test_two_versions_of_a_study_share_their_rows(platform, study_at):
    client = Client.embedded(platform.answer)
    small, large = compiled(study_at())[0], compiled(study_at(design="{method: monte-carlo, runs: 8}"))[0]
    began = []

    def interrupted(request):
        if request.path.endswith("/submit/") and not began:
            began.append(1)
            apply(Client.embedded(platform.answer), large, times=HASTY)
        return platform.answer(request)

    apply(Client.embedded(interrupted), small)
    apply(client, large)
    assert run_counts(client) == 8


def test_runs_per_job_splits(platform, study_at):
    client = Client.embedded(platform.answer)
    bundle, _ = compiled(study_at(rest="job: {runsPerJob: 2}"))
    apply(client, bundle)
    assert sorted(job.mark.rows.count for job in study_jobs(client, "adder")) == [1, 2, 2]
    assert decision(client, bundle).is_empty


def test_files_are_uploaded_once(platform, study_at):
    uploads = []

    def counting(request):
        if request.path.endswith("/files/contents/"):
            uploads.append(request.path)
        return platform.answer(request)

    client = Client.embedded(counting)
    apply(client, compiled(study_at())[0])
    first = len(uploads)
    apply(client, compiled(study_at(design="{method: monte-carlo, runs: 8}"))[0])
    assert (first, len(uploads)) == (3, 4)


def test_an_apply_that_is_to_end_withdraws_its_drafts_and_submits_nothing_more(platform, study_at):
    client = Client.embedded(platform.answer)
    bundle, _ = compiled(study_at(rest="job: {runsPerJob: 2}"))
    order = order_of(bundle)
    driver = driver_of(client, throttle=lambda: (1, 0.0))
    submitted_at = []

    def ends_for(looks):
        submitted_at.append(len(looks[0].memory.bought))
        return Leaving(ExitCode.FAILED, "enough") if submitted_at[-1] == 1 else None

    driver.ends_for = ends_for
    with pytest.raises(DoeError, match="enough"):
        driver.carry_out([order], looked(driver.eye, [order]))
    assert [job.is_draft for job in study_jobs(client, "adder")] == [False]
    assert run_counts(client) == 2
