"""The cloud on a bad day: throttles, latency and faults around the platform's answers, over HTTP or in process."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from doe_compiler.kernel.errors import WrongUsage
from doe_compiler.kernel.wire import Dropped, Request, Response
from doe_compiler.platform.api.answers import detail
from doe_compiler.platform.api.service import Platform
from doe_compiler.platform.serve.faults import Dice, Draws, Fault, FaultSpec, Kind, read_duration
from doe_compiler.platform.serve.throttles import Rate, Scope, Throttles

Answer = Callable[[Request], Response]
GARBLED_BYTES = 16
STATUS_TEXTS: Mapping[int, str] = {
    500: "A server error occurred.",
    502: "Bad gateway.",
    503: "Service temporarily unavailable, try again later.",
    504: "The gateway got no answer in time.",
}


@dataclass(frozen=True, slots=True)
class Latency:
    """A delay before every answer, uniform in [least_s, most_s]."""

    least_s: float = 0.0
    most_s: float = 0.0


def read_latency(text: str) -> Latency:
    """The latency of `50`, `50ms`, `0.2s` or `50ms..300ms`; a bare number is in ms. Raises WrongUsage."""
    ends = [
        read_duration(f"{end}ms" if end.strip().isdigit() else end, f"--latency {text}")
        for end in text.split("..")
    ]
    if len(ends) > 2 or ends[0] > ends[-1]:
        raise WrongUsage(f"--latency {text} is no range", hint="write it like 50ms..300ms")
    return Latency(ends[0], ends[-1])


@dataclass(frozen=True, slots=True)
class Forecast:
    """What happens to one call: a delay first, then a refusal, a fault, or neither."""

    delay_s: float = 0.0
    refusal: Response | None = None
    fault: Fault | None = None


class Weather:
    """Decides what happens to every call, and does it; any number of threads may share it.

    `list_delay_s` is what the platform's own `list_delay_s` is to be: it alone knows the list.
    """

    def __init__(
        self,
        *,
        rates: Mapping[Scope, Rate] | None = None,
        latency: Latency | None = None,
        faults: FaultSpec | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        spec = faults or FaultSpec()
        self._throttles = Throttles(rates, monotonic) if rates is not None else None
        self._latency = latency or Latency()
        self._draws = Draws(spec.seed)
        self._dice = Dice(spec.faults, self._draws)
        self.list_delay_s = spec.list_delay_s

    def forecast(self, request: Request) -> Forecast:
        """What will happen to the call; asking counts it."""
        span_s = self._latency.most_s - self._latency.least_s
        delay_s = self._latency.least_s + (span_s * self._draws.next("latency") if span_s else 0.0)
        refusal = self._throttles.refusal(request) if self._throttles else None
        if refusal is not None:
            return Forecast(delay_s, refusal)
        hits = self._dice.hits(request)
        delay_s += sum(fault.delay_s for fault in hits)
        return Forecast(delay_s, None, next((fault for fault in hits if fault.kind is not Kind.SLOW), None))

    def carried_out(self, request: Request, forecast: Forecast, platform: Platform) -> Response:
        """The answer in this weather, after the delay; raises Dropped when the connection is closed instead."""
        if forecast.refusal is not None:
            return platform.dated(forecast.refusal)
        fault = forecast.fault
        if fault is None:
            return platform.answer(request)
        if fault.kind is Kind.DROP_BEFORE:
            raise Dropped
        if fault.kind is Kind.STATUS:
            return platform.dated(_status_response(fault.status))
        response = platform.answer(request)
        match fault.kind:
            case Kind.DROP_AFTER:
                _close(response.body)
                raise Dropped
            case Kind.STATUS_AFTER:
                _close(response.body)
                return platform.dated(_status_response(fault.status))
            case Kind.TRUNCATE:
                return replace(response, body=_truncated(response))
            case Kind.GARBLED:
                return replace(response, body=_garbled(response.body))
            case _:
                return response

    def over(self, platform: Platform, sleep: Callable[[float], None] = time.sleep) -> Answer:
        """The platform's `answer` in this weather, for callers in the same process."""

        def in_weather(request: Request) -> Response:
            forecast = self.forecast(request)
            if forecast.delay_s > 0:
                sleep(forecast.delay_s)
            return self.carried_out(request, forecast, platform)

        return in_weather


def _status_response(status: int) -> Response:
    headers = (("retry-after", "1"),) if status in (429, 503) else ()
    return detail(status, STATUS_TEXTS.get(status, "This fault was asked for."), headers).response


def _close(body: Iterable[bytes]) -> None:
    close = getattr(body, "close", None)
    if close is not None:
        close()


def _truncated(response: Response) -> Iterator[bytes]:
    """The first half of the body, as far as its length is known, then the end of the connection."""
    lengths = [int(value) for name, value in response.headers if name == "content-length"]
    left = lengths[0] // 2 if lengths else 0
    try:
        for chunk in response.body:
            yield chunk[:left]
            left -= len(chunk)
            if left <= 0:
                break
    finally:
        _close(response.body)
    raise Dropped


def _garbled(body: Iterable[bytes]) -> Iterator[bytes]:
    """The body with its first bytes changed: of the same length, and no JSON any more."""
    left = GARBLED_BYTES
    for chunk in body:
        yield bytes(byte ^ 0x55 for byte in chunk[:left]) + chunk[left:]
        left = max(0, left - len(chunk))
