"""The platform over HTTP, in a process of its own, spoken to by the standard library."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

SERVER = """
import sys
from pathlib import Path
from doe_compiler.kernel.errors import DoeError
from doe_compiler.platform.serve.http import Tokens, serve
try:
    serve(Path(sys.argv[1]), "127.0.0.1", int(sys.argv[2]), Tokens("right"), on_ready=lambda port: print(port, flush=True))
except DoeError as error:
    print(error.message)
    sys.exit(error.exit_code)
"""


def _serving(data, port=0):
    return subprocess.Popen(
        [sys.executable, "-c", SERVER, str(data), str(port)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    data = tmp_path_factory.mktemp("served")
    process = _serving(data)
    port = int(process.stdout.readline())
    yield data, port
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    process.stdout.close()


def _call(port, method, path, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        sent = {"Authorization": "Token right", "Content-Type": "application/json", **headers}
        content = json.dumps(body) if isinstance(body, dict) else body
        connection.request(method, path, content, sent)
        response = connection.getresponse()
        return response.status, response.read(), response.headers
    finally:
        connection.close()


def _upload(port, content):
    def pieces():
        yield b'--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        yield from content
        yield b"\r\n--B--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=B"}
    status, body, _ = _call(port, "POST", "/api/v2/files/contents/", pieces(), **headers)
    assert status == 201, body
    return json.loads(body)


def test_the_token_is_asked_for(server):
    for token in ("", "Token", "Token wrong"):
        status, _, headers = _call(server[1], "GET", "/api/v2/jobs/", Authorization=token)
        assert (status, headers["www-authenticate"]) == (401, "Token")


def test_a_chunked_upload_comes_back_whole_and_in_parts(server):
    pieces = [bytes([n]) * 100_000 for n in range(50)]
    file = _upload(server[1], pieces)
    assert file["downloadUrl"].startswith(f"http://127.0.0.1:{server[1]}/api/v2/files/")
    path = file["downloadUrl"].partition(str(server[1]))[2]
    status, body, headers = _call(server[1], "GET", path)
    assert (status, body, headers["content-length"]) == (200, b"".join(pieces), "5000000")
    status, body, headers = _call(server[1], "GET", path, Range="bytes=99999-100000")
    assert (status, body, headers["content-range"]) == (206, b"\0\1", "bytes 99999-100000/5000000")


def test_a_job_runs(server, until):
    analysis = {
        "analysis": {"code": "user_included"},
        "command": "echo hello",
        "hardware": {"coreType": "standard-plus", "coresPerSlot": 1},
    }
    status, body, _ = _call(server[1], "POST", "/api/v2/jobs/", {"name": "n", "jobanalyses": [analysis]})
    assert status == 201
    job = json.loads(body)["id"]
    assert _call(server[1], "POST", f"/api/v2/jobs/{job}/submit/", b"")[:2] == (200, b"")
    until(lambda: b"Completed successfully" in _call(server[1], "GET", f"/api/v3/jobs/{job}/statuses")[1])
    files = json.loads(_call(server[1], "GET", f"/api/v2/jobs/{job}/files/")[1])["results"]
    assert [(file["name"], file["decryptedSize"]) for file in files] == [("process_output.log", 6)]
    assert _call(server[1], "DELETE", f"/api/v2/jobs/{job}/")[:2] == (204, b"")


@pytest.mark.parametrize(
    "path", ["/api/v2/jobs/a%2Fb/", "/api/v2/jobs/%00/", "/", "/api/v2/jobs/%ff%fe/", "/api/v2/../../x"]
)
def test_odd_addresses_are_not_found(server, path):
    assert _call(server[1], "GET", path)[0] == 404


def test_a_body_that_ends_early_leaves_nothing(server, until):
    before = json.loads(_call(server[1], "GET", "/api/v2/files/")[1])["count"]
    with socket.create_connection(("127.0.0.1", server[1])) as raw:
        raw.sendall(
            b"POST /api/v2/files/contents/ HTTP/1.1\r\nHost: x\r\nAuthorization: Token right\r\n"
            b"Content-Type: multipart/form-data; boundary=B\r\nContent-Length: 1000000\r\n\r\n"
            b'--B\r\nContent-Disposition: form-data; name="file"; filename="half"\r\n\r\n' + b"half" * 100_000
        )
        incoming = server[0] / "files" / "incoming"
        until(lambda: incoming.exists() and any(incoming.iterdir()))
    until(lambda: not any(incoming.iterdir()))
    assert json.loads(_call(server[1], "GET", "/api/v2/files/")[1])["count"] == before


def test_a_second_server_on_the_same_data_is_refused(server):
    second = _serving(server[0])
    assert second.communicate(timeout=30)[0].strip().endswith("is already served")
    assert second.returncode == 4


def test_a_taken_port_is_refused(server, tmp_path):
    second = _serving(tmp_path, server[1])
    assert "cannot be used" in second.communicate(timeout=30)[0]
    assert second.returncode == 1


def test_a_killed_server_takes_its_runs_along_and_the_next_goes_on(tmp_path, until):
    first = _serving(tmp_path / "data")
    port = int(first.stdout.readline())
    analysis = {
        "analysis": {"code": "user_included"},
        "command": f"echo $$ >> {tmp_path}/pids; [ $(wc -l < {tmp_path}/pids) = 2 ] || sleep 1000",
        "hardware": {"coreType": "standard-plus", "coresPerSlot": 1},
    }
    job = json.loads(_call(port, "POST", "/api/v2/jobs/", {"name": "n", "jobanalyses": [analysis]})[1])["id"]
    _call(port, "POST", f"/api/v2/jobs/{job}/submit/", b"")
    until((tmp_path / "pids").exists)
    os.kill(first.pid, signal.SIGKILL)
    first.communicate(timeout=30)
    second = _serving(tmp_path / "data")
    port = int(second.stdout.readline())
    until(lambda: b"Completed successfully" in _call(port, "GET", f"/api/v2/jobs/{job}/statuses/")[1])
    second.send_signal(signal.SIGINT)
    second.communicate(timeout=30)
    assert second.returncode == 0


def test_the_runs_of_a_killed_executor_end_at_once(tmp_path, until):
    process = _serving(tmp_path / "data")
    port = int(process.stdout.readline())
    analysis = {
        "analysis": {"code": "user_included"},
        "command": f"echo $$ > {tmp_path}/pid; sleep 1000 & wait",
        "hardware": {"coreType": "standard-plus", "coresPerSlot": 1},
    }
    job = json.loads(_call(port, "POST", "/api/v2/jobs/", {"name": "n", "jobanalyses": [analysis]})[1])["id"]
    _call(port, "POST", f"/api/v2/jobs/{job}/submit/", b"")
    until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    run = int((tmp_path / "pid").read_text())
    executor = int(Path(f"/proc/{run}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(process.pid, signal.SIGKILL)
    os.kill(executor, signal.SIGKILL)
    process.communicate(timeout=30)
    until(lambda: not Path(f"/proc/{run}").exists())
