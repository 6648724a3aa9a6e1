"""SIGKILL at random moments: every acknowledged write stays, no finished run is repeated, no half file is listed.

DOE_SOAK_KILLS says how often (30), DOE_SOAK_SEED with which random moments (1); `make soak` does it 1,000 times.
"""

import contextlib
import hashlib
import http.client
import json
import os
import random
import signal
import sqlite3
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

ROUNDS = int(os.environ.get("DOE_SOAK_KILLS", "30"))
SEED = int(os.environ.get("DOE_SOAK_SEED", "1"))
LONGEST_LIFE_S = 1.0
MOST_LIVE_JOBS = 4
UNANSWERED = (OSError, http.client.HTTPException, json.JSONDecodeError)
MULTIPART = {"Content-Type": "multipart/form-data; boundary=B"}


class Acknowledged:
    """What the server has said yes to, over all its lives."""

    def __init__(self):
        self.files = {}
        self.jobs = {}
        self.maybe_renamed = set()
        self.submitted = set()
        self.deleted = set()
        self.attempted_deletes = set()
        self.runs_of = {}
        self.checked = set()


class Clients:
    """Clients that write until the server is gone; what is answered is acknowledged."""

    def __init__(self, server, known, marks, rng):
        self.server, self.known, self.marks = server, known, marks
        self.stopping = threading.Event()
        seeds = [rng.random() for _ in range(4)]
        actions = (self.upload, self.upload, self.run_jobs, self.change_drafts)
        self.threads = [
            threading.Thread(target=self.repeat, args=(action, random.Random(seed)))
            for action, seed in zip(actions, seeds, strict=True)
        ]
        for thread in self.threads:
            thread.start()

    def repeat(self, action, rng):
        with contextlib.suppress(*UNANSWERED):
            while not self.stopping.is_set():
                action(rng)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def sent_file(self, name, content):
        body = (
            b'--B\r\nContent-Disposition: form-data; name="file"; filename="' + name.encode() + b'"\r\n\r\n'
        )
        status, answer, _ = self.server.call(
            "POST", "files/contents/", body + content + b"\r\n--B--\r\n", **MULTIPART
        )
        assert status == 201, answer
        file = json.loads(answer)["id"]
        self.known.files[file] = (len(content), hashlib.md5(content).hexdigest())
        return file

    def upload(self, rng):
        self.sent_file("input.bin", rng.randbytes(int(10 ** rng.uniform(1, 6.3))))

    def created(self, name, **more):
        analysis = {
            "analysis": {"code": "user_included"},
            "hardware": {"coreType": "emerald", "coresPerSlot": 1, "slots": 2},
            **more.pop("analysis", {"command": "true"}),
        }
        status, answer, _ = self.server.call(
            "POST", "jobs/", {"name": name, "jobanalyses": [analysis], **more}
        )
        assert status == 201, answer
        job = json.loads(answer)["id"]
        self.known.jobs[job] = name
        return job

    def run_jobs(self, rng):
        live = self.server.get("jobs/?state=active&page_size=100")["count"]
        if live >= MOST_LIVE_JOBS:
            time.sleep(0.02)
            return
        rows = rng.randint(2, 6)
        table = self.sent_file("table.csv", ("n\n" + "".join(f"{n}\n" for n in range(1, rows + 1))).encode())
        template = self.sent_file("n", b"${n}")
        command = f'n=$(cat n); sleep 0.0{rng.randint(0, 9)}; echo "$n" > out; echo "$RESCALE_JOB_ID $n" >> {self.marks}'
        post = {}
        if rng.random() < 0.5:
            script = self.sent_file("post.sh", b'printf "y\\t%s\\n" "$(cat out)"\n')
            post = {"postProcessScript": {"id": script}, "postProcessScriptCommand": "sh post.sh"}
        templates = [{"processedFilename": "n", "templateFile": {"id": template}}]
        analysis = {"command": command, "templateTasks": templates, **post}
        job = self.created("runs", analysis=analysis, paramFile={"id": table})
        self.known.runs_of[job] = rows
        status, answer, _ = self.server.call("POST", f"jobs/{job}/submit/", b"")
        assert status == 200, answer
        self.known.submitted.add(job)

    def change_drafts(self, rng):
        job = self.created("draft")
        if rng.random() < 0.5:
            self.known.maybe_renamed.add(job)
            assert self.server.call("PATCH", f"jobs/{job}/", {"name": "renamed"})[0] == 200
            self.known.maybe_renamed.discard(job)
            self.known.jobs[job] = "renamed"
        else:
            self.known.attempted_deletes.add(job)
            assert self.server.call("DELETE", f"jobs/{job}/")[0] == 204
            self.known.deleted.add(job)


def _executors(pid):
    """The executors that the server has started."""
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            status = (path / "stat").read_text().rpartition(")")[2].split()
            if int(status[1]) == pid and b"execute.executor" in (path / "cmdline").read_bytes():
                yield int(path.name)


def _killed(server, rng):
    """Kill the server and its executor, in either order, or one of them a little earlier."""
    victims = [*_executors(server.process.pid), server.process.pid]
    rng.shuffle(victims)
    for victim in victims:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(victim, signal.SIGKILL)
        if rng.random() < 0.3:
            time.sleep(rng.uniform(0, 0.05))
    server.close()


def _journaled(data):
    """The runs whose end stands in a journal, read as files."""
    found = set()
    for path in (data / "jobs").glob("*/journal"):
        for line in path.read_text().split("\n")[:-1]:
            words = line.split()
            assert len(words) == 5, f"torn line {line!r} in {path}"
            found.add((path.parent.name, int(words[0])))
    return found


def _marked(marks):
    lines = marks.read_text().split("\n")[:-1] if marks.exists() else []
    return Counter((line.split()[0], int(line.split()[1])) for line in lines)


def _all(server, path):
    found, number = [], 1
    while True:
        page = server.get(f"{path}?page_size=5000&page={number}")
        found += page["results"]
        if page["next"] is None:
            return found
        number += 1


def _newest(server, path):
    return server.get(f"{path}?page_size=5000")["results"]


def _check(server, known, listed):
    """Compare what the server lists with what it has acknowledged; contents are read once each.

    `listed` is `_newest` while only the last life can have done harm, `_all` at the end.
    """
    files = {file["id"]: file for file in listed(server, "files/") if file["typeId"] != 5}
    jobs = {job["id"]: job for job in listed(server, "jobs/")}
    is_old = known.checked.__contains__ if listed is _newest else lambda _: False
    for file, (size, md5) in known.files.items():
        assert is_old(file) or (files[file]["decryptedSize"], files[file]["md5"]) == (size, md5), file
    for file in files.keys() - known.checked:
        content = server.call("GET", f"files/{file}/contents/")[1]
        assert len(content) == files[file]["decryptedSize"]
        assert hashlib.md5(content).hexdigest() == files[file]["md5"]
        assert files[file]["isUploaded"]
    for job, name in known.jobs.items():
        if job in known.deleted:
            assert job not in jobs
        elif job not in known.attempted_deletes and not is_old(job):
            assert jobs[job]["name"] == name or job in known.maybe_renamed
    for job in known.submitted:
        assert is_old(job) or jobs[job]["jobStatus"]["content"] != "", f"the submit of {job} is lost"
    known.checked |= files.keys() | jobs.keys()
    database = sqlite3.connect(server.data / "platform.sqlite")
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    database.close()


def _check_runs(server, known):
    """Every run of every submitted job is done once, with its files and variables."""
    jobs = {job["id"]: job for job in _all(server, "jobs/")}
    for job, rows in known.runs_of.items():
        if jobs[job]["jobStatus"]["content"] == "":
            assert job not in known.submitted
            continue
        assert server.get(f"jobs/{job}/statuses/")["results"][0]["statusReason"] == "Completed successfully"
        runs = server.get(f"jobs/{job}/runs/?page_size=100")["results"]
        assert [run["id"] for run in runs] == [str(number + 1) for number in range(rows)]
        for number, run in enumerate(runs, 1):
            assert run["dateCompleted"] is not None
            shown = {variable["name"]: variable["displayValue"] for variable in run["variables"]}
            assert shown in ({"n": str(number)}, {"n": str(number), "y": str(number)})
        outputs = [file for file in _all(server, f"jobs/{job}/files/") if file["name"] == "out"]
        assert len(outputs) == rows
        for file in outputs:
            content = server.call("GET", f"files/{file['id']}/contents/")[1]
            assert (len(content), hashlib.md5(content).hexdigest()) == (file["decryptedSize"], file["md5"])


@pytest.mark.xdist_group("kills")
def test_nothing_acknowledged_is_lost_and_no_finished_run_repeated(serve_at, tmp_path):
    rng = random.Random(SEED)
    data, marks = tmp_path / "data", tmp_path / "marks"
    known, finished = Acknowledged(), {}
    for _ in range(ROUNDS):
        server = serve_at(data)
        _check(server, known, _newest)
        clients = Clients(server, known, marks, rng)
        time.sleep(rng.uniform(0, LONGEST_LIFE_S))
        _killed(server, rng)
        clients.stop()
        counts = _marked(marks)
        for run, count in finished.items():
            assert counts[run] == count, f"run {run} had finished and was repeated"
        finished = {run: counts[run] for run in _journaled(data)}
    server = serve_at(data)
    give_up = time.monotonic() + 60 + ROUNDS
    while server.get("jobs/?state=active")["count"]:
        assert time.monotonic() < give_up, "the runs do not end"
        time.sleep(0.05)
    _check(server, known, _all)
    _check_runs(server, known)
    counts = _marked(marks)
    assert all(counts[run] == count for run, count in finished.items())
    assert all(counts[job, run] for job in known.submitted for run in range(1, known.runs_of[job] + 1))
    assert server.end() == 0
