import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.client.pacing import Bucket, Scope, buckets, scope_of


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "jobs/abc/submit/", Scope.SUBMITS),
        ("POST", "jobs/abc/submit", Scope.SUBMITS),
        ("GET", "jobs/", Scope.JOB_READS),
        ("GET", "jobs/abc/runs/", Scope.JOB_READS),
        ("GET", "jobs/abc/submit/", Scope.JOB_READS),
        ("POST", "jobs/", Scope.OTHERS),
        ("POST", "jobs/abc/stop/", Scope.OTHERS),
        ("DELETE", "jobs/abc/", Scope.OTHERS),
        ("GET", "files/", Scope.OTHERS),
        ("POST", "files/contents/", Scope.OTHERS),
    ],
)
def test_every_call_has_the_throttle_that_counts_it(method, path, scope):
    assert scope_of(method, path) is scope


def test_a_full_bucket_lets_its_burst_through_and_then_its_rate():
    clock = Clock()
    bucket = Bucket(2.0, 3.0, clock)
    assert [bucket.take() for _ in range(5)] == [0, 0, 0, 0.5, 1.0]
    clock.now = 1.0
    assert bucket.take() == 0.5
    clock.now = 100.0
    assert [bucket.take() for _ in range(4)] == [0, 0, 0, 0.5]


@given(st.sampled_from(Scope), st.lists(st.floats(0, 30), max_size=300))
def test_no_hour_holds_more_calls_than_the_throttle_allows(scope, pauses):
    clock = Clock()
    bucket = buckets(clock)[scope]
    for _ in range(scope.value // 7):
        bucket.take()
    times = []
    for pause in pauses:
        clock.now += pause
        wait = bucket.take()
        clock.now += wait
        times.append(clock.now)
    early = scope.value // 7
    assert early + sum(time < 3600 for time in times) <= scope.value


def test_someone_who_never_pauses_stays_within_the_submits_of_an_hour():
    clock = Clock()
    bucket = buckets(clock)[Scope.SUBMITS]
    submits = 0
    while clock.now < 7200:
        clock.now += bucket.take()
        submits += clock.now < 3600
    assert 900 < submits <= 1000


def test_threads_share_a_bucket_without_losing_tokens():
    bucket = Bucket(1.0, 100.0, lambda: 0.0)
    waits: list[float] = []

    def work() -> None:
        waits.extend(bucket.take() for _ in range(50))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == [0.0] * 100 + [float(n) for n in range(1, 101)]


def test_a_bucket_tells_what_is_left_in_it():
    now = [0.0]
    bucket = Bucket(2.0, 3.0, lambda: now[0])
    assert (bucket.left(), bucket.seconds_until(1)) == (3, 0.0)
    for _ in range(3):
        bucket.take()
    assert (bucket.left(), bucket.seconds_until(1)) == (0, pytest.approx(0.5))
    now[0] = 1.0
    assert bucket.left() == 2
