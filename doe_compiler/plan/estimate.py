"""What a plan would use: core-hours and cost, expected and at most."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from doe_compiler.spec.model import Hardware, Spec


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


def walltime_warnings(spec: Spec, runs: int) -> tuple[str, ...]:
    """What to be told if a job of so many runs may be cut off by its walltime: by the expectation, or the time-outs.

    The runs go in rounds of as many as there are slots.
    """
    hardware = min(
        (analysis.hardware for analysis in spec.analyses if analysis.hardware.walltime_h is not None),
        key=lambda each: each.walltime_h or 0.0,
        default=Hardware(""),
    )
    walltime_h = hardware.walltime_h
    if walltime_h is None or not runs:
        return ()
    rounds = math.ceil(runs / min(analysis.hardware.slots for analysis in spec.analyses))
    timeouts = [analysis.run_timeout_s for analysis in spec.analyses]
    most_h = sum(each / 3600 for each in timeouts if each is not None) if None not in timeouts else None
    for each_h, verb in ((spec.job.expected_run_hours, "take about"), (most_h, "may take")):
        if each_h is not None and rounds * each_h > walltime_h:
            return (
                f"the runs of a job {verb} {rounds * each_h:.4g} h ({rounds:,} rounds of {each_h:.4g} h), "
                f"and its walltime is {walltime_h:g} h: give more slots, a longer walltime or job.runsPerJob",
            )
    return ()
