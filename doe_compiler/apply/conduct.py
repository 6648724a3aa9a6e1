"""How an apply goes about its work: its clock, its patience, and whom it tells."""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_LEAST_TICK_S = 1e-6


@dataclass(frozen=True, slots=True)
class Receipt:
    """Something that an apply does, or has done: the request and how it was answered.

    `answer` is empty before the request, then `done`, or what else came of it: `lost`, `gone`, `refused`.
    `seconds` is how long a wait takes.
    """

    what: str
    study: str = ""
    job_id: str = ""
    name: str = ""
    runs: int | None = None
    rows: str = ""
    recipe: str = ""
    generation: int = 0
    request: str = ""
    answer: str = ""
    seconds: float = 0.0


def _nothing_to_check() -> None:
    return


def _nothing_to_sign(_nonce: str) -> None:
    return


class Clock:
    """Seconds that strictly rise and run on in suspend; no two readings are equal, so that before and after differ."""

    def __init__(self, now: Callable[[], float] | None = None) -> None:
        self._now = now or _boot_time
        self._last = -1.0
        self._lock = Lock()

    def __call__(self) -> float:
        """Seconds; later than at every reading before."""
        with self._lock:
            self._last = max(self._now(), self._last + _LEAST_TICK_S)
            return self._last


def _boot_time() -> float:
    """Linux counts suspend in CLOCK_BOOTTIME, macOS in CLOCK_MONOTONIC."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass(frozen=True, slots=True)
class Conduct:
    """Time as the protocol sees it, a source of random bits, and how to wait.

    `go_on` is called before every write and raises to end the apply there; `tell` hears of every receipt; `sign` of the
    nonce of a create before it is sent;
    `parallelism` writes are under way at once.
    """

    sleep: Callable[[float], None]
    clock: Callable[[], float]
    chance: Callable[[], int]
    tell: Callable[[Receipt], None]
    go_on: Callable[[], None] = _nothing_to_check
    parallelism: int = 1
    sign: Callable[[str], None] = _nothing_to_sign

    def each(
        self, function: Callable[[_Item], _Result], items: Iterable[_Item]
    ) -> Iterator[tuple[_Item, _Result | BaseException]]:
        """The function over all items, in their order, with its result or what it raised; after a failure no new one."""
        listed = list(items)
        failed = False

        def guarded(item: _Item) -> _Result | BaseException | None:
            nonlocal failed
            if failed:
                return None
            try:
                return function(item)
            except BaseException as error:
                failed = True
                return error

        if self.parallelism == 1 or len(listed) == 1:
            outcomes: Iterable[_Result | BaseException | None] = map(guarded, listed)
        else:
            with ThreadPoolExecutor(self.parallelism, thread_name_prefix="apply") as pool:
                outcomes = list(pool.map(guarded, listed))
        for item, outcome in zip(listed, outcomes, strict=True):
            if outcome is not None:
                yield item, outcome
