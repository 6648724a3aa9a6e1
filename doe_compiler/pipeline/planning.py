"""Compare compiled studies with what exists, and say what apply would do and use."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from doe_compiler.actual.jobs import ActualJob
from doe_compiler.apply.looking import Look, Order, looked
from doe_compiler.bundle.pack import Bundle, for_reading_platform
from doe_compiler.bundle.wanted import wanted_of
from doe_compiler.client.client import Client
from doe_compiler.client.pacing import Scope, seconds_for
from doe_compiler.pipeline.connection import Connection
from doe_compiler.pipeline.desk import Desk
from doe_compiler.pipeline.origin import origin_of
from doe_compiler.pipeline.receipts import Receipts
from doe_compiler.plan.action import ADOPTING, CREATING, Kind
from doe_compiler.plan.decide import Wishes
from doe_compiler.plan.estimate import Estimate, check_limits, estimate
from doe_compiler.results.collect import failed_runs


@dataclass(frozen=True, slots=True)
class PlannedStudy:
    """A look at a study and what it leads to; `new` is what the new runs use, `new_jobs` how many are created."""

    bundle: Bundle
    order: Order
    look: Look
    new: Estimate
    new_runs: int | None
    new_jobs: int
    submits: int
    throttled_s: float


@dataclass(frozen=True, slots=True)
class Planned:
    """The plans of some studies for one account on one platform."""

    host: str
    account: str
    studies: tuple[PlannedStudy, ...]

    @property
    def is_empty(self) -> bool:
        """Whether apply would do nothing."""
        return all(study.look.decision.is_empty for study in self.studies)


def planned(
    connection: Connection,
    bundles: Sequence[Bundle],
    wishes: Wishes,
    at: Desk,
) -> Planned:
    """Plan studies; reads only. Raises LimitExceeded if a live recipe would exceed its limits."""
    client = connection.client
    orders = [order_of(connection, bundle, wishes, at.receipts) for bundle in bundles]
    looks = looked(client, orders, at.findings)
    prices: dict[bool, dict[str, float]] = {}
    studies = []
    for bundle, order, look in zip(bundles, orders, looks, strict=True):
        is_low = bundle.spec.job.is_low_priority
        if is_low not in prices:
            prices[is_low] = _prices(client, low_priority=is_low)
        studies.append(_planned(connection, bundle, order, look, prices[is_low]))
    return Planned(connection.host, at.account, tuple(studies))


def order_of(connection: Connection, bundle: Bundle, wishes: Wishes, receipts: Receipts) -> Order:
    """What a study wants of a platform."""
    if connection.reads_outputs():
        bundle = for_reading_platform(bundle)
    wanted = wanted_of(bundle)

    @cache
    def failed(job: ActualJob) -> frozenset[int]:
        return failed_runs(connection.client, bundle, job)

    return Order(
        wanted,
        wishes,
        origin_of(Path(bundle.spec.file)),
        failed,
        lambda: {} if connection.is_embedded else receipts.submitted(wanted.study),
    )


def _planned(
    connection: Connection, bundle: Bundle, order: Order, look: Look, prices: dict[str, float]
) -> PlannedStudy:
    spec, decision = bundle.spec, look.decision
    created = decision.of(*CREATING)
    started = [*created, *decision.of(*ADOPTING)]
    submits = len(decision.of(*ADOPTING)) + sum(_jobs_for(bundle, len(action.rows)) for action in created)
    if bundle.design is None:
        runs = None
        jobs = len(decision.of(Kind.CREATE))
        live = estimate(spec, 0, 1, prices)
        new = live if started else estimate(spec, 0, 0, prices)
    else:
        runs = sum(action.runs or 0 for action in started)
        jobs = sum(_jobs_for(bundle, len(action.rows)) for action in decision.of(Kind.CREATE))
        live = estimate(spec, bundle.design.n, _jobs_for(bundle, bundle.design.n), prices)
        new = estimate(spec, runs, submits, prices)
    check_limits(spec, bundle.design.n if bundle.design else None, live)
    throttled_s = seconds_for(Scope.SUBMITS, submits) if connection.is_paced else 0.0
    return PlannedStudy(bundle, order, look, new, runs, jobs, submits, throttled_s)


def _jobs_for(bundle: Bundle, runs: int) -> int:
    size = bundle.spec.job.runs_per_job
    return 1 if size is None or bundle.design is None else -(-runs // size)


def _prices(client: Client, *, low_priority: bool) -> dict[str, float]:
    prices = {}
    for core_type in client.core_types():
        price = core_type.low_priority_price if low_priority else core_type.price
        if price is not None:
            prices[core_type.code] = price
    return prices
