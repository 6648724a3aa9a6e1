"""What a plan would use: core-hours and cost, expected and at most, held against the study's limits."""

from collections.abc import Mapping
from dataclasses import dataclass

from doe_compiler.kernel.errors import LimitExceeded
from doe_compiler.spec.model import Spec


@dataclass(frozen=True, slots=True)
class Estimate:
    """Core-hours and cost of some runs; None where nothing is known (no walltime, no price)."""

    core_hours: float | None
    most_core_hours: float | None
    cost: float | None
    most_cost: float | None


def estimate(spec: Spec, runs: int, jobs: int, prices: Mapping[str, float]) -> Estimate:
    """Expected from `expectedRunHours`, at most from the walltime of every job; prices are per core-hour."""
    expected = most = cost = most_cost = 0.0
    knows_walltime = knows_price = True
    for analysis in spec.analyses:
        hardware = analysis.hardware
        share = (spec.job.expected_run_hours or 0.0) / len(spec.analyses)
        expected_here = runs * share * hardware.cores_per_slot
        most_here = jobs * (hardware.walltime_h or 0.0) * hardware.slots * hardware.cores_per_slot
        price = prices.get(hardware.core_type)
        knows_walltime &= hardware.walltime_h is not None or not jobs
        knows_price &= price is not None
        expected += expected_here
        most += most_here
        cost += expected_here * (price or 0.0)
        most_cost += most_here * (price or 0.0)
    knows_run_hours = spec.job.expected_run_hours is not None
    return Estimate(
        expected if knows_run_hours else None,
        most if knows_walltime else None,
        cost if knows_run_hours and knows_price else None,
        most_cost if knows_walltime and knows_price else None,
    )


def check_limits(spec: Spec, live_runs: int | None, estimated: Estimate) -> None:
    """Raise LimitExceeded if the study's live recipe would be larger than its `limits` allow.

    A limit on core-hours or cost is held against the expectation where `expectedRunHours` gives one, else
    against the cap by walltime; where neither is known the limit cannot be kept, and that is said.
    """
    limits = spec.limits
    if limits.runs is not None and live_runs is not None and live_runs > limits.runs:
        raise LimitExceeded(
            f"the study has {live_runs} runs; limits.runs allows {limits.runs}",
            hint="ask for fewer runs, or raise the limit in the study",
        )
    core_hours = estimated.most_core_hours if estimated.core_hours is None else estimated.core_hours
    cost = estimated.most_cost if estimated.cost is None else estimated.cost
    for name, limit, value in (
        ("coreHours", limits.core_hours, core_hours),
        ("cost", limits.cost, cost),
    ):
        if limit is None:
            continue
        if value is None:
            raise LimitExceeded(
                f"limits.{name} cannot be checked: neither a walltime nor expectedRunHours (and a price) is known",
                hint="give job.expectedRunHours or the hardware's walltime",
            )
        if value > limit:
            raise LimitExceeded(
                f"the study needs {value:.6g} {name}; limits.{name} allows {limit:g}",
                hint="ask for less, or raise the limit in the study",
            )
