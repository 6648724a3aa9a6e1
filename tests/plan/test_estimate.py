"""Core-hours, cost, and rounds of runs against the walltime."""

from dataclasses import replace

import pytest

from doe_compiler.kernel.findings import Place
from doe_compiler.plan.estimate import Estimate, estimate, walltime_warnings
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


@pytest.mark.parametrize(
    ("runs", "expected", "timeout_s", "walltime", "said"),
    [
        (32, 0.5, None, 2.0, ()),
        (33, 0.5, None, 2.0, ("take about 2.5 h (5 rounds of 0.5 h)", "walltime is 2 h")),
        (33, None, 1800, 2.0, ("may take 2.5 h",)),
        (33, 0.1, 1800, 2.0, ("may take 2.5 h",)),
        (33, 0.5, 1800, None, ()),
        (0, 9.0, None, 2.0, ()),
    ],
)
def test_rounds_of_runs_beyond_the_walltime_are_told(runs, expected, timeout_s, walltime, said):
    study = spec(expected=expected, walltime=walltime)
    study = replace(study, analyses=(replace(study.analyses[0], run_timeout_s=timeout_s),))
    told = walltime_warnings(study, runs)
    assert len(told) == bool(said)
    assert all(words in told[0] for words in said)
