"""Tables fit the terminal, and say what they leave out."""

import pytest

from doe_compiler.cli.tables import Layout, fitted, text_table
from doe_compiler.kernel.errors import WrongUsage

WIDE = "{method: monte-carlo, runs: 2}"
VARIABLES = "\n".join(f"  variable{n}: {{generator: Uniform, min: 0, max: 10}}" for n in range(9))


def test_texts_are_shortened_before_columns_are_left_out():
    rows = [["1", "a" * 50, "2.5"], ["2", "b", "3.5"]]
    text = text_table(["run", "text", "number"], rows, 40)
    assert max(map(len, text.splitlines())) <= 40
    assert "2.5" in text
    assert "a…" in text
    assert "shortened: text" in text.lower()
    whole = text_table(["run", "text", "number"], rows)
    assert "a" * 50 in whole
    assert "--wide" not in whole
    assert text_table(["run", "text", "number"], rows, 64) == whole


def test_numbers_are_whole_or_absent():
    titles = ["run", *(f"x{n}" for n in range(20))]
    rows = [[str(r), *(f"1.234567{n:02}" for n in range(20))] for r in range(3)]
    text = text_table(titles, rows, 50)
    table, _, note = text.partition("Left out")
    for line in table.splitlines()[2:]:
        assert all(len(cell) == 10 for cell in line.split()[1:])
    assert " and 9 more" in note.replace("\n", " ")
    assert max(map(len, text.splitlines())) <= 50


@pytest.mark.parametrize("limit", [20, 33, 50, 79, 80, 200])
def test_no_table_is_wider_than_the_terminal(limit):
    titles = ["run", "a long title with blanks", "x", "state", "why"]
    rows = [["1", "text " * 9, "1.5", "failed", "exit code 3: " + "word " * 30]]
    assert max(map(len, text_table(titles, rows, limit).splitlines())) <= limit
    assert "state" in text_table(titles, rows, limit)


def test_what_is_left_out_comes_from_the_right_but_the_state_stays():
    fit = fitted(["run", "x", "state", "y"], [3, 30, 6, 30], [True, True, False, True], 45)
    assert fit.places == (0, 1, 2)
    assert "y" in fit.note


def test_columns_are_found_by_their_titles_with_and_without_units():
    titles = ["run", "x [m]", "state"]
    assert Layout(("state", "x", "x [m]")).places(titles) == [2, 1, 1]
    assert Layout().places(titles) is None
    with pytest.raises(WrongUsage, match="no column 'stat'; did you mean 'state'"):
        Layout(("stat",)).places(titles)


def test_tables_of_commands_fit_and_can_be_chosen(doe, study_at):
    study = study_at(
        command='"head -n 1 deck.txt > y.txt"',
        responses="  y: {file: y.txt, regex: 'x = (.*)'}",
        variables=VARIABLES,
        deck="x = ${variable0}\n" + "".join(f"${{variable{n}}}\n" for n in range(1, 9)),
        design=WIDE,
    )
    assert doe("apply", study, "--yes").returncode == 0
    narrow = {"COLUMNS": "60"}
    asked = (("design", study), ("results", study), ("status", study), ("jobs", "list"), ("coretypes",))
    for command in asked:
        fitting = doe(*command, env=narrow, cwd=study.parent)
        assert fitting.returncode == 0, fitting.stderr
        assert max(map(len, fitting.stdout.splitlines())) <= 60, command
        wide = doe(*command, "--wide", env=narrow, cwd=study.parent)
        assert wide.returncode == 0
        if max(map(len, wide.stdout.splitlines())) > 60:
            assert "--wide shows everything" in fitting.stdout.replace("\n", " "), command
        assert "--wide" not in wide.stdout
    chosen = doe("results", study, "--columns", "run,y,state", env=narrow).stdout.splitlines()
    assert chosen[0].split() == ["run", "y", "state"]
    assert len(chosen) == 4
    assert doe("design", study, "--columns", "variable8").stdout.splitlines()[0].strip() == "variable8"
    assert doe("jobs", "list", "--columns", "status", cwd=study.parent).stdout.split() == [
        "status", "---------", "Completed",
    ]  # fmt: skip
    unknown = doe("results", study, "--columns", "run,yy")
    assert unknown.returncode == 64
    assert "no column 'yy'" in unknown.stderr
    assert doe("results", study, "--columns", "run", "--format", "csv").returncode == 64
    into_file = doe("design", study, "-o", "t.txt", env=narrow, cwd=study.parent)
    assert into_file.returncode == 0
    assert "variable8" in (study.parent / "t.txt").read_text()
    shown = doe("apply", study, "--yes", env=narrow).stdout
    assert max(map(len, shown.splitlines())) <= 60
    assert "doe results --wide" in shown.replace("\n", " ")
