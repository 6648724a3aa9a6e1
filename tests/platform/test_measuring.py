"""Outputs that take long to read: they are measured beside the queue, which goes on meanwhile."""

import hashlib
import os
import signal
from pathlib import Path

SUCCESS = "Completed successfully"
ENDLESS = "truncate -s 4T large.bin; echo 1 > a.txt"


def test_large_outputs_are_measured_as_small_ones_are(api):
    job, reason = api.ran(api.analysis("truncate -s 300M large.bin; echo 1 > a.txt"))
    assert reason == SUCCESS
    found = api.outputs(job)
    assert {name: each["decryptedSize"] for name, each in found.items()} == {
        "a.txt": 2, "large.bin": 300 << 20, "process_output.log": 0,
    }  # fmt: skip
    assert found["a.txt"]["md5"] == hashlib.md5(b"1\n", usedforsecurity=False).hexdigest()
    digest = hashlib.md5(usedforsecurity=False)
    for _ in range(300):
        digest.update(bytes(1 << 20))
    assert found["large.bin"]["md5"] == digest.hexdigest()


def test_others_go_on_meanwhile_and_a_stop_cuts_it_short(api):
    slow = api.create(api.analysis(ENDLESS, slots=1))
    api.submit(slow)
    assert api.ran(api.analysis("true"))[1] == SUCCESS
    assert api.last_status(slow)[0] == "Executing"
    assert api.call("POST", f"jobs/{slow}/stop/")[0] == 202
    assert api.finished(slow) == "Stopped by the user"
    assert api.counted_runs(slow) == (1, 0)
    found = api.outputs(slow)
    assert (found["large.bin"]["decryptedSize"], found["large.bin"]["md5"]) == (4 << 40, "")


def test_the_walltime_is_the_runs_and_not_that_of_measuring(api):
    """The job's time is over while its outputs are measured; its runs were through before."""
    analysis = api.analysis("truncate -s 4G large.bin", walltime=4 / 3600)
    job, reason = api.ran(analysis)
    assert reason == SUCCESS
    assert api.outputs(job)["large.bin"]["md5"]


def text_of(pid, name):
    try:
        return (Path("/proc") / str(pid) / name).read_text()
    except OSError:
        return ""


def children(pid):
    pids = [each.name for each in Path("/proc").glob("[0-9]*")]
    return [int(each) for each in pids if f"PPid:\t{pid}\n" in text_of(each, "status")]


def is_alive(pid):
    return "State:" in text_of(pid, "status") and "State:\tZ" not in text_of(pid, "status")


def test_what_measures_ends_with_a_killed_executor_and_the_run_is_not_run_again(api, until, tmp_path):
    job = api.create(api.analysis(f"echo x >> {tmp_path}/begun; {ENDLESS}"))
    api.submit(job)
    journal = api.data / "jobs" / job / "journal"
    until(lambda: journal.exists() and journal.read_text().endswith("\n"))
    (executor,) = [each for each in children(os.getpid()) if str(api.data) in text_of(each, "cmdline")]
    before = children(executor)
    assert len(before) >= 3  # guardian, supervisor, and what measures
    os.kill(executor, signal.SIGKILL)
    until(lambda: not any(map(is_alive, before)))
    api.platform.ensure_executor(detached=False)
    api.call("POST", f"jobs/{job}/stop/")
    api.finished(job)
    assert (tmp_path / "begun").read_text() == "x\n"
    assert api.counted_runs(job) == (1, 0)
