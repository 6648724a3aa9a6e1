"""A long queue: the API's answers and the server's memory while 100,000 runs wait; and how soon a platform opens."""

import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.timing import environment, show

JOBS = 1_000
RUNS_A_JOB = 100
CALLS = 200
OPENING = """
import sys, time
from pathlib import Path
from doe_compiler.platform.api.service import open_platform
began = time.perf_counter()
platform = open_platform(Path(sys.argv[1]))
print(time.perf_counter() - began)
platform.close()
"""


class Client:
    """One connection to a served platform."""

    def __init__(self, port: int, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._key = {"Authorization": f"Token {token}", "Content-Type": "application/json"}

    def call(self, method: str, path: str, body: bytes | None = None, **headers: str) -> object:
        self._connection.request(method, f"/api/v2/{path}", body, {**self._key, **headers})
        response = self._connection.getresponse()
        content = response.read()
        assert response.status < 300, content
        return json.loads(content) if content else None

    def median_s(self, path: str) -> float:
        taken = []
        for _ in range(CALLS):
            began = time.perf_counter()
            self.call("GET", path)
            taken.append(time.perf_counter() - began)
        return statistics.median(taken)

    def job(self) -> str:
        body = {
            "name": "many",
            "paramFile": {"id": self.table},
            "jobanalyses": [
                {
                    "analysis": {"code": "user_included"},
                    "command": "sleep 0.2",
                    "hardware": {"coreType": "emerald", "coresPerSlot": 1, "slots": 2},
                }
            ],
        }
        return str(self.call("POST", "jobs/", json.dumps(body).encode())["id"])

    def upload_table(self) -> None:
        content = "x\n" + "".join(f"{number}\n" for number in range(RUNS_A_JOB))
        body = f'--B\r\nContent-Disposition: form-data; name="file"; filename="p.csv"\r\n\r\n{content}\r\n--B--\r\n'
        kind = {"Content-Type": "multipart/form-data; boundary=B"}
        self.table = self.call("POST", "files/contents/", body.encode(), **kind)["id"]


def memory_mb(pid: int) -> float:
    """The resident memory of a process and its executor."""
    total = 0
    for path in Path("/proc").glob("[0-9]*/status"):
        try:
            text = path.read_text()
        except OSError:
            continue
        fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        is_ours = int(path.parent.name) == pid or int(fields["PPid"]) == pid
        total += int(fields.get("VmRSS", "0 kB").split()[0]) if is_ours else 0
    return total / 1024


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        doe = str(Path(sys.executable).parent / "doe")
        served = subprocess.Popen(
            [doe, "serve", "--port", "0", "--data", str(folder / "data"), "--token-file", str(folder / "token")],
            stdout=subprocess.PIPE, text=True, env=environment(),
        )  # fmt: skip
        try:
            port = int(re.findall(r":(\d+)/api", served.stdout.readline())[0])
            client = Client(port, (folder / "token").read_text().strip())
            measure(client, served.pid)
        finally:
            served.terminate()
            served.wait()
            served.stdout.close()
        opening(folder)


def measure(client: Client, pid: int) -> None:
    client.upload_table()
    jobs = [client.job() for _ in range(JOBS)]
    paths = {"list": "jobs/?page_size=100", "get": f"jobs/{jobs[500]}/", "runs": f"jobs/{jobs[500]}/runs/"}
    client.call("POST", f"jobs/{jobs[0]}/submit/")
    time.sleep(1)
    first_mb = memory_mb(pid)
    client.call("POST", f"jobs/{jobs[0]}/stop/")
    time.sleep(3)
    idle = {what: client.median_s(path) for what, path in paths.items()}
    for job in jobs[1:]:
        client.call("POST", f"jobs/{job}/submit/")
    loaded = {what: client.median_s(path) for what, path in paths.items()}
    rows = [("what", "idle", "loaded", "times (aim 3)")]
    rows += [
        (
            what,
            f"{idle[what] * 1e3:.1f} ms",
            f"{loaded[what] * 1e3:.1f} ms",
            f"{loaded[what] / idle[what]:.2f}",
        )
        for what in paths
    ]
    last_mb = memory_mb(pid)
    rows.append(("memory", f"{first_mb:.0f} MB", f"{last_mb:.0f} MB", f"{last_mb / first_mb:.2f}"))
    show(f"{JOBS * RUNS_A_JOB:,} runs in {JOBS:,} jobs, two of them running", rows)


def opening(folder: Path) -> None:
    taken = []
    for number in range(7):
        told = subprocess.run(
            [sys.executable, "-c", OPENING, str(folder / f"new{number // 4}")],
            check=True, capture_output=True, text=True, env=environment(),
        )  # fmt: skip
        taken.append(float(told.stdout))
    show(
        "Opening the platform in process, above the imports",
        [("what", "ms", "aim", ""), ("median", f"{statistics.median(taken) * 1e3:.0f}", "150", ""),
         ("slowest", f"{max(taken) * 1e3:.0f}", "", "")],
    )  # fmt: skip


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    main()
