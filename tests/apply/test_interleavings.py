"""Several appliers, several versions of a study, faults, crashes and people, in any order of their calls."""

import os
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doe_compiler.kernel.errors import DoeError
from doe_compiler.pipeline.compiling import compiled

from .network import (
    CRASHES,
    LARGEST_LAG_S,
    LARGEST_SPREAD_S,
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

MOST_JOBS = 3  # of one version: an applier that dies leaves the drafts of all of them
EXAMPLES = int(os.environ.get("DOE_STATEFUL_EXAMPLES", "2000"))
PARTS = 4
RAM_DISK = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
FAULTS = st.sampled_from([*CRASHES, *WRITE_FAULTS, *LIST_FAULTS])


@pytest.fixture(scope="module")
def versions(tmp_path_factory):
    """Versions of one study: fewer and more rows, other packings, another command."""
    folder = tmp_path_factory.mktemp("studies")
    texts = {
        "small": ("{method: monte-carlo, runs: 3}", "cat deck.txt > y.txt", ""),
        "middle": ("{method: monte-carlo, runs: 5}", "cat deck.txt > y.txt", ""),
        "packed": ("{method: monte-carlo, runs: 5}", "cat deck.txt > y.txt", "job: {runsPerJob: 2}"),
        "large": ("{method: monte-carlo, runs: 7}", "cat deck.txt > y.txt", "job: {runsPerJob: 3}"),
        "changed": ("{method: monte-carlo, runs: 4}", "cat  deck.txt > y.txt", ""),
    }
    (folder / "deck.template").write_text("x = ${x}\n")
    found = {}
    for name, (design, command, rest) in texts.items():
        (folder / f"{name}.yaml").write_text(
            f"doe: 1\nstudy: adder\nseed: 7\nvariables:\n  x: {{generator: Uniform, min: 0, max: 10}}\n"
            f"design: {design}\nanalyses:\n  - analysis: {{code: user_included}}\n    command: {command}\n"
            "    hardware: {coreType: standard-plus, walltime: 1}\n"
            "    templates: [{source: deck.template, target: deck.txt}]\n"
            f"{rest}\n"
        )
        found[name] = compiled(folder / f"{name}.yaml")[0]
    return found


@pytest.mark.parametrize("part", range(PARTS))
def test_no_row_is_submitted_twice_and_none_is_forgotten(versions, part):

    @settings(max_examples=EXAMPLES // PARTS, suppress_health_check=list(HealthCheck), database=None)
    @given(st.data())
    def check(data):
        with tempfile.TemporaryDirectory(dir=RAM_DISK) as folder:
            platform = idle_platform(Path(folder) / "data")
            try:
                example(platform, versions, data)
            finally:
                platform.close()

    check()


def example(platform, versions, data):
    """One story: appliers start, meet faults, are killed, are joined by a person; then peace."""
    is_ours = data.draw(st.booleans(), "ours")
    cloud = Cloud(
        platform,
        is_ours,
        lag_s=0.0 if is_ours else data.draw(st.sampled_from([0.0, 0.4, LARGEST_LAG_S]), "lag"),
        spread_s=0.0 if is_ours else data.draw(st.sampled_from([0.0, LARGEST_SPREAD_S]), "spread"),
        refuses_second_submit=data.draw(st.booleans(), "refuses"),
        now=1.0,
        tells_dead=data.draw(st.booleans(), "the dead are known"),
    )
    randoms = random.Random(data.draw(st.integers(0, 1 << 32), "schedule"))
    appliers = Appliers(cloud, randoms.randrange)
    names = data.draw(st.lists(st.sampled_from(sorted(versions)), min_size=2, max_size=4), "versions")
    outcomes = []
    for name in names:
        plan = data.draw(st.dictionaries(st.integers(1, 40), FAULTS, max_size=3), "faults")
        network = Network(cloud, appliers, _fault_at(plan))

        def apply(network=network, name=name):
            outcomes.append(run_apply(network, [versions[name]]))

        appliers.add(apply)
    acts = data.draw(st.lists(st.sampled_from(sorted(PEOPLE)), max_size=2), "people")
    appliers.add(lambda: [_person(cloud, appliers, PEOPLE[act], randoms) for act in acts])
    appliers.run()
    for turn in appliers.turns:
        assert turn.error is None or isinstance(turn.error, Crash), turn.error
    assert all(isinstance(outcome, list | DoeError) for outcome in outcomes)
    last = versions[names[-1]]
    cloud.now += 5
    again = run_apply(quiet(cloud), [last])
    state = truth(cloud, last)
    assert not state.too_often, (state, names)
    assert isinstance(again, list), again
    assert not state.left_to_do, state
    assert state.drafts <= (cloud.faults + len(acts)) * MOST_JOBS, state
    assert state.most_uploads <= cloud.faults + len(names), cloud.uploads


def _fault_at(plan):
    calls = iter(range(1, 1 << 30))
    return lambda _request: plan.get(next(calls))


def _clone(client, cloud, job_id):
    body = dict(client.job(job_id).raw)
    cloud.by_people.add(client.create_job(body).id)


def _submit_clone(client, cloud, job_id):
    body = dict(client.job(job_id).raw)
    made = client.create_job(body).id
    cloud.by_people.add(made)
    client.submit(made)


def _rename(client, _cloud, job_id):
    client.change_job(job_id, {"name": "Mine: " + client.job(job_id).name})


def _delete_draft(client, _cloud, job_id):
    if not client.statuses(job_id):
        client.delete(job_id)


def _stop(client, _cloud, job_id):
    client.stop(job_id)


PEOPLE = {
    "clones": _clone,
    "clones-and-submits": _submit_clone,
    "renames": _rename,
    "deletes-a-draft": _delete_draft,
    "stops": _stop,
}


def _person(cloud, appliers, act, randoms):
    """A person picks one of the jobs of our appliers and does something to it."""
    appliers.step_aside(randoms.randrange(40) / 10)
    client = Network(cloud, appliers).client()
    jobs = [job_id for job_id in cloud.created if job_id not in cloud.by_people]
    if jobs:
        try:
            act(client, cloud, jobs[randoms.randrange(len(jobs))])
        except DoeError:
            return
