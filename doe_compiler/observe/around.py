"""What looking closer at the jobs of a study shows: what was paid before, who sees them, where they come from."""

from collections.abc import Iterable, Sequence
from contextlib import suppress

from doe_compiler.bundle.observation import SeenJob, by_age
from doe_compiler.bundle.wanted import Wanted
from doe_compiler.client.client import Client, Job
from doe_compiler.client.errors import NotFound
from doe_compiler.kernel.errors import DoeError
from doe_compiler.observe.known import KnownJobs
from doe_compiler.observe.looking import Subject, held_keys
from doe_compiler.observe.recipes import distance, recipe_changes

_MOST_RECIPES = 5


def paid_rows(client: Client, subject: Subject, older: Iterable[SeenJob], known: KnownJobs) -> frozenset[int]:
    """The rows that jobs of older recipes were submitted with; those whose marks do not tell are read."""
    paid: set[int] = set()
    for job in older:
        if not job.is_draft and job.mark.rows is not None:
            with suppress(DoeError):  # a job that cannot be read is no reason not to plan
                paid.update(held_keys(client, subject, job, known).tolist())
    return frozenset(paid)


def unshared_jobs(wanted: Wanted, jobs: Iterable[SeenJob]) -> dict[str, tuple[str, ...]]:
    """By job, the people whom the study shares its jobs with and who do not see it yet."""
    found = {}
    for job in jobs:
        seen_by = {email.casefold() for email in job.shared_with}
        emails = tuple(share.email for share in wanted.share if share.email.casefold() not in seen_by)
        if emails and not job.is_draft:
            found[job.id] = emails
    return found


def jobs_from(client: Client, origin: str, jobs: Iterable[SeenJob]) -> frozenset[str]:
    """The jobs that were applied from one repository, path and branch; each is read."""
    found = set()
    for job in jobs:
        try:
            if client.job(job.id).environment.get("DOE_ORIGIN") == origin:
                found.add(job.id)
        except NotFound:
            continue
    return frozenset(found)


def changes_since(client: Client, wanted: Wanted, older: Sequence[SeenJob]) -> tuple[str, ...]:
    """What tells the study from the older recipe that is nearest to it, part by part; files line by line.

    Of the latest recipes; of equally near ones the latest.
    """
    submitted = sorted((job for job in older if not job.is_draft), key=by_age)
    newest = {job.mark.recipe: job for job in submitted}
    found: list[Job] = []
    for job in sorted(newest.values(), key=by_age, reverse=True)[:_MOST_RECIPES]:
        with suppress(NotFound):
            found.append(client.job(job.id))
    if not found:
        return ()
    try:
        return recipe_changes(client, min(found, key=lambda job: distance(job, wanted)), wanted)
    except NotFound:
        return ()
