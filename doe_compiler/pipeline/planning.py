"""Compare compiled studies with what exists, and say what apply would do and use."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

from doe_compiler.apply.conduct import Clock
from doe_compiler.apply.looking import Look, looked
from doe_compiler.apply.order import Order
from doe_compiler.bundle.observation import SeenJob
from doe_compiler.bundle.pack import Bundle, for_reading_platform
from doe_compiler.bundle.wanted import wanted_of
from doe_compiler.client.client import Client, CoreType
from doe_compiler.client.pacing import Scope, seconds_for
from doe_compiler.kernel.errors import DoeError, InvalidStudy, WrongUsage
from doe_compiler.observe.around import changes_since, jobs_from, paid_rows, unshared_jobs
from doe_compiler.observe.known import KnownJobs
from doe_compiler.observe.looking import Eye
from doe_compiler.observe.rows import parameter_names
from doe_compiler.pipeline.connection import Connection
from doe_compiler.pipeline.desk import Desk
from doe_compiler.plan.action import CREATING, Decision, Kind, Why
from doe_compiler.plan.decide import Around, Wishes, decided
from doe_compiler.plan.estimate import Estimate, estimate, walltime_warnings
from doe_compiler.plan.limits import Need, check, need_of, not_offered
from doe_compiler.plan.redrawn import redrawn_warnings
from doe_compiler.results.collect import lacking_runs
from doe_compiler.spec.design import WITH_DIMENSIONS, chosen_by_method, dimensions_of
from doe_compiler.spec.model import Spec


@dataclass(frozen=True, slots=True)
class PlannedStudy:
    """A look at a study and what it leads to; `new` is what the new runs use, `new_jobs` how many are created.

    `need` is that of the whole study; `warnings` are for people.
    """

    bundle: Bundle
    order: Order
    look: Look
    decision: Decision
    new: Estimate
    new_jobs: int
    submits: int
    throttled_s: float
    need: Need
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Planned:
    """The plans of some studies for one account on one platform."""

    host: str
    account: str
    studies: tuple[PlannedStudy, ...]

    @property
    def is_empty(self) -> bool:
        """Whether apply would do nothing, and nothing stands twice."""
        return all(study.decision.is_clean for study in self.studies)


def planned(
    connection: Connection,
    bundles: Sequence[Bundle],
    wishes: Wishes,
    at: Desk,
) -> Planned:
    """Plan studies; reads only.

    Raises LimitExceeded if a study breaks its limits or a policy, InvalidStudy if it is to create jobs that the platform
    does not offer.
    """
    client = connection.client
    orders = [order_of(connection, bundle, wishes, at) for bundle in bundles]
    looks = looked(eye_of(connection, at), orders)
    core_types = tuple(client.core_types()) if bundles else ()
    studies = [
        _planned(connection, at, bundle, order, look, core_types)
        for bundle, order, look in zip(bundles, orders, looks, strict=True)
    ]
    return Planned(connection.host, at.account, tuple(studies))


def eye_of(connection: Connection, at: Desk) -> Eye:
    """What looks at the platform for a desk."""
    return Eye(connection.client, at.account, Clock(), at.known, at.makers.dead)


def order_of(connection: Connection, bundle: Bundle, wishes: Wishes, at: Desk) -> Order:
    """What a study wants of a platform."""
    if connection.reads_outputs():
        bundle = for_reading_platform(bundle)
    wanted = wanted_of(bundle)
    beyond = [number for number in wishes.only if not 1 <= number <= len(wanted.keys)]
    if beyond or (wishes.only and wanted.unit is not None):
        raise WrongUsage(
            f"--only {beyond[0]}: study '{wanted.study}' has runs 1 to {len(wanted.keys)}"
            if beyond
            else "--only: the platform samples the runs of this study; they cannot be retried one by one"
        )

    @cache
    def lacking(job: SeenJob) -> Mapping[int, tuple[str, ...]]:
        return lacking_runs(connection.client, bundle, job)

    return Order(
        wanted,
        wishes,
        connection.origin(Path(bundle.spec.file)),
        lacking,
        lambda: at.submitted(wanted.study),
        at.forgotten,
    )


def decision_of(connection: Connection, order: Order, look: Look, known: KnownJobs) -> Decision:
    """What a look leads to, with what looking closer shows where that decides or explains something."""
    seen, wanted, client = look.seen, order.wanted, connection.client
    if order.wishes.touches_others and not order.origin:
        raise WrongUsage(
            "--replace and --prune touch only what was applied from this repository, and a shallow clone, or one "
            "without a commit, does not know which it is",
            hint="fetch the whole history: git fetch --unshallow, in CI fetch-depth: 0",
        )
    own = [holding.job for holding in seen.holdings if look.memory.is_submitted(holding)]
    around = Around(
        unshared=unshared_jobs(wanted, own),
        lacking=_lacking_texts(order, look),
        from_here=jobs_from(client, order.origin, _running(look))
        if order.wishes.touches_others
        else frozenset(),
    )
    times = connection.times()
    decision = decided(seen, look.memory, order.want, times, around, order.wishes)
    if decision.of(*CREATING):
        around = replace(around, paid=paid_rows(client, order.subject, seen.older, known))
        decision = decided(seen, look.memory, order.want, times, around, order.wishes)
    if any(action.reason.why is Why.RECIPE_CHANGED for action in decision.of(*CREATING)):
        around = replace(around, changes=changes_since(client, wanted, seen.older))
        decision = decided(seen, look.memory, order.want, times, around, order.wishes)
    return decision


def _lacking_texts(order: Order, look: Look) -> tuple[str, ...]:
    """With `retry_missing`, which required responses how many runs lack."""
    if not order.wishes.retry_missing:
        return ()
    counted: Counter[str] = Counter()
    for holding in look.seen.holdings:
        if len(holding.lacking):
            counted.update(name for names in order.lacking(holding.job).values() for name in names)
    return tuple(
        f"{count} {'run lacks' if count == 1 else 'runs lack'} response '{name}'"
        for name, count in sorted(counted.items())
    )


def _running(look: Look) -> list[SeenJob]:
    """The jobs that a plan may be asked to stop or delete: those that have not ended."""
    jobs = [holding.job for holding in look.seen.holdings]
    return [job for job in (*jobs, *look.seen.older) if job.phase.is_open]


def _planned(
    connection: Connection, at: Desk, bundle: Bundle, order: Order, look: Look, core_types: Sequence[CoreType]
) -> PlannedStudy:
    spec = bundle.spec
    prices = _prices(core_types, low_priority=spec.job.is_low_priority)
    decision = decision_of(connection, order, look, at.known)
    started = decision.of(*CREATING)
    submits = sum(len(order.wanted.packs(action.rows)) for action in started)
    first = [action for action in decision.of(Kind.CREATE) if not action.generation]
    jobs = sum(len(order.wanted.packs(action.rows)) for action in first)
    if bundle.design is None:
        live = estimate(spec, 0, 1, prices)
        new = live if started else estimate(spec, 0, 0, prices)
    else:
        every = range(bundle.design.n)
        live = estimate(spec, bundle.design.n, len(order.wanted.packs(every)), prices)
        new = estimate(spec, sum(action.runs or 0 for action in started), submits, prices)
    hardware = [analysis.hardware for analysis in spec.analyses]
    if started and (findings := not_offered(hardware, {each.code: each.cores for each in core_types})):
        raise InvalidStudy(findings, spec.lines or {})
    need = need_of(spec, bundle.design.n if bundle.design else None, live)
    check(need, spec.limits, spec.policies)
    throttled_s = seconds_for(Scope.SUBMITS, submits) if connection.is_paced else 0.0
    largest = max((len(rows) for action in started for rows in order.wanted.packs(action.rows)), default=0)
    warnings = walltime_warnings(spec, largest)
    if bundle.design is not None and started:
        moved = partial(_moved_dimensions, connection.client, spec, look)
        warnings += redrawn_warnings(spec.design.method, order.want.keys, look.seen, moved)
    return PlannedStudy(bundle, order, look, decision, new, jobs, submits, throttled_s, need, warnings)


def _moved_dimensions(client: Client, spec: Spec, look: Look) -> dict[str, int]:
    """The dimensions of a sequence that variables had in the latest job, if that has the same or fewer, and have no more."""
    jobs = [holding.job for holding in look.seen.holdings if look.memory.is_submitted(holding)]
    if spec.design.method not in WITH_DIMENSIONS or not jobs:
        return {}
    now = {variable.name: variable for variable in chosen_by_method(spec)}
    try:
        then = [now[name] for name in parameter_names(client, client.job(jobs[-1].id)) if name in now]
    except DoeError:
        return {}  # it would only be told
    before = dict(zip((variable.name for variable in then), dimensions_of(then), strict=True))
    today = dict(zip(now, dimensions_of(list(now.values())), strict=True))
    return {name: number for name, number in before.items() if today[name] != number}


def _prices(core_types: Sequence[CoreType], *, low_priority: bool) -> dict[str, float]:
    prices = {}
    for core_type in core_types:
        price = core_type.low_priority_price if low_priority else core_type.price
        if price is not None:
            prices[core_type.code] = price
    return prices
