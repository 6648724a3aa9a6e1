"""A file that the platform does not give is that row's reason, and never a reason to run again."""

import pytest

from doe_compiler.client.client import Client
from doe_compiler.client.patience import Patience
from doe_compiler.kernel.errors import TryAgain
from doe_compiler.kernel.wire import Response
from doe_compiler.observe.listing import study_jobs
from doe_compiler.pipeline.compiling import compiled
from doe_compiler.platform.api.service import open_platform
from doe_compiler.results.collect import collected, lacking_runs


@pytest.fixture
def applied(doe, study_at, monkeypatch):
    """A study whose two runs are done, and a response that must be read from the stored outputs."""
    study = {
        "variables": "  x: {levels: [1, 2]}",
        "design": "{}",
        "deck": "${x}\n",
        "command": '"cp deck.txt y.txt"',
    }
    assert doe("apply", study_at(**study), "--yes").returncode == 0
    changed = study_at(**study, responses="  y: {file: y.txt, regex: '^(\\S+)'}")
    monkeypatch.chdir(changed.parent)
    return changed


def seen(study, status, tell):
    """What `tell` says of a platform that answers the first contents of an output with the status."""
    bundle, _ = compiled(study)
    platform = open_platform(study.parent / ".doe" / "platform")
    bad = []

    def answer(request):
        if request.path.endswith("/contents/") and (not bad or request.path in bad):
            bad[:] = [request.path]
            return Response(status, (("content-type", "application/json"),), [b'{"detail": "No."}'])
        return platform.answer(request)

    client = Client.embedded(answer, Patience(tries=2, sleep=lambda _: None))
    try:
        return tell(client, bundle)
    finally:
        client.close()
        platform.close()


@pytest.mark.parametrize("status", [404, 403, 500, 503])
def test_a_file_that_cannot_be_had_is_the_reason_of_its_row(applied, status):
    results = seen(applied, status, collected)
    assert [(row.state.value, row.outputs.get("y")) for row in results.rows] == [
        ("failed", None),
        ("done", "2"),
    ]
    assert "'y.txt' cannot be read" in results.rows[0].why


def test_a_file_that_cannot_be_had_for_now_is_no_reason_to_run_again(applied):
    def failed(client, bundle):
        (job,) = study_jobs(client, bundle.spec.study)
        return lacking_runs(client, bundle, job)

    with pytest.raises(TryAgain):
        seen(applied, 503, failed)
    assert seen(applied, 404, failed) == {1: ("y",)}
