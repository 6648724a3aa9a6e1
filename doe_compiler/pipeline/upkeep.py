"""What is done to the jobs of studies beside applying them: stop, share, delete, adopt; and drift."""

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from doe_compiler.actual.drafts import differences
from doe_compiler.actual.jobs import ActualJob, Findings, Phase, clones, job_keys, marked_jobs
from doe_compiler.apply.conduct import Step
from doe_compiler.apply.looking import Look, Order, looked
from doe_compiler.apply.writing import Writer
from doe_compiler.bundle.mark import RECIPE_DIGITS, Mark, marked_name, read_mark, title_of
from doe_compiler.bundle.rows import RowSet, row_set
from doe_compiler.bundle.wanted import Wanted
from doe_compiler.client.client import Client, Job
from doe_compiler.client.errors import NotFound
from doe_compiler.kernel.errors import PreconditionFailed, WrongUsage
from doe_compiler.pipeline.receipts import Receipts

_OF_THE_ROWS = ("paramFile", "expectedRuns", "jobanalyses[0].envVars.DOE_ROWS")


def jobs_of(client: Client, studies: Sequence[str] | None) -> tuple[ActualJob, ...]:
    """The jobs of some studies, or of all (None), oldest first in each; a person's clones are not among them."""
    found: list[ActualJob] = []
    for study, jobs in sorted(marked_jobs(client).items()):
        if studies is None or study in studies:
            copies = clones(jobs)
            found += [job for job in jobs if job.id not in copies]
    return tuple(found)


def running(jobs: Sequence[ActualJob]) -> tuple[ActualJob, ...]:
    """Those that were submitted and have not ended; one of an unknown status may run."""
    return tuple(job for job in jobs if job.phase in {Phase.SUBMITTED, Phase.UNKNOWN})


def old_drafts(jobs: Sequence[ActualJob], now: datetime, older_than: timedelta) -> tuple[ActualJob, ...]:
    """The drafts of at least an age."""
    return tuple(job for job in jobs if job.is_draft and now - job.created >= older_than)


def deleted(writer: Writer, jobs: Sequence[ActualJob]) -> list[ActualJob]:
    """Delete jobs, stopping first what runs; those that could not be deleted now."""
    for job in running(jobs):
        writer.stopped(job)
    return [job for job in jobs if not writer.removed(job)]


def unshared(jobs: Sequence[ActualJob], email: str) -> tuple[ActualJob, ...]:
    """The submitted jobs that a person does not see yet."""
    wanted = email.casefold()
    return tuple(
        job
        for job in jobs
        if not job.is_draft and wanted not in {known.casefold() for known in job.shared_with}
    )


class Drift(enum.Enum):
    """What happened to a job behind the study's back; the value is the code for machines."""

    RENAMED = "renamed"
    UNMARKED = "mark-lost"
    DELETED = "deleted"
    EDITED = "edited"
    STOPPED = "stopped"
    CLONED = "clone"
    UNKNOWN = "unknown-status"


@dataclass(frozen=True, slots=True)
class Drifted:
    """One job of which something is not as an apply has left it; `what` in words."""

    drift: Drift
    study: str
    job_id: str
    name: str
    what: str


def drifted(
    client: Client, orders: Sequence[Order], receipts: Receipts, findings: Findings
) -> Iterator[Drifted]:
    """How the jobs of studies differ from what was applied; reads only.

    What was renamed or deleted is known of jobs that were submitted from this checkout.
    """
    for order, look in zip(orders, looked(client, orders, findings), strict=True):
        study = order.wanted.study
        yield from _remembered(client, study, look, receipts.submitted(study))
        yield from _shown(study, look)


def _remembered(client: Client, study: str, look: Look, names: Mapping[str, str]) -> Iterator[Drifted]:
    shown = {job.id: job for job in look.jobs}
    for job_id, name in sorted(names.items()):
        try:
            now = shown[job_id].name if job_id in shown else client.job(job_id).name
        except NotFound:
            yield Drifted(Drift.DELETED, study, job_id, name, "it was submitted and is gone")
            continue
        if read_mark(now) is None:
            yield Drifted(Drift.UNMARKED, study, job_id, name, f"it is now called {now!r}, without its mark")
        elif now != name:
            yield Drifted(Drift.RENAMED, study, job_id, name, f"it is now called {now!r}")


def _shown(study: str, look: Look) -> Iterator[Drifted]:
    existing = look.existing
    for job_id, fields in sorted(existing.edited.items()):
        if fields:
            name = look.job(job_id).name
            yield Drifted(Drift.EDITED, study, job_id, name, f"a draft with another {', '.join(fields)}")
    for holding in existing.submitted:
        job, ended = holding.job, len(holding.keys) - len(holding.stands)
        if job.phase is Phase.UNKNOWN:
            yield Drifted(Drift.UNKNOWN, study, job.id, job.name, f"its status is {job.status!r}")
        elif ended:
            text = f"it ended before {ended} of its {len(holding.keys)} runs were completed"
            yield Drifted(Drift.STOPPED, study, job.id, job.name, text)
    for job in {job.id: job for job in [*existing.clones, *(each.job for each in existing.copied)]}.values():
        yield Drifted(Drift.CLONED, study, job.id, job.name, "a person's clone of a job of this study")


def forgotten(receipts: Receipts, job_id: str) -> Step:
    """No longer miss a job that was submitted from here and that people have deleted."""
    name = receipts.name_of(job_id)
    mark = None if name is None else read_mark(name)
    if name is None or mark is None:
        raise WrongUsage(
            f"no job {job_id} is remembered here", hint=f"'{receipts.path}' has what was submitted from here"
        )
    step = Step("forget", mark.study, job_id, name, recipe=mark.recipe, answer="done")
    receipts.add(step)
    return step


def adopted_name(client: Client, job_id: str, orders: Sequence[Order], receipts: Receipts, nonce: str) -> str:
    """The name under which a job counts as one of its study.

    A job that was submitted from here gets the name back that it had. Any other must be what its study
    would create now, for rows of its design: then it gets a mark of its own. Raises PreconditionFailed if it
    is not, WrongUsage if nobody knows its study.
    """
    job = client.job(job_id)
    remembered = receipts.name_of(job_id)
    if remembered is not None:
        return remembered
    study = job.environment.get("DOE_STUDY")
    if study is None:
        raise PreconditionFailed(
            f"job {job_id} was not made by doe", hint=f"doe import {job_id} writes a study from it"
        )
    wanted = next((order.wanted for order in orders if order.wanted.study == study), None)
    if wanted is None:
        raise WrongUsage(f"job {job_id} is of study '{study}', which is not here", hint="name its file")
    mark = read_mark(job.name)
    return marked_name(
        title_of(job.name) or study, _mark_of(client, job, wanted, mark.generation if mark else 0, nonce)
    )


def _mark_of(client: Client, job: Job, wanted: Wanted, generation: int, nonce: str) -> Mark:
    """The mark of a job that is what the study would create for the rows that its CSV has."""
    rows: RowSet | None = None
    indices: list[int] = []
    if wanted.unit is None:
        keys = job_keys(client, job, wanted.varied)
        places: dict[int, list[int]] = {}
        for index, key in enumerate(wanted.keys.tolist()):
            places.setdefault(key, []).append(index)
        for key in keys.tolist():
            if not places.get(key):
                raise PreconditionFailed(
                    f"job {job.id} holds rows that study '{wanted.study}' does not want",
                    hint="check out the version of the study that made it",
                )
            indices.append(places[key].pop(0))
        rows = row_set(keys)
    files = {file.reference: (file.name, file.size) for file in wanted.files}
    changed = [
        field
        for ready in list(wanted.ready(tuple(indices)))[:1]
        for field in differences(job.raw, ready.payload, files)
        if not field.startswith(_OF_THE_ROWS)
    ]
    if changed:
        raise PreconditionFailed(
            f"job {job.id} is not what study '{wanted.study}' would create now: another {', '.join(changed)}",
            hint="check out the version of the study that made it, or let doe apply run its rows",
        )
    return Mark(wanted.study, wanted.recipe[:RECIPE_DIGITS], rows, wanted.unit, generation, nonce)
