"""What is done to the jobs of studies beside applying them: stop, share, delete, adopt; and drift."""

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from doe_compiler.apply.cleaning import withdrawn
from doe_compiler.apply.looking import Look, looked
from doe_compiler.apply.order import Order
from doe_compiler.apply.writing import Writer, draft_of
from doe_compiler.bundle.mark import RECIPE_DIGITS, Mark, marked_name, nonce_of, read_mark, title_of
from doe_compiler.bundle.observation import Holding, Phase, SeenJob
from doe_compiler.bundle.rows import RowSet, row_set
from doe_compiler.bundle.wanted import Wanted
from doe_compiler.client.client import Client, Job
from doe_compiler.client.errors import NotFound
from doe_compiler.kernel.errors import PreconditionFailed, WrongUsage
from doe_compiler.observe.drafts import differences
from doe_compiler.observe.listing import copies, created_at, marked_jobs
from doe_compiler.observe.looking import Eye
from doe_compiler.observe.rows import job_keys
from doe_compiler.pipeline.desk import Desk
from doe_compiler.plan.account import Account
from doe_compiler.plan.memory import Answer, Times

_STOP_LOOKS = 30
_END_LOOKS = 50
_LOOKS_A_SECOND = 5
_OF_THE_ROWS = ("paramFile", "expectedRuns", "jobanalyses[0].envVars.DOE_ROWS")


def jobs_of(client: Client, account: str, studies: Sequence[str] | None) -> tuple[SeenJob, ...]:
    """An account's jobs of some studies, or of all (None), oldest first in each; no clones that people made."""
    found: list[SeenJob] = []
    for study, jobs in sorted(marked_jobs(client, account).items()):
        if studies is None or study in studies:
            copied = copies(jobs)
            found += [job for job in jobs if job.id not in copied]
    return tuple(found)


def running(jobs: Sequence[SeenJob]) -> tuple[SeenJob, ...]:
    """Those that were submitted and have not ended; one of an unknown status may run."""
    return tuple(job for job in jobs if job.phase in {Phase.SUBMITTED, Phase.UNKNOWN})


def left_behind(
    jobs: Sequence[SeenJob], client: Client, times: Times, older_than_s: float = 0.0
) -> tuple[SeenJob, ...]:
    """The drafts that no living applier submits any more, of at least an age; none if the server tells no time."""
    now = client.server_time()
    if now is None:
        return ()
    age = timedelta(seconds=max(times.dead, older_than_s))
    return tuple(job for job in jobs if job.is_draft and now - created_at(job) >= age)


def deleted(writer: Writer, jobs: Sequence[SeenJob]) -> list[SeenJob]:
    """Delete jobs, stopping first what runs; those that could not be deleted now."""
    for job in running(jobs):
        writer.stop(draft_of(job))
    return [job for job in jobs if not _removed(writer, job)]


def _removed(writer: Writer, job: SeenJob) -> bool:
    """Delete a job, a submitted one when its cluster has stopped; False if it did not in time."""
    if job.is_draft:
        return withdrawn(writer, job)
    for _ in range(_STOP_LOOKS):
        try:
            latest = next(iter(writer.client.cluster_statuses(job.id)), None)
        except NotFound:
            return True
        if latest is not None and latest.status == "Stopped":
            break
        writer.conduct.sleep(1.0)
    return writer.delete(draft_of(job), None).answer in {Answer.DONE, Answer.GONE}


def still_stopping(writer: Writer, jobs: Sequence[SeenJob]) -> tuple[SeenJob, ...]:
    """Those jobs that have not ended some seconds after their stop."""
    left = tuple(jobs)
    for _ in range(_END_LOOKS):
        left = tuple(job for job in left if not _has_ended(writer, job))
        if not left:
            break
        writer.conduct.sleep(1.0 / _LOOKS_A_SECOND)
    return left


def _has_ended(writer: Writer, job: SeenJob) -> bool:
    try:
        latest = next(iter(writer.client.statuses(job.id)), None)
    except NotFound:
        return True
    return latest is not None and latest.status == "Completed"


def unshared(jobs: Sequence[SeenJob], email: str) -> tuple[SeenJob, ...]:
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
    DOUBLE = "double"
    UNKNOWN = "unknown-status"


@dataclass(frozen=True, slots=True)
class Drifted:
    """One job of which something is not as an apply has left it; `what` in words."""

    drift: Drift
    study: str
    job_id: str
    name: str
    what: str


def drifted(eye: Eye, orders: Sequence[Order], at: Desk) -> Iterator[Drifted]:
    """How the jobs of studies differ from what was applied; reads only.

    What was renamed or deleted is known of jobs that were submitted from this checkout.
    """
    plain = [replace(order, remembered=dict) for order in orders]
    for order, look in zip(orders, looked(eye, plain), strict=True):
        study = order.wanted.study
        yield from _remembered(eye.client, study, look, at.submitted(study))
        yield from _shown(eye.client, order, look)


def _remembered(client: Client, study: str, look: Look, names: Mapping[str, str]) -> Iterator[Drifted]:
    shown = {job.id: job for job in look.seen.jobs}
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


def _shown(client: Client, order: Order, look: Look) -> Iterator[Drifted]:
    study, seen = order.wanted.study, look.seen
    account = Account(order.wanted.keys, seen, look.memory)
    for holding in account.holdings:
        job, ended = holding.job, len(holding.lost)
        if not look.memory.is_submitted(holding):
            fields = _edits(client, order, account, holding)
            if fields:
                yield Drifted(
                    Drift.EDITED, study, job.id, job.name, f"a draft with another {', '.join(fields)}"
                )
        elif job.phase is Phase.UNKNOWN:
            yield Drifted(Drift.UNKNOWN, study, job.id, job.name, f"its status is {job.status!r}")
        elif ended:
            held = 0 if holding.keys is None else len(holding.keys)
            text = f"it ended before {ended} of its {held} runs were completed"
            yield Drifted(Drift.STOPPED, study, job.id, job.name, text)
    names = {job.id: job.name for job in seen.jobs}
    for double in account.doubles():
        last = double.jobs[-1]
        text = f"{double.rows} of its rows stand in {', '.join(double.jobs[:-1])} too; keep {double.jobs[0]}"
        yield Drifted(Drift.DOUBLE, study, last, names[last], text)
    for job in seen.copies:
        yield Drifted(Drift.CLONED, study, job.id, job.name, "a person's clone of a job of this study")


def _edits(client: Client, order: Order, account: Account, holding: Holding) -> tuple[str, ...]:
    """The fields in which a draft that holds rows of the design differs from what the study would create."""
    indices = account.indices_of(holding)
    if indices is None:
        return ()
    ready = order.wanted.job(indices)
    files = [*order.wanted.files, *ready.files]
    names = {file.reference: (file.name, file.size) for file in files}
    try:
        return differences(client.job(holding.job.id).raw, ready.payload, names)
    except NotFound:
        return ()


def adopted_name(client: Client, job_id: str, orders: Sequence[Order], at: Desk, chance: int) -> str:
    """The name under which a submitted job counts as one of its study.

    A job that was submitted from here gets the name back that it had. Any other must be what its study would create
    now, for rows of its design: then it gets a mark of its own, whose nonce begins with the job's own creation.
    Raises PreconditionFailed if it is not, or is a draft, which would have no maker and be deleted; WrongUsage if
    nobody knows its study.
    """
    job = client.job(job_id)
    remembered = at.submitted().get(job_id)
    if remembered is not None:
        return remembered
    if not client.statuses(job_id):
        raise PreconditionFailed(
            f"job {job_id} is a draft, which nobody would submit and the next apply would delete",
            hint="submit it first, or let doe apply run its rows",
        )
    study = job.environment.get("DOE_STUDY")
    if study is None:
        raise PreconditionFailed(
            f"job {job_id} was not made by doe", hint=f"doe import {job_id} writes a study from it"
        )
    wanted = next((order.wanted for order in orders if order.wanted.study == study), None)
    if wanted is None:
        raise WrongUsage(f"job {job_id} is of study '{study}', which is not here", hint="name its file")
    mark = read_mark(job.name)
    if job.date_inserted is None:
        raise PreconditionFailed(f"the platform does not tell when job {job_id} was created")
    nonce = nonce_of(job.date_inserted.timestamp(), chance)
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
    ready = wanted.job(tuple(indices))
    files = {file.reference: (file.name, file.size) for file in (*wanted.files, *ready.own)}
    changed = [
        field for field in differences(job.raw, ready.payload, files) if not field.startswith(_OF_THE_ROWS)
    ]
    if changed:
        raise PreconditionFailed(
            f"job {job.id} is not what study '{wanted.study}' would create now: another {', '.join(changed)}",
            hint="check out the version of the study that made it, or let doe apply run its rows",
        )
    return Mark(wanted.study, wanted.recipe[:RECIPE_DIGITS], rows, wanted.unit, generation, nonce)
