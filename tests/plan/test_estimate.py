"""Core-hours, cost and limits."""

import pytest

from doe_compiler.kernel.errors import LimitExceeded
from doe_compiler.kernel.findings import Place
from doe_compiler.plan.estimate import Estimate, check_limits, estimate
from doe_compiler.spec.model import Analysis, DesignSpec, Hardware, JobSpec, Limits, Spec

PLACE = Place("study.yaml", 1, 1)
NO_LIMITS = Limits()


def spec(*, expected=0.5, walltime=2.0, limits=NO_LIMITS):
    hardware = Hardware("emerald", cores_per_slot=4, slots=8, walltime_h=walltime)
    analysis = Analysis("code", None, "true", hardware, PLACE)
    job = JobSpec(expected_run_hours=expected)
    return Spec(
        "s", "study.yaml", (), DesignSpec("full-factorial", PLACE), (analysis,), job=job, limits=limits
    )


def test_expected_is_by_run_and_the_cap_by_job():
    assert estimate(spec(), 10, 2, {"emerald": 0.1}) == Estimate(
        20.0, 128.0, pytest.approx(2.0), pytest.approx(12.8)
    )


def test_what_is_not_known_is_not_made_up():
    found = estimate(spec(expected=None, walltime=None), 10, 2, {})
    assert found == Estimate(None, None, None, None)


@pytest.mark.parametrize("limits", [Limits(runs=9), Limits(core_hours=19.9), Limits(cost=1.99)])
def test_beyond_a_limit_is_refused(limits):
    found = spec(limits=limits)
    with pytest.raises(LimitExceeded):
        check_limits(found, 10, estimate(found, 10, 1, {"emerald": 0.1}))


def test_at_a_limit_is_allowed():
    found = spec(limits=Limits(runs=10, core_hours=20.0, cost=2.0))
    check_limits(found, 10, estimate(found, 10, 1, {"emerald": 0.1}))


def test_a_limit_that_cannot_be_checked_is_not_ignored():
    found = spec(expected=None, walltime=None, limits=Limits(core_hours=1))
    with pytest.raises(LimitExceeded, match="cannot be checked"):
        check_limits(found, 10, estimate(found, 10, 1, {}))
