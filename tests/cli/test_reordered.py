"""Rows in another order are the same rows: what failed, was stopped or is shown is told by the cells, never by the place."""

import csv
import io
import json
from collections import Counter

import pytest


@pytest.fixture
def studied(study_at, tmp_path):
    """A study whose runs log their x; those of 2 fail while there is no file `mended`."""
    ran, mended = tmp_path / "ran", tmp_path / "mended"

    def write(variables, design="{}", deck="x = ${x}\n", responses="  y: {file: y.txt, regex: 'x = (\\S+)'}"):
        command = f"cat deck.txt >> {ran}; cp deck.txt y.txt; ! grep -q ' 2$' deck.txt || test -e {mended}"
        return study_at(
            variables=variables, design=design, deck=deck, command=json.dumps(command), responses=responses
        )

    return write, ran, mended


def shown(doe, study):
    done = doe("results", study, "--format", "csv")
    return list(csv.DictReader(io.StringIO(done.stdout)))


def again(doe, ran, mended, study):
    """What an apply with --retry-failed runs."""
    mended.write_text("")
    ran.write_text("")
    done = doe("apply", study, "--yes", "--retry-failed")
    assert done.returncode == 0, done.stderr
    return Counter(ran.read_text().splitlines())


@pytest.mark.parametrize(
    ("variables", "design"),
    [
        ("  x: {levels: [2, 1, 3]}", "{}"),
        ("  x: {levels: [3, 2, 1]}", "{}"),
        ("  x: {levels: [1, 2, 3]}", "{method: full-factorial, randomize: true}"),
    ],
)
def test_the_row_that_failed_is_tried_again_wherever_it_stands(doe, studied, variables, design):
    write, ran, mended = studied
    assert doe("apply", write("  x: {levels: [1, 2, 3]}"), "--yes").returncode == 1
    study = write(variables, design)
    rows = shown(doe, study)
    assert [row["x"] for row in rows if row["state"] == "failed"] == ["2"]
    assert again(doe, ran, mended, study) == {"x = 2": 1}
    rows = shown(doe, study)
    assert [(row["state"], row["x"]) for row in rows] == [("done", row["y"]) for row in rows]
    planned = doe("plan", study, "--detailed-exitcode")
    assert planned.returncode == 0, planned.stdout
    assert doe("drift", study).returncode == 0


def test_variables_that_change_places_keep_their_rows(doe, studied):
    write, ran, mended = studied
    deck = "x = ${a} ${b}\n"
    a, b = "  a: {levels: [1, 2]}", "  b: {levels: [2, 6]}"
    assert doe("apply", write(f"{a}\n{b}", deck=deck), "--yes").returncode == 1
    assert again(doe, ran, mended, write(f"{b}\n{a}", deck=deck)) == {"x = 1 2": 1, "x = 2 2": 1}


def test_results_render_and_only_count_runs_as_the_design_does(doe, studied):
    write, ran, mended = studied
    table = "{method: table, file: t.csv}"
    study = write("  x: {}", table)
    (study.parent / "t.csv").write_text("x\n1\n2\n3\n")
    assert doe("apply", study, "--yes").returncode == 1
    (study.parent / "t.csv").write_text("x\n3\n1\n2\n")
    assert [row["x"] for row in shown(doe, study)] == ["3", "1", "2"]
    assert "is shown as it ran" not in doe("results", study).stderr
    assert "x = 3" in doe("render", study, "--run", "1").stdout
    other = doe("plan", study, "--retry-failed", "--only", "1", "--detailed-exitcode")
    assert other.returncode == 0, other.stdout
    mended.write_text("")
    ran.write_text("")
    assert doe("apply", study, "--yes", "--retry-failed", "--only", "3").returncode == 0
    assert ran.read_text() == "x = 2\n"


def test_rows_that_ran_by_an_older_recipe_are_superseded_in_any_order_and_number(doe, studied):
    write, _ran, mended = studied
    mended.write_text("")
    table = "{method: table, file: t.csv}"
    study = write("  x: {}", table)
    for rows in ("1\n2\n3", "2\n1\n4\n3"):
        (study.parent / "t.csv").write_text(f"x\n{rows}\n")
        assert doe("apply", study, "--yes").returncode == 0
    write("  x: {}", table, deck="now x = ${x}\n")
    assert "0 runs in 0 jobs to create, 0 to retry, 4 to supersede" in doe("plan", study).stdout
    (study.parent / "t.csv").write_text("x\n4\n1\n9\n")
    assert "1 run in 1 job to create, 0 to retry, 2 to supersede" in doe("plan", study).stdout


def test_a_plan_tells_the_change_from_the_nearest_recipe(doe, study_at):
    def study(value, command):
        constant = f"  x: {{levels: [1, 2]}}\n  c: {{value: {value}}}"
        return study_at(variables=constant, design="{}", command=command, deck="${x} ${c}", responses="  {}")

    for value in (5, 6):
        assert doe("apply", study(value, "cat deck.txt"), "--yes").returncode == 0
    planned = doe("plan", study(5, "cat -n deck.txt")).stdout
    assert "command 'cat deck.txt' is now 'cat -n deck.txt'" in planned
    assert "constant" not in planned


@pytest.mark.parametrize("levels", ["[1, 2, 3]", "[3, 2, 1]"])
def test_a_parameter_csv_that_was_deleted_hides_no_row(doe, studied, levels):
    write, ran, mended = studied
    study = write("  x: {levels: [1, 2, 3]}")
    assert doe("apply", study, "--yes").returncode == 1
    listed = doe("files", "list", cwd=study.parent).stdout.splitlines()
    (file,) = [line.split()[0] for line in listed if line.endswith(" adder.csv")]
    assert doe("files", "delete", file, "--yes", cwd=study.parent).returncode == 0
    study = write(f"  x: {{levels: {levels}}}")
    assert doe("plan", study).returncode == 0
    assert [row["x"] for row in shown(doe, study) if row["state"] == "failed"] == ["2"]
    assert again(doe, ran, mended, study) == {"x = 2": 1}


def test_what_was_stopped_is_run_and_nothing_else(doe, study_at, tmp_path):
    ran = tmp_path / "ran"
    more = {
        "command": json.dumps(f"cat deck.txt >> {ran}; sleep $(awk '{{print 5 * ($3 - 1)}}' deck.txt)"),
        "responses": "  {}",
        "design": "{}",
    }
    first = doe("apply", study_at(variables="  x: {levels: [1, 2, 3]}", **more), "--yes", "--timeout", "3")
    assert first.returncode == 75, first.stderr
    study = study_at(variables="  x: {levels: [3, 2, 1]}", **more)
    assert doe("stop", study).returncode == 0
    assert {row["x"]: row["state"] for row in shown(doe, study)} == {
        "1": "done",
        "2": "stopped",
        "3": "stopped",
    }
    ran.write_text("")
    assert doe("apply", study, "--yes").returncode == 0
    assert sorted(ran.read_text().splitlines()) == ["x = 2", "x = 3"]
