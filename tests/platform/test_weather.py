"""Throttles, latency and faults: what a bad day does, and that the same seed makes the same day."""

import pytest

from doe_compiler.kernel.errors import WrongUsage
from doe_compiler.kernel.wire import Dropped, Request, Response
from doe_compiler.platform.weather import (
    CLOUD_THROTTLES,
    Forecast,
    Weather,
    latency_of,
    throttles_of,
    with_faults,
)


class Clock:
    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def weather(forecast, body=b'{"count":1}'):
    clock, carried_out = Clock(), []

    def answer(request):
        carried_out.append(request)
        return Response(200, (("content-length", str(len(body))),), (body,))

    return Weather(answer, forecast, clock.monotonic, clock.sleep), clock, carried_out


def call(method="GET", path="/api/v2/jobs/", key="a"):
    return Request(method, path, headers={"authorization": f"Token {key}"})


def test_a_key_beyond_its_throttle_is_refused_until_the_oldest_call_is_past():
    above, clock, carried_out = weather(Forecast(throttles=throttles_of("job-reads=2/min")))
    assert [above(call()).status for _ in range(2)] == [200, 200]
    clock.now = 20.5
    refused = above(call())
    assert (refused.status, dict(refused.headers)["retry-after"]) == (429, "40")
    assert b"".join(refused.body) == b'{"detail":"Request was throttled. Expected available in 40 seconds."}'
    assert above(call(key="b")).status == above(call("POST")).status == 200
    clock.now = 60.0
    assert above(call()).status == 200
    assert len(carried_out) == 5


@pytest.mark.parametrize(
    ("kind", "status", "is_carried_out"),
    [("503", 503, False), ("500-after", 500, True), ("drop-before", None, False), ("drop-after", None, True)],
)
def test_a_fault_comes_before_or_after_the_call_is_carried_out(kind, status, is_carried_out):
    above, _, carried_out = weather(with_faults(Forecast(), f"{kind}:1"))
    if status is None:
        with pytest.raises(Dropped):
            above(call())
    else:
        assert above(call()).status == status
    assert bool(carried_out) == is_carried_out


def test_an_answer_is_cut_or_garbled():
    cut = weather(with_faults(Forecast(), "truncate:1"))[0](call())
    assert (b"".join(cut.body), dict(cut.headers)["content-length"]) == (b'{"cou', "11")
    garbled = weather(with_faults(Forecast(), "garbled:1"))[0](call())
    body = b"".join(garbled.body)
    assert (body[:6], dict(garbled.headers)["content-length"]) == (b"<html>", str(len(body)))


def test_a_fault_of_some_calls_leaves_the_others_alone():
    above, _, _ = weather(with_faults(Forecast(), "submit/503:1,upload/500:1"))
    assert above(call("POST", "/api/v2/jobs/abc/submit/")).status == 503
    assert above(call("POST", "/api/v2/files/contents/")).status == 500
    assert above(call("POST", "/api/v2/jobs/")).status == above(call()).status == 200


def test_the_same_seed_makes_the_same_day():
    def day(seed):
        above, _, _ = weather(with_faults(Forecast(), f"503:0.3,seed={seed}"))
        return [above(call()).status for _ in range(100)]

    assert day(1) == day(1) != day(2)
    assert 10 < day(1).count(503) < 50


def test_latency_delays_every_answer():
    above, clock, _ = weather(Forecast(latency_s=latency_of("50ms..0.3s")))
    for _ in range(100):
        above(call())
    assert 5 < clock.now < 30


def test_throttles_are_those_of_the_cloud_or_a_part_of_them():
    assert throttles_of("cloud") == CLOUD_THROTTLES
    assert throttles_of("0.01")["submits"] == (10, 3600.0)
    assert throttles_of("submits=3/min,others=5/s") == {"submits": (3, 60.0), "others": (5, 1.0)}


@pytest.mark.parametrize(
    ("read", "texts"),
    [
        (throttles_of, ("", "x", "0", "-1", "nan", "submits=0/s", "sumbits=3/s", "submits=3/day")),
        (latency_of, ("", "x", "300ms..50ms", "-1s", "1h", "..")),
        (
            lambda text: with_faults(Forecast(), text),
            ("", "503", "503:2", "503:x", "600:0.1", "drop:0.1", "nowhere/503:0.1", "seed=x", "list-delay:x"),
        ),
    ],
)
def test_a_wrong_spec_is_told_with_its_part(read, texts):
    for text in texts:
        with pytest.raises(WrongUsage) as told:
            read(text)
        assert text in told.value.message
