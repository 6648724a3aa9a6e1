"""`doe logs`, and what `results` says of the logs of failed runs."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from doe_compiler.cli import runs_command

COMMAND = "\"echo begun $(cat deck.txt); printf 'step 1\\\\rstep 2\\\\n'; cat deck.txt > y.txt; [ $(cat deck.txt) != 2 ] || { echo 'FATAL: diverged' >&2; echo -----; exit 3; }\""


def studied(study_at, **more):
    return study_at(
        **{
            "variables": "  x: {levels: [1, 2, 3]}",
            "design": "{}",
            "deck": "${x}",
            "command": COMMAND,
            **more,
        }
    )


def whys(doe, study, *more, **env):
    done = doe("results", study, "--format", "json", *more, **env)
    return [(row["state"], row["why"]) for row in json.loads(done.stdout)["runs"]]


def test_a_failed_run_says_how_its_log_ends_and_where_the_rest_is(doe, study_at):
    study = studied(study_at)
    assert doe("apply", study, "--yes").returncode == 1
    assert whys(doe, study) == [
        ("done", None),
        ("failed", f"exit code 3: FATAL: diverged (doe logs {study} 2)"),
        ("done", None),
    ]
    logged = doe("logs", study, "2")
    assert (logged.returncode, logged.stdout) == (0, "begun 2\nstep 1\nstep 2\nFATAL: diverged\n-----\n")
    assert doe("logs", study, "3", "-f").stdout.startswith("begun 3\n")


def test_the_same_over_http(doe, study_at, serving):
    study, served = studied(study_at), serving()
    on = ("--on", served["RESCALE_API_URL"])
    doe("apply", study, "--yes", *on, env=served)
    assert whys(doe, study, *on, env=served)[1] == (
        "failed",
        f"exit code 3: FATAL: diverged (doe logs {study} 2)",
    )
    assert doe("logs", study, "2", *on, env=served).stdout.endswith("FATAL: diverged\n-----\n")


def test_what_has_no_log_is_told(doe, study_at):
    study = studied(study_at)
    missing = doe("logs", study, "1")
    assert (missing.returncode, missing.stdout) == (4, "")
    assert "has not been submitted" in missing.stderr
    beyond = doe("logs", study, "4")
    assert beyond.returncode == 64
    assert "the study has 3 runs" in beyond.stderr


def test_a_log_is_followed_to_the_end_of_its_run(doe, study_at, tmp_path, until_true):
    study = studied(
        study_at,
        variables="  x: {levels: [1]}",
        command=f'"echo begun; until [ -e {tmp_path}/go ]; do sleep 0.05; done; echo ended; echo 1 > y.txt"',
    )
    assert doe("apply", study, "--yes", "--no-wait").returncode == 0
    shown = tmp_path / "shown"
    with shown.open("wb") as out:
        following = subprocess.Popen(
            [sys.executable, "-m", "doe_compiler", "logs", str(study), "1", "-f"],
            stdout=out, cwd=tmp_path, env={**os.environ, "HOME": str(tmp_path)},
        )  # fmt: skip
    until_true(lambda: shown.read_bytes() == b"begun\n")
    assert following.poll() is None
    (tmp_path / "go").touch()
    assert following.wait(30) == 0
    assert shown.read_bytes() == b"begun\nended\n"


@pytest.mark.parametrize("lines", [0, 5])
def test_a_tail_that_is_followed_shows_its_last_lines_and_then_each_new_one_once(
    doe, study_at, tmp_path, until_true, lines, monkeypatch
):
    """Equal lines too, which could be taken for those that were shown."""
    wait = f"until [ -e {tmp_path}/go ]; do sleep 0.05; done"
    study = studied(
        study_at,
        variables="  x: {levels: [1]}",
        command=f'"yes ok | head -n 30; {wait}; yes ok | head -n 7; echo 1 > y.txt"',
    )
    assert doe("apply", study, "--yes", "--no-wait").returncode == 0
    job = json.loads(doe("status", study, "--json").stdout)["jobs"][0]["id"]
    until_true(lambda: doe("runs", "tail", job, "1", cwd=study.parent).stdout == "ok\n" * 20)

    def go_on(_seconds):
        (tmp_path / "go").touch()
        until_true(lambda: "1 done" in doe("status", study).stdout)

    monkeypatch.chdir(study.parent)
    monkeypatch.setattr(runs_command, "time", SimpleNamespace(sleep=go_on))
    shown = CliRunner().invoke(runs_command.command, ["tail", job, "1", "-n", str(lines), "-f"])
    assert shown.output == "ok\n" * (lines + 7)
