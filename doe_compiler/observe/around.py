"""What looking closer at the jobs of a study shows: what was paid before, who sees them, where they come from."""

from collections.abc import Iterable, Sequence

from doe_compiler.bundle.observation import SeenJob, by_age
from doe_compiler.bundle.wanted import Wanted
from doe_compiler.client.client import Client
from doe_compiler.client.errors import NotFound
from doe_compiler.observe.recipes import recipe_changes
from doe_compiler.observe.rows import Ranges


def paid_rows(ranges: Ranges, older: Iterable[SeenJob]) -> frozenset[int]:
    """The rows that jobs of older recipes were submitted with, as far as their marks tell."""
    paid: set[int] = set()
    for job in older:
        found = None if job.is_draft or job.mark.rows is None else ranges.find(job.mark.rows)
        if found is not None:
            paid.update(found.tolist())
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
    """What tells the newest job of an older recipe from the study, part by part; files line by line."""
    submitted = sorted((job for job in older if not job.is_draft), key=by_age)
    if not submitted:
        return ()
    try:
        return recipe_changes(client, client.job(submitted[-1].id), wanted)
    except NotFound:
        return ()
