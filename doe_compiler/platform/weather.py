"""The cloud on a bad day: throttles, latency and faults, laid around the platform's answers.

A fault is `KIND:PROBABILITY`, or `WHERE/KIND:PROBABILITY` for one kind of call only; several are separated by
commas, and `seed=N` makes the same calls meet the same faults again.

KIND is a status from 400 to 599 that is answered instead of carrying the call out (`503:0.02`) or after it was
carried out (`500-after:0.01`), `drop-before` or `drop-after` (the connection is closed before or after the call
was carried out), `truncate` (half of the answer) or `garbled` (the answer is no JSON).
WHERE is upload, create, submit, stop, delete, list, read or write. `list-delay:5s` hides new jobs from the list.
"""

import math
import random
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from doe_compiler.kernel.errors import WrongUsage
from doe_compiler.kernel.wire import Dropped, Request, Response
from doe_compiler.platform.answers import detail

Answer = Callable[[Request], Response]
CLOUD_THROTTLES: Mapping[str, tuple[int, float]] = {
    "submits": (1_000, 3600.0),
    "job-reads": (90_000, 3600.0),
    "others": (7_200, 3600.0),
}
"""Calls per so many seconds, for each key."""

SECONDS = {"s": 1.0, "sec": 1.0, "min": 60.0, "h": 3600.0, "hour": 3600.0}
RATE = re.compile(r"([a-z-]+)=([0-9]{1,9})/([a-z]+)", re.ASCII)
DURATION = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)(ms|s)?", re.ASCII)
FAULT = re.compile(
    r"(?:([a-z]+)/)?([45][0-9][0-9](?:-after)?|drop-before|drop-after|truncate|garbled):([0-9.]{1,12})",
    re.ASCII,
)
WHERE = ("upload", "create", "submit", "stop", "delete", "list", "read", "write")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong, with its probability in each call that it is meant for (any if `where` is "")."""

    where: str
    kind: str
    probability: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the weather is to be."""

    throttles: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    latency_s: tuple[float, float] = (0.0, 0.0)
    faults: tuple[Fault, ...] = ()
    list_delay_s: float = 0.0
    seed: int = 0


def throttles_of(text: str) -> Mapping[str, tuple[int, float]]:
    """The throttles that `--throttle` asks for: `cloud`, a factor of it, or `submits=3/min,job-reads=10/s`.

    Raises WrongUsage with the part that is wrong.
    """
    if text == "cloud":
        return CLOUD_THROTTLES
    factor = _number(text)
    if factor is not None:
        if not 0 < factor <= 1000:
            raise WrongUsage(f"--throttle {text}: a factor above 0, at most 1000")
        return {name: (max(1, int(calls * factor)), s) for name, (calls, s) in CLOUD_THROTTLES.items()}
    found = {}
    for part in text.split(","):
        match = RATE.fullmatch(part.strip())
        if match is None or match[1] not in CLOUD_THROTTLES or match[3] not in SECONDS or not int(match[2]):
            raise WrongUsage(
                f"--throttle {part}: not a throttle",
                hint="say cloud, a factor, or submits=3/min,job-reads=10/s,others=5/s",
            )
        found[match[1]] = (int(match[2]), SECONDS[match[3]])
    return found


def latency_of(text: str) -> tuple[float, float]:
    """The shortest and the longest delay in seconds that `--latency` asks for: `200ms`, `50ms..0.3s`.

    Raises WrongUsage.
    """
    low, dots, high = text.partition("..")
    shortest, longest = _duration_s(low), _duration_s(high if dots else low)
    if shortest is None or longest is None or longest < shortest:
        raise WrongUsage(f"--latency {text}: not a delay", hint="say 200ms, 0.2s, or 50ms..300ms")
    return shortest, longest


def with_faults(forecast: Forecast, text: str) -> Forecast:
    """The forecast with the faults of `--faults`, as the module says; raises WrongUsage with the wrong part."""
    faults, seed, delay_s = [], forecast.seed, forecast.list_delay_s
    for part in (part.strip() for part in text.split(",")):
        match = FAULT.fullmatch(part)
        delay = _duration_s(part.removeprefix("list-delay:")) if part.startswith("list-delay:") else None
        probability = _number(match[3]) if match else None
        if part.startswith("seed=") and part[5:].isdigit():
            seed = int(part[5:])
        elif delay is not None:
            delay_s = delay
        elif match and (match[1] or "read") in WHERE and probability is not None and probability <= 1:
            faults.append(Fault(match[1] or "", match[2], probability))
        else:
            raise WrongUsage(
                f"--faults {part}: not a fault",
                hint="such as 503:0.02,submit/drop-after:1,truncate:0.01,list-delay:5s,seed=7",
            )
    return Forecast(forecast.throttles, forecast.latency_s, tuple(faults), delay_s, seed)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _duration_s(text: str) -> float | None:
    match = DURATION.fullmatch(text.strip())
    return float(match[1]) / (1000 if match[2] == "ms" else 1) if match else None


class Weather:
    """The platform's answers as they arrive on such a day; safe to share between threads."""

    def __init__(
        self,
        answer: Answer,
        forecast: Forecast,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._answer = answer
        self._forecast = forecast
        self._monotonic = monotonic
        self._sleep = sleep
        self._random = random.Random(forecast.seed)  # noqa: S311 (repeatable on purpose)
        self._calls: dict[tuple[str, str], deque[float]] = {}
        self._own = threading.Lock()

    def __call__(self, request: Request) -> Response:
        """The answer, or what the weather makes of it; raises Dropped where there is none."""
        wait_s = self._throttled_s(request)
        if wait_s:
            seconds = math.ceil(wait_s)
            return detail(
                429,
                f"Request was throttled. Expected available in {seconds} second{'' if seconds == 1 else 's'}.",
                (("retry-after", str(seconds)),),
            ).response
        kinds, delay_s = self._drawn(request)
        if delay_s:
            self._sleep(delay_s)
        for kind in kinds:
            if kind == "drop-before":
                raise Dropped
            if kind.isdigit():
                return _status(int(kind))
        response = self._answer(request)
        for kind in kinds:
            response = _spoilt(response, kind)
        return response

    def _throttled_s(self, request: Request) -> float:
        scope = throttle_scope(request)
        if scope not in self._forecast.throttles:
            return 0.0
        most, period_s = self._forecast.throttles[scope]
        with self._own:
            calls = self._calls.setdefault((request.headers.get("authorization", ""), scope), deque())
            now = self._monotonic()
            while calls and calls[0] <= now - period_s:
                calls.popleft()
            if len(calls) >= most:
                return calls[0] + period_s - now
            calls.append(now)
            return 0.0

    def _drawn(self, request: Request) -> tuple[list[str], float]:
        names = ("", *call_names(request))
        with self._own:
            kinds = [
                fault.kind
                for fault in self._forecast.faults
                if fault.where in names and self._random.random() < fault.probability
            ]
            return kinds, self._random.uniform(*self._forecast.latency_s)


def _words(request: Request) -> list[str]:
    return request.path.strip("/").split("/")[2:]


def throttle_scope(request: Request) -> str:
    """The throttle that counts the call."""
    words = _words(request)
    if words[:1] != ["jobs"]:
        return "others"
    if request.method == "POST" and words[2:] == ["submit"]:
        return "submits"
    return "job-reads" if request.method == "GET" else "others"


def call_names(request: Request) -> tuple[str, ...]:
    """What a call may be named by in a fault."""
    words = _words(request)
    name = "read"
    if request.method == "GET":
        name = "list" if words == ["jobs"] else "read"
        return (name, "read")
    if words[:1] == ["files"]:
        name = "upload"
    elif words == ["jobs"]:
        name = "create"
    elif words[-1:] in (["submit"], ["stop"]):
        name = words[-1]
    if request.method == "DELETE":
        name = "delete"
    return (name, "write")


def _status(status: int) -> Response:
    headers = (("retry-after", "1"),) if status in (429, 503) else ()
    return detail(status, f"This is a bad day ({status}).", headers).response


def _spoilt(response: Response, kind: str) -> Response:
    if kind == "drop-after":
        _closed(response)
        raise Dropped
    if kind.endswith("-after"):
        _closed(response)
        return _status(int(kind.removesuffix("-after")))
    if kind in ("truncate", "garbled"):
        body = b"".join(response.body)
        if kind == "truncate":
            return Response(response.status, response.headers, (body[: len(body) // 2],))
        spoilt = b"<html>" + body[: len(body) // 2]
        headers = tuple((name, value) for name, value in response.headers if name != "content-length")
        return Response(response.status, (*headers, ("content-length", str(len(spoilt)))), (spoilt,))
    return response


def _closed(response: Response) -> None:
    close = getattr(response.body, "close", None)
    if close is not None:
        close()
