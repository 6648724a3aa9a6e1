"""The faults of `--faults`: what goes wrong with which calls, how often, and in which order for a seed.

    SPEC  = PART,PART,...
    PART  = seed=N | [ROUTE/]KIND:CHANCE[xMOST][@DURATION] | list-delay:DURATION
    KIND  = a status from 400 to 599, carried out or not (500, 502-after), drop-before, drop-after,
            truncate, garbled, slow

`submit/drop-after:1x1,503:0.02,slow:0.01@2s,list-delay:5s,seed=7`: the first submit is carried out and its
answer lost; of all calls 2 % get a 503 and are not carried out; 1 % wait two seconds; a new job is not in
the list for five.
"""

import enum
import hashlib
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from doe_compiler.kernel.errors import WrongUsage
from doe_compiler.kernel.findings import near_miss
from doe_compiler.kernel.wire import Request
from doe_compiler.platform.serve.routes import ROUTES

SLOW_S = 5.0
LONGEST_S = 3600.0
CHANCE = re.compile(r"([0-9]*\.?[0-9]+)(?:x([0-9]{1,9}))?(?:@(.+))?", re.ASCII)
STATUS = re.compile(r"([45][0-9]{2})(-after)?", re.ASCII)
DURATION = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)(ms|s)", re.ASCII)
SEED = re.compile(r"seed=([0-9]{1,18})", re.ASCII)
HINT = "write e.g. 500:0.01,submit/drop-after:1x1,slow:0.01@2s,list-delay:5s,seed=7"


class Kind(enum.Enum):
    """What goes wrong."""

    STATUS = "status"
    STATUS_AFTER = "status-after"
    DROP_BEFORE = "drop-before"
    DROP_AFTER = "drop-after"
    TRUNCATE = "truncate"
    GARBLED = "garbled"
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Fault:
    """One part of the SPEC: `chance` of the calls of `route`, `most` of them at most."""

    kind: Kind
    route: str | None
    chance: float
    most: int | None = None
    status: int = 0
    delay_s: float = 0.0

    def is_for(self, request: Request) -> bool:
        """Whether the fault can hit the call."""
        return self.route is None or ROUTES[self.route](request)


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """A whole SPEC; the order of the faults is that of the text."""

    faults: tuple[Fault, ...] = ()
    list_delay_s: float = 0.0
    seed: int = 0


def read_faults(text: str) -> FaultSpec:
    """The faults that a SPEC asks for; raises WrongUsage that names the part."""
    faults: list[Fault] = []
    list_delay_s, seed = 0.0, 0
    for part in (each.strip() for each in text.split(",")):
        if match := SEED.fullmatch(part):
            seed = int(match[1])
        elif part.startswith("list-delay:"):
            list_delay_s = read_duration(part.removeprefix("list-delay:"), f"--faults: '{part}'")
        else:
            faults.append(_fault(part))
    return FaultSpec(tuple(faults), list_delay_s, seed)


def _fault(part: str) -> Fault:
    left, _, right = part.partition(":")
    route, slash, word = left.rpartition("/")
    if slash and route not in ROUTES:
        raise _wrong(part, f"'{route}' is no route", f"the routes are {', '.join(ROUTES)}")
    status = STATUS.fullmatch(word)
    kinds = {kind.value: kind for kind in Kind if kind not in (Kind.STATUS, Kind.STATUS_AFTER)}
    if status is None and word not in kinds:
        meant = near_miss(word, [*kinds, "list-delay", "seed="])
        known = f"the kinds are a status (500, 502-after), {', '.join(kinds)} and list-delay"
        raise _wrong(part, f"'{word}' is no kind of fault", f"did you mean {meant}?" if meant else known)
    match = CHANCE.fullmatch(right)
    if match is None or float(match[1]) > 1:
        raise _wrong(part, f"'{right}' is no chance from 0 to 1", HINT)
    if match[3] is not None and word != Kind.SLOW.value:
        raise _wrong(part, f"only slow takes a duration, not {word}", HINT)
    delay_s = 0.0
    if word == Kind.SLOW.value:
        delay_s = SLOW_S if match[3] is None else read_duration(match[3], f"--faults: '{part}'")
    kind = kinds[word] if status is None else Kind.STATUS_AFTER if status[2] else Kind.STATUS
    return Fault(
        kind, route or None, float(match[1]), int(match[2]) if match[2] else None,
        int(status[1]) if status else 0, delay_s,
    )  # fmt: skip


def _wrong(part: str, problem: str, hint: str) -> WrongUsage:
    return WrongUsage(f"--faults: '{part}': {problem}", hint=hint)


def read_duration(text: str, where: str) -> float:
    """The seconds of `50ms` or `2.5s`; raises WrongUsage."""
    match = DURATION.fullmatch(text.strip())
    if match is None:
        raise WrongUsage(f"{where}: '{text}' is no duration", hint="write it like 50ms or 2.5s")
    seconds = float(match[1]) / (1000 if match[2] == "ms" else 1)
    if seconds > LONGEST_S:
        raise WrongUsage(f"{where}: '{text}' is longer than an hour")
    return seconds


class Draws:
    """Uniform numbers in [0, 1): the k-th of a stream is the same for the same seed, whatever else is drawn."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()

    def next(self, stream: str) -> float:
        """The next number of the stream."""
        with self._lock:
            count = self._counts[stream] = self._counts.get(stream, -1) + 1
        digest = hashlib.blake2b(f"{self._seed}/{stream}/{count}".encode(), digest_size=8).digest()
        return (int.from_bytes(digest, "big") >> 11) * 2.0**-53


class Dice:
    """Which faults hit a call; every fault counts only the calls of its route."""

    def __init__(self, faults: Sequence[Fault], draws: Draws) -> None:
        self._faults = faults
        self._draws = draws
        self._hits = [0] * len(faults)
        self._lock = threading.Lock()

    def hits(self, request: Request) -> list[Fault]:
        """The faults that hit, in the order of the SPEC."""
        return [
            fault
            for position, fault in enumerate(self._faults)
            if fault.is_for(request) and self._is_hit(position, fault)
        ]

    def _is_hit(self, position: int, fault: Fault) -> bool:
        if self._draws.next(f"fault {position}") >= fault.chance:
            return False
        with self._lock:
            if fault.most is not None and self._hits[position] >= fault.most:
                return False
            self._hits[position] += 1
        return True
