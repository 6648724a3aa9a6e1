"""What commands write to, and how it looks there: files by their suffix, closed streams, pipelines without colours."""

import json
import os
import pty
import subprocess
import sys

import pytest

DOE = f"{sys.executable} -m doe_compiler"


def shell(command, folder, **env):
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("RESCALE_", "DOE_"))}
    return subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, cwd=folder, check=False, timeout=120,
        env={**kept, "HOME": str(folder), **env},
    )  # fmt: skip


def on_a_terminal(command, folder, **env):
    """What a command writes on a terminal for both its streams."""
    leading, following = pty.openpty()
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("RESCALE_", "DOE_")) and key not in {"CI", "NO_COLOR", "COLUMNS"}
    }
    process = subprocess.Popen(
        ["bash", "-c", f"stty cols 60 rows 30; {command}"], cwd=folder, stdin=following, stdout=following,
        stderr=following, close_fds=True, env={**kept, "HOME": str(folder), "TERM": "xterm", **env},
    )  # fmt: skip
    os.close(following)
    text = b""
    while True:
        try:
            chunk = os.read(leading, 4096)
        except OSError:
            break
        if not chunk:
            break
        text += chunk
    process.wait(60)
    os.close(leading)
    return text.decode()


@pytest.mark.parametrize("command", ["design", "results"])
def test_a_suffix_says_the_format(doe, study_at, tmp_path, command):
    study = study_at(command='"true"', responses="  y: {file: y.txt, regex: '(\\S+)', required: false}")
    assert doe(command, study, "-o", "t.csv").returncode == 0
    assert (tmp_path / "t.csv").read_text() == doe(command, study, "--format", "csv").stdout
    assert doe(command, study, "-o", "t.JSON").returncode == 0
    assert len(json.loads((tmp_path / "t.JSON").read_text())["runs"]) == 5
    assert doe(command, study, "-o", "t.txt").returncode == 0
    assert (tmp_path / "t.txt").read_text() == doe(command, study).stdout
    assert doe(command, study, "--format", "csv", "-o", "u.txt").returncode == 0
    assert (tmp_path / "u.txt").read_text() == (tmp_path / "t.csv").read_text()
    for asked, file in (("json", "t2.csv"), ("table", "t2.csv"), ("csv", "t2.json")):
        refused = doe(command, study, "--format", asked, "-o", file)
        assert refused.returncode == 64
        assert f"--format {asked} into '{file}'" in refused.stderr
        assert not (tmp_path / file).exists()


@pytest.mark.parametrize("closed", [">&-", "<&- >&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_change_nothing(doe, study_at, tmp_path, closed):
    study = study_at()
    for command in ("validate", "design", "plan", "apply --yes", "status", "results", "jobs list", "--help"):
        which = "" if command in {"jobs list", "--help"} else str(study)
        done = shell(f"{DOE} {command} {which} {closed}", study.parent)
        assert done.returncode == 0, (command, done.stderr)
        assert "Traceback" not in done.stderr
        assert "Exception" not in done.stderr
    assert "5 done" in doe("status", study).stdout
    assert doe("plan", study, "--detailed-exitcode").returncode == 0
    assert shell(f"{DOE} plan nothing.yaml {closed}", tmp_path).returncode not in {0, 1}


def test_a_reader_that_leaves_changes_no_exit_code(doe, study_at):
    study = study_at(command='"exit 3"', design="{method: monte-carlo, runs: 20}")
    applied = shell(f"{DOE} apply {study} --yes --json | head -1; echo ${{PIPESTATUS[0]}}", study.parent)
    assert applied.stdout.splitlines()[-1] == "1", applied.stderr
    assert "Traceback" not in applied.stderr
    assert "20 runs: 20 failed" in applied.stderr
    for command in ("results", "design", "plan", "jobs list --json", "status --json"):
        which = "" if command.startswith("jobs") else str(study)
        left = shell(f"{DOE} {command} {which} | true; echo ${{PIPESTATUS[0]}}", study.parent)
        assert left.stdout == "0\n", (command, left.stderr)
        assert "Traceback" not in left.stderr
        assert "Exception" not in left.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")  # noqa: PTH110
def test_a_full_disk_behind_stdout_is_told(doe, study_at):
    done = shell(f"{DOE} design {study_at()} >/dev/full", study_at().parent)
    assert done.returncode == 1
    assert done.stderr == "error: No space left on device\n"


def test_no_color_and_ci_are_honoured(doe, study_at):
    study = study_at()
    plan = f"{DOE} plan {study}"
    assert "\x1b[" in on_a_terminal(plan, study.parent)
    for env in ({"NO_COLOR": "1"}, {"CI": "true"}, {"TERM": "dumb"}):
        assert "\x1b" not in on_a_terminal(plan, study.parent, **env)
    in_pipeline = on_a_terminal(f"{DOE} apply {study} --yes", study.parent, CI="true")
    assert "\x1b" not in in_pipeline
    assert "5 of 5 runs completed" in in_pipeline


def test_validate_says_how_many_are_invalid(doe, study_at, tmp_path):
    study_at("all/a", name="a")
    study_at("all/b", name="b")
    assert doe("validate", "all").stderr == "2 studies: 2 valid, 0 invalid\n"
    assert doe("validate", "all/a").stderr == "1 study: valid\n"
    broken = study_at("all/c", name="c", design="{method: monte-carlo, runs: 0}")
    done = doe("validate", "all")
    assert done.returncode == 3
    assert done.stderr == "3 studies: 2 valid, 1 invalid\n"
    told = json.loads(doe("validate", "all", "--json").stdout)
    assert [os.path.basename(os.path.dirname(path)) for path in told["invalid"]] == ["c"]  # noqa: PTH119, PTH120
    assert doe("validate", broken).stderr == "1 study: invalid\n"
