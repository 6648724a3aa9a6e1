import hashlib
import json
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doe_compiler.client.client import Client
from doe_compiler.client.errors import Ambiguous, Garbled, NotFound, Refused, TooLarge
from doe_compiler.client.patience import Patience
from doe_compiler.client.settings import Account, Secret
from doe_compiler.kernel import wire
from doe_compiler.kernel.errors import DoeError, TryAgain, WrongUsage

from .conftest import KEY, Cut, reply


def row(job_id: str, status: str = "") -> dict[str, object]:
    return {
        "id": job_id,
        "name": f"job {job_id}",
        "jobStatus": {"content": status},
        "dateInserted": "2015-03-13T23:43:21.223052Z",
        "owner": "mark@example.com",
    }


def whole(job_id: str) -> dict[str, object]:
    return {"id": job_id, "name": "x", "owner": "o", "paramFile": None, "jobanalyses": []}


def file(file_id: str, name: str, content: bytes) -> dict[str, object]:
    return {
        "id": file_id,
        "name": name,
        "decryptedSize": len(content),
        "md5": hashlib.md5(content).hexdigest(),
    }


def paged(rows: list, request: wire.Request, host: str = "embedded") -> dict[str, object]:
    """A page of a list, as the platform cuts it."""
    page, size = int(request.first("page") or 1), int(request.first("page_size") or 10)
    more = page * size < len(rows)
    link = f"http://{host}{request.path}?page={page + 1}&page_size={size}"
    return {
        "count": len(rows),
        "next": link if more else None,
        "previous": None,
        "results": rows[(page - 1) * size : page * size],
    }


def answered(value: object, status: int = 200) -> wire.Response:
    return wire.Response(status, (("Content-Type", "application/json"),), (json.dumps(value).encode(),))


def embedded(answer, rests) -> Client:
    return Client.embedded(answer, rests.patience())


# Lists


@pytest.mark.parametrize("count", [0, 1, 3, 4, 7])
def test_a_list_is_read_to_its_end(count, rests):
    rows = [row(f"j{number}") for number in range(count)]
    with embedded(lambda request: answered(paged(rows, request)), rests) as client:
        assert [entry.id for entry in client.jobs(page_size=3)] == [f"j{number}" for number in range(count)]
        assert client.all_jobs(page_size=3) == tuple(client.jobs())


def test_pages_are_asked_for_as_they_are_needed(rests):
    asked = []

    def answer(request: wire.Request) -> wire.Response:
        asked.append(request.query)
        return answered(paged([row(f"j{number}") for number in range(10)], request))

    with embedded(answer, rests) as client:
        entries = client.jobs(page_size=2)
        assert asked == []
        next(entries)
        next(entries)
        assert asked == [(("page_size", "2"),)]
        next(entries)
        assert dict(asked[1]) == {"page": "2", "page_size": "2"}


def test_a_list_over_the_network_asks_its_own_host_whatever_the_links_say(serve, client_of):
    def script(request, number):
        query = parse_qs(urlsplit(request.target).query)
        wanted = wire.Request("GET", "/api/v2/jobs/", tuple((key, value[0]) for key, value in query.items()))
        # A platform behind a proxy writes another scheme and port into its links.
        return reply(200, paged([row("a"), row("b"), row("c")], wanted, host="127.0.0.1"))

    server = serve(script)
    assert [entry.id for entry in client_of(server).all_jobs(page_size=2)] == ["a", "b", "c"]
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    "link",
    [
        "http://evil.example/api/v2/jobs/?page=2",
        "//evil.example/?page=2",
        "http://[::1/",
        "https://127.0.0.1.evil.example/",
    ],
)
def test_a_next_page_on_another_host_is_garbled(serve, client_of, link):
    server = serve(lambda request, number: reply(200, {"count": 5, "next": link, "results": [row("a")]}))
    with pytest.raises(Garbled, match="another host"):
        list(client_of(server).jobs())
    assert len(server.seen) == 1


def test_pages_in_a_circle_end(rests):
    link = "http://embedded/api/v2/jobs/?page=2"
    with (
        embedded(
            lambda request: answered({"count": 9, "next": link, "results": [row("a")]}), rests
        ) as client,
        pytest.raises(Garbled, match="circle"),
    ):
        list(client.jobs())
    numbers = iter(range(10**6))

    def endless(request):
        return answered({"count": 9, "next": f"{link}{next(numbers)}", "results": []})

    with embedded(endless, rests) as client, pytest.raises(Garbled, match="circle"):
        list(client.jobs())


class Changing:
    """A job list that changes between its pages: `changes` are applied before the reads they number."""

    def __init__(self, rows, changes):
        self.rows = list(rows)
        self.changes = dict(changes)
        self.reads = 0

    def __call__(self, request):
        self.reads += 1
        self.changes.pop(self.reads, lambda rows: None)(self.rows)
        return answered(paged(self.rows, request))


def test_a_row_that_leaves_while_the_list_is_read_takes_no_other_with_it(rests):
    platform = Changing([row(name) for name in "abcdef"], {2: lambda rows: rows.pop(0)})
    with embedded(platform, rests) as client:
        lost = [entry.id for entry in client.jobs(page_size=2)]
        assert "c" not in lost
    platform = Changing([row(name) for name in "abcdef"], {2: lambda rows: rows.pop(0)})
    with embedded(platform, rests) as client:
        assert [entry.id for entry in client.all_jobs(page_size=2)] == list("bcdef")


def test_a_row_that_joins_while_the_list_is_read_comes_once(rests):
    platform = Changing([row(name) for name in "abcd"], {2: lambda rows: rows.insert(0, row("new"))})
    with embedded(platform, rests) as client:
        assert [entry.id for entry in client.all_jobs(page_size=2)] == ["new", *"abcd"]


def test_a_join_that_hides_a_leave_is_noticed_by_the_id_that_comes_twice(rests):
    def swap(rows):
        rows.pop()
        rows.insert(0, row("new"))

    platform = Changing([row(name) for name in "abcd"], {2: swap})
    with embedded(platform, rests) as client:
        assert [entry.id for entry in client.all_jobs(page_size=2)] == ["new", *"abc"]
    assert platform.reads == 4


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 12), st.booleans(), st.integers(0, 30)), max_size=6),
    st.integers(0, 12),
    st.integers(1, 4),
)
def test_no_job_that_was_there_all_the_time_is_ever_lost(changes, count, page_size):
    fresh = iter(range(1000))

    def change(joins, at):
        def apply(rows):
            if joins:
                rows.insert(0, row(f"new{next(fresh)}"))
            elif rows:
                rows.pop(at % len(rows))

        return apply

    first = [row(f"j{number}") for number in range(count)]
    platform = Changing(first, {read: change(joins, at) for read, joins, at in changes})
    rests = []
    with Client.embedded(platform, Patience(sleep=rests.append, tries=12)) as client:
        found = [entry.id for entry in client.all_jobs(page_size=page_size)]
    stayed = {entry["id"] for entry in platform.rows} & {entry["id"] for entry in first}
    assert stayed <= set(found)
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("wrong", [{"count": 3}, {"count": 1}, {"results": [row("a"), row("a")]}])
def test_a_list_whose_count_never_holds_is_try_again(rests, wrong):
    page = {"count": 2, "next": None, "results": [row("a"), row("b")]} | wrong
    with (
        embedded(lambda request: answered(page), rests) as client,
        pytest.raises(TryAgain, match="changes while"),
    ):
        client.all_jobs()
    assert len(rests.slept) == 2


# Calls and their paths


def test_every_method_calls_its_endpoint(rests):
    calls = []
    answers = {
        "GET /api/v2/jobs/j1/": whole("j1"),
        "POST /api/v2/jobs/": whole("j2"),
        "GET /api/v2/users/me/": {"email": "mark@example.com"},
    }

    def answer(request: wire.Request) -> wire.Response:
        call = f"{request.method} {request.path}"
        calls.append(call)
        if request.method == "GET" or call in answers:
            return answered(answers.get(call, {"count": 0, "next": None, "results": []}))
        return wire.Response({"DELETE": 204}.get(request.method, 200))

    with embedded(answer, rests) as client:
        assert client.host == "embedded"
        assert client.job("j1").id == "j1"
        assert client.create_job({"name": "x"}).id == "j2"
        client.submit("j1")
        client.stop("j1")
        client.delete("j1")
        assert client.statuses("j1") == client.cluster_statuses("j1") == client.all_runs("j1") == ()
        client.stop_run("j1", 3)
        for entries in (
            client.runs("j1"),
            client.run_files("j1", 2),
            client.job_files("j1"),
            client.find_files("n"),
        ):
            assert list(entries) == []
        assert client.core_types() == client.analyses() == ()
        assert client.me() == "mark@example.com"
    assert calls == [
        "GET /api/v2/jobs/j1/",
        "POST /api/v2/jobs/",
        "POST /api/v2/jobs/j1/submit/",
        "POST /api/v2/jobs/j1/stop/",
        "DELETE /api/v2/jobs/j1/",
        "GET /api/v2/jobs/j1/statuses/",
        "GET /api/v2/jobs/j1/cluster_statuses/",
        "GET /api/v2/jobs/j1/runs/",
        "POST /api/v2/jobs/j1/runs/3/stop/",
        "GET /api/v2/jobs/j1/runs/",
        "GET /api/v2/jobs/j1/runs/2/files/",
        "GET /api/v2/jobs/j1/files/",
        "GET /api/v2/files/",
        "GET /api/v2/coretypes/",
        "GET /api/v2/analyses/",
        "GET /api/v2/users/me/",
    ]


def test_prices_are_read_from_a_bare_list_and_from_pages(serve, client_of):
    price = {"coreType": "onyx", "value": {"amount": "0.05"}}
    for body in ([price], {"count": 1, "next": None, "previous": None, "results": [price]}):
        server = serve(lambda request, number, body=body: reply(200, body))
        assert list(client_of(server).prices()) == [price]


@pytest.mark.parametrize("job_id", ["", ".", "..", "a\0b", "a\nb"])
def test_what_is_no_id_is_never_sent(rests, job_id):
    with embedded(lambda request: pytest.fail("was sent"), rests) as client:
        for call in (client.job, client.submit, client.delete, client.statuses):
            with pytest.raises(WrongUsage):
                call(job_id)


def test_an_id_cannot_leave_its_place_in_the_path(serve, client_of):
    server = serve(lambda request, number: reply(404, {"detail": "Not found."}))
    client = client_of(server)
    for job_id in ("../users/me", "a/submit", "a?x=1", "a#b", "%2e%2e"):
        with pytest.raises(NotFound):
            client.delete(job_id)
    assert [request.target for request in server.seen] == [
        "/api/v2/jobs/..%2Fusers%2Fme/",
        "/api/v2/jobs/a%2Fsubmit/",
        "/api/v2/jobs/a%3Fx%3D1/",
        "/api/v2/jobs/a%23b/",
        "/api/v2/jobs/%252e%252e/",
    ]


def test_a_payload_is_sent_as_compact_json(serve, client_of):
    server = serve(lambda request, number: reply(201, whole("j")))
    client_of(server).create_job({"name": "Größe", "jobanalyses": [{"envVars": {}}]})
    assert server.seen[0].headers["content-type"] == "application/json"
    assert server.seen[0].body == '{"jobanalyses":[{"envVars":{}}],"name":"Größe"}'.encode()


@pytest.mark.parametrize("body", [b"", b"\n", b"{}", b'{"id":"a"}'])
def test_a_submit_may_be_answered_with_nothing_or_json(serve, client_of, body):
    client_of(serve(lambda request, number: reply(200, body))).submit("a")


# Files


def test_an_upload_is_a_multipart_form_with_file_and_type(serve, client_of):
    content = b"x,y\r\n1,2\r\n--boundary\r\n"
    server = serve(lambda request, number: reply(201, file("f1", "a b.csv", content)))
    entry = client_of(server).upload(content, "a b.csv", 3)
    assert entry.id == "f1"
    seen = server.seen[0]
    assert (seen.method, seen.target) == ("POST", "/api/v2/files/contents/")
    boundary = seen.headers["content-type"].removeprefix("multipart/form-data; boundary=").encode()
    first, second = seen.body.split(b"--" + boundary)[1:-1]
    assert b'name="file"; filename="a b.csv"' in first
    assert first.endswith(b"\r\n\r\n" + content + b"\r\n")
    assert b'name="typeId"' in second
    assert second.endswith(b"\r\n\r\n3\r\n")
    assert seen.headers["content-length"] == str(len(seen.body))


def test_a_throttled_upload_sends_the_whole_file_again(serve, client_of, tmp_path):
    path = tmp_path / "big"
    path.write_bytes(b"0123456789" * 50_000)
    server = serve(
        lambda r, number: reply(429) if number == 1 else reply(201, file("f", "big", path.read_bytes()))
    )
    assert client_of(server).upload(path, "big", 1).size == 500_000
    assert all(request.body.count(b"0123456789") == 50_000 for request in server.seen)


def test_an_upload_of_any_size_needs_little_memory(tmp_path, rests):
    path = tmp_path / "big"
    with path.open("wb") as sparse:
        sparse.truncate(64 << 20)

    def answer(request: wire.Request) -> wire.Response:
        for _ in request.body:
            pass
        return answered({"id": "f", "name": "big", "decryptedSize": 64 << 20})

    with embedded(answer, rests) as client:
        tracemalloc.start()
        client.upload(path, "big", 1)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 8 << 20


@pytest.mark.parametrize("wrong", [{"decryptedSize": 6}, {"md5": "0" * 32}, {"name": "b"}])
def test_an_upload_that_was_stored_otherwise_is_not_taken(serve, client_of, wrong):
    server = serve(lambda request, number: reply(201, file("f1", "a", b"content") | wrong))
    with pytest.raises(Ambiguous, match="something else"):
        client_of(server).upload(b"content", "a", 1)


def test_a_file_that_grows_or_shrinks_while_it_is_uploaded_is_not_taken(tmp_path, rests):
    for size in (300_000, 10):
        path = tmp_path / "growing"
        path.write_bytes(b"x" * 200_000)

        def answer(request: wire.Request, size=size, path=path) -> wire.Response:
            body = iter(request.body)
            next(body)
            with path.open("r+b") as changed:
                changed.truncate(size)
            for _ in body:
                pass
            return answered(file("f", "growing", b"x" * 200_000))

        with embedded(answer, rests) as client, pytest.raises(TryAgain, match="changed while"):
            client.upload(path, "growing", 1)


@pytest.mark.parametrize("name", ["missing", "."])
def test_a_file_that_cannot_be_read_is_a_one_line_error(tmp_path, rests, name):
    with (
        embedded(lambda request: pytest.fail("was sent"), rests) as client,
        pytest.raises(DoeError, match="cannot be read"),
    ):
        client.upload(tmp_path / name, "n", 1)


@pytest.mark.parametrize("name", ["", 'a"b', "a\\b", "a\nb", "a\0b"])
def test_a_name_that_a_form_cannot_carry_is_refused(rests, name):
    with (
        embedded(lambda request: pytest.fail("was sent"), rests) as client,
        pytest.raises(WrongUsage, match="cannot be uploaded"),
    ):
        client.upload(b"content", name, 1)


def test_an_empty_file_can_be_uploaded(serve, client_of, tmp_path):
    (tmp_path / "empty").touch()
    server = serve(lambda request, number: reply(201, file("f", "empty", b"")))
    client = client_of(server)
    assert client.upload(tmp_path / "empty", "empty", 1).size == client.upload(b"", "empty", 1).size == 0


def test_files_are_found_by_their_whole_name(rests):
    rows = [file("1", "params.csv", b"a"), file("2", "old-params.csv", b"a"), file("3", "params.csv", b"b")]

    def answer(request: wire.Request) -> wire.Response:
        assert request.first("search") == "params.csv"
        return answered(paged(rows, request) | {"next": None})

    with embedded(answer, rests) as client:
        assert [entry.id for entry in client.find_files("params.csv")] == ["1", "3"]


def test_the_search_stays_on_every_page(rests):
    searches = []

    def answer(request: wire.Request) -> wire.Response:
        searches.append(request.first("search"))
        page = paged([file(str(number), "n", b"") for number in range(4)], request)
        if page["next"]:
            page["next"] += "&search=n%26"
        return answered(page)

    with embedded(answer, rests) as client:
        list(client.find_files("n&", page_size=2))
    assert searches == ["n&", "n&"]


def ranged(content: bytes, request) -> bytes:
    """The answer of a server that knows ranges."""
    wanted = request.headers.get("range")
    if wanted is None:
        return reply(200, content)
    start = int(wanted.removeprefix("bytes=").removesuffix("-"))
    if start >= len(content):
        return reply(416, Content_Range=f"bytes */{len(content)}")
    return reply(206, content[start:], Content_Range=f"bytes {start}-{len(content) - 1}/{len(content)}")


def test_a_broken_download_goes_on_where_it_stopped(serve, client_of):
    content = bytes(range(256)) * 1000

    def script(request, number):
        answer = ranged(content, request)
        return Cut(answer[: len(answer) // 2]) if number < 3 else answer

    server = serve(script)
    got = []
    assert client_of(server).download("f1", got.append) == len(content)
    assert b"".join(got) == content
    assert [request.headers.get("range") is None for request in server.seen] == [True, False, False]
    assert all(request.headers["accept-encoding"] == "identity" for request in server.seen)


def test_a_server_without_ranges_sends_from_the_start_and_no_byte_comes_twice(serve, client_of):
    content = bytes(range(256)) * 1000
    server = serve(
        lambda r, number: Cut(reply(200, content)[:100_000]) if number == 1 else reply(200, content)
    )
    got = []
    client_of(server).download("f1", got.append)
    assert b"".join(got) == content


def test_the_time_of_the_server_is_that_of_its_last_dated_answer(serve, client_of):
    dates = {1: "Wed, 21 Oct 2015 07:28:00 GMT", 2: None, 3: "Wed, 21 Oct 2015 07:28:05 GMT", 4: "soon"}

    def script(_, number):
        return reply(200, {"email": "a@b"}, **({"Date": dates[number]} if dates[number] else {}))

    client = client_of(serve(script))
    assert client.server_time() is None
    told = []
    for call in (client.me, client.me, lambda: client.download("f", bytes), client.me):
        call()
        told.append(client.server_time())
    first, later = (datetime(2015, 10, 21, 7, 28, seconds, tzinfo=UTC) for seconds in (0, 5))
    assert told == [first, first, later, later]


def test_a_download_that_broke_after_its_last_byte_is_whole(serve, client_of):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
    server = serve(lambda request, number: Cut(head) if number == 1 else ranged(b"hello", request))
    assert client_of(server).read_file("f1", 100) == b"hello"


def test_a_long_download_may_break_often_as_long_as_it_comes_further(serve, client_of):
    content = b"0123456789abcdef" * (1 << 19)
    parts = iter(range(100))

    def script(request, number):
        next(parts)
        answer = ranged(content, request)
        return Cut(answer[: (1 << 20) + 500]) if len(answer) > (1 << 20) + 500 else answer

    server = serve(script)
    digest = hashlib.sha256()
    assert client_of(server).download("f1", digest.update) == len(content)
    assert digest.digest() == hashlib.sha256(content).digest()
    assert len(server.seen) > 5


@pytest.mark.parametrize(
    "lie",
    [
        reply(206, b"abc", Content_Range="bytes 0-2/10"),
        reply(200, b"abc", Content_Encoding="gzip"),
        reply(204),
    ],
)
def test_a_download_of_other_bytes_than_asked_for_is_garbled(serve, client_of, lie):
    start = Cut(reply(200, b"0123456789")[:-5])
    server = serve(lambda request, number: start if number == 1 else lie)
    with pytest.raises(Garbled):
        client_of(server).download("f1", lambda chunk: None)


def test_a_refused_download_writes_nothing(serve, client_of):
    got = []
    with pytest.raises(NotFound):
        client_of(serve(lambda request, number: reply(404, b"some page"))).download("f1", got.append)
    with pytest.raises(Refused):
        client_of(serve(lambda request, number: reply(416))).download("f1", got.append)
    assert got == []


def test_a_file_is_read_up_to_a_limit(serve, client_of):
    client = client_of(serve(lambda request, number: reply(200, b"0123456789")))
    assert client.read_file("f1", 10) == b"0123456789"
    with pytest.raises(TooLarge, match="larger than 9 bytes"):
        client.read_file("f1", 9)
    assert client.read_file("f1", 10) == b"0123456789"


# Pacing and threads


def test_calls_to_the_cloud_are_paced_and_those_on_this_machine_are_not(serve, client_of, tls, rests):
    patience = rests.patience(monotonic=lambda: 0.0)
    with Client.connect(Account("https://platform.invalid/", Secret(KEY)), patience, tls) as client:
        waits = [client._exchange._pace("POST", "jobs/a/submit/") for _ in range(152)]
    assert len(waits) == 152
    assert rests.slept == pytest.approx([3600 / 850, 2 * 3600 / 850], rel=1e-6)
    rests.slept.clear()
    server = serve(lambda request, number: reply(200))
    client = client_of(server, monotonic=lambda: 0.0)
    for _ in range(152):
        client.submit("a")
    assert rests.slept == []


def test_threads_share_one_client(serve, client_of):
    server = serve(lambda request, number: reply(200, row(request.target.split("/")[4]) | whole("x")))
    client = client_of(server)
    barrier = threading.Barrier(4)

    def work(number: int) -> str:
        barrier.wait(timeout=10)
        return client.job(str(number)).id

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(4))) == ["x"] * 4
    assert len(server.seen) == 4
