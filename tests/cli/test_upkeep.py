"""Looking after the jobs of a study, as a user types it."""

import json
import shutil
import sqlite3

import pytest

from doe_compiler.plan.memory import OURS


def age_drafts(folder, seconds):
    """Make the drafts on the embedded platform of a folder that much older."""
    with sqlite3.connect(folder / ".doe" / "platform" / "platform.sqlite") as database:
        database.execute(
            "UPDATE jobs SET inserted_us = inserted_us - ? WHERE state = 'draft'", (round(seconds * 1e6),)
        )
    database.close()


def jobs_of(doe):
    return [json.loads(line) for line in doe("jobs", "list", "--json").stdout.splitlines()]


def test_a_study_without_drafts_has_nothing_to_destroy(doe, study_at):
    study = study_at(".")
    doe("apply", study, "--yes")
    assert "nothing to delete" in doe("destroy", study, "--yes").stderr
    assert len(jobs_of(doe)) == 1


def test_destroy_asks_and_with_jobs_deletes_all(doe, study_at):
    study = study_at(".")
    doe("apply", study, "--yes")
    assert doe("destroy", study, "--jobs").returncode == 64
    assert len(jobs_of(doe)) == 1
    gone = doe("destroy", study, "--jobs", "--yes")
    assert gone.returncode == 0, gone.stderr
    assert jobs_of(doe) == []
    assert doe("plan", study, "--detailed-exitcode").returncode == 2


def test_a_renamed_job_drifts_and_is_adopted(doe, study_at):
    study = study_at(".")
    doe("apply", study, "--yes")
    assert "no drift" in doe("drift", study).stdout
    (job,) = jobs_of(doe)
    doe("jobs", "update", job["id"], "--name", "mine now")
    drift = doe("drift", study, "--json", "--detailed-exitcode")
    assert drift.returncode == 2
    (found,) = json.loads(drift.stdout)
    assert (found["drift"], found["job"]) == ("mark-lost", job["id"])
    adopted = doe("adopt", job["id"], study)
    assert adopted.returncode == 0, adopted.stderr
    assert jobs_of(doe)[0]["name"] == job["name"]
    assert doe("plan", study, "--detailed-exitcode").returncode == 0


def test_a_job_is_adopted_without_receipts_if_it_is_what_the_study_creates(doe, study_at, tmp_path):
    study = study_at(".")
    doe("apply", study, "--yes")
    (job,) = jobs_of(doe)
    doe("jobs", "update", job["id"], "--name", "mine now")
    shutil.rmtree(tmp_path / ".doe" / "client")
    adopted = doe("adopt", job["id"], study)
    assert adopted.returncode == 0, adopted.stderr
    assert doe("plan", study, "--detailed-exitcode").returncode == 0


def test_a_job_of_another_recipe_is_not_adopted(doe, study_at, tmp_path):
    study = study_at(".")
    doe("apply", study, "--yes")
    (job,) = jobs_of(doe)
    doe("jobs", "update", job["id"], "--name", "mine now")
    shutil.rmtree(tmp_path / ".doe" / "client")
    study = study_at(".", command="\"awk '{print $3 + 2}' deck.txt > y.txt\"")
    refused = doe("adopt", job["id"], study)
    assert refused.returncode == 4
    assert "command" in refused.stderr
    assert jobs_of(doe)[0]["name"] == "mine now"


def test_gc_deletes_only_drafts_that_were_left_behind(doe, study_at, tmp_path):
    study = study_at(".")
    doe("apply", study, "--yes")
    (job,) = jobs_of(doe)
    payload = tmp_path / "draft.json"
    payload.write_text(
        json.dumps(
            {
                "name": job["name"].replace(".g0.", ".g7.").replace(job["name"][-9:], "99999999]"),
                "jobanalyses": [
                    {
                        "analysis": {"code": "user_included", "version": "0"},
                        "command": "true",
                        "hardware": {"coreType": "emerald", "coresPerSlot": 1, "walltime": 1},
                    }
                ],
            }
        )
    )
    made = doe("jobs", "create", payload)
    assert made.returncode == 0, made.stderr
    assert (
        "0 drafts deleted" in doe("gc", study, "--older-than", "0").stderr
    )  # its maker may be about to submit it
    assert "nothing to delete" in doe("destroy", study, "--yes").stderr
    age_drafts(tmp_path, OURS.dead + 1)
    assert "0 drafts deleted" in doe("gc", study, "--older-than", "1").stderr
    assert "1 draft could be deleted" in doe("gc", study, "--dry-run").stderr
    assert len(jobs_of(doe)) == 2
    assert "1 draft deleted" in doe("gc", study).stderr
    assert [entry["id"] for entry in jobs_of(doe)] == [job["id"]]


def test_a_job_that_is_to_be_forgotten_does_not_count_any_more(doe, study_at):
    study = study_at(".")
    doe("apply", study, "--yes")
    (job,) = jobs_of(doe)
    again = doe("apply", study, "--yes", "--forget", job["id"])
    assert again.returncode == 0, again.stderr
    assert "5 runs in 1 job to create" in again.stderr
    assert doe("plan", study, "--detailed-exitcode").returncode == 0


def test_a_draft_is_not_adopted(doe, study_at, tmp_path):
    study = study_at(".")
    doe("apply", study, "--yes")
    shutil.rmtree(tmp_path / ".doe" / "client")
    (job,) = jobs_of(doe)
    (tmp_path / "copy.json").write_text(
        json.dumps(json.loads(doe("jobs", "get", job["id"], "--json").stdout))
    )
    made = doe("jobs", "create", tmp_path / "copy.json")
    assert made.returncode == 0, made.stderr
    (copy,) = [each["id"] for each in jobs_of(doe) if each["id"] != job["id"]]
    refused = doe("adopt", copy, study)
    assert refused.returncode == 4
    assert "is a draft" in refused.stderr


def test_what_is_no_study_is_refused(doe, tmp_path):
    (tmp_path / "empty").mkdir()
    for command in ("stop", "destroy", "gc"):
        assert doe(command, "empty").returncode == 64
    assert doe("share", "nobody", "empty").returncode == 64


def test_gc_tells_and_frees_contents_that_nothing_needs(doe, study_at):
    study = study_at()
    assert doe("apply", study, "--yes").returncode == 0
    left = study.parent / ".doe" / "platform" / "files" / "ab" / ("ab" * 64)
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(b"x" * 1234)
    counted = doe("gc", study, "--dry-run")
    assert "1 content of deleted files and jobs could be freed: 1,234 bytes" in counted.stderr
    assert left.exists()
    assert "1 content of deleted files and jobs freed: 1,234 bytes" in doe("gc", study).stderr
    assert not left.exists()
    assert "freed" not in doe("gc", study).stderr
    assert "Nothing to do" in doe("apply", study, "--yes").stderr


@pytest.mark.parametrize("is_served", [False, True], ids=["here", "served"])
def test_thinning_keeps_values_logs_and_the_files_of_responses(doe, study_at, serving, tmp_path, is_served):
    study = study_at(command="\"awk '{print $3 + 1}' deck.txt > y.txt; seq 10000 > big; echo said\"")
    env = serving() if is_served else {}
    on = ("--on", env["RESCALE_API_URL"]) if is_served else ()

    def done(*words):
        return doe(*words, *on, cwd=study.parent, env=env)

    assert done("apply", study, "--yes").returncode == 0
    before = done("results", study, "--format", "csv").stdout
    job = json.loads(done("jobs", "list", "--json").stdout.splitlines()[0])["id"]
    words = ("files", "thin", "--keep", "responses", job)
    assert done(*words).returncode == 64
    thinned = done(*words, "--yes")
    assert thinned.returncode == 0, thinned.stderr
    assert f"deleted 10 outputs of {job}" in thinned.stderr
    shown = done("runs", "files", job, "1", "--json").stdout.splitlines()
    assert {json.loads(line)["relativePath"] for line in shown} == {"y.txt", "process_output.log"}
    data = tmp_path / "served" if is_served else study.parent / ".doe" / "platform"
    lying = {path.name for path in (data / "jobs" / job / "run1").iterdir()}
    assert lying == {"y.txt", "process_output.log"}
    assert done("results", study, "--format", "csv").stdout == before
    assert "nothing to delete" in done(*words, "--yes").stderr
    assert "Nothing to do" in done("apply", study, "--yes").stderr
