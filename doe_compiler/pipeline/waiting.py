"""Wait for the runs of a study, telling how far they are."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from doe_compiler.apply.looking import Look
from doe_compiler.apply.order import Order
from doe_compiler.bundle.observation import Phase, SeenJob
from doe_compiler.bundle.rows import Keys
from doe_compiler.client.client import Client
from doe_compiler.kernel.errors import TryAgain
from doe_compiler.observe.known import KnownJobs
from doe_compiler.observe.listing import copies, marked_jobs, of_recipe
from doe_compiler.observe.looking import has_failed, keys_by_run

Flags = npt.NDArray[np.bool_]
_SHORTEST_PAUSE_S = 0.03
_LONGEST_PAUSE_S = 30.0
_PAUSE_BY_ELAPSED = 0.02
_COUNTING_PAUSES = 20
_MOST_MISSES = 10
_RUNS_A_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Progress:
    """How many runs of the studies there are in submitted jobs, and how many were completed, `failed` among them.

    What the jobs hold beside, rows that a study no longer wants and earlier tries, does not count.
    """

    runs: int
    completed: int
    failed: int
    is_over: bool

    @property
    def left(self) -> int:
        """How many runs have not been completed."""
        return self.runs - self.completed


def awaited(
    client: Client,
    orders: Sequence[Order],
    known: KnownJobs,
    *,
    still_works: Callable[[], None],
    patience_s: float,
    sleep: Callable[[float], None] = time.sleep,
    deadline: float | None = None,
) -> Iterator[Progress]:
    """Look again and again until every job of the studies' present recipes has ended.

    `still_works` is called before every look. Raises TryAgain after `deadline`, by the monotonic clock.
    Whether the jobs have ended is one read of the list; their runs, which take many, are counted at most a
    twentieth of the time. A platform that does not answer is waited for, up to ten times `patience_s`.
    """
    began = time.monotonic()
    count_at = 0.0
    ended: dict[str, _Runs] = {}
    misses = 0
    while True:
        still_works()
        try:
            jobs = _submitted(client, orders)
            is_over = all(job.phase is Phase.FINISHED for own in jobs for job in own)
            counting = time.monotonic()
            if is_over or counting >= count_at:
                yield _progress(client, orders, jobs, known, ended)
                spent = time.monotonic() - counting
                count_at = counting + spent * _COUNTING_PAUSES
            if is_over:
                return
            misses = 0
        except TryAgain:
            misses += 1
            if misses > _MOST_MISSES:
                raise
            sleep(patience_s)
        elapsed = time.monotonic() - began
        if deadline is not None and time.monotonic() > deadline:
            raise TryAgain(
                "the runs did not end within the --timeout",
                hint="the same command goes on with them; doe status shows how far they are",
            )
        sleep(min(max(_SHORTEST_PAUSE_S, elapsed * _PAUSE_BY_ELAPSED), _LONGEST_PAUSE_S))


def unfinished(client: Client, orders: Sequence[Order], looks: Sequence[Look], known: KnownJobs) -> Progress:
    """How far the submitted jobs of studies are that had not ended at the looks; those that had are not read."""
    jobs = [
        [
            holding.job
            for holding in look.seen.holdings
            if look.memory.is_submitted(holding) and holding.job.phase is not Phase.FINISHED
        ]
        for look in looks
    ]
    return _progress(client, orders, jobs, known, {})


def _submitted(client: Client, orders: Sequence[Order]) -> list[list[SeenJob]]:
    """The submitted jobs of each study's present recipe."""
    listed = marked_jobs(client)
    found = []
    for order in orders:
        jobs = listed.get(order.wanted.study, ())
        copied = copies(jobs)
        same = of_recipe(jobs, order.wanted.recipe)
        found.append([job for job in same if not job.is_draft and job.id not in copied])
    return found


@dataclass(frozen=True, slots=True)
class _Runs:
    """The runs of a job, each of shape (n,): the keys of their rows, whether they completed, whether they failed."""

    keys: Keys
    completed: Flags
    failed: Flags


def _progress(
    client: Client,
    orders: Sequence[Order],
    jobs: Sequence[Sequence[SeenJob]],
    known: KnownJobs,
    ended: dict[str, _Runs],
) -> Progress:
    """How far the jobs are; `ended` remembers those that will not change."""
    runs = completed = failed = 0
    for order, own in zip(orders, jobs, strict=True):
        parts = []
        for job in own:
            part = ended.get(job.id) or _of_job(client, order, job, known)
            if job.phase is Phase.FINISHED:
                ended[job.id] = part
            parts.append(part)
        counted = _latest(order, own, parts)
        runs += len(counted.keys)
        completed += int(counted.completed.sum())
        failed += int(counted.failed.sum())
    return Progress(runs, completed, failed, all(job.phase is Phase.FINISHED for own in jobs for job in own))


def _of_job(client: Client, order: Order, job: SeenJob, known: KnownJobs) -> _Runs:
    wanted = order.wanted
    runs = list(client.all_runs(job.id, _RUNS_A_PAGE))
    if wanted.unit is None:
        keys = keys_by_run(client, order.subject, job, known, runs)
        runs = [run for run in runs if 0 < run.number <= len(keys)]
        keys = keys[[run.number - 1 for run in runs]]
    else:
        keys = np.arange(len(runs), dtype=np.uint64)
    return _Runs(
        keys,
        np.array([run.completed is not None for run in runs], bool),
        np.array([run.completed is not None and has_failed(run) for run in runs], bool),
    )


def _latest(order: Order, jobs: Sequence[SeenJob], parts: Sequence[_Runs]) -> _Runs:
    """Of every row as many runs as the study wants: those of the latest tries, completed ones first."""
    if not parts:
        return _Runs(np.zeros(0, np.uint64), np.zeros(0, bool), np.zeros(0, bool))
    keys = np.concatenate([part.keys for part in parts])
    completed = np.concatenate([part.completed for part in parts])
    failed = np.concatenate([part.failed for part in parts])
    if order.wanted.unit is not None:
        return _Runs(keys, completed, failed)
    tries = np.concatenate(
        [np.full(len(part.keys), job.mark.generation) for job, part in zip(jobs, parts, strict=True)]
    )
    places = np.lexsort((~completed, -tries, keys))
    keys, completed, failed = keys[places], completed[places], failed[places]
    wanted, counts = np.unique(order.wanted.keys, return_counts=True)
    if not len(wanted):
        return _Runs(keys[:0], completed[:0], failed[:0])
    nth = np.arange(len(keys)) - np.searchsorted(keys, keys)
    found = np.minimum(np.searchsorted(wanted, keys), len(wanted) - 1)
    counts_here = (wanted[found] == keys) & (nth < counts[found])
    return _Runs(keys[counts_here], completed[counts_here], failed[counts_here])
