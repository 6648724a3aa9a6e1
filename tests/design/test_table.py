"""The rows of a user's CSV: cells in canonical text, checked against the variables by line."""

from fractions import Fraction as F

import pytest
from design_studies import built, csv, formula, levels, refusals, study, table_of, uniform, variable

from doe_compiler.design.cell_text import cell_of
from doe_compiler.generators.laws.fixed_range import FixedRange
from doe_compiler.generators.laws.log_normal import LogNormal
from doe_compiler.generators.laws.normal import Normal
from doe_compiler.spec.model import FromTable, Levels

X = variable("x", FromTable())
M = levels("m", "a", "b")


def table(names, *rows, **options):
    return {"method": "table", "table": table_of(names, *rows), **options}


def test_cells_are_canonical_numbers_or_their_text():
    rows = [["1.0", "1.10"], ["2.50e1", "b"], ["007", "12e4567"], ["1", "0x10"]]
    design = built(study(X, variable("t", FromTable()), **table(["x", "t"], *rows)))
    assert design.cells("x") == ["1", "25", "007", "1"]
    assert design.cells("t") == ["1.10", "b", "12e4567", "0x10"]


@pytest.mark.parametrize("cell", ["1.10", "83e45", "012", "12345678901234567890", "+1", "1e16"])
def test_a_text_keeps_its_cells_as_they_are_written(cell):
    text = variable("x", FromTable(), is_text=True)
    assert built(study(text, **table(["x"], [cell]))).cells("x") == [cell]
    quoted = variable("x", Levels((cell, "other"), keeps_text=True))
    assert built(study(quoted, **table(["x"], [cell]))).cells("x") == [cell]
    assert built(study(X, **table(["x"], [cell], ["0x10"]))).cells("x") == [cell, "0x10"]


FACTORIAL = {"method": "full-factorial"}


def test_texts_that_mean_one_number_are_compared_as_texts():
    versions = variable("v", Levels(("1.10", "1.1"), keeps_text=True))
    spec = study(versions, formula("n", "1 if v == '1.10' else 0"), **FACTORIAL)
    assert csv(built(spec)) == "v,n\n1.10,1\n1.1,0\n"


def test_a_quoted_number_is_compared_with_a_text_as_a_number():
    version = variable("v", Levels(("1.10", "1.9"), keeps_text=True))
    spec = study(version, formula("n", "1 if v == '1.10' else 0"), **FACTORIAL)
    assert csv(built(spec)) == "v,n\n1.10,1\n1.9,0\n"


BIG = 2**53 + 1


def test_large_integers_keep_every_digit_in_a_table():
    cells = [str(number) for number in (BIG, -BIG, 2**60, 2**60 + 1, 10**16, 10**16 + 1, 10**40 + 1, 5)]
    assert built(study(X, **table(["x"], *[[cell] for cell in cells]))).cells("x") == cells
    whole = variable("x", FromTable(), is_integer=True)
    assert built(study(whole, **table(["x"], *[[cell] for cell in cells]))).cells("x") == cells


def test_a_large_integer_that_is_no_point_is_refused():
    law = FixedRange(F(BIG - 1), F(BIG + 3), F(2))
    whole = variable("x", law, is_integer=True)
    assert built(study(whole, **table(["x"], [str(BIG + 1)]))).cells("x") == [str(BIG + 1)]
    assert refusals(study(whole, **table(["x"], [str(BIG)])))[0].code == "E533"


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("1.0", "1"),
        ("1", "1"),
        ("+2", "2"),
        (".5", "0.5"),
        ("0.30", "0.3"),
        ("1E3", "1000"),
        ("-0.0", "0"),
        ("00", "00"),
        ("-007", "-007"),
        ("0.1000000000000000055", "0.1000000000000000055"),
        ("12345678901234567890", "12345678901234567890"),
        ("1e999", "1e999"),
        ("1e-999", "1e-999"),
        ("nan", "nan"),
        ("1_000", "1_000"),
    ],
)
def test_a_number_is_normalised_only_if_no_digit_is_lost(text, cell):
    assert cell_of(X, text) == cell


def test_a_format_writes_the_table_s_numbers():
    x = variable("x", FromTable(), format="0.00")
    assert built(study(x, **table(["x"], ["1"], ["0.125"], ["auto"]))).cells("x") == ["1.00", "0.12", "auto"]


def test_columns_may_be_in_any_order_and_others_are_crossed():
    spec = study(X, M, formula("s", "2*x"), **table(["x"], ["1"], ["2"], cross=("m",)))
    assert csv(built(spec)) == "x,m,s\n1,a,2\n1,b,2\n2,a,4\n2,b,4\n"


def test_values_at_the_ends_of_a_range_fit():
    rows = [["0", "a"], ["1", "b"]]
    assert built(study(uniform("x"), M, **table(["x", "m"], *rows))).n == 2


@pytest.mark.parametrize(
    ("var", "cell", "part"),
    [
        (uniform("x"), "1.5", "above its maximum 1"),
        (uniform("x"), "-0.5", "below its minimum 0"),
        (uniform("x"), "auto", "not a number"),
        (uniform("x", 0, 9, is_integer=True), "1.5", "not a whole number"),
        (variable("x", Normal(F(0), F(1))), "nan", "not a number"),
        (variable("x", LogNormal(F(0), F(1), lower=F(1))), "0.5", "below its minimum 1"),
        (variable("x", FixedRange(F(0), F(1), F("0.1"))), "0.35", "not a point"),
        (levels("x", "a", "b"), "c", "not a level"),
        (variable("x", FromTable(), is_integer=True), "1.5", "not a whole number"),
        (variable("x", FromTable(), is_integer=True), "abc", "not a whole number"),
    ],
)
def test_cells_that_do_not_fit_are_named_by_their_line(var, cell, part):
    good = {"x": "b"} if part == "not a level" else {"x": "1"}
    findings = refusals(study(var, **table(["x"], [good["x"]], [cell])))
    assert len(findings) == 1
    assert part in findings[0].message
    assert repr(cell) in findings[0].message
    assert str(findings[0].place) == "points.csv:3:1"


def test_many_wrong_cells_are_counted():
    findings = refusals(study(uniform("x"), **table(["x"], *([str(k)] for k in range(2, 52)))))
    assert len(findings) == 21
    assert "30 more cells" in findings[-1].message


def test_rows_that_violate_a_constraint_are_named_not_left_out():
    findings = refusals(study(X, M, **table(["x"], ["1"], ["5"], cross=("m",), constraints=["x < 3"])))
    assert [str(finding.place) for finding in findings] == ["points.csv:3:1"]
    assert "'x < 3'" in findings[0].message


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        (study(X, **table(["x", "y"], ["1", "2"])), "E531"),
        (study(X, M, **table(["x"], ["1"])), "E532"),
        (study(X, **table(["x"])), "E530"),
        (study(X, method="table"), "E530"),
    ],
)
def test_a_table_that_does_not_fit_the_variables_is_refused(spec, code):
    assert refusals(spec)[0].code == code


def test_cells_that_no_run_can_have_are_refused():
    assert refusals(study(X, **table(["x"], ["a\0b"])))[0].code == "E541"
