"""The cloud's throttles: so many calls in a time for one key, then 429 until the oldest call is old enough."""

import enum
import hashlib
import math
import re
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from doe_compiler.kernel.errors import WrongUsage
from doe_compiler.kernel.wire import Request, Response
from doe_compiler.platform.api.answers import detail
from doe_compiler.platform.serve.routes import ROUTES, is_read, words_of

MOST_KEYS = 1000
GRAMMAR = "cloud, a factor of it such as 0.01, or submits=3/min,job-reads=10/s,others=100/h"
RATE = re.compile(r"([a-z-]+)=([0-9]{1,9})/(s|sec|min|h|hour)", re.ASCII)
FACTOR = re.compile(r"[0-9]{1,6}(\.[0-9]{1,9})?", re.ASCII)
SPAN_S = {"s": 1.0, "sec": 1.0, "min": 60.0, "h": 3600.0, "hour": 3600.0}


class Scope(enum.Enum):
    """What is counted together, by the word that `--throttle` has for it."""

    SUBMITS = "submits"
    JOB_READS = "job-reads"
    OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `calls` in any `span_s` seconds."""

    calls: int
    span_s: float


CLOUD: Mapping[Scope, Rate] = MappingProxyType(
    {
        Scope.SUBMITS: Rate(1_000, 3600.0),
        Scope.JOB_READS: Rate(90_000, 3600.0),
        Scope.OTHERS: Rate(7_200, 3600.0),
    }
)
"""The throttles that the vendor documents, for one key."""


def scope_of(request: Request) -> Scope:
    """The throttle that counts the call: submits, reads of jobs under v2, and everything else."""
    if ROUTES["submit"](request):
        return Scope.SUBMITS
    is_second_version = request.path.startswith("/api/v2/")
    is_job_read = is_read(request) and is_second_version and words_of(request)[:1] == ("jobs",)
    return Scope.JOB_READS if is_job_read else Scope.OTHERS


def read_rates(text: str) -> Mapping[Scope, Rate]:
    """The rates that `--throttle` asks for: the cloud's times a factor, or its own; raises WrongUsage."""
    if text == "cloud":
        return CLOUD
    if FACTOR.fullmatch(text):
        if float(text) == 0:
            raise WrongUsage(f"--throttle {text}: nothing could ever be called", hint=f"say {GRAMMAR}")
        return {
            scope: Rate(max(1, round(rate.calls * float(text))), rate.span_s) for scope, rate in CLOUD.items()
        }
    rates = dict(CLOUD)
    for part in text.split(","):
        match = RATE.fullmatch(part.strip())
        known = [scope for scope in Scope if match and scope.value == match[1]]
        if match is None or not known or int(match[2]) == 0:
            raise WrongUsage(f"--throttle {text}: '{part}' is no rate", hint=f"say {GRAMMAR}")
        rates[known[0]] = Rate(int(match[2]), SPAN_S[match[3]])
    return rates


class Throttles:
    """Counts the calls of every key in a sliding window; a call that is refused does not count."""

    def __init__(self, rates: Mapping[Scope, Rate], monotonic: Callable[[], float]) -> None:
        self._rates = rates
        self._monotonic = monotonic
        self._calls: OrderedDict[tuple[bytes, Scope], deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def refusal(self, request: Request) -> Response | None:
        """The 429, or None if the call may be carried out; a call without a key is not counted."""
        key = request.headers.get("authorization", "")
        if not key:
            return None
        wait_s = self._taken(hashlib.sha256(key.encode("utf-8", "replace")).digest(), scope_of(request))
        if wait_s is None:
            return None
        seconds = max(1, math.ceil(wait_s))
        unit = "second" if seconds == 1 else "seconds"
        message = f"Request was throttled. Expected available in {seconds} {unit}."
        return detail(429, message, (("retry-after", str(seconds)),)).response

    def _taken(self, key: bytes, scope: Scope) -> float | None:
        """None if the call is within the rate; else the seconds until one is."""
        rate = self._rates[scope]
        now = self._monotonic()
        with self._lock:
            calls = self._calls.setdefault((key, scope), deque())
            self._calls.move_to_end((key, scope))
            if len(self._calls) > MOST_KEYS * len(Scope):
                self._calls.popitem(last=False)
            while calls and calls[0] <= now - rate.span_s:
                calls.popleft()
            if len(calls) >= rate.calls:
                return rate.span_s - (now - calls[0])
            calls.append(now)
            return None
