"""Rows that failed, and rows that only lack a response, are tried again when that is asked for, and not for ever."""

import json

COMMAND = '"echo $x >> ../../../../../tries; cp deck.txt y.txt; [ $x != 3 ] || rm y.txt; [ $x != 2 ]"'
STUDY = {"variables": "  x: {levels: [1, 2, 3, 4]}", "design": "{}", "deck": "${x}\n", "command": COMMAND}


def tries(tmp_path):
    return sorted((tmp_path / "tries").read_text().split())


def plan_of(doe, study, *options):
    return json.loads(doe("plan", study, "--json", *options).stdout)["studies"][0]


def test_only_failed_rows_are_retried_and_only_as_often_as_asked(doe, study_at, tmp_path):
    study = study_at(".", **STUDY)
    assert doe("apply", study, "--yes").returncode == 1
    plain = plan_of(doe, study)
    assert (plain["runsToRetry"], plain["runsFailed"]) == (0, "2")
    assert doe("apply", study, "--yes").returncode == 1
    assert tries(tmp_path) == ["1", "2", "3", "4"]
    assert doe("apply", study, "--yes", "--retry-failed", "--retries", "1").returncode == 1
    assert tries(tmp_path) == ["1", "2", "2", "3", "4"]
    assert doe("plan", study, "--detailed-exitcode").returncode == 0
    assert plan_of(doe, study, "--retry-failed", "--retries", "1")["runsToRetry"] == 0
    assert plan_of(doe, study, "--retry-failed", "--retries", "2")["runsToRetry"] == 1


def test_rows_without_a_response_are_retried_only_by_their_own_option_which_says_which(
    doe, study_at, tmp_path
):
    study = study_at(".", **STUDY)
    doe("apply", study, "--yes")
    planned = plan_of(doe, study, "--retry-missing")
    assert planned["runsToRetry"] == 1
    (action,) = planned["actions"]
    assert (action["rows"], action["reason"]["code"], action["reason"]["changes"]) == (
        "3",
        "lacking",
        ["1 run lacks response 'y'"],
    )
    doe("apply", study, "--yes", "--retry-missing")
    assert tries(tmp_path) == ["1", "2", "3", "3", "4"]
    assert doe("plan", study, "--detailed-exitcode").returncode == 0
    assert "submitted twice" not in doe("plan", study).stdout


def test_single_runs_are_chosen_by_their_numbers(doe, study_at):
    study = study_at(".", **STUDY)
    doe("apply", study, "--yes")
    both = ("--retry-failed", "--retry-missing")
    assert plan_of(doe, study, *both)["runsToRetry"] == 2
    assert plan_of(doe, study, *both, "--only", "1-2,4")["runsToRetry"] == 1
    assert plan_of(doe, study, *both, "--only", "1")["runsToRetry"] == 0
    assert "has runs 1 to 4" in doe("plan", study, *both, "--only", "5").stderr
    assert doe("plan", study, *both, "--only", "x").returncode == 64
    assert doe("plan", study, "--only", "1").returncode == 64


def test_results_tell_the_last_try_and_how_many_there_were(doe, study_at):
    study = study_at(".", **STUDY)
    doe("apply", study, "--yes")
    assert "tries" not in doe("results", study).stdout
    doe("apply", study, "--yes", "--retry-failed")
    runs = json.loads(doe("results", study, "--format", "json").stdout)["runs"]
    assert [run["tries"] for run in runs] == [1, 2, 1, 1]
    assert len({run["job"] for run in runs}) == 2
    assert "tries" in doe("results", study).stdout
    line = doe("results", study, "--format", "csv").stdout.splitlines()
    assert line[2].split(",")[line[0].split(",").index("tries")] == "2"


def test_results_of_an_older_recipe_are_shown_beside_the_new_one(doe, study_at):
    first = {**STUDY, "command": '"cp deck.txt y.txt"'}
    study = study_at(".", **first)
    doe("apply", study, "--yes")
    study_at(".", **{**first, "variables": "  x: {levels: [4, 2, 7]}", "command": '"echo 1$x > y.txt"'})
    doe("apply", study, "--yes")
    jobs = json.loads(doe("status", study, "--json").stdout)["jobs"]
    older = next(job["recipe"] for job in jobs if not job["presentRecipe"])
    assert f"older: {older[:8]}" in doe("status", study).stdout
    shown = doe("results", study, "--recipe", older[:6], "--format", "json")
    assert shown.returncode == 0, shown.stderr
    runs = json.loads(shown.stdout)["runs"]
    assert [(run["run"], run["inputs"]["x"], run["responses"]["y"]) for run in runs] == [
        (1, "4", 4), (2, "2", 2), (None, "1", 1), (None, "3", 3),
    ]  # fmt: skip
    now = json.loads(doe("results", study, "--format", "json").stdout)["runs"]
    assert [run["responses"]["y"] for run in now] == [14, 12, 17]
    refused = doe("results", study, "--recipe", "fff")
    assert refused.returncode == 64
    assert older in refused.stderr
