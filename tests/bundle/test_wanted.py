"""What apply needs of a study: its rows, its parts and jobs that are ready to be created."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.bundle.parts import parts
from doe_compiler.bundle.rows import contiguous_ranges, design_keys
from doe_compiler.bundle.wanted import ready_job, wanted_of
from doe_compiler.kernel.canonical import canonical_json
from doe_compiler.spec.model import DesignSpec, JobSpec, RegexExtractor, Response, Share

from .specs import PLACE, a_spec, bundle_of, levels

RESPONSES = (Response("y", RegexExtractor("y.txt", r"(\S+)"), PLACE),)


def wanted_for(n, *, per_job=None, replicates=1):
    spec = a_spec(
        levels("x", *map(str, range(n))),
        job=JobSpec(runs_per_job=per_job, share=(Share("a@b.c", "look"),)),
        design=DesignSpec("full-factorial", PLACE, replicates=replicates),
        responses=RESPONSES,
    )
    bundle = bundle_of(spec)
    return bundle, wanted_of(bundle)


def test_what_is_wanted_is_told_in_full():
    bundle, wanted = wanted_for(4)
    assert (wanted.study, wanted.recipe, wanted.unit, wanted.varied) == ("s", bundle.recipe, None, ("x",))
    assert wanted.keys.tolist() == design_keys(bundle.design).tolist()
    assert wanted.share == (Share("a@b.c", "look"),)
    assert wanted.parts == parts(bundle.spec)
    assert wanted.part_texts()["command"] == b"./solve"
    assert [file.reference for file in wanted.files] == [file.reference for file in bundle.files]


@given(st.integers(1, 12), st.integers(1, 5), st.integers(1, 3))
def test_a_job_is_recognised_unread_by_its_mark(n, per_job, replicates):
    """Every packed job is a range of the design: the count and sum in its mark find where it begins."""
    bundle, wanted = wanted_for(n, per_job=per_job, replicates=replicates)
    start = 0
    for rows in wanted.packs(range(bundle.design.n)):
        ready = wanted.job(rows)
        assert start in contiguous_ranges(wanted.keys, ready.rows)
        start += ready.runs
    assert start == bundle.design.n


@given(st.integers(1, 8), st.integers(0, 4))
def test_growing_wants_the_old_rows_and_the_new_ones(n, more):
    old, grown = wanted_for(n)[1], wanted_for(n + more)[1]
    assert set(old.keys.tolist()) <= set(grown.keys.tolist())
    assert len(grown.keys) - len(old.keys) == more
    assert old.recipe == grown.recipe


@given(st.integers(1, 6), st.integers(1, 3), st.integers(1, 3))
def test_more_replicates_keep_the_ones_that_are_there(n, few, more):
    old, grown = wanted_for(n, replicates=few)[1], wanted_for(n, replicates=few + more)[1]
    assert set(old.keys.tolist()) < set(grown.keys.tolist())
    assert old.recipe == grown.recipe


@pytest.mark.parametrize("rows", [[3], [0, 1], [3, 0], [2, 2], [3, 2, 1, 0]])
def test_the_markers_of_a_job_tell_what_it_holds(rows):
    bundle, wanted = wanted_for(4)
    ready = wanted.job(rows)
    env_vars = ready.payload["jobanalyses"][0]["envVars"]
    assert env_vars["DOE_STUDY"] == "s"
    assert env_vars["DOE_RECIPE"] == bundle.recipe
    assert json.loads(env_vars["DOE_PARTS"]) == dict(wanted.parts)
    assert set(json.loads(env_vars["DOE_RESPONSES"])) == {"y"}
    assert env_vars["DOE_ROWS"] == str(ready.rows)
    assert ready.rows.total == sum(int(wanted.keys[row]) for row in rows) % 2**64
    assert ready.parameters.content.decode().split()[1:] == [str(row) for row in rows]


def test_two_calls_make_the_same_jobs_and_leave_the_bundle_as_it_was():
    bundle, wanted = wanted_for(5, per_job=2)
    before = canonical_json([file.reference for file in bundle.files])
    one, two = (
        [canonical_json(job.payload) for job in map(wanted.job, wanted.packs(range(5)))] for _ in range(2)
    )
    assert one == two
    assert len(set(one)) == 3
    assert canonical_json([file.reference for file in bundle.files]) == before


def test_a_payload_has_no_name_until_it_is_created():
    bundle, _ = wanted_for(2)
    ready = ready_job(bundle, bundle.jobs()[0])
    assert ready.payload["name"] == ""
    assert ready.title == "s"


def test_no_rows_are_no_jobs():
    assert wanted_for(3)[1].packs([]) == []
