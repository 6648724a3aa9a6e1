import logging
import shutil
import socket
import ssl
import subprocess
import threading
import traceback

import pytest

from doe_compiler.client.client import Client
from doe_compiler.client.errors import Ambiguous, Garbled, NotFound, Refused, TooLarge, Untrusted
from doe_compiler.client.settings import Account, Secret
from doe_compiler.kernel.errors import DoeError, NotAllowedIn, TryAgain

from .conftest import KEY, Cut, Hang, reply

ME = {"email": "mark@example.com"}
WRITES = {
    "create": lambda client: client.create_job({"name": "x"}),
    "submit": lambda client: client.submit("abc"),
    "stop": lambda client: client.stop("abc"),
    "delete": lambda client: client.delete("abc"),
    "upload": lambda client: client.upload(b"content", "a.txt", 1),
}
every_write = pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)


def shown(error: BaseException) -> str:
    """All that an error could ever show, with the values of every frame."""
    parts = [str(error), repr(error), getattr(error, "hint", ""), repr(vars(error))]
    parts += traceback.TracebackException.from_exception(error, capture_locals=True).format()
    return "\n".join(parts)


def failing(call, *kinds: type[DoeError]) -> DoeError:
    with pytest.raises(kinds) as caught:
        call()
    assert KEY not in shown(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


# Reads


@pytest.mark.parametrize(
    "trouble",
    [
        reply(500, b"<html>oops</html>"),
        reply(502),
        reply(408),
        reply(429, {"detail": "Request was throttled. Expected available in 3 seconds."}, Retry_After="3"),
        Cut(),
        Cut(reset=True),
        Cut(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"),
        Cut(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"),
        Cut(b"SSH-2.0-OpenSSH_9.2\r\n"),
        Cut(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Encoding: gzip\r\n\r\nabc"),
        reply(200, b"<html>log in to the hotel</html>"),
        reply(200, b'{"email":'),
        reply(200, b"[" * 100_000),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_read_is_repeated_after_a_fault(serve, client_of, rests, trouble):
    server = serve(lambda request, number: trouble if number < 3 else reply(200, ME))
    assert client_of(server).me() == "mark@example.com"
    assert len(server.seen) == 3
    assert len(rests.slept) == 2


@pytest.mark.parametrize("trouble", [reply(503), Cut(), reply(429)], ids=["503", "cut", "429"])
def test_a_read_gives_up_after_its_tries(serve, client_of, rests, trouble):
    server = serve(lambda request, number: trouble)
    failing(client_of(server).me, TryAgain)
    assert len(server.seen) == 3
    assert rests.slept == [0.5, 1.0]


def test_a_read_that_never_gets_json_is_garbled(serve, client_of):
    server = serve(lambda request, number: reply(200, b"<html>"))
    assert "not JSON" in str(failing(client_of(server).me, Garbled))


def test_a_platform_that_does_not_answer_is_waited_for_in_vain(serve, client_of):
    server = serve(lambda request, number: Hang())
    error = failing(client_of(server, read_s=0.02, tries=2).me, TryAgain)
    assert "no answer in time" in str(error)


def test_an_answer_that_drips_is_cut_off(serve, client_of):
    ticks = iter(range(0, 10**6, 400))
    server = serve(lambda request, number: reply(200, ME))
    client = client_of(server, monotonic=lambda: float(next(ticks)), answer_s=300.0)
    assert "no answer in time" in str(failing(client.me, TryAgain))


def test_nobody_there_is_try_again(client_of, rests):
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    error = failing(client_of(f"http://127.0.0.1:{port}").me, TryAgain)
    assert "refused" in str(error)
    assert len(rests.slept) == 2


@pytest.mark.parametrize(
    ("headers", "rest"),
    [
        ({"Retry_After": "7"}, 7.0),
        ({"Retry_After": "86400"}, 120.0),
        ({"Retry_After": "Wed, 21 Oct 2015 07:28:09 GMT", "Date": "Wed, 21 Oct 2015 07:28:00 GMT"}, 9.0),
        ({"Retry_After": "soon"}, 0.5),
        ({}, 0.5),
    ],
)
@pytest.mark.parametrize("call", [lambda client: client.me(), lambda client: client.submit("a")], ids=["read", "write"])
def test_retry_after_is_obeyed_in_both_forms(serve, client_of, rests, headers, rest, call):
    server = serve(lambda request, number: reply(429, **headers) if number == 1 else reply(200, ME))
    call(client_of(server))
    assert rests.slept == [rest]


def test_refusals_of_a_read_are_not_repeated(serve, client_of):
    answers = {
        "401": reply(401, {"detail": "Invalid token."}, WWW_Authenticate="Token"),
        "403": reply(403, {"detail": "You may not."}),
        "404": reply(404, {"detail": "Not found."}),
        "405": reply(405, {"detail": 'Method "GET" not allowed.'}),
        "400": reply(400, {"page": ["Wrong."]}),
    }
    server = serve(lambda request, number: answers[request.target.split("/")[4]])
    client = client_of(server)
    assert "Invalid token." in str(failing(lambda: client.job("401"), NotAllowedIn))
    assert "You may not." in str(failing(lambda: client.job("403"), NotAllowedIn))
    assert failing(lambda: client.job("404"), NotFound).status == 404
    assert failing(lambda: client.job("405"), Refused).status == 405
    assert failing(lambda: client.job("400"), Refused).lines == ("page: Wrong.",)
    assert len(server.seen) == 5


def test_an_answer_larger_than_all_reason_is_refused(serve, client_of, monkeypatch):
    monkeypatch.setattr("doe_compiler.client.exchange.LARGEST_ANSWER", 1 << 20)
    server = serve(lambda request, number: reply(200, b" " * (2 << 20)))
    failing(client_of(server).me, TooLarge)
    failing(lambda: client_of(server).submit("a"), Ambiguous)


# Writes


@pytest.mark.parametrize(
    "trouble",
    [
        reply(500),
        reply(502, b"<html>"),
        reply(503, Retry_After="1"),
        reply(408),
        reply(302, Location="/login/"),
        Cut(),
        Cut(reset=True),
        Cut(b"HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{"),
        Cut(b"nonsense\r\n\r\n"),
        reply(200, b"<html>log in to the hotel</html>"),
        reply(201, b'{"id":"ab'),
    ],
    ids=lambda value: str(value)[:40],
)
@every_write
def test_a_write_without_a_proper_answer_is_ambiguous_and_sent_once(serve, client_of, rests, trouble, write):
    server = serve(lambda request, number: trouble)
    error = failing(lambda: write(client_of(server)), Ambiguous)
    assert "may or may not" in str(error)
    assert len(server.seen) == 1
    assert rests.slept == []


@every_write
def test_a_write_that_gets_no_answer_in_time_is_ambiguous(serve, client_of, write):
    server = serve(lambda request, number: Hang())
    failing(lambda: write(client_of(server, read_s=0.02)), Ambiguous)
    assert len(server.seen) == 1


@every_write
def test_a_write_to_nobody_did_not_happen(client_of, rests, write):
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    error = failing(lambda: write(client_of(f"http://127.0.0.1:{port}")), TryAgain)
    assert not isinstance(error, Ambiguous)
    assert rests.slept == []


@pytest.mark.parametrize("answer", [b"{}", b'{"id":""}', b'{"id":null}', b"[]", b"null"])
def test_a_create_whose_answer_names_no_job_is_ambiguous(serve, client_of, answer):
    server = serve(lambda request, number: reply(201, answer))
    failing(lambda: client_of(server).create_job({"name": "x"}), Ambiguous)
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("status", "kind"), [(400, Refused), (401, NotAllowedIn), (403, NotAllowedIn), (404, NotFound), (409, Refused)]
)
@every_write
def test_a_refused_write_did_not_happen(serve, client_of, status, kind, write):
    server = serve(lambda request, number: reply(status, {"detail": "No."}))
    assert "No." in str(failing(lambda: write(client_of(server)), kind))
    assert len(server.seen) == 1


@every_write
def test_a_throttled_write_is_repeated_whole_and_gives_up_as_not_done(serve, client_of, rests, write):
    server = serve(lambda request, number: reply(429, Retry_After="2"))
    error = failing(lambda: write(client_of(server)), TryAgain)
    assert not isinstance(error, Ambiguous)
    assert rests.slept == [2.0, 2.0]
    assert len(server.seen) == 3
    assert len({len(request.body) for request in server.seen}) == 1


def test_the_field_map_of_a_400_becomes_lines(serve, client_of):
    body = {"name": ["This field is required."], "jobanalyses": [{"hardware": {"coresPerSlot": ["Wrong."]}}]}
    server = serve(lambda request, number: reply(400, body))
    error = failing(lambda: client_of(server).create_job({}), Refused)
    assert error.lines == ("name: This field is required.", "jobanalyses[0].hardware.coresPerSlot: Wrong.")
    assert all(line in str(error) for line in error.lines)


def test_a_closed_connection_between_two_calls_is_not_a_fault(serve, client_of):
    closing = Cut(reply(200, ME, Connection="close"))
    server = serve(lambda request, number: closing)
    client = client_of(server)
    assert client.me() == client.me() == "mark@example.com"
    client.submit("abc")
    assert len(server.seen) == 3


def test_connections_are_reused(serve, client_of):
    server = serve(lambda request, number: reply(200, ME))
    client = client_of(server)
    for _ in range(5):
        client.me()
    assert len(server._open) == 1


# The key


def test_the_key_is_sent_as_a_token_and_no_cookie_ever(serve, client_of):
    server = serve(lambda request, number: reply(200, ME, Set_Cookie="session=1; Path=/"))
    client = client_of(server)
    client.me()
    client.me()
    assert [request.headers["authorization"] for request in server.seen] == [f"Token {KEY}"] * 2
    assert not any("cookie" in request.headers for request in server.seen)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_loses_the_key(serve, client_of, status):
    other = serve(lambda request, number: reply(200, b"the bytes"))
    first = serve(lambda request, number: reply(status, Location=f"http://localhost:{other.port}/store?sig=1"))
    assert client_of(first).read_file("f1", 100) == b"the bytes"
    assert first.seen[0].headers["authorization"] == f"Token {KEY}"
    assert "authorization" not in other.seen[0].headers
    assert KEY not in repr(other.seen)


def test_a_redirect_to_another_port_loses_the_key_and_one_back_has_it_again(serve, client_of):
    def start(request, number):
        return reply(200, ME) if "back" in request.target else reply(302, Location=f"http://127.0.0.1:{other.port}/")

    first = serve(start)
    other = serve(lambda request, number: reply(302, Location=f"{first.url}back"))
    assert client_of(first).me() == "mark@example.com"
    assert "authorization" not in other.seen[0].headers
    assert [request.headers.get("authorization") for request in first.seen] == [f"Token {KEY}"] * 2


def test_a_redirect_on_the_same_host_keeps_the_key(serve, client_of):
    server = serve(lambda request, number: reply(301, Location="/api/v3/me/") if number == 1 else reply(200, ME))
    assert client_of(server).me() == "mark@example.com"
    assert server.seen[1].headers["authorization"] == f"Token {KEY}"


def test_redirects_in_a_circle_end(serve, client_of):
    server = serve(lambda request, number: reply(302, Location="/again/"))
    failing(client_of(server, tries=1).me, TryAgain)
    assert len(server.seen) == 6


@pytest.mark.parametrize("location", ["http://192.0.2.1/x", "ftp://127.0.0.1/", "file:///etc/passwd"])
def test_a_redirect_to_an_unencrypted_place_is_not_followed(serve, client_of, location):
    server = serve(lambda request, number: reply(302, Location=location))
    failing(client_of(server, tries=1).me, Untrusted, TryAgain)
    assert len(server.seen) == 1


@pytest.mark.parametrize("status", [301, 307, 308])
@every_write
def test_a_write_is_never_redirected(serve, client_of, status, write):
    other = serve(lambda request, number: reply(200))
    first = serve(lambda request, number: reply(status, Location=other.url))
    failing(lambda: write(client_of(first)), Refused)
    assert other.seen == []
    assert len(first.seen) == 1


def test_a_key_that_the_platform_sends_back_is_hidden(serve, client_of):
    def echo(request, number):
        return reply(400, {"x" * 380: request.headers["authorization"], "a": request.headers["authorization"]})

    error = failing(lambda: client_of(serve(echo)).create_job({}), Refused)
    assert "Token ***" in str(error)


def test_the_key_is_in_no_log(serve, client_of, caplog):
    server = serve(lambda request, number: reply(500) if number == 1 else reply(200, ME))
    with caplog.at_level(logging.DEBUG):
        client_of(server).me()
    assert caplog.records
    assert KEY not in caplog.text
    assert KEY not in "".join(repr(vars(record)) for record in caplog.records)


def test_the_client_does_not_show_the_key(serve, client_of):
    client = client_of(serve(lambda request, number: reply(200)))
    assert KEY not in repr(client) + repr(vars(client)) + repr(vars(client._exchange))


def test_a_proxy_of_the_environment_is_not_used_for_this_machine(serve, rests, monkeypatch):
    proxy = serve(lambda request, number: reply(200, ME))
    server = serve(lambda request, number: reply(200, ME))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    with Client.connect(Account(server.url, Secret(KEY)), rests.patience()) as client:
        client.me()
    assert len(server.seen) == 1
    assert proxy.seen == []


def test_a_proxy_of_the_environment_is_used_for_other_hosts_and_learns_no_key(serve, rests, monkeypatch):
    proxy = serve(lambda request, number: reply(403, b"not here"))
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with Client.connect(Account("https://platform.invalid/", Secret(KEY)), rests.patience()) as client:
        assert "proxy" in str(failing(client.me, TryAgain))
        failing(lambda: client.submit("a"), TryAgain)
    assert {request.method for request in proxy.seen} == {"CONNECT"}
    assert KEY not in repr(proxy.seen)


def test_a_broken_proxy_setting_is_a_one_line_error(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "gopher://127.0.0.1:1")
    error = failing(lambda: Client.connect(Account("https://platform.invalid/", Secret(KEY))), DoeError)
    assert "HTTPS_PROXY" in error.hint


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    if shutil.which("openssl") is None:
        pytest.skip("needs the package openssl")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        + ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"]
        + ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")],
        check=True,
        capture_output=True,
    )
    return folder


def test_a_host_with_an_unknown_certificate_is_told_nothing(certificate, client_of, rests):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    seen: list[bytes] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def serve_twice() -> None:
        for _ in range(2):
            connection, _ = listening.accept()
            try:
                with context.wrap_socket(connection, server_side=True) as secure:
                    seen.append(secure.recv(1000))
            except OSError:
                connection.close()

    thread = threading.Thread(target=serve_twice)
    thread.start()
    client = client_of(f"https://localhost:{listening.getsockname()[1]}")
    assert "certificate" in str(failing(client.me, Untrusted))
    failing(lambda: client.submit("abc"), Untrusted)
    thread.join()
    listening.close()
    assert not any(seen)
    assert rests.slept == []
