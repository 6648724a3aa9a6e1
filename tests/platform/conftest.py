"""A platform in a temporary folder, and a plain client of it that speaks JSON."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from doe_compiler.kernel.wire import Request
from doe_compiler.platform.api.service import Platform, open_platform, settings_of

DEADLINE_S = 60
SLURM = Path(__file__).parents[1] / "slurm"


class Speaker:
    """What an `Api` and a `Served` have in common."""

    def executor_pid(self):
        """The executor on the data; its guardian and supervisors have its command line, too, and are its children."""
        parents = {}
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (process / "cmdline").read_bytes().split(b"\0")
                if b"doe_compiler.platform.execute.executor" in words and os.fsencode(self.data) in words:
                    status = (process / "stat").read_text().rpartition(")")[2].split()
                    parents[int(process.name)] = int(status[1])
        return next((pid for pid, parent in parents.items() if parent not in parents), None)

    def kill_executor(self):
        pid = self.executor_pid()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)

    def analysis(self, command, *, inputs=(), templates=(), slots=1, **more):
        walltime = more.pop("walltime", None)
        return {
            "analysis": {"code": "user_included", "version": "0"},
            "command": command,
            "hardware": {"coreType": "emerald", "coresPerSlot": 1, "slots": slots, "walltime": walltime},
            "inputFiles": [{"id": self.upload(name, content)["id"]} for name, content in inputs],
            "templateTasks": [
                {"processedFilename": target, "templateFile": {"id": self.upload("t", content)["id"]}}
                for target, content in templates
            ],
            **more,
        }


@dataclass
class Api(Speaker):
    platform: Platform
    data: Path
    headers: dict = field(default_factory=dict)

    def counted_runs(self, job):
        """How many runs have completed and failed, as the list tells."""
        (found,) = [each for each in self.get("jobs/", page_size=100)["results"] if each["id"] == job]
        return found["runsCompleted"], found["runsFailed"]

    def call(self, method, path, body=None, *, query=(), headers=None, version="v2"):
        sent = {"content-type": "application/json", **self.headers, **(headers or {})}
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        request = Request(method, f"/api/{version}/{path}", tuple(query), sent, (raw,))
        response = self.platform.answer(request)
        content = b"".join(response.body)
        is_json = ("content-type", "application/json") in response.headers
        return response.status, json.loads(content) if is_json else content, dict(response.headers)

    def get(self, path, **query):
        status, body, _ = self.call("GET", path, query=[(k, str(v)) for k, v in query.items()])
        assert status == 200, body
        return body

    def upload(self, name, content):
        body = (
            b'--B\r\nContent-Disposition: form-data; name="file"; filename="' + name.encode() + b'"\r\n\r\n'
            + content + b"\r\n--B--\r\n"
        )  # fmt: skip
        headers = {"content-type": "multipart/form-data; boundary=B"}
        status, file, _ = self.call("POST", "files/contents/", body, headers=headers)
        assert status == 201, file
        return file

    def create(self, *analyses, table=None, **more):
        body = {"name": "a job", "jobanalyses": list(analyses), **more}
        if table is not None:
            body["paramFile"] = {"id": self.upload("p.csv", table.encode())["id"]}
        status, job, _ = self.call("POST", "jobs/", body)
        assert status == 201, job
        return job["id"]

    def submit(self, job):
        assert self.call("POST", f"jobs/{job}/submit/")[:2] == (200, b"")

    def last_status(self, job):
        statuses = self.get(f"jobs/{job}/statuses/")["results"]
        return (statuses[0]["status"], statuses[0]["statusReason"]) if statuses else ("", None)

    def finished(self, job, wait_s=DEADLINE_S):
        """Wait for the end of the job; its reason."""
        wait_until(lambda: self.ended(job), wait_s)
        return self.last_status(job)[1]

    def ended(self, job):
        self.platform.ensure_executor(detached=False)
        return self.last_status(job)[0] == "Completed"

    def ran(self, *analyses, wait_s=DEADLINE_S, **more):
        """Create, submit and wait; the job's id and the reason of its end."""
        job = self.create(*analyses, **more)
        self.submit(job)
        return job, self.finished(job, wait_s)

    def ended_runs(self, job):
        self.platform.ensure_executor(detached=False)
        return {int(run["id"]) for run in self.runs(job) if run["dateCompleted"]}

    def entries(self, run):
        """What lies in a run's work directory, nothing before it has started."""
        status, body, _ = self.call("GET", f"{run}directory-contents/")
        return body if status == 200 else []

    def runs(self, job):
        return self.get(f"jobs/{job}/runs/", page_size=1000)["results"]

    def outputs(self, job, run=1):
        files = self.get(f"jobs/{job}/runs/{run}/files/", page_size=1000)["results"]
        return {file["relativePath"]: file for file in files}

    def content(self, job, path, run=1):
        return self.call("GET", f"files/{self.outputs(job, run)[path]['id']}/contents/")[1]


def wait_until(condition, wait_s=DEADLINE_S):
    give_up = time.monotonic() + wait_s
    while not condition():
        assert time.monotonic() < give_up, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def api(tmp_path):
    platform = open_platform(tmp_path / ".doe" / "platform")
    yield Api(platform, tmp_path / ".doe" / "platform")
    platform.close()


@pytest.fixture
def api_on():
    """A platform in a folder, with a configuration of the machine."""
    opened = []

    def on(data, **content):
        opened.append(open_platform(data, settings=settings_of(content)))
        return Api(opened[-1], data)

    yield on
    for platform in opened:
        platform.close()


class Cluster:
    """A Slurm of its own on this machine: two nodes of four processors, no accounting."""

    def __init__(self, root):
        self.root = root
        port = _free_ports(10)
        ports = {"CTL_PORT": str(port), "BASE_PORT": str(port + 1), "DBD_PORT": str(port + 9)}
        self.environment = {
            "SLURM_ROOT": str(root),
            "NODES": "2",
            "CPUS": "4",
            "SLURMDTIMEOUT": "15",
            **ports,
        }
        self.configuration = root / "etc" / "slurm.conf"

    def start(self, **settings):
        """Start what does not run."""
        log = self.root / "start.log"  # not a pipe, which the daemons would hold open
        self.root.mkdir(exist_ok=True)
        with log.open("w") as file:
            done = subprocess.run(
                ["bash", str(SLURM / "start.sh")],
                check=False, timeout=300, env={**os.environ, **self.environment, **settings},
                stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        assert done.returncode == 0, log.read_text()

    def stop(self):
        subprocess.run(
            ["bash", str(SLURM / "stop.sh")],
            check=True, timeout=120, env={**os.environ, **self.environment}, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def pid(self, daemon):
        """The process of `slurmctld` or `slurmd-n1`."""
        return int((self.root / "pid" / f"{daemon}.pid").read_text())

    def kill(self, daemon):
        os.kill(self.pid(daemon), signal.SIGKILL)

    def resume(self):
        """Take nodes that are down into use again."""
        for nodes in self.run("sinfo", "--noheader", "--states=down,drain", "--format=%N").split():
            with contextlib.suppress(subprocess.CalledProcessError):
                self.run("scontrol", "update", f"nodename={nodes}", "state=resume")

    def run(self, *command):
        """What one of Slurm's commands prints."""
        environment = {**os.environ, "SLURM_CONF": str(self.configuration)}
        return subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=60, env=environment
        ).stdout


def _free_ports(count):
    """The first of so many ports in a row that nobody listens at."""
    for first in range(20_000 + os.getpid() % 1000 * 10, 32_000, count):
        with contextlib.ExitStack() as held, contextlib.suppress(OSError):
            for port in range(first, first + count):
                held.enter_context(socket.socket()).bind(("", port))
            return first
    raise AssertionError("no free ports")


@pytest.fixture(scope="session")
def slurm_cluster():
    """A cluster for the tests of one process; `SLURM_CONF` leads everybody to it."""
    if not all(map(shutil.which, ("sbatch", "slurmctld", "slurmd", "munged"))):
        pytest.skip("needs Slurm: apt-get install slurmctld slurmd slurm-client munge")
    root = Path(tempfile.mkdtemp(prefix="slurm", dir="/tmp"))  # short: a socket's path has 108 bytes
    cluster = Cluster(root)
    before = os.environ.get("SLURM_CONF")
    os.environ["SLURM_CONF"] = str(cluster.configuration)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        os.environ.pop("SLURM_CONF")
        if before is not None:
            os.environ["SLURM_CONF"] = before
        shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def until():
    return wait_until


@pytest.fixture
def another():
    """Another platform on the same data, as another process would open it."""
    opened = []

    def on(data, token=None, others=None):
        opened.append(open_platform(data, token=token, others=others))
        return Api(opened[-1], data)

    yield on
    for platform in opened:
        platform.close()


class Served(Speaker):
    """A real `doe serve` in a process of its own, spoken to by the standard library."""

    def __init__(self, data, *options, env=None):
        self.data = data
        self.log = data.with_name(data.name + ".log").open("ab")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("RESCALE_", "DOE_"))}
        arguments = ["serve", "--port", "0", "--data", str(data), *options]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "doe_compiler", *arguments],
            stdout=subprocess.PIPE, stderr=self.log, text=True, start_new_session=True, env={**kept, "HOME": str(data.parent), **(env or {})},
        )  # fmt: skip
        self.said = [self.process.stdout.readline() for _ in range(2)]
        assert "serving" in self.said[0], Path(self.log.name).read_text()
        self.port = int(self.said[0].rpartition("/api")[0].rpartition(":")[2])
        self.token_file = Path(self.said[0].rpartition(", token in ")[2].rstrip("\n"))
        self.token = self.token_file.read_text().split()[0]

    def call(self, method, path, body=None, **headers):
        """Status, body and headers; JSON where the body is a dict."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        try:
            sent = {"Authorization": f"Token {self.token}", "Content-Type": "application/json", **headers}
            content = json.dumps(body) if isinstance(body, dict) else body
            connection.request(method, f"/api/v2/{path}", content, sent)
            response = connection.getresponse()
            return response.status, response.read(), response.headers
        finally:
            connection.close()

    def get(self, path):
        status, body, _ = self.call("GET", path)
        assert status == 200, body
        return json.loads(body)

    def upload(self, name, content):
        body = (
            b'--B\r\nContent-Disposition: form-data; name="file"; filename="' + name.encode() + b'"\r\n\r\n'
            + content + b"\r\n--B--\r\n"
        )  # fmt: skip
        headers = {"Content-Type": "multipart/form-data; boundary=B"}
        status, file, _ = self.call("POST", "files/contents/", body, **headers)
        assert status == 201, file
        return json.loads(file)

    def raw(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE_S)

    def head(self, method, path, *headers):
        """The head of a request with the token, for a raw socket."""
        lines = (f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Token {self.token}", *headers)
        return "\r\n".join((*lines, "", "")).encode()

    def memory_kb(self, kind="VmHWM"):
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in text.split("\n") if line.startswith(kind)).split()[1])

    def kill(self):
        self.process.kill()
        self.close()

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        try:
            return self.process.wait(DEADLINE_S)
        finally:
            self.close()

    def close(self):
        self.process.wait(DEADLINE_S)
        self.process.stdout.close()
        self.log.close()


@pytest.fixture
def serve_at():
    """Start `doe serve` with options; every server that still runs is ended after the test."""
    started = []

    def start(data, *options, env=None):
        started.append(Served(data, *options, env=env))
        return started[-1]

    yield start
    for server in started:
        if server.process.poll() is None:
            server.end()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """One `doe serve` for the tests of a module."""
    server = Served(tmp_path_factory.mktemp("served") / "data")
    yield server
    assert server.end() == 0
