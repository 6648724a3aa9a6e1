"""`doe serve` as it is started and stopped: what it prints, refuses and leaves, and its weather on a socket."""

import http.client
import json
import os
import signal
import subprocess
import time

import pytest


def test_it_prints_what_to_type_and_the_line_works(serve_at, tmp_path):
    server = serve_at(tmp_path / "da ta", env={"HOME": str(tmp_path / "ho me")})
    folder = tmp_path / "ho me" / ".config" / "doe" / "tokens"
    assert [server.token_file] == list(folder.iterdir())
    assert server.said[0].endswith(f"/api/v2/, token in {server.token_file}\n")
    assert (folder.stat().st_mode & 0o777, server.token_file.stat().st_mode & 0o777) == (0o700, 0o600)
    assert server.token not in "".join(server.said)
    script = server.said[1] + 'echo "$RESCALE_API_URL $RESCALE_API_KEY"'
    shown = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert shown == f"http://127.0.0.1:{server.port}/api/v2/ {server.token}\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly_with_clients_connected(serve_at, tmp_path, number):
    server = serve_at(tmp_path / "data")
    with server.raw() as idle, server.raw() as uploading:
        uploading.sendall(server.head("POST", "/api/v2/files/contents/", "Content-Length: 1000000"))
        idle.sendall(b"GET /api")
        before = time.monotonic()
        assert server.end(number) == 0
        assert time.monotonic() - before < 10
    assert (tmp_path / "data.log").read_text() == ""
    assert serve_at(tmp_path / "data").get("jobs/")["count"] == 0


def test_it_stops_while_a_body_is_being_received_by_a_thread(serve_at, until, tmp_path):
    server = serve_at(tmp_path / "data")
    with server.raw() as uploading:
        kind = "Content-Type: multipart/form-data; boundary=B"
        uploading.sendall(server.head("POST", "/api/v2/files/contents/", kind, "Content-Length: 1000000"))
        part = b'--B\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
        uploading.sendall(part + b"x" * 600_000)
        incoming = tmp_path / "data" / "files" / "incoming"
        until(lambda: incoming.exists() and any(incoming.iterdir()))
        before = time.monotonic()
        assert server.end() == 0
        assert time.monotonic() - before < 10
    assert not any(incoming.iterdir())


def test_a_second_server_on_the_same_data_is_refused(serve_at, doe, tmp_path):
    serve_at(tmp_path / "data")
    second = doe("serve", "--data", tmp_path / "data", "--port", 0)
    assert second.returncode == 4
    assert "is already served" in second.stderr


def test_beyond_loopback_it_wants_tls_or_a_word(doe, tmp_path):
    answer = doe("serve", "--data", tmp_path / "data", "--port", 0, "--host", "0.0.0.0")
    assert answer.returncode == 64
    assert "tokens would travel unencrypted" in answer.stderr
    assert "--insecure-http" in answer.stderr
    assert not (tmp_path / "data").exists()


def test_beyond_loopback_it_warns(serve_at, tmp_path):
    server = serve_at(tmp_path / "data", "--host", "0.0.0.0", "--insecure-http")
    assert "warning: listening on 0.0.0.0" in (tmp_path / "data.log").read_text()
    assert "http://127.0.0.1:" in server.said[0]
    assert server.call("GET", "jobs/", Authorization="")[0] == 401


def test_on_loopback_it_does_not_warn(serve_at, tmp_path):
    serve_at(tmp_path / "data")
    assert (tmp_path / "data.log").read_text() == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--faults", "drop:1"], "--faults: 'drop:1': 'drop' is no kind of fault"),
        (["--throttle", "x"], "--throttle x: 'x' is no rate"),
        (["--latency", "x"], "--latency x: 'x' is no duration"),
        (["--executor", "x"], "--executor x: not known"),
        (["--quota", "200"], "--quota 200: not a size"),
        (["--token-file", "/"], "cannot be read as text"),
        (["--tls-cert", "/etc/passwd"], "--tls-cert and --tls-key are given together"),
        (["--tls-cert", "/etc/passwd", "--tls-key", "/etc/passwd"], "are no certificate and its key"),
        (["--tls-cert", "/nowhere", "--tls-key", "/etc/passwd"], "'/nowhere' cannot be read"),
    ],
)
def test_a_bad_option_is_told_in_a_line(doe, tmp_path, options, message):
    answer = doe("serve", "--data", tmp_path / "data", "--port", 0, *options)
    assert answer.returncode in (1, 64)
    assert message in answer.stderr
    assert len(answer.stderr.strip().split("\n")) <= 2
    assert "Traceback" not in answer.stderr


def test_throttles_answer_as_the_cloud(serve_at, tmp_path):
    server = serve_at(tmp_path / "data", "--throttle", "job-reads=2/h,others=50/h")
    assert [server.call("GET", "jobs/")[0] for _ in range(2)] == [200, 200]
    status, body, headers = server.call("GET", "jobs/")
    seconds = int(headers["retry-after"])
    assert (status, 3590 <= seconds <= 3600) == (429, True)
    assert body.decode() == (
        f'{{"detail":"Request was throttled. Expected available in {seconds} seconds."}}'
    )
    assert server.call("GET", "files/")[0] == 200
    assert server.call("GET", "jobs/", Authorization="Token other")[0] == 401


def test_the_cloud_itself_is_the_default_of_throttle(serve_at, tmp_path):
    server = serve_at(tmp_path / "data", "--throttle", "--latency", "1ms")
    assert [server.call("GET", "jobs/")[0] for _ in range(20)] == [200] * 20


def test_dropped_connections_give_no_answer(serve_at, tmp_path):
    server = serve_at(tmp_path / "data", "--faults", "create/drop-after:1x1,create/drop-before:1x2")
    job = {
        "name": "n",
        "jobanalyses": [
            {
                "analysis": {"code": "user_included"},
                "command": "true",
                "hardware": {"coreType": "emerald", "coresPerSlot": 1},
            }
        ],
    }
    counts = []
    for _ in range(2):
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            server.call("POST", "jobs/", job)
        counts.append(server.get("jobs/")["count"])
    assert counts == [1, 1]
    assert server.call("POST", "jobs/", job)[0] == 201


def test_a_truncated_download_is_noticed(serve_at, tmp_path):
    server = serve_at(tmp_path / "data", "--faults", "read/truncate:1x1")
    body = b'--B\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n' + b"x" * 3_000_000
    kind = {"Content-Type": "multipart/form-data; boundary=B"}
    status, file, _ = server.call("POST", "files/contents/", body + b"\r\n--B--\r\n", **kind)
    assert status == 201
    path = f"files/{json.loads(file)['id']}/contents/"
    with pytest.raises(http.client.IncompleteRead) as raised:
        server.call("GET", path)
    assert len(raised.value.partial) == 1_500_000
    assert len(server.call("GET", path)[1]) == 3_000_000
    assert server.end() == 0
    assert (tmp_path / "data.log").read_text() == ""


def test_latency_delays_every_answer_and_no_other_client(serve_at, tmp_path):
    server = serve_at(tmp_path / "data", "--latency", "200ms..250ms")
    before = time.monotonic()
    raws = [server.raw() for _ in range(100)]
    for raw in raws:
        raw.sendall(server.head("GET", "/api/v2/jobs/"))
    for raw in raws:
        assert raw.recv(12) == b"HTTP/1.1 200"
        raw.close()
    assert 0.2 <= time.monotonic() - before < 3


def test_a_run_is_given_no_key_no_token_and_no_way_to_others(serve_at, until, tmp_path):
    secret = "not-for-runs-1234567890"
    env = {
        "RESCALE_API_KEY": secret, "RESCALE_API_URL": "https://platform.rescale.com", "DOE_DATA": str(tmp_path / "d"),
        "MY_TOKEN": secret, "AWS_SECRET_ACCESS_KEY": secret,
    }  # fmt: skip
    server = serve_at(tmp_path / "data", env=env)

    def ran():
        analysis = {
            "analysis": {"code": "user_included"},
            "command": "env; echo fds; ls -l /proc/self/fd",
            "hardware": {"coreType": "emerald", "coresPerSlot": 1},
        }
        job = json.loads(server.call("POST", "jobs/", {"name": "n", "jobanalyses": [analysis]})[1])["id"]
        assert server.call("POST", f"jobs/{job}/submit/")[0] == 200
        until(lambda: server.get(f"jobs/{job}/runs/1/")["dateCompleted"])
        return job

    first, second = ran(), ran()
    file = server.get(f"jobs/{second}/files/")["results"][0]
    log = server.call("GET", f"files/{file['id']}/contents/")[1].decode()
    environment, _, descriptors = log.partition("fds\n")
    settings = dict(line.split("=", 1) for line in environment.split("\n") if "=" in line)
    assert secret not in log
    assert server.token not in log
    assert first not in log
    of_job = os.path.realpath(server.data / "jobs" / second)
    own = {"HOME": f"{of_job}/home1", "PWD": f"{of_job}/run1", "RESCALE_WORK_PATH": f"{of_job}/run1"}
    named = {name: os.path.realpath(value) for name, value in settings.items() if str(server.data) in value}
    assert named.items() <= own.items()
    assert not {name for name in settings if name.startswith(("RESCALE_API", "DOE_", "PYTHON"))}
    paths = [line.rpartition(" -> ")[2] for line in descriptors.split("\n") if " -> " in line]
    outside = {path for path in paths if not path.startswith((own["PWD"], "/proc/", "/dev/null"))}
    assert outside == set()


def test_beyond_the_quota_uploads_and_submits_are_refused_until_there_is_room(serve_at, tmp_path):
    server = serve_at(tmp_path / "data", "--quota", "10K")

    def upload(content):
        body = (
            b'--B\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
            + content
            + b"\r\n--B--\r\n"
        )
        status, answer, _ = server.call(
            "POST", "files/contents/", body, **{"Content-Type": "multipart/form-data; boundary=B"}
        )
        return status, json.loads(answer)

    status, first = upload(b"a" * 10_000)
    assert status == 201
    status, refused = upload(b"b" * 1_000)
    assert status == 507
    assert "quota of this server has no room" in refused["detail"]
    assert upload(b"c" * 240)[0] == 201
    job = {
        "name": "j",
        "jobanalyses": [
            {
                "analysis": {"code": "user_included"},
                "command": "true",
                "hardware": {"coreType": "emerald", "coresPerSlot": 1, "slots": 1},
            }
        ],
    }
    status, made, _ = server.call("POST", "jobs/", json.dumps(job).encode())
    assert status == 201, made
    submit = f"jobs/{json.loads(made)['id']}/submit/"
    status, answer, _ = server.call("POST", submit)
    assert (status, json.loads(answer)["detail"]) == (
        507,
        "The quota of this server is 10,240 bytes, and 10,240 are stored: delete files or jobs first.",
    )
    assert upload(b"d")[0] == 507
    assert server.call("DELETE", f"files/{first['id']}/")[0] == 204
    assert server.call("POST", submit)[0] == 200
    assert upload(b"d")[0] == 201
