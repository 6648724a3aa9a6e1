"""Examine a platform by what applies depend on: the key, clocks, the list of jobs, the names of jobs, drafts, submits.

Unsubmitted drafts are created and deleted for it; they have no mark, so that no applier takes them for its own.
"""

import enum
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from doe_compiler.bundle.mark import Mark, marked_name
from doe_compiler.bundle.rows import RowSet
from doe_compiler.client.answers import JobEntry
from doe_compiler.client.client import Client
from doe_compiler.client.errors import Ambiguous, NotFound, Refused
from doe_compiler.kernel.errors import DoeError
from doe_compiler.pipeline.connection import Connection
from doe_compiler.plan.memory import OURS

_DRAFTS = 3
_PATIENCE_S = 120.0
_POLL_S = 0.05
_PAGE = 1000
_MARGIN = 2.0
_LEAST_SETTLE_S = 5.0
_NOTHING_S = 0.5
_DATE_S = 2.0
_SUBMITTED_PATIENCE_S = 300.0
TITLE = "doe doctor: to be deleted"


class Verdict(enum.Enum):
    """What an examination has found: as it should be, worth knowing, or in the way of an apply."""

    OK = "ok"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Check:
    """One examination."""

    name: str
    verdict: Verdict
    text: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """How long to settle on this platform, in seconds; None if that could not be measured."""

    settle_s: float | None


def examined(
    connection: Connection, chance: Callable[[], int], *, spends: bool, sleep: Callable[[float], None]
) -> Iterator[Check | Diagnosis]:
    """All examinations, and at last the diagnosis; a job is submitted, and paid for, only with `spends`."""
    client = connection.client
    try:
        account = client.me()
    except DoeError as error:
        yield Check(
            "address and key", Verdict.BAD, f"{error.message}{f' ({error.hint})' if error.hint else ''}"
        )
        yield Diagnosis(None)
        return
    yield Check("address and key", Verdict.OK, f"{client.host} knows the key of {account}")
    yield _clock(client)
    bench, diagnosis = _Bench(client, chance, sleep), Diagnosis(None)
    try:
        for found in _drafts(connection, bench):
            if isinstance(found, Diagnosis):
                diagnosis = found
            else:
                yield found
        if spends or connection.times() == OURS:
            yield _submit_of_deleted(bench)
        if spends:
            yield from _second_submit(connection, bench)
    finally:
        bench.clear()
    yield diagnosis


class _Bench:
    """The drafts of an examination: made, and deleted at its end whatever happens."""

    def __init__(self, client: Client, chance: Callable[[], int], sleep: Callable[[float], None]) -> None:
        self.client = client
        self.sleep = sleep
        self._chance = chance
        self._core_type: str | None = None
        self._made: list[str] = []

    def draft(self, name: str = "") -> tuple[str, str]:
        """The id and the name of a new draft."""
        name = f"{name or TITLE} {self._chance():08x}"
        job = self.client.create_job(self._payload(name))
        self._made.append(job.id)
        return job.id, name

    def delete(self, job_id: str) -> None:
        """Delete one of them."""
        with suppress(NotFound):
            self.client.delete(job_id)
        self._made.remove(job_id)

    def clear(self) -> None:
        """Delete all that are left; one that cannot be is left to a person, who knows it by its name."""
        for job_id in list(self._made):
            with suppress(DoeError):
                self.delete(job_id)

    def entries(self) -> Mapping[str, JobEntry]:
        """The list of jobs, by id."""
        return {entry.id: entry for entry in self.client.all_jobs(_PAGE)}

    def _payload(self, name: str) -> Mapping[str, object]:
        if self._core_type is None:
            offered = [each for each in self.client.core_types() if not each.is_deprecated and each.cores]
            cheapest = min(offered, key=lambda each: each.price or 0.0, default=None)
            self._core_type = "emerald" if cheapest is None else cheapest.code
        return {
            "name": name,
            "jobanalyses": [
                {
                    "analysis": {"code": "user_included", "version": "0"},
                    "command": "true",
                    "hardware": {"coreType": self._core_type, "coresPerSlot": 1, "walltime": 1},
                }
            ],
        }


def _clock(client: Client) -> Check:
    before = time.time()
    client.me()
    after, told = time.time(), client.server_time()
    if told is None:
        text = "the answers have no Date: drafts left behind are known only by waiting"
        return Check("clock", Verdict.WARNING, text)
    ahead = told.timestamp() + 0.5 - (before + after) / 2
    if abs(ahead) < _DATE_S:
        return Check("clock", Verdict.OK, "the platform's clock and this machine's agree")
    text = (
        f"the platform's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} this machine's"
    )
    return Check("clock", Verdict.OK if abs(ahead) < 60 else Verdict.WARNING, f"{text}; only its own counts")


def _drafts(connection: Connection, bench: _Bench) -> Iterator[Check | Diagnosis]:
    lags, skews = [], []
    names: dict[str, str] = {}
    for _ in range(_DRAFTS):
        job_id, names_it = bench.draft()
        answered, date = time.monotonic(), bench.client.server_time()
        names[job_id] = names_it
        entry, lag = _shown(bench, job_id, answered)
        if entry is None:
            yield Check("list delay", Verdict.BAD, f"a draft is not in the list after {_PATIENCE_S:g} s")
            return
        lags.append(lag)
        if date is not None:
            skews.append(_skew_s(entry.date_inserted, date))
    shown = "at once" if max(lags) < _NOTHING_S else f"after {max(lags):.1f} s at most"
    yield Check("list delay", Verdict.OK, f"the list shows a new draft {shown}, of {_DRAFTS}")
    skew = max(skews, default=0.0)
    told = f"by {skew:.1f} s" if skew >= _NOTHING_S else "by no more than its whole seconds tell"
    told = f"creation times differ from the Date of the answers {told}"
    yield Check("creation times", Verdict.OK if skew < 10 else Verdict.WARNING, told)
    yield _order(bench, list(names))
    yield _longest_name(bench)
    yield _paging(bench)
    measured = max(lags) + skew
    needs_none = connection.times() == OURS and measured < _NOTHING_S
    yield Diagnosis(0.0 if needs_none else max(math.ceil(_MARGIN * measured + 1), _LEAST_SETTLE_S))


def _shown(bench: _Bench, job_id: str, since: float) -> tuple[JobEntry | None, float]:
    """The entry of a draft when the list shows it, and the seconds until then."""
    pause = _POLL_S
    while True:
        entry = bench.entries().get(job_id)
        passed = time.monotonic() - since
        if entry is not None or passed > _PATIENCE_S:
            return entry, passed
        bench.sleep(pause)
        pause = min(pause * 1.5, 5.0)


def _skew_s(stamp: datetime, date: datetime) -> float:
    """How far a stamp is from a date, which is told in whole seconds and a moment later."""
    behind = date.timestamp() - stamp.astimezone(UTC).timestamp()
    return max(-behind - 1.0, behind - 1.0, 0.0)


def _order(bench: _Bench, created: list[str]) -> Check:
    entries = bench.entries()
    stamps = [entries[job_id].date_inserted for job_id in created if job_id in entries]
    if stamps == sorted(set(stamps)):
        return Check("order", Verdict.OK, "creation times rise with every draft")
    return Check(
        "order", Verdict.WARNING, "creation times do not rise: jobs of one moment are told apart by their ids"
    )


def _longest_name(bench: _Bench) -> Check:
    mark = Mark("s" * 40, "0" * 12, RowSet(999_999_999, 2**64 - 1), None, 999_999, "0" * 16)
    job_id, name = bench.draft(marked_name("x" * 60, mark).replace("[doe2 ", "(doe2 "))
    kept = bench.client.job(job_id).name
    if kept == name:
        return Check(
            "names", Verdict.OK, f"a name of {len(name)} characters is kept, the longest that doe gives"
        )
    return Check(
        "names", Verdict.BAD, f"a name of {len(name)} characters becomes one of {len(kept)}: the mark is lost"
    )


def _paging(bench: _Bench) -> Check:
    whole = [entry.id for entry in bench.client.all_jobs(_PAGE)]
    parts = [entry.id for entry in bench.client.all_jobs(2)] if len(whole) <= _PAGE else whole
    if sorted(whole) != sorted(parts):
        return Check("paging", Verdict.WARNING, "the list differs by its pages; other people may be at work")
    rows = bench.client.record("jobs", query={"page_size": str(_PAGE)}).get("results")
    most = len(rows) if isinstance(rows, list) else 0
    text = f"{len(whole)} jobs, {most} on the first page of {_PAGE}"
    return Check("paging", Verdict.OK if most == min(len(whole), _PAGE) else Verdict.WARNING, text)


def _submit_of_deleted(bench: _Bench) -> Check:
    job_id, _ = bench.draft()
    bench.delete(job_id)
    try:
        bench.client.submit(job_id)
    except Refused as error:
        return Check("deleted drafts", Verdict.OK, f"the submit of one is refused: {error.status}")
    except Ambiguous as error:
        return Check("deleted drafts", Verdict.WARNING, error.message)
    _stop(bench.client, job_id)
    return Check(
        "deleted drafts", Verdict.BAD, f"one can still be submitted: job {job_id} was, and is stopped"
    )


def _second_submit(connection: Connection, bench: _Bench) -> Iterator[Check]:
    job_id, name = bench.draft()
    client = bench.client
    client.submit(job_id)
    try:
        client.submit(job_id)
        answer = "is accepted"
    except Refused as error:
        answer = f"is refused: {error.status}"
    except Ambiguous as error:
        answer = f"has no proper answer: {error.message}"
    connection.start_runs(True)
    until = time.monotonic() + _SUBMITTED_PATIENCE_S
    while not client.statuses(job_id) and time.monotonic() < until:
        bench.sleep(1.0)
    same = [entry.id for entry in bench.entries().values() if entry.name == name]
    verdict = Verdict.OK if same == [job_id] else Verdict.BAD
    yield Check(
        "second submit", verdict, f"a second submit of one job {answer}; {len(same)} job of that name"
    )
    while time.monotonic() < until and not _has_ended(client, job_id):
        bench.sleep(1.0)
    if not _has_ended(client, job_id):
        _stop(client, job_id)


def _has_ended(client: Client, job_id: str) -> bool:
    latest = next(iter(client.cluster_statuses(job_id)), None)
    return latest is not None and latest.status == "Stopped"


def _stop(client: Client, job_id: str) -> None:
    with suppress(DoeError):
        client.stop(job_id)
