"""Events are lines of JSON that consumers of Terraform's machine-readable UI can follow."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.apply.conduct import Receipt
from doe_compiler.cli.events import Events
from doe_compiler.kernel.errors import DoeError

ACTIONS = ["create", "supersede", "stop", "delete", "share", "attention"]


def clock():
    at = datetime(2026, 1, 1, tzinfo=UTC)
    while True:
        yield at
        at += timedelta(seconds=1)


def told(*calls):
    """The events that some calls write."""
    out, times = io.StringIO(), clock()
    events = Events([out], lambda: next(times))
    for name, *arguments in calls:
        getattr(events, name)(*arguments)
    return [json.loads(line) for line in out.getvalue().split("\n")[:-1]]


def action(kind, **more):
    return {"action": kind, "job": None, "rows": "1-3", "reason": {"code": "new"}, **more}


@given(st.text(), st.text())
def test_every_event_is_one_line_with_the_envelope(message, name):
    first, event, last = told(("tell", "log", message), ("step", Receipt("warn", name=name)))
    assert first["type"] == "version"
    assert first["ui"] == "1.2"
    assert (event["@message"], last["@message"]) == (message, name)
    for each in (first, event, last):
        assert {"@level", "@message", "@module", "@timestamp", "type"} <= set(each)
        assert datetime.fromisoformat(each["@timestamp"]).tzinfo is not None


@given(st.lists(st.sampled_from(ACTIONS), max_size=10))
def test_the_summary_counts_the_changes_that_were_told(kinds):
    document = {"studies": [{"study": "s", "actions": [action(kind) for kind in kinds]}]}
    _, *changes, summary = told(("plan", document, "the plan"))
    assert len(changes) == len(kinds)
    made = [change["change"]["action"] for change in changes]
    assert summary["changes"]["add"] == made.count("create") + made.count("replace")
    assert summary["changes"]["change"] == made.count("update")
    assert summary["changes"]["remove"] == made.count("delete")
    assert made.count("noop") == kinds.count("attention")
    assert summary["@message"] == "the plan"


@pytest.mark.parametrize("what", ["create", "submit", "delete", "stop", "share", "rename"])
@pytest.mark.parametrize("answer", ["done", "gone", "lost", "refused"])
def test_a_write_starts_and_then_completes_or_errs_never_both(what, answer):
    _, start, end = told(
        ("step", Receipt(what, "s", name="n", rows="1-2", request="r1")),
        ("step", Receipt(what, "s", "abcdef", "n", rows="1-2", request="r1", answer=answer)),
    )
    assert start["type"] == "apply_start"
    assert "id_value" not in start["hook"]
    assert end["type"] == ("apply_complete" if answer in {"done", "gone"} else "apply_errored")
    assert end["@level"] == ("info" if answer in {"done", "gone"} else "warn")
    assert (end["hook"]["id_value"], end["hook"]["elapsed_seconds"]) == ("abcdef", 2.0)
    assert answer in end["@message"]


def test_writes_that_overlap_keep_their_own_times():
    steps = [("r1", ""), ("r2", ""), ("r1", "done"), ("r2", "done")]
    events = told(*(("step", Receipt("create", "s", request=r, answer=a)) for r, a in steps))
    assert [e["hook"]["elapsed_seconds"] for e in events if e["type"] == "apply_complete"] == [4.0, 5.0]


def test_an_error_is_a_diagnostic_with_what_to_do_next():
    _, event = told(("error", DoeError("no way", hint="another")))
    assert event["@level"] == "error"
    assert event["diagnostic"] == {"severity": "error", "summary": "no way", "detail": "another"}


class Closed(io.StringIO):
    """A stream whose reader has left."""

    def write(self, _text):
        raise BrokenPipeError


def test_a_reader_that_leaves_does_not_end_what_the_others_read():
    out = io.StringIO()
    events = Events([Closed(), out, Closed()])
    events.tell("log", "one")
    events.tell("log", "two")
    assert [json.loads(line)["@message"] for line in out.getvalue().splitlines()][1:] == ["one", "two"]


def test_an_apply_tells_its_plan_its_writes_and_its_results_in_that_order(doe, study_at):
    done = doe("apply", study_at(), "--yes", "--json", "--json-into", "e.jsonl")
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = [event["type"] for event in events]
    assert kinds[:3] == ["version", "planned_change", "change_summary"]
    assert kinds[-1] == "outputs"
    assert kinds.count("apply_start") == kinds.count("apply_complete") > 0
    runs = events[-1]["outputs"]["results"]["value"]["runs"]
    assert [run["state"] for run in runs] == ["done"] * 5


def test_what_ends_an_apply_is_its_last_event(doe, study_at):
    for study, code in ((study_at(rest="limits: {runs: 1}"), 5), ("nothing.yaml", 64)):
        done = doe("apply", study, "--yes", "--json")
        assert done.returncode == code
        last = json.loads(done.stdout.splitlines()[-1])
        assert (last["type"], last["@level"]) == ("diagnostic", "error")
        assert last["diagnostic"]["summary"] in done.stderr
