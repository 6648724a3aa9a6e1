"""Requests a second of a served platform, 1 and 16 clients, against a bare Starlette route over SQLite.

The bare routes read or insert one row (durably, as the platform does) and answer JSON; for an upload they take
the body and insert a row.
"""

import http.client
import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path

from bench.timing import environment, in_turn, show

CALLS = 400
BARE = """
import sqlite3, sys, threading
import uvicorn, socket
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.concurrency import run_in_threadpool
own = threading.local()
def database():
    if not hasattr(own, "d"):
        own.d = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
        own.d.execute("PRAGMA journal_mode = WAL")
        own.d.execute("PRAGMA synchronous = FULL")
    return own.d
database().execute("CREATE TABLE rows(id INTEGER PRIMARY KEY, body TEXT)")
database().executemany("INSERT INTO rows(body) VALUES (?)", [("x" * 1000,)] * 100)
def insert(body):
    return database().execute("INSERT INTO rows(body) VALUES (?)", (body.decode("latin-1"),)).lastrowid
async def listed(request):
    return JSONResponse(await run_in_threadpool(lambda: database().execute("SELECT * FROM rows LIMIT 10").fetchall()))
async def get(request):
    return JSONResponse(await run_in_threadpool(lambda: database().execute("SELECT * FROM rows WHERE id = 5").fetchone()))
async def create(request):
    return JSONResponse({"id": await run_in_threadpool(insert, await request.body())})
app = Starlette(routes=[Route("/list", listed), Route("/get", get), Route("/create", create, methods=["POST"])])
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False)).run(sockets=[s])
"""
JOB = json.dumps(
    {
        "name": "a job",
        "jobanalyses": [
            {
                "analysis": {"code": "user_included", "version": "0"},
                "command": "true",
                "hardware": {"coreType": "emerald", "coresPerSlot": 1},
            }
        ],
    }
).encode()
NUMBER = b"%NUMBER%"  # every upload holds something else
FILE = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n%NUMBER%' + b"x" * 1000
FILE += b"\r\n--B--\r\n"


def many(port: int, clients: int, method: str, path: str, body: bytes, headers: dict[str, str]) -> float:
    """The seconds of CALLS calls, shared by so many clients with a connection each."""
    failures = []

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for _ in range(CALLS // clients):
            sent = body.replace(NUMBER, secrets.token_hex(4).encode())
            connection.request(method, path, sent or None, headers)
            response = connection.getresponse()
            response.read()
            if response.status >= 300:
                failures.append(response.status)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[:3]
    return time.perf_counter() - began


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        doe = str(Path(sys.executable).parent / "doe")
        served = subprocess.Popen(
            [doe, "serve", "--port", "0", "--data", str(folder / "data"), "--token-file", str(folder / "token")],
            stdout=subprocess.PIPE, text=True, env=environment(),
        )  # fmt: skip
        bare = subprocess.Popen(
            [sys.executable, "-c", BARE, str(folder / "bare.sqlite")],
            stdout=subprocess.PIPE, text=True, env=environment(),
        )  # fmt: skip
        try:
            port = int(re.findall(r":(\d+)/api", served.stdout.readline())[0])
            bare_port = int(bare.stdout.readline())
            measure(port, bare_port, (folder / "token").read_text().strip())
        finally:
            for process in (served, bare):
                process.terminate()
                process.wait()
                process.stdout.close()


def measure(port: int, bare_port: int, token: str) -> None:
    key = {"Authorization": f"Token {token}"}
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for _ in range(100):
        connection.request("POST", "/api/v2/jobs/", JOB, {**key, "Content-Type": "application/json"})
        job = json.loads(connection.getresponse().read())["id"]
    connection.close()
    kinds = {
        "list": ("GET", "/api/v2/jobs/", b"", key, ("GET", "/list")),
        "get": ("GET", f"/api/v2/jobs/{job}/", b"", key, ("GET", "/get")),
        "create": ("POST", "/api/v2/jobs/", JOB, {**key, "Content-Type": "application/json"}, ("POST", "/create")),
        "upload": (
            "POST", "/api/v2/files/contents/", FILE,
            {**key, "Content-Type": "multipart/form-data; boundary=B"}, ("POST", "/create"),
        ),
    }  # fmt: skip
    rows = [("what", "requests/s", "bare route", "times slower (aim 2)")]
    for clients in (1, 16):
        for what, (method, path, body, headers, (bare_method, bare_path)) in kinds.items():
            taken = in_turn(
                {
                    "doe": partial(many, port, clients, method, path, body, headers),
                    "bare": partial(many, bare_port, clients, bare_method, bare_path, body, {}),
                },
                rounds=3,
            )
            rows.append(
                (
                    f"{what}, {clients} client{'s' if clients > 1 else ''}",
                    f"{CALLS / taken['doe']:.0f}",
                    f"{CALLS / taken['bare']:.0f}",
                    f"{taken['doe'] / taken['bare']:.2f}",
                )
            )
    show("The API over HTTP", rows)


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    main()
