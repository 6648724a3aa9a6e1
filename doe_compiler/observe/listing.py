"""The jobs with our mark as the platform lists them, and which of them people have copied."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from doe_compiler.bundle.mark import RECIPE_DIGITS, nonce_time_s, read_mark
from doe_compiler.bundle.observation import Phase, SeenJob, by_age
from doe_compiler.client.client import Client, JobEntry

_JOBS_A_PAGE = 1000
_MICROSECONDS = 1_000_000
MOST_FROM_NONCE_S = 600
"""A job that was stamped further from the time in its nonce is a copy; a constant of the mark's version."""

_PHASES = {
    "": Phase.DRAFT,
    "Completed": Phase.FINISHED,
    "Stopping": Phase.STOPPING,
    "Force Stop": Phase.STOPPING,
    **dict.fromkeys(
        (
            "Pending",
            "Queued",
            "Started",
            "Validated",
            "Executing",
            "Waiting for Queue",
            "Waiting for Cluster",
        ),
        Phase.SUBMITTED,
    ),
}


def phase_of(status: str) -> Phase:
    """What a status word means; an unknown one counts as submitted."""
    return _PHASES.get(status, Phase.UNKNOWN)


def seen_job(entry: JobEntry) -> SeenJob | None:
    """An entry of the list as a job with a mark, or None if it has none."""
    mark = read_mark(entry.name)
    if mark is None:
        return None
    return SeenJob(
        entry.id,
        entry.name,
        mark,
        phase_of(entry.status),
        entry.status,
        round(entry.date_inserted.timestamp() * _MICROSECONDS),
        entry.status_reason,
        entry.shared_with,
        entry.runs_failed,
    )


def marked_jobs(client: Client, account: str | None = None) -> dict[str, tuple[SeenJob, ...]]:
    """All jobs with a mark, by study, oldest first: one reading of the list for any number of studies.

    With `account` only those that belong to it.
    """
    found: dict[str, list[SeenJob]] = defaultdict(list)
    for entry in client.all_jobs(_JOBS_A_PAGE):
        if account is not None and entry.owner.casefold() != account.casefold():
            continue
        job = seen_job(entry)
        if job is not None:
            found[job.mark.study].append(job)
    return {study: tuple(sorted(jobs, key=by_age)) for study, jobs in found.items()}


def study_jobs(client: Client, study: str) -> tuple[SeenJob, ...]:
    """All jobs with the study's mark, oldest first."""
    return marked_jobs(client).get(study, ())


def of_recipe(jobs: Sequence[SeenJob], recipe: str) -> tuple[SeenJob, ...]:
    """The jobs that were made by a recipe, given in full."""
    return tuple(job for job in jobs if job.mark.recipe == recipe[:RECIPE_DIGITS])


def submitted_jobs(client: Client, study: str, recipe: str) -> list[SeenJob]:
    """The submitted jobs of a study's recipe that count, oldest first."""
    jobs = study_jobs(client, study)
    copied = copies(jobs)
    return [job for job in of_recipe(jobs, recipe) if not job.is_draft and job.id not in copied]


def created_at(job: SeenJob) -> datetime:
    """When a job was created, by the platform's stamp."""
    return datetime.fromtimestamp(job.created_us / _MICROSECONDS, UTC)


def copies(jobs: Iterable[SeenJob]) -> frozenset[str]:
    """The jobs that people have copied, mark and all.

    A nonce belongs to one POST: of its holders the earliest is the job. And it begins with the platform's time, so
    a job that was stamped much later, or earlier, is a copy of one that is gone.
    """
    first: dict[str, str] = {}
    found = set()
    for job in sorted(jobs, key=by_age):
        is_of_this_time = (
            abs(job.created_us / _MICROSECONDS - nonce_time_s(job.mark.nonce)) <= MOST_FROM_NONCE_S
        )
        if not is_of_this_time or first.setdefault(job.mark.nonce, job.id) != job.id:
            found.add(job.id)
    return frozenset(found)
