"""The policies of a team and the limits of a study, as a user meets them: exit 5 before anything is written."""

import json

import pytest

POLICY = """\
policy: 1
allow: {coreTypes: [emerald, standard-plus], analyses: [user_included]}
limits: {runs: 5}
require: {tags: ["cost-centre:*"]}
"""
TAGS = "job: {tags: [wing, 'cost-centre:17']}"


def jobs_of(doe):
    return [json.loads(line) for line in doe("jobs", "list", "--json").stdout.splitlines()]


def test_a_study_that_keeps_to_the_policy_runs_and_its_jobs_have_its_tags(doe, study_at, tmp_path):
    (tmp_path / "doe-policy.yaml").write_text(POLICY)
    study = study_at(".", rest=TAGS)
    assert doe("validate", study).returncode == 0
    done = doe("apply", study, "--yes")
    assert done.returncode == 0, done.stderr
    (job,) = jobs_of(doe)
    assert doe("jobs", "tags", job["id"]).stdout.split()[2:] == ["wing", "cost-centre:17"]
    study_at(".", rest="job: {tags: ['cost-centre:18']}")
    assert doe("plan", study, "--detailed-exitcode").returncode == 0


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"rest": ""}, "no tag 'cost-centre:*'"),
        ({"rest": TAGS, "design": "{method: monte-carlo, runs: 6}"}, "6 runs; this policy allows 5"),
        ({"rest": TAGS + "\nlimits: {runs: 4}"}, "5 runs; its own limits allow 4"),
    ],
)
def test_what_breaks_a_policy_is_refused_by_every_verb(doe, study_at, tmp_path, more, said):
    (tmp_path / "doe-policy.yaml").write_text(POLICY)
    study = study_at(".", **more)
    checked = doe("validate", study)
    assert checked.returncode == 5
    assert said in checked.stdout
    for words in (("plan", study), ("plan", study, "-o", "plan.json"), ("apply", study, "--yes")):
        refused = doe(*words)
        assert refused.returncode == 5, refused.stderr
        assert said in refused.stderr
    assert not (tmp_path / "plan.json").exists()
    assert jobs_of(doe) == []


def test_every_policy_up_to_the_root_of_the_repository_holds(doe, study_at, tmp_path):
    (tmp_path / "lab" / ".git").mkdir(parents=True)
    (tmp_path / "doe-policy.yaml").write_text("policy: 1\nlimits: {runs: 0}\n")  # beyond the repository
    (tmp_path / "lab" / "doe-policy.yaml").write_text("policy: 1\nallow: {coreTypes: [granite]}\n")
    study = study_at("lab/wing")
    (study.parent / "doe-policy.yaml").write_text("policy: 1\nlimits: {runs: 2}\n")
    found = json.loads(doe("validate", study, "--json").stdout)["findings"]
    assert sorted((each["code"], each["file"].rpartition("/lab/")[2]) for each in found) == [
        ("E601", "wing/doe-policy.yaml"),
        ("E604", "doe-policy.yaml"),
    ]


def test_a_policy_that_is_none_is_told_and_nothing_is_planned(doe, study_at, tmp_path):
    (tmp_path / "doe-policy.yaml").write_text("policy: 1\nallow: {coretypes: [granite]}\n")
    study = study_at(".")
    checked = doe("validate", study)
    assert checked.returncode == 3
    assert "doe-policy.yaml:2:" in checked.stdout
    assert "coreTypes" in checked.stdout
    assert doe("plan", study).returncode == 3


def test_a_saved_plan_is_held_against_the_policy_of_today(doe, study_at, tmp_path):
    study = study_at(".")
    assert doe("plan", study, "-o", "plan.json").returncode == 0
    (tmp_path / "doe-policy.yaml").write_text(POLICY)
    refused = doe("apply", "plan.json")
    assert refused.returncode == 5
    assert "cost-centre" in refused.stderr
    assert jobs_of(doe) == []
