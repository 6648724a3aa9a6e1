"""Look at the platform: what there is of the studies, and what is to be done about it; reads only."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from doe_compiler.actual.drafts import differences
from doe_compiler.actual.jobs import (
    ActualJob,
    Findings,
    Holding,
    Phase,
    by_age,
    clones,
    marked_jobs,
    of_recipe,
)
from doe_compiler.actual.recipes import recipe_changes
from doe_compiler.bundle.mark import read_mark
from doe_compiler.bundle.rows import Keys, contiguous_ranges
from doe_compiler.bundle.wanted import ReadyJob, Wanted
from doe_compiler.client.client import Client
from doe_compiler.client.errors import NotFound
from doe_compiler.kernel.errors import PreconditionFailed, TryAgain
from doe_compiler.plan.action import ADOPTING, CREATING, Decision, Why
from doe_compiler.plan.decide import NO_WISHES, Existing, Wishes, decided, decided_unit

FailedRuns = Callable[[ActualJob], frozenset[int]]


def _none_failed(_job: ActualJob) -> frozenset[int]:
    return frozenset()


@dataclass(frozen=True, slots=True)
class Order:
    """A study to be planned or applied.

    `origin` tells the repository and path that it is applied from; `failed_runs` the numbers of the runs of
    a job that are to be tried again; `remembered` the jobs (id to name) that are known to have been submitted.
    """

    wanted: Wanted
    wishes: Wishes = NO_WISHES
    origin: str = ""
    failed_runs: FailedRuns = _none_failed
    remembered: Callable[[], Mapping[str, str]] = dict


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found of a study, and what it means for it."""

    decision: Decision
    existing: Existing
    jobs: tuple[ActualJob, ...]
    unit_jobs: tuple[ActualJob, ...] = ()

    def job(self, job_id: str) -> ActualJob:
        """A job that the look has shown."""
        return next(job for job in self.jobs if job.id == job_id)


def looked(
    client: Client, orders: Sequence[Order], findings: Findings, own: frozenset[str] = frozenset()
) -> tuple[Look, ...]:
    """A look a study, from one reading of the list; `own` are drafts that need no second reading.

    Raises PreconditionFailed if a job that was submitted is gone, TryAgain if the list does not show it yet.
    """
    listed = marked_jobs(client)
    return tuple(
        _looked(client, order, listed.get(order.wanted.study, ()), findings, own) for order in orders
    )


def _looked(
    client: Client, order: Order, jobs: tuple[ActualJob, ...], findings: Findings, own: frozenset[str]
) -> Look:
    wanted = order.wanted
    _check_remembered(client, order, jobs)
    copies = clones(jobs)
    same = of_recipe(jobs, wanted.recipe)
    older = tuple(job for job in jobs if job not in same and job.id not in copies)
    unit_jobs: tuple[ActualJob, ...] = ()
    holdings: list[Holding] = []
    copied: list[Holding] = []
    gone: set[str] = set()
    if wanted.unit is not None:
        unit_jobs = tuple(
            job for job in same if job.mark.unit == wanted.unit and not (job.is_draft and job.id in copies)
        )
        older = tuple(
            job for job in jobs if job.id not in copies and (job not in same or job.mark.unit != wanted.unit)
        )
    else:
        for job in same:
            if job.is_draft and job.id in copies:
                continue
            try:
                holding = _holding(client, order, job, findings)
            except NotFound:
                gone.add(job.id)
                continue
            (copied if job.id in copies else holdings).append(holding)
    existing = Existing(
        holdings=tuple(holdings),
        copied=tuple(copied),
        clones=tuple(job for job in jobs if job.id in copies and job.phase is not Phase.FINISHED),
        older=older,
        paid=_paid(wanted.keys, older),
        unshared=_unshared(wanted, unit_jobs or tuple(holding.job for holding in holdings)),
        prunable=_prunable(client, order, jobs) if order.wishes.prune else frozenset(),
    )
    decision = _decided(order, existing, unit_jobs)
    jobs = tuple(job for job in jobs if job.id not in gone)
    explained = _explained(client, wanted, existing, decision, own)
    if explained is not existing:
        decision = _decided(order, explained, unit_jobs)
    return Look(decision, explained, jobs, unit_jobs)


def _decided(order: Order, existing: Existing, unit_jobs: tuple[ActualJob, ...]) -> Decision:
    if order.wanted.unit is not None:
        return decided_unit(unit_jobs, existing, order.wishes)
    return decided(order.wanted.keys, existing, order.wishes)


def _holding(client: Client, order: Order, job: ActualJob, findings: Findings) -> Holding:
    keys = findings.keys(client, job, order.wanted.varied, order.wanted.keys, order.wanted.texts)
    if job.is_draft:
        return Holding(job, keys, keys)
    stands = findings.standing(client, job, keys)
    failed = order.failed_runs(job) if order.wishes.retry_failed else frozenset()
    if not failed:
        return Holding(job, keys, stands)
    numbers = sorted(number for number in failed if number <= len(keys))
    retried = keys[[number - 1 for number in numbers]]
    left = stands.tolist()
    for key in retried.tolist():
        if key in left:
            left.remove(key)
    return Holding(job, keys, np.asarray(left, np.uint64), retried)


def _check_remembered(client: Client, order: Order, jobs: Sequence[ActualJob]) -> None:
    shown = {job.id for job in jobs}
    for job_id, name in sorted(order.remembered().items()):
        if job_id in shown:
            continue
        try:
            found = client.job(job_id)
        except NotFound as error:
            raise PreconditionFailed(
                f"job {job_id} of study '{order.wanted.study}' was submitted and is gone: {name}",
                hint=f"if it was deleted on purpose: doe adopt --forget {job_id}",
            ) from error
        mark = read_mark(found.name)
        if mark is None or mark.study != order.wanted.study:
            raise PreconditionFailed(
                f"job {job_id} was submitted for study '{order.wanted.study}' and has lost its mark: "
                f"it is now called {found.name!r}",
                hint=f"doe adopt {job_id} gives it its name back",
            )
        raise TryAgain(
            f"the list of jobs does not show job {job_id}, which exists", hint="run the same command again"
        )


def _paid(desired: Keys, older: Sequence[ActualJob]) -> frozenset[int]:
    """The rows that jobs of older recipes were submitted with, as far as their marks tell."""
    paid: set[int] = set()
    for job in older:
        if job.is_draft or job.mark.rows is None:
            continue
        starts = contiguous_ranges(desired, job.mark.rows)
        if starts:
            paid.update(desired[starts[0] : starts[0] + job.mark.rows.count].tolist())
    return frozenset(paid)


def _unshared(wanted: Wanted, jobs: Sequence[ActualJob]) -> dict[str, tuple[str, ...]]:
    found = {}
    for job in jobs:
        seen_by = {email.casefold() for email in job.shared_with}
        emails = tuple(share.email for share in wanted.share if share.email.casefold() not in seen_by)
        if emails and not job.is_draft:
            found[job.id] = emails
    return found


def _prunable(client: Client, order: Order, jobs: Sequence[ActualJob]) -> frozenset[str]:
    """The jobs that were applied from the same repository and path."""
    return frozenset(
        job.id for job in jobs if client.job(job.id).environment.get("DOE_ORIGIN") == order.origin
    )


def _explained(
    client: Client, wanted: Wanted, existing: Existing, decision: Decision, own: frozenset[str]
) -> Existing:
    """The same, with what changed in the recipe and in drafts, where the decision needs it."""
    explained = existing
    if any(action.reason.why is Why.RECIPE_CHANGED for action in decision.of(*CREATING)):
        explained = replace(explained, changes=_changes(client, wanted, existing.older))
    edited = {}
    for action in decision.of(*ADOPTING):
        assert action.job_id is not None
        if action.job_id not in own:
            edited[action.job_id] = _edits(
                client, action.job_id, next(iter(wanted.ready(action.rows))), wanted
            )
    if any(edited.values()):
        explained = replace(explained, edited=edited)
    return explained


def _edits(client: Client, job_id: str, ready: ReadyJob, wanted: Wanted) -> tuple[str, ...]:
    files = [*wanted.files, *([ready.parameters] if ready.parameters else [])]
    try:
        draft = client.job(job_id)
    except NotFound:
        return ()
    return differences(draft.raw, ready.payload, {file.reference: (file.name, file.size) for file in files})


def _changes(client: Client, wanted: Wanted, older: Sequence[ActualJob]) -> tuple[str, ...]:
    """What tells the newest job of an older recipe from the study, part by part; files line by line."""
    submitted = sorted((job for job in older if not job.is_draft), key=by_age)
    if not submitted:
        return ()
    try:
        return recipe_changes(client, client.job(submitted[-1].id), wanted)
    except NotFound:
        return ()
