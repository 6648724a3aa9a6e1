"""Wait for the runs of a study, telling how far they are."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from doe_compiler.actual.jobs import ActualJob, Phase, marked_jobs, of_recipe
from doe_compiler.client.client import Client
from doe_compiler.kernel.errors import TryAgain

_SHORTEST_PAUSE_S = 0.03
_LONGEST_PAUSE_S = 30.0
_PAUSE_BY_ELAPSED = 0.02
_COUNTING_PAUSES = 20
_MOST_MISSES = 10
_RUNS_A_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Progress:
    """How many runs there are in the study's submitted jobs, and how many have been completed."""

    jobs: int
    jobs_finished: int
    runs: int
    started: int
    completed: int

    @property
    def is_over(self) -> bool:
        """Whether every job has ended."""
        return self.jobs == self.jobs_finished


def awaited(
    client: Client,
    recipes: Sequence[tuple[str, str]],
    *,
    still_works: Callable[[], None],
    patience_s: float,
    sleep: Callable[[float], None] = time.sleep,
    timeout_s: float | None = None,
) -> Iterator[Progress]:
    """Look again and again until every job of the studies and recipes has ended.

    `still_works` is called before every look. Raises TryAgain when `timeout_s` have passed.
    Whether the jobs have ended is one read of the list; their runs, which take many, are counted at most a
    twentieth of the time. A platform that does not answer is waited for, up to ten times `patience_s`.
    """
    began = time.monotonic()
    count_at = 0.0
    ended: dict[str, Progress] = {}
    misses = 0
    while True:
        still_works()
        try:
            jobs = _submitted(client, recipes)
            is_over = all(job.phase is Phase.FINISHED for job in jobs)
            counting = time.monotonic()
            if is_over or counting >= count_at:
                yield _progress(client, jobs, ended)
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
        if timeout_s is not None and elapsed > timeout_s:
            raise TryAgain(
                f"the runs did not end within {timeout_s:g} s; they go on",
                hint="the same command waits again; doe status shows how far they are",
            )
        sleep(min(max(_SHORTEST_PAUSE_S, elapsed * _PAUSE_BY_ELAPSED), _LONGEST_PAUSE_S))


def _submitted(client: Client, recipes: Sequence[tuple[str, str]]) -> list[ActualJob]:
    listed = marked_jobs(client)
    return [
        job
        for study, recipe in recipes
        for job in of_recipe(listed.get(study, ()), recipe)
        if not job.is_draft
    ]


def _progress(client: Client, jobs: Sequence[ActualJob], ended: dict[str, Progress]) -> Progress:
    """How far the jobs are; `ended` remembers those that will not change."""
    parts = []
    for job in jobs:
        part = ended.get(job.id) or _of_job(client, job)
        if part.is_over:
            ended[job.id] = part
        parts.append(part)
    return Progress(
        len(jobs),
        sum(part.jobs_finished for part in parts),
        sum(part.runs for part in parts),
        sum(part.started for part in parts),
        sum(part.completed for part in parts),
    )


def _of_job(client: Client, job: ActualJob) -> Progress:
    runs = client.all_runs(job.id, _RUNS_A_PAGE)
    return Progress(
        1,
        int(job.phase is Phase.FINISHED),
        len(runs),
        sum(run.started is not None for run in runs),
        sum(run.completed is not None for run in runs),
    )
