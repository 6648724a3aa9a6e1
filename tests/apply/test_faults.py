"""A fault at every boundary of an apply in turn: nothing is submitted twice, nothing is forgotten."""

import pytest

from doe_compiler.kernel.errors import DoeError
from doe_compiler.pipeline.compiling import compiled

from .network import (
    CRASHES,
    LIST_FAULTS,
    WRITE_FAULTS,
    Appliers,
    Cloud,
    Crash,
    Network,
    idle_platform,
    quiet,
    run_apply,
    truth,
)


@pytest.fixture
def three_jobs(study_at):
    """Three jobs with two uploads each beside their parameter CSV: six rows, two a job."""
    bundle, _ = compiled(study_at(design="{method: monte-carlo, runs: 6}", rest="job: {runsPerJob: 2}"))
    return bundle


def swept(tmp_path, bundle, kind, *, refuses=True, is_ours=False):
    """Apply with the fault at call 1, 2, … in turn, then once more in peace; the states after that."""
    boundary = 0
    while True:
        boundary += 1
        platform = idle_platform(tmp_path / f"{kind}-{boundary}")
        try:
            lag, spread = (0.0, 0.0) if is_ours else (1.0, 0.5)
            cloud = Cloud(platform, is_ours, lag, spread, refuses_second_submit=refuses, now=1.0)
            count = iter(range(1, 100_000))
            network = Network(
                cloud,
                Appliers(cloud, lambda _n: 0),
                lambda _request, count=count, boundary=boundary: kind if next(count) == boundary else None,
            )
            try:
                outcome = run_apply(network, [bundle])
            except Crash:
                outcome = None
            assert outcome is None or isinstance(outcome, list | DoeError)
            cloud.now += 5
            again = run_apply(quiet(cloud), [bundle])
            assert isinstance(again, list), (kind, boundary, again)
            yield boundary, cloud, truth(cloud, bundle)
        finally:
            platform.close()
        if not cloud.faults:
            return


@pytest.mark.parametrize("is_ours", [True, False], ids=["ours", "elsewhere"])
@pytest.mark.parametrize("kind", [*CRASHES, *WRITE_FAULTS, *LIST_FAULTS])
def test_a_fault_at_every_boundary_submits_every_row_once(tmp_path, three_jobs, kind, is_ours):
    boundaries = 0
    for boundary, cloud, state in swept(tmp_path, three_jobs, kind, is_ours=is_ours):
        assert sorted(state.copies.values()) == [1] * 6, (kind, boundary, state)
        assert not state.left_to_do, (kind, boundary, state)
        assert state.drafts <= cloud.faults, (kind, boundary, state)
        assert state.most_uploads <= 1 + cloud.faults, (kind, boundary, cloud.uploads)
        boundaries += 1
    assert boundaries > 15


def test_a_platform_that_takes_a_second_submit_of_one_job_starts_it_once(tmp_path, three_jobs):
    for boundary, _cloud, state in swept(tmp_path, three_jobs, "answer-lost", refuses=False):
        assert sorted(state.copies.values()) == [1] * 6, (boundary, state)
