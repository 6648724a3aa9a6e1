"""Calls spread over the hour so that a well-behaved client stays below the platform's throttles."""

import enum
import threading
from collections.abc import Callable, Mapping


class Scope(enum.Enum):
    """A throttle of the platform: calls an hour for one key."""

    SUBMITS = 1_000
    JOB_READS = 90_000
    OTHERS = 7_200


_ROUNDING = 1e-9
SHARE = 0.85
"""The part of a throttle that is used as a steady rate; the rest is the burst."""


def scope_of(method: str, path: str) -> Scope:
    """The throttle that counts a call; `path` is relative to `/api/v2/`."""
    words = path.strip("/").split("/")
    if words[0] != "jobs":
        return Scope.OTHERS
    if method == "POST" and len(words) == 3 and words[2] == "submit":
        return Scope.SUBMITS
    return Scope.JOB_READS if method == "GET" else Scope.OTHERS


class Bucket:
    """A token bucket, full at the start: `burst` calls at once, then `rate` calls a second.

    Over any hour it lets `burst + 3600 * rate` calls through at most. Safe to share between threads.
    """

    def __init__(self, rate: float, burst: float, monotonic: Callable[[], float]) -> None:
        self._rate = rate
        self._burst = burst
        self._monotonic = monotonic
        self._tokens = burst
        self._at = monotonic()
        self._lock = threading.Lock()

    def take(self) -> float:
        """Take one token and return the seconds to wait before using it; 0 while there are some."""
        with self._lock:
            now = self._monotonic()
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
            self._at = now
            self._tokens -= 1.0
            return max(0.0, -self._tokens / self._rate)

    def left(self) -> int:
        """How many calls can be made now without waiting."""
        return max(0, int(self._now_in() + _ROUNDING))

    def seconds_until(self, calls: int) -> float:
        """How long it takes until so many calls can be made without waiting."""
        return max(0.0, (calls - self._now_in() - _ROUNDING) / self._rate)

    def _now_in(self) -> float:
        with self._lock:
            return min(self._burst, self._tokens + (self._monotonic() - self._at) * self._rate)


def seconds_for(scope: Scope, calls: int) -> float:
    """How long a number of calls takes that starts with a full bucket and is paced from then on."""
    burst = (1.0 - SHARE) * scope.value
    return max(0.0, (calls - burst) * 3600.0 / (SHARE * scope.value))


def buckets(monotonic: Callable[[], float]) -> Mapping[Scope, Bucket]:
    """A full bucket a throttle, which together with its burst stays within the throttle in every hour."""
    return {
        scope: Bucket(SHARE * scope.value / 3600.0, (1.0 - SHARE) * scope.value, monotonic) for scope in Scope
    }
