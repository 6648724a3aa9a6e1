"""The protocol on the real embedded platform: races, lost answers, crashes between the steps."""

import itertools
from collections import Counter

import pytest

from doe_compiler.actual.jobs import Findings, study_jobs
from doe_compiler.apply.conduct import Conduct
from doe_compiler.apply.looking import Order, looked
from doe_compiler.apply.protocol import carried_out
from doe_compiler.bundle.wanted import wanted_of
from doe_compiler.client.client import Client
from doe_compiler.kernel.wire import Response
from doe_compiler.pipeline.compiling import compiled
from doe_compiler.plan.action import Kind, Why
from doe_compiler.platform.service import open_platform


@pytest.fixture
def platform(tmp_path):
    opened = open_platform(tmp_path / "data")
    yield opened
    opened.close()


_nonces = itertools.count(10_000)
CONDUCT = Conduct(
    0.0, lambda _seconds: None, lambda: 0.0, lambda: f"n{next(_nonces)}", lambda: 0.5, lambda _step: None
)


def look(client, bundle):
    return looked(client, [Order(wanted_of(bundle))], Findings())[0]


def apply(client, bundle):
    orders = [Order(wanted_of(bundle))]
    return carried_out(client, orders, looked(client, orders, Findings()), CONDUCT, Findings())


def submitted_rows(client, study="adder"):
    rows = Counter()
    for job in study_jobs(client, study):
        if not job.is_draft:
            rows.update({job.mark.rows: 1})
    return rows


def run_counts(client, study="adder"):
    return sum(job.mark.rows.count for job in study_jobs(client, study) if not job.is_draft)


def test_applying_twice_submits_once(platform, study_at):
    client = Client.embedded(platform.answer)
    bundle, _ = compiled(study_at())
    assert [step.what for step in apply(client, bundle)] == ["create", "submit"]
    assert apply(client, bundle) == []
    assert run_counts(client) == 5


def test_another_checkout_has_nothing_to_do(platform, study_at):
    client = Client.embedded(platform.answer)
    apply(client, compiled(study_at("here"))[0])
    assert look(client, compiled(study_at("there"))[0]).decision.is_empty


def test_growing_runs_only_the_new_rows(platform, study_at):
    client = Client.embedded(platform.answer)
    apply(client, compiled(study_at())[0])
    grown, _ = compiled(study_at(design="{method: monte-carlo, runs: 8}"))
    assert sum(action.runs for action in look(client, grown).decision.actions) == 3
    apply(client, grown)
    assert run_counts(client) == 8
    shrunk, _ = compiled(study_at(design="{method: monte-carlo, runs: 6}"))
    assert look(client, shrunk).decision.is_empty


def test_rows_of_a_grown_study_are_found_in_the_csv_too(platform, study_at):
    client = Client.embedded(platform.answer)
    levels = "  x: {levels: [%s]}"
    apply(client, compiled(study_at(variables=levels % "1, 2, 3", design="{}"))[0])
    bundle, _ = compiled(study_at(variables=levels % "3, 7, 1", design="{}"))
    actions = look(client, bundle).decision.actions
    assert [(action.kind, action.rows) for action in actions] == [(Kind.CREATE, (1,))]


def test_a_changed_command_is_a_new_recipe(platform, study_at):
    client = Client.embedded(platform.answer)
    apply(client, compiled(study_at())[0])
    bundle, _ = compiled(study_at(command="\"awk '{print $3 + 2}' deck.txt > y.txt\""))
    (action,) = look(client, bundle).decision.actions
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
    assert look(client, compiled(study_at(**change))[0]).decision.is_empty


def test_a_draft_that_a_crash_left_is_submitted(platform, study_at):
    bundle, _ = compiled(study_at())

    class Crash(BaseException):
        pass

    def dying(request):
        if request.path.endswith("/submit/"):
            raise Crash
        return platform.answer(request)

    with pytest.raises(Crash):
        apply(Client.embedded(dying), bundle)
    client = Client.embedded(platform.answer)
    assert [step.what for step in apply(client, bundle)] == ["submit"]
    assert run_counts(client) == 5


def test_a_draft_that_is_half_wanted_is_replaced(platform, study_at):
    def refusing(request):
        if request.path.endswith("/submit/"):
            raise KeyboardInterrupt
        return platform.answer(request)

    with pytest.raises(KeyboardInterrupt):
        apply(Client.embedded(refusing), compiled(study_at())[0])
    client = Client.embedded(platform.answer)
    receipts = apply(client, compiled(study_at(design="{method: monte-carlo, runs: 3}"))[0])
    assert [step.what for step in receipts] == ["create", "submit"]
    assert run_counts(client) == 3


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
    assert look(client, compiled(study_at())[0]).decision.is_empty


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
                apply(Client.embedded(platform.answer), bundle)
            return platform.answer(request)

        apply(Client.embedded(interrupted), bundle)
        client = Client.embedded(platform.answer)
        assert run_counts(client) == 5, step
        assert look(client, bundle).decision.is_empty
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
            apply(Client.embedded(platform.answer), large)
        return platform.answer(request)

    apply(Client.embedded(interrupted), small)
    apply(client, large)
    assert run_counts(client) == 8


def test_runs_per_job_splits(platform, study_at):
    client = Client.embedded(platform.answer)
    bundle, _ = compiled(study_at(rest="job: {runsPerJob: 2}"))
    apply(client, bundle)
    assert sorted(job.mark.rows.count for job in study_jobs(client, "adder")) == [1, 2, 2]
    assert look(client, bundle).decision.is_empty


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
