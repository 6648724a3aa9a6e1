"""A row and the run that it is found at are one: `logs`, retries and the table look at the same place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.client.answers import RunEntry, RunVariable
from doe_compiler.observe.listing import study_jobs
from doe_compiler.observe.looking import has_failed
from doe_compiler.results.collect import collected, lacking_runs, place_of
from doe_compiler.results.inputs import InputDifferences
from doe_compiler.results.late import LateCommands
from doe_compiler.results.states import RunState
from tests.results.test_collect import Lab


@pytest.fixture
def lab(tmp_path):
    opened = Lab(tmp_path)
    yield opened
    opened.close()


def places(lab, study):
    """Where each row says that it is, and where it is looked for."""
    bundle = lab.bundle(study)
    rows = lab.results(study).rows
    looked = [place_of(lab.client, bundle, row.run) for row in rows]
    return (
        [(row.job_id, row.job_run) for row in rows],
        [(None, None) if found is None else (found[0].id, found[1].number) for found in looked],
    )


def test_every_row_is_found_where_it_says_after_growing_and_reordering(lab):
    lab.apply(lab.study({"x": {"levels": [2, 4]}}, design={}))
    lab.apply(lab.study({"x": {"levels": [5, 4, 3, 2]}}, design={}))
    said, looked = places(lab, lab.study({"x": {"levels": [1, 2, 3, 4, 5]}}, design={}))
    assert said == looked
    assert said[0] == (None, None)
    assert len(set(said)) == 5


def test_equal_rows_of_a_table_are_runs_of_their_own(lab):
    (lab.folder / "runs.csv").write_text("x\n1\n2\n1\n1\n")
    study = lab.study({"x": {}}, design={"method": "table", "file": "runs.csv"})
    lab.apply(study)
    said, looked = places(lab, study)
    assert said == looked
    assert len(set(said)) == 4


def test_what_the_platform_samples_is_found_by_its_number_too(lab):
    study = lab.study(
        {"x": {"generator": "Uniform", "min": 1, "max": 2}},
        design={"method": "monte-carlo", "sampling": "platform", "iterations": 3},
    )
    lab.apply(study)
    said, looked = places(lab, study)
    assert said == looked
    assert place_of(lab.client, lab.bundle(study), 4) is None


VARIABLE = st.sampled_from(["1", "1.0", "1.50", "2", "a", "b, c", ""])


@given(st.lists(st.tuples(VARIABLE, VARIABLE), max_size=6))
def test_inputs_are_shown_as_the_run_had_them_and_each_other_one_is_counted(pairs):
    differences, counted = InputDifferences({"doe_text_1": "b, c"}), 0
    for number, (had, now) in enumerate(pairs, 1):
        sent = "doe_text_1" if had == "b, c" else had
        variables = (RunVariable("x", None, sent), RunVariable("y", None, "output"))
        run = RunEntry(number, None, None, variables)
        assert differences.as_run(number, {"x": now, "new": "7"}, run) == {"x": had, "new": "7"}
        counted += had != now and {had, now} != {"1", "1.0"}
    told = differences.told()
    assert len(told) == (1 if counted else 0)
    if counted > 1:
        assert f"(and {counted - 1} more)" in told[0]
    if told:
        assert "b, c" in told[0] or "doe_text_1" not in told[0]


def test_failed_runs_are_those_that_the_table_shows_as_failed(lab):
    study = lab.study({"x": {"levels": [1, 2, 3, 4]}}, design={})
    command = "echo $x > out.txt; [ $x != 2 ] || rm out.txt; [ $x != 4 ] || exit 7"
    text = study.read_text().replace("cp deck.txt out.txt", f"'{command}'")
    study.write_text(text.replace("required: false", "required: true"))
    bundle = lab.apply(study)
    rows = lab.results(study).rows
    assert [row.state for row in rows] == [RunState.DONE, RunState.FAILED] * 2
    (job,) = study_jobs(lab.client, "lab")
    failed = {run.number for run in lab.client.all_runs(job.id) if has_failed(run)}
    assert (failed, lacking_runs(lab.client, bundle, job)) == ({4}, {2: ("y",)})
    assert "no value of y" in rows[1].why
    assert rows[3].why.startswith("exit code 7")


def late(lab, study, **environ):
    bundle = lab.bundle(study)
    commands = LateCommands(bundle.spec, lab.run_directory, {"PATH": "/usr/bin:/bin", **environ})
    kept = {}
    first = collected(lab.client, bundle, lab.run_directory, kept=kept, late=commands)
    return first, collected(lab.client, bundle, kept=kept), kept


def test_a_late_command_reads_its_own_run_leaves_it_alone_and_is_kept(lab):
    lab.apply(lab.study({"x": {"levels": [1, 2, 3]}}, design={}))
    command = "cat deck.txt; rm -rf *; echo $RESCALE_API_KEY >&2"
    study = lab.study({"x": {"levels": [1, 2, 3]}}, design={}, responses={"z": {"command": command}})
    first, again, kept = late(lab, study, RESCALE_API_KEY="secret")
    assert [row.outputs["z"] for row in first.rows] == ["x=1|", "x=2|", "x=3|"]
    assert [lab.deck(row) for row in first.rows] == ["x=1|", "x=2|", "x=3|"]
    assert [row.outputs["z"] for row in again.rows] == [row.outputs["z"] for row in first.rows]
    assert len(kept) == 3
    assert "secret" not in str(kept)


@pytest.mark.parametrize("command", ["exit 3", "true", "echo nan", "echo $RESCALE_API_KEY", "kill -9 $$"])
def test_a_late_command_without_a_value_is_the_reason_of_its_row_and_is_not_kept(lab, command):
    lab.apply(lab.study({"x": {"levels": [1]}}, design={}))
    study = lab.study({"x": {"levels": [1]}}, design={}, responses={"z": {"command": command}})
    first, again, kept = late(lab, study, RESCALE_API_KEY="secret")
    (row,) = first.rows
    assert (row.state, row.outputs.get("z")) == (RunState.FAILED, None)
    assert row.why.startswith("no value of z (")
    assert kept == {}
    assert again.rows[0].state is RunState.DONE
    assert "not read yet" in again.rows[0].why
