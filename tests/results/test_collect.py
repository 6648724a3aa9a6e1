"""Rows of results belong to the runs that computed them, on a real platform with real runs."""

import time

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doe_compiler.bundle.pack import for_reading_platform
from doe_compiler.client.client import Client
from doe_compiler.kernel.findings import has_errors
from doe_compiler.observe.listing import study_jobs
from doe_compiler.pipeline.compiling import checked, compiled
from doe_compiler.platform.api.service import open_platform
from doe_compiler.results.collect import collected, lacking_runs
from doe_compiler.results.states import RunState
from doe_compiler.results.table import as_csv, cells, header
from tests.apply.applying import apply, order_of


class Lab:
    """Applies studies on a platform of this process, waits for their runs, and collects."""

    def __init__(self, folder):
        self.folder = folder
        self.platform = open_platform(folder / "data")
        self.client = Client.embedded(self.platform.answer)

    def close(self):
        self.client.close()
        self.platform.close()

    def study(self, variables, **more):
        """Write a study whose runs copy their deck; the variables all stand in it, one a line."""
        sections = {
            "doe": 1,
            "study": "lab",
            "seed": 3,
            "variables": variables,
            "analyses": [
                {
                    "analysis": {"code": "user_included"},
                    "command": "cp deck.txt out.txt",
                    "hardware": {"coreType": "emerald", "slots": 2},
                    "templates": [{"source": "deck.t", "target": "deck.txt"}],
                }
            ],
            "responses": {"y": {"file": "out.txt", "regex": "(?s)(.+)", "required": False}},
        }
        sections |= more
        (self.folder / "deck.t").write_text("|".join(f"{name}=${{{name}}}" for name in variables) + "|")
        path = self.folder / "study.yaml"
        path.write_text(yaml.safe_dump(sections, sort_keys=False, allow_unicode=True))
        return path

    def bundle(self, study):
        return for_reading_platform(compiled(study)[0])

    def apply(self, study, *, wait=True):
        bundle = self.bundle(study)
        apply(self.client, order_of(bundle))
        if wait:
            self.platform.ensure_executor(detached=False)
            give_up = time.monotonic() + 60
            while any(job.status not in ("", "Completed") for job in self.client.all_jobs()):
                assert time.monotonic() < give_up
                time.sleep(0.02)
        return bundle

    def results(self, study):
        bundle = self.bundle(study)
        return collected(self.client, bundle, self.run_directory)

    def run_directory(self, job_id, number):
        found = self.folder / "data" / "jobs" / job_id / f"run{number}"
        return found if found.is_dir() else None

    def deck(self, row):
        return (self.run_directory(row.job_id, row.job_run) / "deck.txt").read_text()


@pytest.fixture
def lab(tmp_path):
    opened = Lab(tmp_path)
    yield opened
    opened.close()


TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="|\u2028\u2029\x85"),
    min_size=1,
    max_size=12,
).filter(lambda text: text == text.strip("\n"))
LEVEL = TEXT | st.integers(-(10**30), 10**30) | st.floats(-1e300, 1e300, allow_subnormal=False)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.lists(LEVEL, min_size=1, max_size=4, unique_by=str),
    st.lists(TEXT, min_size=1, max_size=3, unique=True),
)
def test_what_results_show_is_what_stood_in_the_deck(tmp_path_factory, numbers, texts):
    lab = Lab(tmp_path_factory.mktemp("lab"))
    try:
        variables = {"a": {"levels": numbers}, "b": {"levels": texts, "type": "text"}}
        study = lab.study(variables, design={})
        if has_errors(checked(study)[0]):
            return
        lab.apply(study)
        results = lab.results(study)
        assert len(results.rows) == len(numbers) * len(texts)
        for row in results.rows:
            assert row.state is RunState.DONE
            assert lab.deck(row) == f"a={row.inputs['a']}|b={row.inputs['b']}|"
        assert {row.inputs["b"] for row in results.rows} == set(texts)
        assert results.differences == ()
    finally:
        lab.close()


def test_rows_that_were_never_submitted_are_missing(lab):
    lab.apply(lab.study({"x": {"levels": [1, 2]}}, design={}))
    results = lab.results(lab.study({"x": {"levels": [3, 1, 2, 4]}}, design={}))
    assert [row.state.value for row in results.rows] == ["missing", "done", "done", "missing"]
    assert [(row.job_id is None, row.job_run) for row in results.rows] == [
        (True, None),
        (False, 1),
        (False, 2),
        (True, None),
    ]
    assert results.count(RunState.MISSING) == 2


def test_rows_of_several_jobs_come_in_the_order_of_the_design(lab):
    lab.apply(lab.study({"x": {"levels": [2, 4]}}, design={}))
    study = lab.study({"x": {"levels": [1, 2, 3, 4, 5]}}, design={})
    lab.apply(study)
    results = lab.results(study)
    assert [row.inputs["x"] for row in results.rows] == ["1", "2", "3", "4", "5"]
    assert [lab.deck(row) for row in results.rows] == [f"x={number}|" for number in range(1, 6)]
    assert len({row.job_id for row in results.rows}) == 2


def test_replicates_are_rows_of_their_own(lab):
    study = lab.study({"x": {"levels": [1, 2]}}, design={"replicates": 3})
    lab.apply(study)
    results = lab.results(study)
    assert len({(row.job_id, row.job_run) for row in results.rows}) == 6
    assert [row.inputs["doe_replicate"] for row in results.rows] == ["1", "2", "3"] * 2


def test_a_run_that_waits_has_a_row_without_values(lab):
    study = lab.study({"x": {"levels": [1, 2]}}, design={})
    lab.apply(study, wait=False)
    results = lab.results(study)
    assert [(row.state, row.outputs) for row in results.rows] == [(RunState.WAITING, {})] * 2


def test_jobs_of_another_recipe_give_no_rows(lab):
    variables = {"x": {"levels": [1, 2]}, "c": {"value": 1}}
    lab.apply(lab.study(variables, design={}))
    other = lab.study({**variables, "c": {"value": 2}}, design={})
    assert {row.state for row in lab.results(other).rows} == {RunState.MISSING}


def test_names_of_constants_are_free_and_values_are_those_of_the_runs(lab):
    lab.apply(lab.study({"x": {"levels": [1, 2]}, "c": {"value": 7}}, design={}))
    study = lab.study({"x": {"levels": [1, 2]}, "renamed": {"value": 7}}, design={})
    (lab.folder / "deck.t").write_text("x=${x}|c=${renamed}|")
    results = lab.results(study)
    assert [(row.state, row.inputs["renamed"]) for row in results.rows] == [(RunState.DONE, "7")] * 2


def test_lacking_runs_went_well_but_for_a_required_response(lab):
    study = lab.study({"x": {"levels": [0, 3, 5]}}, design={})
    text = study.read_text().replace("cp deck.txt out.txt", "[ $x = 5 ] || cp deck.txt out.txt; [ $x != 3 ]")
    text = text.replace("command: [ ", "command: test 1 = 1 && [ ").replace(
        "required: false", "required: true"
    )
    study.write_text(text)
    bundle = lab.apply(study)
    results = lab.results(study)
    assert [(row.state.value, row.why[:11]) for row in results.rows] == [
        ("done", ""),
        ("failed", "exit code 1"),
        ("failed", "no value of"),
    ]
    (job,) = study_jobs(lab.client, "lab")
    assert lacking_runs(lab.client, bundle, job) == {3: ("y",)}


def test_the_table_has_a_cell_for_every_column(lab):
    study = lab.study({"x": {"levels": [1, 2], "unit": "m"}, "c": {"value": 7}}, design={})
    lab.apply(study)
    results = lab.results(study)
    assert header(results)[:4] == ["run", "x [m]", "c", "y"]
    assert all(len(cells(results, row)) == len(header(results)) for row in results.rows)
    assert as_csv(results).count("\n") == 3


def test_what_the_platform_samples_is_shown_as_it_sampled(lab):
    study = lab.study(
        {"x": {"generator": "Uniform", "min": 1, "max": 2}},
        design={"method": "monte-carlo", "sampling": "platform", "iterations": 4},
    )
    lab.apply(study)
    results = lab.results(study)
    assert [row.state for row in results.rows] == [RunState.DONE] * 4
    for row in results.rows:
        assert 1 <= float(row.inputs["x"]) <= 2
        assert lab.deck(row) == f"x={row.inputs['x']}|"
