"""How fast an apply goes about its requests, as a user sets it."""

import json
import time
from datetime import datetime

JOBS = 6


def creates(folder):
    """When the jobs were created, in seconds, by the audit trail."""
    lines = (folder / ".doe" / "receipts.jsonl").read_text().splitlines()
    made = [entry for entry in map(json.loads, lines) if entry["action"] == "create"]
    return [datetime.fromisoformat(entry["time"]).timestamp() for entry in made]


def test_writes_go_out_several_at_a_time(doe, study_at, serving, tmp_path):
    study = study_at(".", design=f"{{method: monte-carlo, runs: {JOBS}}}", rest="job: {runsPerJob: 1}")
    spans = []
    for name, parallelism in (("one", 1), ("six", JOBS)):
        env = serving("--latency", "400ms", data=name)
        done = doe(
            "apply",
            study,
            "--yes",
            "--no-wait",
            "--on",
            env["RESCALE_API_URL"],
            "--parallelism",
            parallelism,
            env=env,
        )
        assert done.returncode == 0, done.stderr
        made = creates(tmp_path)[-JOBS:]
        spans.append(made[-1] - made[0])
    assert spans[0] >= 0.4 * (JOBS - 1)
    assert spans[1] < 0.6 * spans[0]


def test_no_more_requests_a_second_are_sent_than_asked_for(doe, study_at, serving):
    study = study_at(".", design=f"{{method: monte-carlo, runs: {JOBS}}}", rest="job: {runsPerJob: 1}")
    env = serving()
    begin = time.monotonic()
    done = doe("apply", study, "--yes", "--no-wait", "--on", env["RESCALE_API_URL"], "--rps", 5, env=env)
    assert done.returncode == 0, done.stderr
    least = 3 * JOBS  # an upload, a create and a submit a job
    assert time.monotonic() - begin >= (least - 1) / 5
