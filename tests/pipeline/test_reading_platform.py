"""What is sent to a platform that reads outputs itself, and to one that does not say that it does."""

import json

import pytest

from doe_compiler.bundle.pack import for_reading_platform
from doe_compiler.client.client import Client
from doe_compiler.kernel.wire import Response
from doe_compiler.pipeline.compiling import compiled

STUDY = """doe: 1
study: adder
variables:
  x: {levels: [1, 2]}
analyses:
  - analysis: {code: user_included}
    command: "cat deck > y.txt"
    hardware: {coreType: emerald}
    runTimeout: 90s
    templates: [{source: deck.t, target: deck}]
responses:
  y: {file: y.txt, regex: 'x (\\S+)'}
"""


@pytest.fixture
def payload(tmp_path):
    def _payload(*, reads, more=""):
        (tmp_path / "deck.t").write_text("x ${x}\n")
        (tmp_path / "study.yaml").write_text(STUDY + more)
        bundle, _ = compiled(tmp_path / "study.yaml")
        there = for_reading_platform(bundle) if reads else bundle
        (job,) = there.jobs()
        assert there.recipe == bundle.recipe
        return job.payload(there, name="n", parameters=None)

    return _payload


def test_the_extractors_ride_in_the_job_and_no_step_is_added(payload):
    found = payload(reads=True)
    assert found["outputReading"] == {
        "seconds": 90,
        "variables": [{"name": "y", "kind": "regex", "file": "y.txt", "regex": "x (\\S+)", "take": "last"}],
    }
    (analysis,) = found["jobanalyses"]
    assert analysis["postProcessScript"] is None
    assert "doe_exit.txt" not in analysis["command"]


def test_other_platforms_are_never_sent_them(payload):
    found = payload(reads=False)
    assert "outputReading" not in found
    assert found["jobanalyses"][0]["postProcessScript"] is not None


def test_a_response_by_command_needs_the_generated_step_for_all(payload):
    found = payload(reads=True, more="  size: {command: wc -c < y.txt}\n")
    assert "outputReading" not in found
    assert found["jobanalyses"][0]["postProcessScript"] is not None


@pytest.mark.parametrize(
    ("status", "body", "understands"),
    [
        (200, {"jobs": "x", "outputReading": "y"}, True),
        (200, {"jobs": "x"}, False),
        (200, [], False),
        (404, {"detail": "Not found."}, False),
    ],
)
def test_only_a_platform_that_says_so_understands(status, body, understands):
    answer = Response(status, (("content-type", "application/json"),), (json.dumps(body).encode(),))
    with Client.embedded(lambda _: answer) as client:
        assert client.understands("outputReading") is understands
