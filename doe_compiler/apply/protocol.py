"""The apply protocol: look, draft, settle, look again, submit, verify.

A submit is the only call that costs; a draft costs nothing. So drafts are made freely, and only a draft that
a second look shows to be without an earlier rival is submitted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from doe_compiler.actual.jobs import ActualJob, held_rows, of_recipe, study_jobs
from doe_compiler.apply.upload import uploaded
from doe_compiler.bundle.mark import RECIPE_DIGITS, Mark, marked_name
from doe_compiler.bundle.pack import Bundle, Job, parameter_file
from doe_compiler.bundle.payload import with_ids
from doe_compiler.bundle.rows import Keys, design_keys
from doe_compiler.client.client import Client
from doe_compiler.client.errors import Ambiguous, NotFound, Refused
from doe_compiler.kernel.errors import DoubleSubmit, TryAgain
from doe_compiler.plan.decide import Action, Decision, Kind, Standing, decided, decided_unit
from doe_compiler.plan.rivals import doubled, losing_drafts, losing_units

_ROUNDS = 8
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Patience:
    """Time as the protocol sees it: seconds to settle, a sleep, and a source of nonces."""

    settle_s: float
    sleep: Callable[[float], None]
    nonce: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at the platform found, and what it means for the study."""

    decision: Decision
    jobs: tuple[ActualJob, ...]
    standing: tuple[Standing, ...]
    keys: Keys


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof of one carried-out action."""

    kind: Kind
    job_id: str
    name: str
    runs: int | None


@dataclass(slots=True)
class _Round:
    """The drafts that this apply made or adopted in one round, by job id."""

    drafts: dict[str, Mark] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)


Tell = Callable[[str], None]


def look(client: Client, bundle: Bundle) -> Look:
    """What there is of the study and what is to be done about it; reads only."""
    jobs = study_jobs(client, bundle.spec.study)
    same = of_recipe(jobs, bundle.recipe)
    older = [job for job in jobs if job not in same]
    if bundle.design is None:
        unit = bundle.jobs(None)[0].unit() or ""
        return Look(decided_unit(unit, same, older), jobs, (), np.zeros(0, np.uint64))
    desired = design_keys(bundle.design)
    standing, tried = [], []
    for job in same:
        held = held_rows(client, job, bundle.design.varied, desired)
        keys = held.standing(client)
        standing.append(Standing(job, keys))
        if len(keys) < len(held.keys):
            tried.append(_without(held.keys, keys))
    return Look(decided(desired, standing, older, tried), jobs, tuple(standing), desired)


def _without(keys: Keys, completed: Keys) -> Keys:
    left = keys.tolist()
    for key in completed.tolist():
        left.remove(key)
    return np.asarray(left, dtype=np.uint64)


def carried_out(client: Client, bundle: Bundle, first: Look, patience: Patience, tell: Tell) -> list[Receipt]:
    """Do what a look decided, looking again before every submit; receipts of what was done.

    Raises TryAgain if other appliers kept winning, DoubleSubmit if a row was submitted twice.
    """
    receipts: list[Receipt] = []
    current = first
    for _ in range(_ROUNDS):
        if current.decision.is_empty:
            break
        made = _drafted(client, bundle, current, patience, receipts)
        if made.drafts:
            if patience.settle_s:
                tell(f"waiting {patience.settle_s:g} s before the second look")
                patience.sleep(patience.settle_s)
            second = look(client, bundle)
            losers = _losers(made, second)
            for job_id in losers:
                _withdraw(client, job_id)
            winners = [job_id for job_id in made.drafts if job_id not in losers]
            for job_id in winners:
                if _submitted(client, job_id, patience):
                    receipts.append(
                        Receipt(Kind.SUBMIT, job_id, made.names[job_id], _count(made.drafts[job_id]))
                    )
                    tell(f"submitted {job_id}: {made.names[job_id]}")
        current = look(client, bundle)
    else:
        raise TryAgain(
            "other appliers of this study were faster every time", hint="run the same command again"
        )
    _verify(current, frozenset(receipt.job_id for receipt in receipts if receipt.kind is Kind.SUBMIT))
    return receipts


def _count(mark: Mark) -> int | None:
    return mark.rows.count if mark.rows else None


def _drafted(
    client: Client, bundle: Bundle, current: Look, patience: Patience, receipts: list[Receipt]
) -> _Round:
    made = _Round()
    by_id = {job.id: job for job in current.jobs}
    files: dict[str, str] | None = None
    for action in current.decision.actions:
        match action.kind:
            case Kind.DELETE:
                assert action.job_id is not None
                _withdraw(client, action.job_id)
                receipts.append(Receipt(Kind.DELETE, action.job_id, by_id[action.job_id].name, action.runs))
            case Kind.SUBMIT:
                assert action.job_id is not None
                made.drafts[action.job_id] = by_id[action.job_id].mark
                made.names[action.job_id] = by_id[action.job_id].name
            case Kind.CREATE:
                if files is None:
                    files = uploaded(client, bundle.files)
                for job in _jobs_of(bundle, action):
                    job_id, name, mark = _created(client, bundle, job, action.generation, files, patience)
                    made.drafts[job_id] = mark
                    made.names[job_id] = name
                    receipts.append(Receipt(Kind.CREATE, job_id, name, job.runs))
    return made


def _jobs_of(bundle: Bundle, action: Action) -> Sequence[Job]:
    if bundle.design is None:
        return bundle.jobs(None)
    return bundle.jobs(
        bundle.design if len(action.rows) == bundle.design.n else bundle.design.take(action.rows)
    )


def _created(
    client: Client, bundle: Bundle, job: Job, generation: int, files: dict[str, str], patience: Patience
) -> tuple[str, str, Mark]:
    """Create a draft; after an ambiguous answer look for the nonce before another POST under a new one."""
    parameters = parameter_file(job)
    ids = files if parameters is None else files | uploaded(client, [parameters])
    rows, unit = job.rows, job.unit()
    for _ in range(_TRIES):
        mark = Mark(
            bundle.spec.study, bundle.recipe[:RECIPE_DIGITS], rows, unit, generation, patience.nonce()
        )
        name = marked_name(job.title, mark)
        payload = job.payload(bundle, name=name, parameter_sha256=parameters.sha256 if parameters else None)
        try:
            return client.create_job(with_ids(payload, ids)).id, name, mark
        except Ambiguous:
            patience.sleep(patience.settle_s)
            landed = [
                found for found in study_jobs(client, bundle.spec.study) if found.mark.nonce == mark.nonce
            ]
            if landed:
                return landed[0].id, landed[0].name, mark
    raise TryAgain(
        "the platform did not answer whether the job was created", hint="run the same command again"
    )


def _losers(made: _Round, second: Look) -> frozenset[str]:
    mine = tuple(made.drafts)
    if second.decision.runs_wanted is not None:
        return losing_drafts(second.keys, second.standing, mine)
    units = {mark.unit for mark in made.drafts.values()}
    return losing_units([job for job in second.jobs if job.mark.unit in units], mine)


def _withdraw(client: Client, job_id: str) -> None:
    """Delete a draft; one that is gone, or that another applier submitted meanwhile, is left as it is."""
    try:
        client.delete(job_id)
    except (NotFound, Refused, Ambiguous):
        return


def _submitted(client: Client, job_id: str, patience: Patience) -> bool:
    """Submit a draft; False if it is gone. After a lost answer only an empty history allows a repeat."""
    for _ in range(_TRIES):
        try:
            client.submit(job_id)
        except NotFound:
            return False
        except Refused:
            if client.statuses(job_id):
                return True
            raise
        except Ambiguous:
            patience.sleep(patience.settle_s)
            if client.statuses(job_id):
                return True
            continue
        return True
    raise TryAgain(
        f"the platform did not answer whether job {job_id} was submitted", hint="run the same command again"
    )


def _verify(final: Look, mine: frozenset[str]) -> None:
    submitted = [entry for entry in final.standing if not entry.job.is_draft]
    conflicts = doubled(final.keys, submitted, mine)
    if conflicts:
        raise DoubleSubmit(
            f"rows were submitted twice, by the jobs {', '.join(conflicts)}",
            hint="stop all but one of them",
        )
