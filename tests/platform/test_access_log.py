"""The access log of a real `doe serve`: a line a request, with who and why, and no secret."""

import json
import os
import re
import time

import pytest

LINE = re.compile(
    r'(?P<client>\S+) - (?P<user>\S+) \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\] "(?P<request>[^"]*)" '
    r'(?P<status>\d{3}) (?P<size>\d+) (?P<seconds>\d+\.\d{3}) (?P<reason>-|"(?:[^"\\]|\\.)*")'
)
JSON = "Content-Type: application/json"


@pytest.fixture
def log(tmp_path):
    return tmp_path / "access.log"


@pytest.fixture
def server(serve_at, tmp_path, log):
    return serve_at(tmp_path / "data", "--access-log", str(log))


def lines(log, count):
    """The lines, once there are so many."""
    give_up = time.monotonic() + 20
    while (not log.exists() or len(log.read_text().splitlines()) < count) and time.monotonic() < give_up:
        time.sleep(0.02)
    found = [LINE.fullmatch(line) for line in log.read_text().splitlines()]
    assert all(found), log.read_text()
    assert len(found) == count, log.read_text()
    return [each.groupdict() for each in found]


def reason(line):
    return None if line["reason"] == "-" else json.loads(line["reason"])


def test_a_line_a_request_says_who_and_what_was_answered(server, log):
    email = server.get("users/me/")["email"]
    server.get("jobs/?search=secret-of-a-query")
    first, second = lines(log, 2)
    assert (first["client"], first["user"], first["status"]) == ("127.0.0.1", email, "200")
    assert (first["request"], second["request"]) == (
        "GET /api/v2/users/me/ HTTP/1.1",
        "GET /api/v2/jobs/ HTTP/1.1",
    )
    assert first["reason"] == "-"
    assert int(first["size"]) > 50
    assert oct(log.stat().st_mode & 0o777) == "0o600"


def test_every_refusal_has_its_reason(server, log, doe):
    owner = server.get("users/me/")["email"]
    reader = doe("tokens", "add", owner, "--read-only", "--data", server.data).stdout.strip()
    assert server.call("GET", "jobs/", Authorization="")[0] == 401
    assert server.call("GET", "jobs/", Authorization="Token wrong")[0] == 401
    assert server.call("POST", "jobs/", {}, Authorization=f"Token {reader}")[0] == 403
    assert server.call("GET", "jobs/AbCdEf/")[0] == 404
    assert server.call("BREW", "jobs/")[0] == 405
    assert server.call("POST", "jobs/", {"name": 3})[0] == 400
    assert server.call("POST", "jobs/", b"{")[0] == 400
    with server.raw() as raw:
        raw.sendall(b"nonsense\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 400")
    with server.raw() as raw:
        raw.sendall(server.head("POST", "/api/v2/jobs/", "Content-Length: 1", "Transfer-Encoding: chunked"))
        assert raw.recv(100).startswith(b"HTTP/1.1 400")
    found = lines(log, 10)[1:]
    assert [line["status"] for line in found] == [
        "401",
        "401",
        "403",
        "404",
        "405",
        "400",
        "400",
        "400",
        "400",
    ]
    reasons = [reason(line) for line in found]
    assert reasons[:5] == [
        "Authentication credentials were not provided.",
        "Invalid token.",
        "This token only reads.",
        "Not found.",
        'Method "BREW" not allowed.',
    ]
    assert "jobanalyses" in reasons[5]
    assert "JSON" in reasons[6]
    assert reasons[7] == "Invalid HTTP request received."
    assert reasons[8] == "A body has either a Content-Length or a Transfer-Encoding."
    assert found[2]["user"] == owner
    assert found[1]["user"] == "-"


def test_no_token_is_in_it_and_no_client_can_write_a_line(server, log, doe):
    token = doe("tokens", "add", "a@b.org", "--data", server.data).stdout.strip()
    for path in ("jobs/?token=" + token, "jobs/%0a%22x/", 'jobs/"/', "jobs/\\/"):
        server.call("GET", path, Authorization=f"Token {token}")
    server.call("POST", "jobs/", {"name": "x", "apikey": token}, Authorization=f"Token {token}")
    assert len(lines(log, 5)) == 5
    assert token not in log.read_text()
    assert server.token not in log.read_text()


def test_a_client_that_goes_away_or_is_lost_has_a_line(serve_at, tmp_path, log):
    server = serve_at(
        tmp_path / "data", "--access-log", str(log), "--faults", "list/drop-after:1x1,get/503:1x1"
    )
    with server.raw() as raw:
        raw.sendall(server.head("GET", "/api/v2/jobs/"))
        assert raw.recv(100) == b""
    assert server.call("GET", "jobs/AbCdEf/")[0] == 503
    with server.raw() as raw:
        raw.sendall(server.head("POST", "/api/v2/jobs/", JSON, "Content-Length: 100") + b"{")
    dropped, failed, gone = lines(log, 3)
    assert (dropped["status"], reason(dropped)) == ("499", "The connection was closed, as --faults asks.")
    assert (failed["status"], reason(failed)) == ("503", "Service temporarily unavailable, try again later.")
    assert (gone["status"], reason(gone)) == ("499", "The client went away.")


def test_a_log_that_was_moved_away_is_begun_anew(server, log):
    server.get("jobs/")
    lines(log, 1)
    log.rename(log.with_suffix(".1"))
    server.get("files/")
    assert lines(log, 1)[0]["request"] == "GET /api/v2/files/ HTTP/1.1"


def test_minus_is_standard_output(serve_at, tmp_path):
    server = serve_at(tmp_path / "data", "--access-log", "-")
    server.get("jobs/")
    assert '"GET /api/v2/jobs/ HTTP/1.1" 200' in server.process.stdout.readline()


def test_a_full_disk_is_told_once_and_stops_nothing(serve_at, tmp_path):
    server = serve_at(tmp_path / "data", "--access-log", "/dev/full")
    for _ in range(3):
        server.get("jobs/")
    said = (tmp_path / "data.log").read_text()
    assert said.count("warning: the access log cannot be written") == 1
    assert os.strerror(28) in said


def test_a_log_that_cannot_be_written_is_wrong_usage(doe, tmp_path):
    answer = doe("serve", "--data", tmp_path / "data", "--port", 0, "--access-log", tmp_path / "no" / "log")
    assert answer.returncode == 64
    assert "cannot be written: No such file or directory" in answer.stderr
