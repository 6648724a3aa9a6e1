"""Compare a compiled study with what exists, and say what apply would do and use."""

from dataclasses import dataclass

from doe_compiler.apply.protocol import Look, look
from doe_compiler.bundle.pack import Bundle
from doe_compiler.client.client import Client
from doe_compiler.plan.decide import Kind
from doe_compiler.plan.estimate import Estimate, check_limits, estimate


@dataclass(frozen=True, slots=True)
class Planned:
    """A look at the platform and what it leads to; `new` is what the new runs use."""

    bundle: Bundle
    look: Look
    new: Estimate
    new_runs: int | None
    new_jobs: int


def planned(client: Client, bundle: Bundle) -> Planned:
    """Plan a study; reads only. Raises LimitExceeded if the live recipe would exceed the study's limits."""
    found = look(client, bundle)
    spec = bundle.spec
    created = [action for action in found.decision.actions if action.kind is Kind.CREATE]
    started = [action for action in found.decision.actions if action.kind is not Kind.DELETE]
    prices = _prices(client, low_priority=spec.job.is_low_priority)
    if bundle.design is None:
        runs = None
        live = estimate(spec, 0, 1, prices)
        new = live if started else estimate(spec, 0, 0, prices)
        jobs = len(created)
    else:
        runs = sum(action.runs or 0 for action in started)
        jobs = sum(_jobs_for(bundle, len(action.rows)) for action in created)
        live = estimate(spec, bundle.design.n, _jobs_for(bundle, bundle.design.n), prices)
        new = estimate(spec, runs, jobs + len(started) - len(created), prices)
    check_limits(spec, bundle.design.n if bundle.design else None, live)
    return Planned(bundle, found, new, runs, jobs)


def _jobs_for(bundle: Bundle, runs: int) -> int:
    size = bundle.spec.job.runs_per_job
    return 1 if size is None else -(-runs // size)


def _prices(client: Client, *, low_priority: bool) -> dict[str, float]:
    prices = {}
    for core_type in client.core_types():
        price = core_type.low_priority_price if low_priority else core_type.price
        if price is not None:
            prices[core_type.code] = price
    return prices
