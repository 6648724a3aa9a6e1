"""What is said of runs that an ended command or executor has left: real processes, real signals."""

import json
import os
import signal
import subprocess
import sys

import pytest

SLOW = "\"echo x >> '{log}'; if [ -e '{gate}' ]; then awk '{{print $3 + 1}}' deck.txt > y.txt; else sleep 300; fi\""


@pytest.fixture
def slow(study_at, tmp_path):
    """A study of four runs that end only when the gate is open, and note their starts."""
    log, gate = tmp_path / "starts", tmp_path / "gate"
    study = study_at(
        command=SLOW.format(log=log, gate=gate),
        design="{method: monte-carlo, runs: 4}",
    )
    return study, log, gate


def started(doe_folder, *arguments):
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("RESCALE_", "DOE_"))}
    return subprocess.Popen(
        [sys.executable, "-m", "doe_compiler", *map(str, arguments)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=doe_folder,
        env={**kept, "HOME": str(doe_folder)},
    )  # fmt: skip


def executor_of(data):
    """The executor's process; its guardian, a fork, is its child."""
    told = subprocess.run(
        ["ps", "-wweo", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    ).stdout
    lines = [line.split(None, 2) for line in told.splitlines()]
    found = {int(pid): int(parent) for pid, parent, args in lines if f"execute.executor {data} " in args}
    (executor,) = [pid for pid, parent in found.items() if parent not in found]
    return executor


def is_left(doe, study, runs):
    planned = doe("plan", study, "--detailed-exitcode")
    assert planned.returncode == 2, planned.stdout
    assert f"{runs} submitted runs are left unfinished, and nothing runs them now" in planned.stdout
    assert "doe apply goes on with them" in planned.stdout
    assert json.loads(doe("plan", study, "--json").stdout)["unfinished"] == {
        "runs": runs,
        "isExecuting": False,
    }
    status = doe("status", study).stdout
    assert f"{runs} waiting" in status
    assert f"{runs} submitted runs are left unfinished" in status
    told = json.loads(doe("status", study, "--json").stdout)
    assert told["unfinished"] == {"runs": runs, "isExecuting": False}
    listed = doe("jobs", "list", cwd=study.parent).stdout
    for text in (status, listed, doe("results", study).stdout):
        assert "Executing" not in text
        assert "running" not in text


def goes_on(doe, study, gate):
    gate.touch()
    again = doe("apply", study, "--yes")
    assert again.returncode == 0, again.stderr
    assert "Nothing to do" not in again.stderr
    assert "going on with them" in again.stderr
    assert "4 of 4 runs completed" in again.stderr
    assert doe("plan", study, "--detailed-exitcode").returncode == 0
    assert json.loads(doe("plan", study, "--json").stdout)["unfinished"] is None
    assert "left" not in doe("status", study).stdout
    assert "Nothing to do" in doe("apply", study, "--yes").stderr


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_an_ended_apply_leaves_runs_and_that_is_said(doe, slow, tmp_path, until_true, number, code):
    study, log, gate = slow
    process = started(tmp_path, "apply", study, "--yes")
    until_true(log.exists)
    process.send_signal(number)
    assert process.wait(60) == code
    process.stderr.close()
    until_true(lambda: "nothing runs them now" in doe("plan", study).stdout)
    is_left(doe, study, 4)
    goes_on(doe, study, gate)


def test_a_killed_executor_leaves_runs_and_that_is_said(doe, slow, tmp_path, until_true):
    study, log, gate = slow
    assert doe("apply", study, "--yes", "--no-wait").returncode == 0
    until_true(log.exists)
    until_true(lambda: "Executing" in doe("status", study).stdout)
    under_way = doe("plan", study, "--detailed-exitcode")
    assert under_way.returncode == 2
    assert "4 submitted runs have not ended: under way." in under_way.stdout
    assert "left" not in doe("status", study).stdout
    os.kill(executor_of(study.parent / ".doe" / "platform"), signal.SIGKILL)
    until_true(lambda: "nothing runs them now" in doe("plan", study).stdout)
    is_left(doe, study, 4)
    goes_on(doe, study, gate)


def test_a_stop_after_the_executors_death_ends_the_job(doe, slow, until_true):
    study, log, _ = slow
    assert doe("apply", study, "--yes", "--no-wait").returncode == 0
    until_true(log.exists)
    os.kill(executor_of(study.parent / ".doe" / "platform"), signal.SIGKILL)
    until_true(lambda: "nothing runs them now" in doe("plan", study).stdout)
    begun = log.read_text()
    stopped = doe("stop", study)
    assert stopped.returncode == 0, stopped.stderr
    assert "has ended" in stopped.stderr
    told = json.loads(doe("status", study, "--json").stdout)
    assert told["runs"]["stopped"] == 4, told
    assert told["unfinished"] is None
    assert log.read_text() == begun


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL, None])
def test_runs_that_nobody_waits_for_go_on_after_a_waiting_apply(doe, study_at, tmp_path, until_true, number):
    gate, other_gate = tmp_path / "gate", tmp_path / "other_gate"
    command = "\"touch '{0}.begun'; while [ ! -e '{0}' ]; do sleep 0.1; done; echo 1 > y.txt\""
    design = "{method: monte-carlo, runs: 1}"
    made = study_at(name="other", command=command.format(other_gate), design=design)
    other = made.rename(made.with_name("other.yaml"))
    study = study_at(command=command.format(gate), design=design)
    waiting = started(tmp_path, "apply", study, "--yes")
    until_true((tmp_path / "gate.begun").exists)
    assert doe("apply", other, "--yes", "--no-wait").returncode == 0
    until_true((tmp_path / "other_gate.begun").exists)
    if number is None:
        gate.touch()
    else:
        waiting.send_signal(number)
    waiting.wait(60)
    waiting.stderr.close()
    gate.touch()
    other_gate.touch()
    until_true(lambda: json.loads(doe("status", other, "--json").stdout)["runs"]["done"] == 1)
    until_true(lambda: json.loads(doe("status", study, "--json").stdout)["runs"]["done"] == 1)


def test_progress_counts_only_what_is_the_studys_and_tells_failures(doe, study_at, tmp_path):
    gate = tmp_path / "gate"
    other = study_at(
        "study",
        name="other",
        command=f"\"while [ ! -e '{gate}' ]; do sleep 0.1; done\"",
        design="{method: monte-carlo, runs: 7}",
        responses="  y: {file: y.txt, regex: '(\\S+)', required: false}",
    )
    assert doe("apply", other, "--yes", "--no-wait").returncode == 0
    gate.touch()
    levels = "  x: {{levels: [{}]}}"
    command = "\"awk '{print $3 + 1}' deck.txt > y.txt; grep -q ' 2' deck.txt && exit 3; true\""
    design = "{method: full-factorial}"
    first = doe(
        "apply",
        study_at(variables=levels.format("1, 2, 3"), design=design, command=command),
        "--yes",
    )
    assert first.returncode == 1
    assert "3 of 3 runs completed, 1 failed" in first.stderr
    assert first.stderr.rstrip().splitlines()[-1] == "3 runs: 2 done, 1 failed"
    assert " of 7 " not in first.stderr
    assert " of 10 " not in first.stderr
    fewer = study_at(variables=levels.format("2, 3"), design=design, command=command)
    assert "2 of 2 runs completed, 1 failed" in doe("apply", fewer, "--yes").stderr
    again = doe("apply", fewer, "--yes", "--retry-failed")
    assert "2 of 2 runs completed, 1 failed" in again.stderr
