"""How an apply goes about its work: its clock, its patience, and whom it tells."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Step:
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


@dataclass(frozen=True, slots=True)
class Conduct:
    """Seconds to settle, time as the protocol sees it, a source of nonces and of chance in [0, 1).

    `go_on` is called before every write and raises to end the apply there; `tell` hears of every step;
    `parallelism` writes are under way at once.
    """

    settle_s: float
    sleep: Callable[[float], None]
    monotonic: Callable[[], float]
    nonce: Callable[[], str]
    chance: Callable[[], float]
    tell: Callable[[Step], None]
    go_on: Callable[[], None] = _nothing_to_check
    parallelism: int = 1

    def each(
        self, function: Callable[[_Item], _Result], items: Iterable[_Item]
    ) -> Iterator[tuple[_Item, _Result]]:
        """The function over all items, in their order; a failure ends it after the calls under way."""
        listed = list(items)
        if self.parallelism == 1 or len(listed) == 1:
            for item in listed:
                yield item, function(item)
            return
        with ThreadPoolExecutor(self.parallelism, thread_name_prefix="apply") as pool:
            futures = [pool.submit(function, item) for item in listed]
            try:
                for item, future in zip(listed, futures, strict=True):
                    yield item, future.result()
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
