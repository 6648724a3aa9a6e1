import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.client.client import Client
from doe_compiler.client.errors import Ambiguous
from doe_compiler.client.transport import EMBEDDED_URL, EmbeddedTransport, wire_request
from doe_compiler.kernel import wire
from doe_compiler.kernel.errors import TryAgain

FILE = b'{"id":"f","name":"big","decryptedSize":%d}'


def test_a_request_arrives_with_decoded_path_split_query_and_lower_names():
    request = httpx2.Request(
        "GET",
        "http://embedded/api/v2/files/a%20b%2Fc/?search=x%26y&search=z&empty=",
        headers=[("X-One", "1"), ("x-one", "2"), ("Range", "bytes=0-")],
    )
    seen = wire_request(request)
    assert seen.path == "/api/v2/files/a b/c/"
    assert seen.query == (("search", "x&y"), ("search", "z"), ("empty", ""))
    assert seen.headers["x-one"] == "1, 2"
    assert seen.headers["range"] == "bytes=0-"
    assert seen.first("search") == "x&y"


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=20), st.text(max_size=20))
def test_any_name_and_any_query_survive_the_way(name, search):
    seen: list[wire.Request] = []

    def answer(request: wire.Request) -> wire.Response:
        seen.append(request)
        return wire.Response(200, (), (b'{"count":0,"next":null,"results":[]}',))

    with Client.embedded(answer) as client:
        list(client.find_files(search))
        if name not in {".", ".."}:
            client.statuses(name)
            assert seen[1].path == f"/api/v2/jobs/{name}/statuses/"
    assert seen[0].first("search") == search


def test_bodies_are_streamed_both_ways(rests):
    events: list[str] = []

    def chunks():
        for number in range(3):
            events.append(f"made {number}")
            yield b"x" * 10

    def answer(request: wire.Request) -> wire.Response:
        assert request.method == "GET"
        return wire.Response(200, (("Content-Length", "30"),), chunks())

    with Client.embedded(answer, rests.patience()) as client:
        assert client.download("f", lambda chunk: events.append("got")) == 30
    assert events.index("got") <= 3


def test_an_upload_is_read_a_piece_at_a_time(tmp_path):
    big = tmp_path / "big"
    big.write_bytes(b"0123456789" * 100_000)
    sizes: list[int] = []

    def answer(request: wire.Request) -> wire.Response:
        sizes.extend(len(chunk) for chunk in request.body)
        return wire.Response(201, (), (FILE % 1_000_000,))

    with Client.embedded(answer) as client:
        assert client.upload(big, "big", 1).size == 1_000_000
    assert max(sizes) <= 64 << 10
    assert sum(sizes) > 1_000_000


def test_a_body_that_is_shorter_than_its_header_is_a_fault_as_on_a_socket(rests):
    def answer(request: wire.Request) -> wire.Response:
        return wire.Response(200, (("Content-Length", "99"),), (b'{"email":"a@b.c"}',))

    with Client.embedded(answer, rests.patience()) as client:
        with pytest.raises(TryAgain):
            client.me()
        with pytest.raises(Ambiguous):
            client.create_job({})


def test_the_response_body_is_closed_when_the_client_stops_reading():
    closed: list[bool] = []

    class Body:
        def __iter__(self):
            yield b"x" * 100

        def close(self):
            closed.append(True)

    def sink(chunk: bytes) -> None:
        raise OSError("disk full")

    with (
        Client.embedded(lambda request: wire.Response(200, (), Body())) as client,
        pytest.raises(OSError, match="disk full"),
    ):
        client.download("f", sink)
    assert closed


def test_no_other_host_is_reached_through_the_embedded_platform():
    transport = EmbeddedTransport(lambda request: wire.Response(200))
    with httpx2.Client(transport=transport) as http_client:
        assert http_client.get(EMBEDDED_URL).status_code == 200
        with pytest.raises(httpx2.ConnectError):
            http_client.get("https://platform.rescale.com/")


def test_a_key_is_not_sent_to_the_embedded_platform():
    seen: list[wire.Request] = []

    def answer(request: wire.Request) -> wire.Response:
        seen.append(request)
        return wire.Response(200, (), (b'{"email":"a@b.c"}',))

    with Client.embedded(answer) as client:
        client.me()
    assert "authorization" not in seen[0].headers
