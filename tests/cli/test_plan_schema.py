"""What `doe plan` prints and saves follows its published schema, whatever stands in it; equal inputs give equal bytes."""

import json

import pytest
from jsonschema import Draft202012Validator

from doe_compiler.spec.schemas import schema

PLAN = Draft202012Validator(schema("plan"))


def misfits(text):
    return [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
        for error in PLAN.iter_errors(json.loads(text))
    ]


def both(doe, folder, *words):
    """The printed and the saved plan, which is one that shows too."""
    told = doe("plan", *words, "--json", "-o", "plan.json")
    assert told.returncode == 0, told.stderr
    saved = (folder / "plan.json").read_text()
    shown = json.loads(told.stdout)
    del shown["unfinished"]
    assert json.loads(doe("show", "plan.json", "--json").stdout) == shown
    return told.stdout, saved


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"design": "{sampling: platform, iterations: 3}"},
        {"variables": "  x: {levels: ['CH4:1, O2:2', b]}", "design": "{}"},
        {"rest": "job: {share: [{email: a@b.org}], tags: [wing], runsPerJob: 2, expectedRunHours: 9}"},
        {"analysis": "    inputFiles: [deck.template]"},
    ],
)
def test_a_plan_of_a_new_study(doe, study_at, tmp_path, parts):
    printed, saved = both(doe, tmp_path, study_at(".", **parts))
    assert misfits(printed) == misfits(saved) == []
    assert json.loads(saved)["studies"][0]["contents"]["jobs"]
    assert both(doe, tmp_path, "study.yaml") == (printed, saved)


def test_plans_of_a_folder_in_which_rows_failed_changed_and_stand_twice(doe, study_at, tmp_path):
    for name in ("one", "two"):
        study_at(name, name=name, command="\"awk '{if (++n) exit 3}' deck.txt\"")
    doe("apply", ".", "--yes")
    (job, *_) = map(json.loads, doe("jobs", "list", "--json").stdout.splitlines())
    (tmp_path / "job.json").write_text(doe("jobs", "get", job["id"], "--json").stdout)
    assert doe("jobs", "create", "job.json").returncode == 0
    printed, saved = both(doe, tmp_path, ".", "--retry-failed")
    assert misfits(printed) == misfits(saved) == []
    assert {action["action"] for study in json.loads(saved)["studies"] for action in study["actions"]} == {
        "create",
        "attention",
    }
    study_at("one", name="one", command="'true'")
    printed, saved = both(doe, tmp_path, ".")
    assert misfits(printed) == misfits(saved) == []
    kinds = {action["action"] for study in json.loads(saved)["studies"] for action in study["actions"]}
    assert "supersede" in kinds


def test_the_schema_is_told_apart_from_what_it_is_not():
    assert misfits(json.dumps({"format": "doe-plan", "version": 2}))
