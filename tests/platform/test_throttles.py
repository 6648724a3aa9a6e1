"""Throttles: what is counted together, for whom, and what a refusal says."""

import json

import pytest

from doe_compiler.kernel.errors import WrongUsage
from doe_compiler.kernel.wire import Request
from doe_compiler.platform.serve.throttles import CLOUD, Rate, Scope, Throttles, read_rates, scope_of


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def _request(key="Token a", method="GET", path="/api/v2/jobs/"):
    return Request(method, path, (), {"authorization": key} if key else {})


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/api/v2/jobs/AbC/submit/", Scope.SUBMITS),
        ("POST", "/api/v3/jobs/AbC/submit", Scope.SUBMITS),
        ("GET", "/api/v2/jobs/AbC/submit/", Scope.JOB_READS),
        ("GET", "/api/v2/jobs/", Scope.JOB_READS),
        ("HEAD", "/api/v2/jobs/AbC/runs/1/files", Scope.JOB_READS),
        ("GET", "/api/v3/jobs/", Scope.OTHERS),
        ("POST", "/api/v2/jobs/", Scope.OTHERS),
        ("POST", "/api/v2/jobs/AbC/stop/", Scope.OTHERS),
        ("GET", "/api/v2/files/", Scope.OTHERS),
        ("GET", "/", Scope.OTHERS),
    ],
)
def test_calls_are_counted_where_the_vendor_says(method, path, scope):
    assert scope_of(_request(method=method, path=path)) is scope


def test_the_cloud_allows_so_many_calls_an_hour():
    assert [rate.calls for rate in CLOUD.values()] == [1_000, 90_000, 7_200]
    assert {rate.span_s for rate in CLOUD.values()} == {3600.0}


def test_the_call_beyond_the_rate_is_refused_in_the_words_of_the_contract():
    clock = Clock()
    throttles = Throttles({**CLOUD, Scope.JOB_READS: Rate(2, 60.0)}, clock)
    assert throttles.refusal(_request()) is None
    clock.now += 10
    assert throttles.refusal(_request()) is None
    refusal = throttles.refusal(_request())
    assert refusal.status == 429
    assert dict(refusal.headers)["retry-after"] == "50"
    body = json.loads(b"".join(refusal.body))
    assert body == {"detail": "Request was throttled. Expected available in 50 seconds."}


def test_who_waits_as_long_as_told_is_let_in_and_refusals_do_not_count():
    clock = Clock()
    throttles = Throttles({**CLOUD, Scope.JOB_READS: Rate(3, 60.0)}, clock)
    for _ in range(10):
        for _ in range(3):
            assert throttles.refusal(_request()) is None
        for _ in range(5):
            refusal = throttles.refusal(_request())
        clock.now += int(dict(refusal.headers)["retry-after"])


def test_keys_and_scopes_are_counted_apart_and_a_call_without_a_key_is_not():
    throttles = Throttles({scope: Rate(1, 60.0) for scope in Scope}, Clock())
    for key in ("Token a", "Token b"):
        for path in ("/api/v2/jobs/", "/api/v2/files/"):
            assert throttles.refusal(_request(key, path=path)) is None
            assert throttles.refusal(_request(key, path=path)) is not None
    for _ in range(3):
        assert throttles.refusal(_request("")) is None


def test_rates_are_read_from_text():
    assert read_rates("1") == read_rates("cloud") == CLOUD
    assert read_rates("0.01")[Scope.SUBMITS] == Rate(10, 3600.0)
    assert read_rates("0.0001")[Scope.SUBMITS] == Rate(1, 3600.0)
    assert read_rates("submits=3/min, job-reads=10/sec") == {
        **CLOUD,
        Scope.SUBMITS: Rate(3, 60.0),
        Scope.JOB_READS: Rate(10, 1.0),
    }


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "x", "reads=1/s", "job-reads=0/s", "submits=1/day", "writes=1/s", "1,2"]
)
def test_what_is_no_rate_is_refused(text):
    with pytest.raises(WrongUsage, match="--throttle"):
        read_rates(text)
