"""Wait for the runs of a study, telling how far they are."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from doe_compiler.actual.jobs import ActualJob, Phase, of_recipe, study_jobs
from doe_compiler.bundle.pack import Bundle
from doe_compiler.client.client import Client
from doe_compiler.kernel.errors import TryAgain

_SHORTEST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 30.0
_SHARE_OF_POLLING = 20


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


def progress(client: Client, bundle: Bundle, ended: dict[str, Progress]) -> Progress:
    """One look at how far the submitted jobs of the present recipe are; `ended` remembers finished ones."""
    submitted = [
        job for job in of_recipe(study_jobs(client, bundle.spec.study), bundle.recipe) if not job.is_draft
    ]
    parts = []
    for job in submitted:
        if job.id not in ended:
            part = _of_job(client, job)
            if part.is_over:
                ended[job.id] = part
        parts.append(ended.get(job.id) or part)
    return Progress(
        len(submitted),
        sum(part.jobs_finished for part in parts),
        sum(part.runs for part in parts),
        sum(part.started for part in parts),
        sum(part.completed for part in parts),
    )


def _of_job(client: Client, job: ActualJob) -> Progress:
    runs = client.all_runs(job.id)
    return Progress(
        1,
        int(job.phase is Phase.FINISHED),
        len(runs),
        sum(run.started is not None for run in runs),
        sum(run.completed is not None for run in runs),
    )


def awaited(
    client: Client, bundle: Bundle, *, still_works: Callable[[], None], patience_s: float
) -> Iterator[Progress]:
    """Look again and again until every job has ended; `still_works` is called before every look.

    A platform that does not answer for a while is waited for, up to ten times `patience_s`.
    """
    ended: dict[str, Progress] = {}
    misses = 0
    while True:
        began = time.monotonic()
        still_works()
        try:
            now = progress(client, bundle, ended)
        except TryAgain:
            misses += 1
            if misses > 10:
                raise
            time.sleep(patience_s)
            continue
        misses = 0
        yield now
        if now.is_over:
            return
        spent = time.monotonic() - began
        time.sleep(min(max(_SHORTEST_PAUSE_S, spent * _SHARE_OF_POLLING), _LONGEST_PAUSE_S))
