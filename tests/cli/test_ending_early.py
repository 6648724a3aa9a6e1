"""An apply that ends before its runs: too many failed, or it took too long; nothing is left half done."""

import json
import time

SLOW = '"sleep 0.3; echo $x >> ../../../../../ran; exit 3"'
STUDY = {
    "variables": "  x: {generator: Linspace, start: 1, stop: 60, count: 60}",
    "design": "{}",
    "responses": "  {}",
}


def jobs_of(doe):
    return [json.loads(line) for line in doe("jobs", "list", "--json").stdout.splitlines()]


def test_after_so_many_failures_the_others_are_stopped_and_nothing_is_submitted(doe, study_at, tmp_path):
    study = study_at(".", command=SLOW, **STUDY)
    done = doe("apply", study, "--yes", "--fail-fast", "3")
    assert done.returncode == 1, done.stderr
    assert "have failed: nothing more is submitted" in done.stderr
    ran = len((tmp_path / "ran").read_text().split())
    assert 3 <= ran < 60
    (job,) = jobs_of(doe)
    assert job["jobStatus"]["content"] == "Completed"
    states = [run["state"] for run in json.loads(doe("results", study, "--format", "json").stdout)["runs"]]
    assert states.count("failed") >= 3
    assert set(states) == {"failed", "stopped"}


def test_what_had_failed_before_does_not_count(doe, study_at, tmp_path):
    parts = {**STUDY, "command": '"[ $x -gt 2 ]"'}
    study = study_at(".", **{**parts, "variables": "  x: {levels: [1, 2]}"})
    assert doe("apply", study, "--yes").returncode == 1
    study_at(".", **{**parts, "variables": "  x: {levels: [1, 2, 3, 4, 5]}"})
    done = doe("apply", study, "--yes", "--fail-fast", "1")
    assert "nothing more is submitted" not in done.stderr
    assert "3 done, 2 failed" in done.stderr


def test_the_timeout_is_of_all_waiting_and_no_draft_stays(doe, study_at):
    study = study_at(".")
    begin = time.monotonic()
    done = doe("apply", study, "--yes", "--settle", "60", "--timeout", "1")
    assert done.returncode == 75
    assert "--timeout is over" in done.stderr
    assert time.monotonic() - begin < 30
    assert jobs_of(doe) == []
    study_at(".", command='"sleep 30"')
    done = doe("apply", study, "--yes", "--timeout", "3")
    assert done.returncode == 75
    assert "did not end within" in done.stderr
    assert len(jobs_of(doe)) == 1


def test_failures_can_only_be_watched_by_who_waits(doe, study_at):
    refused = doe("apply", study_at("."), "--yes", "--no-wait", "--fail-fast", "1")
    assert refused.returncode == 64
