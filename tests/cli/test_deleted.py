"""A job that was deleted behind the study's back is missed, on this machine too; data that were begun anew are not."""

import shutil

DONE = 0
NOT_AS_PLANNED = 4


def test_a_job_that_was_deleted_is_missed_until_it_is_forgotten(doe, study_at, tmp_path):
    ran = tmp_path / "ran"
    study = study_at(command=f'"cat deck.txt >> {ran}"', responses="  {}")
    assert doe("apply", study, "--yes").returncode == DONE
    (job,) = [path.name for path in (study.parent / ".doe/platform/jobs").iterdir()]
    assert doe("jobs", "delete", job, "--yes", cwd=study.parent).returncode == DONE
    for command in (("plan", study), ("apply", study, "--yes")):
        done = doe(*command)
        assert done.returncode == NOT_AS_PLANNED, done.stderr
        assert f"job {job} of study 'adder' was submitted and is gone" in done.stderr
        assert f"doe apply --forget {job}" in done.stderr
    assert len(ran.read_text().splitlines()) == 5
    assert doe("apply", study, "--yes", "--forget", job).returncode == DONE
    assert len(ran.read_text().splitlines()) == 10


def test_data_that_were_begun_anew_miss_nothing(doe, study_at, tmp_path):
    study = study_at()
    assert doe("apply", study, "--yes").returncode == DONE
    shutil.rmtree(study.parent / ".doe" / "platform")
    assert doe("apply", study, "--yes").returncode == DONE
    elsewhere = {"DOE_DATA": str(tmp_path / "elsewhere")}
    assert doe("apply", study, "--yes", env=elsewhere).returncode == DONE
    assert "Nothing to do" in doe("apply", study, "--yes").stderr
