"""The apply protocol: look, draft, settle, look again, submit, verify; any number of studies at once.

A submit is the only call that costs; a draft costs nothing. So drafts are made freely, and only a draft that
a second look shows to be without an earlier rival is submitted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from doe_compiler.actual.jobs import ActualJob, Findings
from doe_compiler.apply.conduct import Conduct, Step
from doe_compiler.apply.looking import Look, Order, looked
from doe_compiler.apply.upload import uploaded
from doe_compiler.apply.writing import Writer
from doe_compiler.bundle.mark import Mark, read_mark
from doe_compiler.bundle.wanted import ReadyJob
from doe_compiler.client.client import Client
from doe_compiler.kernel.errors import DoubleSubmit, TryAgain
from doe_compiler.plan.action import ADOPTING, CREATING, Action, Kind, Why
from doe_compiler.plan.ledger import ledger
from doe_compiler.plan.rivals import losing_drafts, losing_units

_ROUNDS = 8
_JITTER_BY_ROUND = 0.25

Check = Callable[[Sequence[Look]], None]


@dataclass(slots=True)
class _Work:
    """What one apply knows beyond its looks: since when it has seen which draft, what it made and stopped."""

    client: Client
    orders: Sequence[Order]
    findings: Findings
    writer: Writer
    seen_at: dict[str, float] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)
    repaired: set[tuple[str, tuple[int, ...]]] = field(default_factory=set)
    shared: set[tuple[str, str]] = field(default_factory=set)
    doubles: dict[str, tuple[str, ...]] = field(default_factory=dict)
    receipts: list[Step] = field(default_factory=list)
    files: dict[int, Mapping[str, str]] = field(default_factory=dict)

    @property
    def conduct(self) -> Conduct:
        return self.writer.conduct

    def look(self) -> tuple[Look, ...]:
        looks = looked(self.client, self.orders, self.findings, frozenset(self.own))
        self.note(looks)
        return looks

    def note(self, looks: Sequence[Look]) -> None:
        now = self.conduct.monotonic()
        for look in looks:
            for job in look.jobs:
                if job.is_draft:
                    self.seen_at.setdefault(job.id, now)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A draft, own or found, that may be submitted after the second look."""

    order: int
    job_id: str
    name: str
    mark: Mark


def carried_out(
    client: Client,
    orders: Sequence[Order],
    first: Sequence[Look],
    conduct: Conduct,
    findings: Findings,
    check: Check | None = None,
) -> list[Step]:
    """Do what a look decided, looking again before every submit; what was done, step by step.

    `check` is called with every look before anything is done about it. Raises TryAgain if other appliers
    kept winning, DoubleSubmit if a row was submitted twice (then the later one was stopped).
    """
    work = _Work(client, orders, findings, Writer(client, conduct))
    work.note(first)
    current = tuple(first)
    for number in range(_ROUNDS):
        if check is not None:
            check(current)
        if not any(_is_work(work, action) for look in current for action in look.decision.actions):
            break
        if number:
            conduct.sleep(conduct.settle_s * _JITTER_BY_ROUND * number * conduct.chance())
        if _somebody_is_at_it(work, current):
            current = work.look()
            if check is not None:
                check(current)
        candidates = _drafted(work, current)
        if candidates:
            _submit_winners(work, candidates)
        current = work.look()
    else:
        raise TryAgain(
            "other appliers of this study were faster every time", hint="run the same command again"
        )
    if work.doubles:
        told = ", ".join(f"{job} after {' and '.join(by)}" for job, by in sorted(work.doubles.items()))
        raise DoubleSubmit(
            f"rows were submitted twice; the later job was stopped: {told}",
            hint="the settle time is too short for this platform: give a longer --settle",
        )
    return work.receipts


def _is_work(work: _Work, action: Action) -> bool:
    """Whether there is something to do that this apply has not done already."""
    match action.kind:
        case Kind.ATTENTION:
            return False
        case Kind.STOP:
            return (action.job_id or "", action.runs_to_stop) not in work.repaired
        case Kind.DELETE if action.reason.why is Why.NOT_WANTED:
            return (action.job_id or "", ()) not in work.repaired
        case Kind.SHARE:
            return any((action.job_id or "", email) not in work.shared for email in action.emails)
        case _:
            return True


def _somebody_is_at_it(work: _Work, looks: Sequence[Look]) -> bool:
    """Wait for the owners of drafts that are wanted only in part: they may be about to submit them."""
    young = [
        work.seen_at[action.job_id]
        for look in looks
        for action in look.decision.of(Kind.DELETE)
        if action.reason.why is Why.PARTLY_WANTED and action.job_id is not None
    ]
    return bool(young) and _waited(work, max(young), "a draft of another applier is wanted in part")


def _waited(work: _Work, since: float, why: str) -> bool:
    """Wait until the settle time since a moment has passed; False if it had."""
    conduct = work.conduct
    left = since + conduct.settle_s - conduct.monotonic()
    if left <= 0:
        return False
    conduct.tell(Step("wait", name=why, seconds=left))
    while left > 0:
        conduct.go_on()
        conduct.sleep(left)
        left = since + conduct.settle_s - conduct.monotonic()
    return True


def _drafted(work: _Work, looks: Sequence[Look]) -> list[_Candidate]:
    """Stop, delete, share; then create and adopt drafts: the candidates for the second look."""
    creations: list[tuple[int, Action, ReadyJob]] = []
    candidates: list[_Candidate] = []
    for index, (order, look) in enumerate(zip(work.orders, looks, strict=True)):
        blocked = False
        for action in look.decision.actions:
            if not _is_work(work, action):
                continue
            if action.kind in CREATING:
                creations += [(index, action, ready) for ready in order.wanted.ready(action.rows)]
            elif action.kind in ADOPTING:
                candidates += _adopted(work, index, order, look, action)
            else:
                blocked |= not _done(work, order, look, action)
        if blocked:
            creations = [creation for creation in creations if creation[0] != index]
    for index in sorted({index for index, _, _ in creations}):
        _files_of(work, index)
    writer = work.writer

    def create(creation: tuple[int, Action, ReadyJob]) -> Step:
        index, action, ready = creation
        return writer.created(work.orders[index], ready, action.generation, work.files[index])

    for (index, _, _), step in work.conduct.each(create, creations):
        mark = read_mark(step.name)
        assert mark is not None
        work.seen_at[step.job_id] = work.conduct.monotonic()
        work.own.add(step.job_id)
        work.receipts.append(step)
        candidates.append(_Candidate(index, step.job_id, step.name, mark))
    return candidates


def _files_of(work: _Work, index: int) -> Mapping[str, str]:
    if index not in work.files:
        work.files[index] = uploaded(work.client, work.orders[index].wanted.files, work.conduct.go_on)
    return work.files[index]


def _adopted(work: _Work, index: int, order: Order, look: Look, action: Action) -> list[_Candidate]:
    assert action.job_id is not None
    job = look.job(action.job_id)
    if action.kind is Kind.EDIT:
        ready = next(iter(order.wanted.ready(action.rows)))
        if not work.writer.changed(order, job, ready, _files_of(work, index)):
            return []
    return [_Candidate(index, job.id, job.name, job.mark)]


def _done(work: _Work, order: Order, look: Look, action: Action) -> bool:
    """Carry out an action on a job that exists; False if rows that it was to free are not known to be free."""
    assert action.job_id is not None
    job = look.job(action.job_id)
    match action.kind:
        case Kind.STOP:
            work.repaired.add((job.id, action.runs_to_stop))
            work.writer.stopped(job, action.runs_to_stop)
            if action.reason.why is Why.DOUBLE:
                work.doubles[job.id] = tuple(
                    change.removeprefix("first by ") for change in action.reason.changes
                )
        case Kind.DELETE if action.reason.why is Why.NOT_WANTED:
            work.repaired.add((job.id, ()))
            work.writer.removed(job)
        case Kind.DELETE:
            return work.writer.withdrawn(job)
        case Kind.SHARE:
            messages = {share.email: share.message for share in order.wanted.share}
            for email in action.emails:
                work.shared.add((job.id, email))
                work.writer.shared(job, email, messages.get(email, ""))
        case _:
            raise AssertionError(action.kind)
    return True


def _submit_winners(work: _Work, candidates: Sequence[_Candidate]) -> None:
    """Settle, look again, withdraw what has lost, submit what has won."""
    _waited(work, max(work.seen_at[candidate.job_id] for candidate in candidates), "the second look")
    looks = work.look()
    winners: list[_Candidate] = []
    for index, look in enumerate(looks):
        of_order = [candidate for candidate in candidates if candidate.order == index]
        losing = _losing(work.orders[index], look, [candidate.job_id for candidate in of_order])
        winners += [candidate for candidate in of_order if candidate.job_id not in losing]
        shown: dict[str, ActualJob] = {job.id: job for job in look.jobs}
        for job_id in losing & work.own & shown.keys():
            if shown[job_id].is_draft:
                work.writer.withdrawn(shown[job_id])

    def submit(winner: _Candidate) -> Step | None:
        return work.writer.submitted(winner.job_id, winner.name, winner.mark)

    for _, step in work.conduct.each(submit, winners):
        if step is not None:
            work.receipts.append(step)


def _losing(order: Order, look: Look, mine: Sequence[str]) -> frozenset[str]:
    if not mine:
        return frozenset()
    if order.wanted.unit is not None:
        return losing_units(look.unit_jobs, mine)
    existing = look.existing
    account = ledger(order.wanted.keys.tolist(), [*existing.holdings, *existing.copied])
    return losing_drafts(account, existing.drafts, mine)
