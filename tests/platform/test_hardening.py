"""What hostile, broken and slow clients get from a real `doe serve`, and that others do not notice."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

JSON = "Content-Type: application/json"
MULTIPART = "Content-Type: multipart/form-data; boundary=B"
PART = b'--B\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
END = b"\r\n--B--\r\n"

LIMITED = """
import sys
from pathlib import Path
from doe_compiler.platform.serve.connections import Limits
from doe_compiler.platform.serve.access import AccessLog
from doe_compiler.platform.serve.http import Tokens, serve
log = AccessLog(sys.argv[1] + ".access")
limits = Limits(connections=50, uploads=4, head_s=1, idle_s=2, body_window_s=1, linger_s=1, stall_s=1)
serve(Path(sys.argv[1]), "127.0.0.1", 0, Tokens("right"), on_ready=lambda port: print(port, flush=True), limits=limits, log=log)
"""


def _answer(raw):
    """All that comes until the server closes or says nothing more for a moment."""
    got = b""
    with contextlib.suppress(TimeoutError, ConnectionResetError):
        while piece := raw.recv(65536):
            got += piece
            raw.settimeout(0.5)
    return got


def _said(server, *sent):
    with server.raw() as raw:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for each in sent:
                raw.sendall(each)
        return _answer(raw)


def _status(answer):
    return int(answer.split(b" ", 2)[1]) if answer else 0


def _is_well(server):
    before = time.monotonic()
    server.get("jobs/")
    assert time.monotonic() - before < 2


def _count(server):
    return server.get("files/")["count"]


@pytest.mark.parametrize(
    "target",
    [
        "/api/v2/jobs/a%2Fb/",  "/api/v2/jobs/%00/", "/api/v2/files/%2e%2e%2ftoken/contents/",
        "/api/v2/jobs/a%00b/", "/api/v2/../../etc/passwd", "/api/v2//jobs/", "/api/v2/jobs/%ff%fe/", "/", "//", "/%",
        "/api/v2/jobs/" + "a" * 5000 + "/", "http://elsewhere/api/v2/jobs/", "/api/v2/jobs/%3F/", "*",
    ],
)  # fmt: skip
def test_odd_ids_and_addresses_are_not_found(served, target):
    assert _status(_said(served, served.head("GET", target))) in (400, 404)
    _is_well(served)


@pytest.mark.parametrize("method", ["BREW", "CONNECT", "TRACE", "OPTIONS", "PROPFIND", "get", "x" * 1000])
def test_unknown_methods_are_not_allowed(served, method):
    answer = _said(served, served.head(method, "/api/v2/jobs/"))
    assert _status(answer) == 405
    assert b"allow: GET, POST" in answer
    assert b'not allowed."}' in answer


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"name":"n","jobanalyses":' + b"[" * 200 + b"]" * 200 + b"}",
        b"[" * 10_000_000,
        b'{"name":"\\ud800","jobanalyses":[]}',
        b"\xff\xfe",
        b"nan",
        b"1" * 100_000,
    ],
)
def test_evil_json_is_a_bad_request(served, body):
    status, answer, _ = served.call("POST", "jobs/", body)
    assert status == 400, answer
    _is_well(served)


def test_a_json_body_beyond_the_limit_is_too_large(served):
    assert served.call("POST", "jobs/", b" " * (33 << 20))[0] == 413


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ((MULTIPART, f"Content-Length: {len(PART) + 4 + len(END) - 6}"), PART + b"half" + END),
        ((MULTIPART, f"Content-Length: {len(PART) + 1}"), PART + b"half" + END),
        ((MULTIPART, "Content-Length: 0"), PART + b"half" + END),
        ((MULTIPART, "Transfer-Encoding: chunked"), b"5\r\n" + PART + b"\r\n0\r\n\r\n"),
        ((MULTIPART, "Transfer-Encoding: chunked"), b"fffffffffffffffffffff\r\n" + PART),
        ((MULTIPART, "Transfer-Encoding: chunked"), b"-1\r\n" + PART),
        ((MULTIPART, "Transfer-Encoding: gzip"), PART + END),
        ((MULTIPART, "Transfer-Encoding: chunked", "Content-Length: 5"), b"0\r\n\r\n"),
        ((MULTIPART, "Content-Length: 5", "Content-Length: 6"), b"123456"),
        ((MULTIPART, "Content-Length: -5"), PART),
        ((MULTIPART, "Content-Length: 5, 6"), PART),
        ((MULTIPART, "Content-Length: x"), PART),
        (("Content-Type: multipart/form-data", f"Content-Length: {len(PART)}"), PART),
        ((MULTIPART.replace("=B", "=" + "B" * 300), f"Content-Length: {len(PART)}"), PART),
    ],
)
def test_bodies_that_lie_about_their_length_leave_nothing(served, headers, body):
    before = _count(served)
    answer = _said(served, served.head("POST", "/api/v2/files/contents/", *headers), body)
    assert 400 <= _status(answer) < 500 or _status(answer) == 501, answer
    assert _count(served) == before
    assert not any((served.data / "files").glob("incoming/*"))


def test_a_second_request_cannot_hide_in_a_body(served):
    hidden = served.head("DELETE", "/api/v2/jobs/hidden/", "Content-Length: 0")
    smuggled = served.head("POST", "/api/v2/jobs/", JSON, "Content-Length: 4", "Transfer-Encoding: chunked")
    answer = _said(served, smuggled + b"0\r\n\r\n" + hidden)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert _status(answer) == 400


def test_a_part_with_huge_headers_is_refused(served):
    part = b"--B\r\nX-Long: " + b"x" * 100_000 + b"\r\n\r\nx" + END
    head = served.head("POST", "/api/v2/files/contents/", MULTIPART, f"Content-Length: {len(part)}")
    assert _status(_said(served, head, part)) == 400


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 200_000,
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 50_000,
        b"GET /" + b"x" * 200_000,
        b"\x00" * 200_000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 500,
        b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n",
    ],
)
def test_what_is_no_proper_head_is_refused_and_closed(served, head):
    assert _status(_said(served, head)) in (0, 400, 401, 505)
    _is_well(served)


def test_a_strange_host_breaks_no_answer(served):
    head = served.head("GET", "/api/v2/jobs/?page_size=1").replace(b"Host: x", b"Host: [")
    assert _status(_said(served, head)) == 200


def test_pipelined_requests_are_answered_in_order(served):
    heads = served.head("GET", "/api/v2/jobs/"), served.head("GET", "/api/v2/nothing/")
    answer = _said(served, b"".join(heads) * 3)
    assert [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]] == [200, 404] * 3


def test_slow_heads_and_bodies_of_many_clients_hold_nobody_up(served):
    length = "Content-Length: 100000"
    slow = [served.raw() for _ in range(300)]
    for number, raw in enumerate(slow):
        if number % 3 == 0:
            raw.sendall(b"POST /api/v2/files/contents/ HTTP/1.1\r\nHo")
        elif number % 3 == 1:
            raw.sendall(served.head("POST", "/api/v2/files/contents/", MULTIPART, length) + PART)
        else:
            raw.sendall(served.head("POST", "/api/v2/jobs/", JSON, length) + b"{")
    for _ in range(5):
        for raw in slow:
            raw.sendall(b"x")
        _is_well(served)
        before = _count(served)
        kind = {"Content-Type": "multipart/form-data; boundary=B"}
        assert served.call("POST", "files/contents/", PART + b"x" * 1_000_000 + END, **kind)[0] == 201
        assert _count(served) == before + 1
    for raw in slow:
        raw.close()


def test_clients_that_do_not_read_hold_nobody_up(served):
    kind = {"Content-Type": "multipart/form-data; boundary=B"}
    _, body, _ = served.call("POST", "files/contents/", PART + b"x" * 5_000_000 + END, **kind)
    raws = [served.raw() for _ in range(100)]
    for raw in raws:
        raw.sendall(served.head("GET", f"/api/v2/files/{json.loads(body)['id']}/contents/"))
    _is_well(served)
    for raw in raws:
        raw.close()


def test_more_idle_connections_than_fit_do_not_lock_others_out(served):
    idle = [served.raw() for _ in range(1200)]
    for _ in range(20):
        _is_well(served)
    for raw in idle:
        raw.close()


@pytest.fixture
def limited(tmp_path):
    """A server with limits of a second; its port and data."""
    arguments = [sys.executable, "-c", LIMITED, str(tmp_path / "data")]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, start_new_session=True)
    yield int(process.stdout.readline()), tmp_path / "data"
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    process.stdout.close()


def _head(method, path, *headers):
    lines = (f"{method} {path} HTTP/1.1", "Host: x", "Authorization: Token right", *headers)
    return "\r\n".join((*lines, "", "")).encode()


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET /api/v2/jobs/ HTTP/1.1\r\n",
        _head("POST", "/api/v2/jobs/", JSON, "Content-Length: 1000") + b"{",
        _head("POST", "/api/v2/files/contents/", MULTIPART, "Content-Length: 9000000")
        + PART
        + b"x" * 400_000,
        _head("GET", "/api/v2/jobs/") + b"GET /again",
    ],
)
def test_a_client_that_drips_is_cut_off(limited, until, begun):
    port, data = limited
    before = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as raw:
        raw.sendall(begun)
        raw.settimeout(0.1)
        while time.monotonic() - before < 20:
            try:
                raw.sendall(b"x")
                if raw.recv(65536) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break
    assert time.monotonic() - before < 10
    until(lambda: not any((data / "files").glob("incoming/*")))


def test_the_log_says_why_a_slow_client_or_one_too_many_was_cut_off(limited, until):
    port, data = limited
    log = data.with_name("data.access")
    address = ("127.0.0.1", port)
    body = _head("POST", "/api/v2/jobs/", JSON, "Content-Length: 100") + b"{"
    with contextlib.ExitStack() as opened:
        late, slow = (opened.enter_context(socket.create_connection(address, timeout=30)) for _ in range(2))
        late.sendall(b"GET /api")
        slow.sendall(body)
        for each in (late, slow):
            with contextlib.suppress(ConnectionResetError):
                assert each.recv(100) == b""
    until(lambda: log.exists() and log.read_text().count("\n") == 2, 20)
    assert '"-" 408 0 ' in log.read_text()
    assert '"The headers were not there after 1 s."' in log.read_text()
    assert '"POST /api/v2/jobs/ HTTP/1.1" 499 0 ' in log.read_text()
    assert '"The body came too slowly for 1 s."' in log.read_text()
    with contextlib.ExitStack() as opened:
        for _ in range(50):  # each waits for the rest of its body, so that none is idle
            opened.enter_context(socket.create_connection(address, timeout=30)).sendall(body)
        time.sleep(0.3)
        last = opened.enter_context(socket.create_connection(address, timeout=30))
        last.sendall(_head("GET", "/api/v2/jobs/"))
        assert _status(_answer(last)) == 503
    until(lambda: " 503 " in log.read_text() and '"Too many connections."' in log.read_text(), 20)


def test_a_client_that_leaves_an_answer_unread_is_cut_off(limited):
    port, _ = limited
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Authorization": "Token right", "Content-Type": "multipart/form-data; boundary=B"}
    connection.request("POST", "/api/v2/files/contents/", PART + b"x" * 30_000_000 + END, headers)
    file = json.loads(connection.getresponse().read())["id"]
    with socket.create_connection(("127.0.0.1", port), timeout=30) as raw:
        raw.sendall(_head("GET", f"/api/v2/files/{file}/contents/"))
        time.sleep(2.5)
        assert len(_answer(raw)) < 30_000_000
    connection.close()


def test_a_refused_body_is_not_taken_for_ever(limited):
    port, _ = limited
    before = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as raw:
        raw.sendall(
            b"POST /api/v2/files/contents/ HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"
        )
        with contextlib.suppress(OSError):
            while time.monotonic() - before < 20:
                raw.sendall(b"x" * 100_000)
    assert time.monotonic() - before < 10


def test_a_large_upload_takes_little_memory(served):
    megabytes = int(os.environ.get("DOE_SOAK_UPLOAD_MB", "200"))
    before = served.memory_kb()
    block = os.urandom(1 << 20)

    def pieces():
        yield PART
        for _ in range(megabytes):
            yield block
        yield END

    length = len(PART) + (megabytes << 20) + len(END)
    kind = {"Content-Type": "multipart/form-data; boundary=B", "Content-Length": str(length)}
    status, body, _ = served.call("POST", "files/contents/", pieces(), **kind)
    assert status == 201, body
    file = json.loads(body)
    assert file["decryptedSize"] == megabytes << 20
    _taken_down(served, file["id"], megabytes << 20)
    assert served.memory_kb() - before < 48 << 10


def _taken_down(server, file, size):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request(
        "GET", f"/api/v2/files/{file}/contents/", headers={"Authorization": f"Token {server.token}"}
    )
    response = connection.getresponse()
    while piece := response.read(1 << 20):
        size -= len(piece)
    connection.close()
    assert size == 0
