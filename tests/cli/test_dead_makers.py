"""What an apply that was killed has left is not waited for on its machine: real processes, a real server, kill -9."""

import json
import os
import signal
import subprocess
import sys
import time

from doe_compiler.plan.memory import OURS

SLOW_S = 6.0


def test_the_draft_of_a_killed_apply_goes_at_once_and_its_late_submit_starts_nothing(
    doe, study_at, serving, tmp_path, until_true
):
    study = study_at(command=f'"cat deck.txt >> {tmp_path}/ran; cp deck.txt y.txt"', responses="  {}")
    cloud = serving("--faults", f"submit/slow:1x1@{SLOW_S:g}s")
    on = ("--yes", "--on", cloud["RESCALE_API_URL"])
    killed = subprocess.Popen(
        [sys.executable, "-m", "doe_compiler", "apply", str(study), *on],
        env={**os.environ, **cloud, "HOME": str(tmp_path / "home")},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    trail = study.parent / ".doe" / "receipts.jsonl"
    until_true(lambda: trail.exists() and '"answer": "done"' in trail.read_text())
    time.sleep(0.5)  # its submit is on its way, and held up
    sent = time.monotonic()
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    planned = doe("plan", study, "--on", cloud["RESCALE_API_URL"], env=cloud)
    assert "- delete 5 runs of job" in planned.stdout
    applied = doe("apply", study, *on, env=cloud)
    assert applied.returncode == 0, applied.stderr
    assert time.monotonic() - sent < OURS.dead
    time.sleep(max(sent + SLOW_S + 1 - time.monotonic(), 0))
    told = [json.loads(line) for line in trail.read_text().splitlines()]
    assert [(each["action"], each["answer"]) for each in told] == [
        ("create", "done"), ("delete", "done"), ("create", "done"), ("submit", "done"),
    ]  # fmt: skip
    assert "Nothing to do" in doe("apply", study, *on, env=cloud).stderr
    ran = (tmp_path / "ran").read_text().split("\n")[:-1]
    assert len(ran) == len(set(ran)) == 5
