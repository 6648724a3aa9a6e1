"""kill -9 of a real server and its executor in the middle of uploads, submits and runs.

DOE_KILLS sets how often; `make soak` does it a thousand times.
"""

import contextlib
import hashlib
import http.client
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

KILLS = int(os.environ.get("DOE_KILLS", "30"))
RUNS = 3
LOST = (OSError, http.client.HTTPException, ValueError)


class Served:
    """A server that can be killed and started again on the same data."""

    def __init__(self, data):
        self.data = data
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "doe_compiler", "serve", "--port", "0", "--data", str(self.data)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self.port = int(re.findall(r":(\d+)/api", self.process.stdout.readline())[0])
        self.token = (self.data / "token").read_text().strip()

    def executors(self):
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                words = path.read_bytes().split(b"\0")
                if b"doe_compiler.platform.executor" in words and os.fsencode(self.data) in words:
                    found.append(int(path.parent.name))
        return found

    def kill(self, *, executor_too):
        executors = self.executors()
        self.process.kill()
        if executor_too:
            for pid in executors:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def call(self, method, path, body=None, kind="application/json"):
        """The status and the JSON of the answer; raises one of LOST without a whole answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            headers = {"Authorization": f"Token {self.token}", "Content-Type": kind}
            connection.request(method, f"/api/v2/{path}", body, headers)
            response = connection.getresponse()
            content = response.read()
            is_json = response.headers.get("content-type") == "application/json"
            return response.status, json.loads(content) if is_json else content
        finally:
            connection.close()

    def upload(self, name, content):
        body = (
            b'--B\r\nContent-Disposition: form-data; name="file"; filename="' + name.encode() + b'"\r\n\r\n'
            + content + b"\r\n--B--\r\n"
        )  # fmt: skip
        return self.call("POST", "files/contents/", body, "multipart/form-data; boundary=B")

    def rows(self, path):
        status, body = self.call("GET", f"{path}?page_size=5000")
        assert status == 200, body
        assert body["next"] is None
        return body["results"]


class Traffic:
    """Uploads, creates and submits until the server is gone; remembers what was acknowledged."""

    def __init__(self, server, marks):
        self.server, self.marks = server, marks
        self.files, self.jobs, self.submitted = {}, set(), set()
        self.count = 0

    def go_on(self):
        with contextlib.suppress(*LOST):
            while True:
                self.count += 1
                content = f"{self.count}\n".encode() * random.randint(1, 20_000)
                status, file = self.server.upload("big", content)
                if status == 201:
                    self.files[file["id"]] = hashlib.md5(content).hexdigest()
                self.one_job()

    def one_job(self):
        table = self.server.upload("p.csv", b"n\n1\n2\n3\n")[1]
        script = self.server.upload("n", b"${n}")[1]
        job = {
            "name": f"job {self.count}",
            "paramFile": {"id": table["id"]},
            "jobanalyses": [
                {
                    "analysis": {"code": "user_included"},
                    "command": f'echo "$RESCALE_JOB_ID $(cat n)" >> {self.marks}',
                    "hardware": {"coreType": "emerald", "coresPerSlot": 1, "slots": 2},
                    "templateTasks": [{"processedFilename": "n", "templateFile": {"id": script["id"]}}],
                }
            ],
        }
        status, made = self.server.call("POST", "jobs/", json.dumps(job))
        assert status == 201, made
        self.jobs.add(made["id"])
        status, _ = self.server.call("POST", f"jobs/{made['id']}/submit/")
        assert status == 200
        self.submitted.add(made["id"])


def run_counts(marks):
    return Counter(marks.read_text().split("\n")[:-1]) if marks.exists() else Counter()


def finished_runs(server):
    return {
        f"{item['id']} {run['id']}"
        for item in server.rows("jobs/")
        if item["jobStatus"]["content"]
        for run in server.rows(f"jobs/{item['id']}/runs/")
        if run["dateCompleted"]
    }


def check(server, traffic, finished):
    """Everything acknowledged is there, and nothing finished has run again."""
    listed = {file["id"]: file for file in server.rows("files/")}
    assert set(traffic.files) <= set(listed)
    for name in random.sample(sorted(listed), min(5, len(listed))):
        status, content = server.call("GET", f"files/{name}/contents/")
        assert status == 200
        assert (len(content), hashlib.md5(content).hexdigest()) == (
            listed[name]["decryptedSize"], listed[name]["md5"],
        )  # fmt: skip
    assert all(listed[name]["md5"] == md5 for name, md5 in traffic.files.items())
    jobs = {item["id"]: item["jobStatus"]["content"] for item in server.rows("jobs/")}
    assert traffic.jobs <= set(jobs)
    assert all(jobs[name] for name in traffic.submitted)
    counts = run_counts(traffic.marks)
    assert all(counts[run] == count for run, count in finished.items())
    return {run: counts[run] for run in finished_runs(server)}


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="executors are found through /proc")
def test_what_was_acknowledged_survives_every_kill(tmp_path):
    random.seed(20)
    server = Served(tmp_path / "data")
    traffic = Traffic(server, tmp_path / "marks")
    finished = {}
    for number in range(KILLS):
        server.start()
        finished = {**finished, **check(server, traffic, finished)}
        thread = threading.Thread(target=traffic.go_on)
        thread.start()
        time.sleep(random.uniform(0.0, 0.4))
        server.kill(executor_too=number % 3 != 0)
        thread.join()
    server.start()
    give_up = time.monotonic() + 60
    while any(item["jobStatus"]["content"] not in ("", "Completed") for item in server.rows("jobs/")):
        assert time.monotonic() < give_up
        time.sleep(0.1)
    check(server, traffic, finished)
    assert finished_runs(server) >= {
        f"{job} {run}" for job in traffic.submitted for run in range(1, RUNS + 1)
    }
    server.process.terminate()
    assert server.process.wait(30) == 0
    server.process.stdout.close()
    database = sqlite3.connect(tmp_path / "data" / "platform.sqlite")
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    database.close()
    assert len(traffic.jobs) > KILLS / 3
