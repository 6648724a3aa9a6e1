"""How long to wait for an answer, how often to ask again, and how long to rest in between."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, slots=True)
class Patience:
    """The time limits of a client; clocks, sleep and chance are arguments so that tests need not wait.

    `connect_s` bounds opening a connection, `read_s` and `write_s` every wait for the next bytes,
    `answer_s` a whole JSON answer; `tries` bounds the calls for one answer, `longest_wait_s` one rest.
    """

    connect_s: float = 10.0
    read_s: float = 60.0
    write_s: float = 60.0
    answer_s: float = 600.0
    tries: int = 5
    first_wait_s: float = 0.5
    longest_wait_s: float = 120.0
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random
    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time

    def rest_s(self, failures: int, asked_s: float | None) -> float:
        """Seconds to rest after the given number of failures (from 1): what the platform asked, or a guess.

        The guess doubles with every failure and is spread over [half, whole) so that many clients do not
        come back together. Both are cut at `longest_wait_s`.
        """
        if asked_s is not None:
            return min(max(asked_s, 0.0), self.longest_wait_s)
        # Beyond 30 doublings every guess is cut anyway, and the power stays a small number.
        whole = min(self.first_wait_s * 2.0 ** min(failures - 1, 30), self.longest_wait_s)
        return whole * (0.5 + 0.5 * self.chance())

    def asked_s(self, headers: Mapping[str, str]) -> float | None:
        """Seconds that a `Retry-After` asks for, or None; a date counts from the answer's own `Date`."""
        asked = headers.get("retry-after", "").strip()
        if asked.isascii() and asked.isdigit() and len(asked) <= 9:
            return float(asked)
        until = date_of(asked)
        if until is None:
            return None
        sent = date_of(headers.get("date", ""))
        return until.timestamp() - (self.now() if sent is None else sent.timestamp())


def date_of(text: str) -> datetime | None:
    """The date in a header, in UTC where its zone is not known; None if there is none."""
    if not text:
        return None
    try:
        date = parsedate_to_datetime(text)
        if date.tzinfo is None:
            date = date.replace(tzinfo=UTC)
        date.timestamp()
    except (ValueError, OverflowError):
        return None
    return date
