"""Bad weather in process: what the platform did, what its caller saw."""

import json
import time

import httpx2
import pytest

from doe_compiler.client.client import Client
from doe_compiler.client.errors import Ambiguous
from doe_compiler.client.patience import Patience, date_of
from doe_compiler.kernel.errors import WrongUsage
from doe_compiler.kernel.wire import Dropped, Request
from doe_compiler.platform.serve.faults import read_faults
from doe_compiler.platform.serve.throttles import read_rates
from doe_compiler.platform.serve.weather import Latency, Weather, read_latency


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def under(api):
    """The platform under a SPEC; its own answer stays fair."""

    def over(spec="seed=0", *, clock=None, **more):
        clock = clock or Clock()
        weather = Weather(faults=read_faults(spec), monotonic=clock, **more)
        return weather.over(api.platform, clock.sleep)

    return over


def _get(answer, path="jobs/"):
    response = answer(Request("GET", f"/api/v2/{path}"))
    return response.status, json.loads(b"".join(response.body))


def _post(path, body=b""):
    return Request("POST", f"/api/v2/{path}", (), {"content-type": "application/json"}, (body,))


def test_a_status_is_answered_instead_of_carrying_out(api, under):
    job = api.create(api.analysis("true"))
    answer = under("write/503:1x1")
    refused = answer(_post(f"jobs/{job}/submit/"))
    assert (refused.status, dict(refused.headers)["retry-after"]) == (503, "1")
    assert api.last_status(job) == ("", None)
    assert answer(_post(f"jobs/{job}/submit/")).status == 200


def test_a_status_after_is_answered_although_it_was_carried_out(api, under):
    job = api.create(api.analysis("true"))
    assert under("504-after:1")(_post(f"jobs/{job}/submit/")).status == 504
    assert api.last_status(job)[0] != ""


def test_a_refusal_or_fault_is_dated_like_an_answer(under):
    request = Request("GET", "/api/v2/jobs/", (), {"authorization": "Token x"})
    answer = under("503:1x1,504-after:1x2", rates=read_rates("job-reads=3/h"))
    responses = [answer(request) for _ in range(4)]
    assert [response.status for response in responses] == [503, 504, 200, 429]
    dates = [[value for name, value in response.headers if name == "date"] for response in responses]
    assert [len(each) for each in dates] == [1, 1, 1, 1]
    assert all(abs(date_of(each[0]).timestamp() - time.time()) < 60 for each in dates)


@pytest.mark.parametrize(("spec", "happened"), [("drop-before:1", False), ("drop-after:1", True)])
def test_a_dropped_call_has_happened_or_not(api, under, spec, happened):
    job = api.create(api.analysis("true"))
    with pytest.raises(Dropped):
        under(f"submit/{spec}")(_post(f"jobs/{job}/submit/"))
    assert (api.last_status(job)[0] != "") == happened


def test_a_truncated_answer_ends_in_the_middle(api, under):
    whole = b"".join(under()(Request("GET", "/api/v2/coretypes/")).body)
    body = iter(under("truncate:1")(Request("GET", "/api/v2/coretypes/")).body)
    got = next(body)
    with pytest.raises(Dropped):
        next(body)
    assert got == whole[: len(whole) // 2]


def test_a_garbled_answer_is_as_long_and_no_json(api, under):
    api.upload("f", b"x" * 100)
    whole = b"".join(under()(Request("GET", "/api/v2/files/")).body)
    got = b"".join(under("garbled:1")(Request("GET", "/api/v2/files/")).body)
    assert len(got) == len(whole)
    with pytest.raises(ValueError):
        json.loads(got)


def test_latency_and_slow_calls_add_up_and_are_the_same_for_the_same_seed(under):
    waits = []
    for _ in range(2):
        clock = Clock()
        answer = under("slow:0.5@2s,seed=4", clock=clock, latency=Latency(0.05, 0.3))
        starts = []
        for _ in range(20):
            before = clock.now
            assert _get(answer)[0] == 200
            starts.append(clock.now - before)
        waits.append(starts)
    assert waits[0] == waits[1]
    assert all(0.05 <= wait <= 2.3 for wait in waits[0])
    assert any(wait > 2 for wait in waits[0])
    assert any(wait < 0.3 for wait in waits[0])


def test_a_new_job_is_in_the_list_only_after_a_while(api):
    weather = Weather(faults=read_faults("list-delay:3600s"))
    old = [api.create(api.analysis("true"), name=f"old {n}") for n in range(3)]
    assert api.get("jobs/")["count"] == 3
    api.platform.list_delay_s = weather.list_delay_s
    assert api.get("jobs/")["count"] == 0
    assert api.get(f"jobs/{old[0]}/")["id"] == old[0]


def test_a_throttled_call_is_not_carried_out_and_hit_by_no_fault(api, under):
    answer = under("drop-before:1", rates=read_rates("job-reads=1/h"))
    request = Request("GET", "/api/v2/jobs/", (), {"authorization": "Token x"})
    with pytest.raises(Dropped):
        answer(request)
    assert answer(request).status == 429


def test_the_client_tells_a_lost_answer_from_a_refusal(api, under):
    job = api.create(api.analysis("true"))
    with Client.embedded(under("submit/drop-after:1")) as client, pytest.raises(Ambiguous):
        client.submit(job)
    assert api.last_status(job)[0] != ""
    clock = Clock()
    patience = Patience(monotonic=clock, sleep=clock.sleep)
    with Client.embedded(under("read/truncate:1x2,read/drop-before:1x1,500:1x1"), patience) as client:
        assert client.me()


def test_a_dropped_call_is_an_error_of_the_connection(under):
    from doe_compiler.client.transport import EmbeddedTransport

    with (
        httpx2.Client(transport=EmbeddedTransport(under("drop-before:1"))) as client,
        pytest.raises(httpx2.RemoteProtocolError),
    ):
        client.get("http://embedded/api/v2/")


@pytest.mark.parametrize(
    ("text", "latency"),
    [
        ("50", Latency(0.05, 0.05)),
        ("50ms..300ms", Latency(0.05, 0.3)),
        ("0.2s", Latency(0.2, 0.2)),
        ("0..1.5s", Latency(0, 1.5)),
    ],
)
def test_latency_is_read_from_text(text, latency):
    assert read_latency(text) == latency


@pytest.mark.parametrize("text", ["", "x", "3s..1s", "1..2..3", "-1"])
def test_what_is_no_latency_is_refused(text):
    with pytest.raises(WrongUsage, match="--latency"):
        read_latency(text)
