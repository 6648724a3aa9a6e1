"""Runs that exist and those that complement them: the old cells stay, the new ones know of them."""

import pytest
import yaml
from design_studies import built, levels, refusals, study, table_of, uniform

from doe_compiler.design.build import build
from doe_compiler.methods.catalogue import METHODS
from doe_compiler.pipeline.compiling import read_study

X, Y = uniform("x", 0, 10), uniform("y", -1, 1)
OPTIMAL = {"method": "d-optimal", "options": {"model": "linear"}}


def rows(*variables, **options):
    design = built(study(*variables, **{**OPTIMAL, **options}))
    return list(zip(*(design.cells(variable.name) for variable in variables), strict=True))


def test_rows_of_the_file_stay_and_the_missing_corners_are_added():
    """Of a linear model's best design, the four corners, two are there."""
    table = table_of(["x", "y"], ["0", "-1"], ["10.0", "1"])
    found = rows(X, Y, runs=4, table=table)
    assert found[:2] == [("0", "-1"), ("10", "1")]
    assert set(found[2:]) == {("0", "1"), ("10", "-1")}


@pytest.mark.parametrize("name", ["d-optimal", "i-optimal"])
def test_runs_off_the_grid_are_kept_to_the_digit(name):
    table = table_of(["x", "m"], ["3.125", "b"], ["7.0625", "a"])
    found = rows(X, levels("m", "a", "b"), method=name, runs=6, table=table)
    assert found[:2] == [("3.125", "b"), ("7.0625", "a")]
    assert len(found) == 6
    assert all(x in ("0", "10") for x, _ in found[2:])


def test_nothing_is_added_where_all_runs_exist():
    table = table_of(["x", "y"], *[[str(k), "0"] for k in range(5)])
    assert [x for x, _ in rows(X, Y, runs=5, table=table)] == ["0", "1", "2", "3", "4"]


def test_what_is_refused():
    table = table_of(["x", "y"], *[[str(k), "0"] for k in range(5)])
    assert [f.code for f in refusals(study(X, Y, runs=4, table=table, **OPTIMAL))] == ["E520"]
    beyond = table_of(["x", "y"], ["11", "0"])
    assert [f.code for f in refusals(study(X, Y, runs=4, table=beyond, **OPTIMAL))] == ["E533"]
    lacking = table_of(["x"], ["1"])
    assert [f.code for f in refusals(study(X, Y, runs=4, table=lacking, **OPTIMAL))] == ["E532"]


STUDY = {
    "doe": 1,
    "study": "s",
    "variables": {
        "x": {"generator": "Uniform", "min": 0, "max": 10},
        "y": {"generator": "LogUniform", "min": 1, "max": 100},
    },
    "design": {"method": "d-optimal", "runs": 4, "augment": "done.csv"},
    "analyses": [{"analysis": {"code": "c"}, "command": "echo $x $y", "hardware": {"coreType": "emerald"}}],
}


def read(folder, done, **design):
    (folder / "done.csv").write_text(done)
    (folder / "study.yaml").write_text(yaml.safe_dump({**STUDY, "design": {**STUDY["design"], **design}}))
    return read_study(folder / "study.yaml")


def test_a_table_of_results_is_read_whatever_its_other_columns_hold(tmp_path):
    done = "run,state,x,y,the drag,x_velocity\n1,completed,0,1,0.25,\n2,failed,10,1,,7\n"
    reading = read(tmp_path, done)
    assert reading.spec is not None, reading.findings
    design, findings = build(reading.spec)
    assert findings == []
    found = list(zip(design.cells("x"), design.cells("y"), strict=True))
    assert found == [("0", "1"), ("10", "1"), ("0", "100"), ("10", "100")]


@pytest.mark.parametrize(
    ("done", "design", "code"),
    [
        ("x,z\n1,1\n", {}, "E214"),
        ("x,y\n1,\n", {}, "E313"),
        ("x,y\n1,1\n", {"cross": ["x"]}, "E116"),
        ("x,y\n1,1\n", {"method": "sobol"}, "E116"),
        ("x,y\n1,1000\n", {}, "E313"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(tmp_path, done, design, code):
    reading = read(tmp_path, done, **design)
    assert code in [finding.code for finding in reading.findings], reading.findings


def test_a_table_in_a_combination_keeps_to_its_constraints(tmp_path):
    (tmp_path / "t.csv").write_text("x,y\n1,1\n9,1\n")
    parts = [
        {"method": "table", "file": "t.csv", "constraints": ["x < 5"]},
        {"method": "latin-hypercube", "runs": 3},
    ]
    (tmp_path / "study.yaml").write_text(yaml.safe_dump({**STUDY, "design": {"combine": parts}}))
    reading = read_study(tmp_path / "study.yaml")
    assert reading.spec is not None, reading.findings
    _, findings = build(reading.spec)
    assert [finding.code for finding in findings] == ["E564"]


def test_augment_is_an_option_of_optimal_designs_only():
    takers = [name for name, method in METHODS.items() if "augment" in method.options]
    assert takers == ["d-optimal", "i-optimal"]
