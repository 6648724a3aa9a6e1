"""The design section: what goes together, and what is refused with a reason."""

import pytest

from doe_compiler.spec.model import Sampling

RANDOM = {"x": "{generator: Uniform, min: 0, max: 1}"}
LEVELS = {"m": "{levels: [a, b]}", "n": "{generator: Linspace, start: 0, stop: 1, count: 3}"}
THREE = dict.fromkeys("abc", "{generator: Uniform, min: 0, max: 1}")
BOTH = {**RANDOM, **LEVELS}


@pytest.mark.parametrize(
    ("variables", "design", "expected"),
    [
        (RANDOM, "", ["E115"]),
        (RANDOM, "{runs: 3}", ["E115"]),
        (RANDOM, "{method: full-factorial}", ["E115"]),
        (RANDOM, "{method: monte-carlo}", ["E102"]),
        (RANDOM, "{method: latin-hypercube}", ["E102"]),
        (RANDOM, "{method: monte-carlo, runs: 0}", ["E106"]),
        (RANDOM, "{method: monte-carlo, runs: 10000001}", ["E106"]),
        (RANDOM, "{method: monte-carlo, runs: 10000000, replicates: 2}", ["E110"]),
        (RANDOM, "{method: monte-carlo, runs: 3, iterations: 3}", ["E116"]),
        (RANDOM, "{method: monte-carlo, runs: 3, file: a.csv}", ["E116"]),
        (RANDOM, "{method: monte-carlo, runs: 3, correlation: {x/x: 1}}", ["E223"]),
        (THREE, "{method: monte-carlo, runs: 3, correlation: {a/b: 1}}", ["E223"]),
        (THREE, "{method: monte-carlo, runs: 3, correlation: {a/d: 0.5}}", ["E223"]),
        (THREE, "{method: monte-carlo, runs: 3, correlation: {a-b: 0.5}}", ["E223"]),
        (THREE, "{method: monte-carlo, runs: 3, correlation: {a/b: 0.5, b/a: 0.4}}", ["E120"]),
        (THREE, "{method: monte-carlo, runs: 3, correlation: {a/b: 0.9, b/c: 0.9, a/c: -0.5}}", ["E223"]),
        (
            THREE,
            "{method: sobol, runs: 4, correlation: {variables: [a, b], matrix: [[1, 0.1], [0.2, 1]]}}",
            ["E223"],
        ),
        (THREE, "{method: sobol, runs: 4, correlation: {variables: [a, b], matrix: [[1, 0]]}}", ["E223"]),
        (THREE, "{method: sobol, runs: 4, correlation: {matrix: [[1]]}}", ["E223"]),
        (THREE, "{method: sobol, runs: 4, correlationBy: copula}", ["E116"]),
        (THREE, "{method: box-behnken, correlation: {a/b: 0.5}}", ["E116"]),
        (
            {**THREE, "m": "{levels: [p, q]}"},
            "{method: sobol, runs: 4, cross: [m], correlation: {a/m: 0.5}}",
            ["E223"],
        ),
        (RANDOM, "{method: latin-hypercube, runs: 9, strength: 2, constraints: [x < 1]}", ["E115"]),
        (RANDOM, "{method: monte-carlo, runs: 3, constraints: [x]}", ["E208"]),
        (RANDOM, "{method: monte-carlo, runs: 3, constraints: [y < 1]}", ["E205"]),
        (RANDOM, "{method: monte-carlo, runs: 3, constraints: ['x <']}", ["E204"]),
        (BOTH, "{method: monte-carlo, runs: 3, constraints: ['m < 1']}", ["E207"]),
        (BOTH, "{method: monte-carlo, runs: 3, cross: [x]}", ["E209"]),
        (BOTH, "{method: monte-carlo, runs: 3, cross: [q]}", ["E209"]),
        (BOTH, "{method: monte-carlo, runs: 3, cross: [m, m]}", ["E120"]),
        (LEVELS, "{cross: [m]}", ["E116"]),
        (LEVELS, "{method: full-factorial, runs: 3}", ["E116"]),
        (LEVELS, "{iterations: 3}", ["E116"]),
        (LEVELS, "{method: table}", ["E102"]),
        (LEVELS, "{method: sobl}", ["E105"]),
        (RANDOM, "{method: sobol, runs: 4, file: a.csv}", ["E116"]),
        (RANDOM, "{method: sobol, runs: 4, skip: -1}", ["E106"]),
        (RANDOM, "{method: monte-carlo, runs: 4, scramble: false}", ["E116"]),
        (RANDOM, "{method: full-factorial, levels: 1}", ["E106"]),
        (LEVELS, "{method: full-factorial, levels: 3}", ["E115"]),
        (
            {"x": "{generator: Uniform, min: 0, max: 1, dimension: 2}"},
            "{method: monte-carlo, runs: 4}",
            ["E116"],
        ),
        (
            dict.fromkeys(("x", "y"), "{generator: Uniform, min: 0, max: 1, dimension: 2}"),
            "{method: halton, runs: 4}",
            ["E120"],
        ),
        (
            {"x": "{generator: Uniform, min: 0, max: 1, dimension: 1001}"},
            "{method: sobol, runs: 4}",
            ["E106"],
        ),
        (RANDOM, "{method: box-behnken}", ["E115"]),
        (THREE, "{method: box-behnken, runs: 13}", ["E116"]),
        (THREE, "{method: central-composite, alpha: 0.5}", ["E106"]),
        (THREE, "{method: central-composite, alpha: rotable}", ["E107"]),
        (THREE, "{combine: [{method: star}], method: star}", ["E116"]),
        (THREE, "{combine: [{method: star, replicates: 2}]}", ["E116"]),
        (THREE, "{combine: [{method: star, runs: 2}]}", ["E116"]),
        (THREE, "{combine: [{combine: [{method: star}]}]}", ["E116"]),
        (THREE, "{combine: []}", ["E107"]),
        (THREE, "{method: combine}", ["E105"]),
        (THREE, "{method: morris, runs: 10}", ["E115"]),
        (THREE, "{method: d-optimal, runs: 3}", ["E115"]),
        (THREE, "{method: d-optimal}", ["E102"]),
        (THREE, "{method: d-optimal, runs: 9, model: [a*q]}", ["E115"]),
        (THREE, "{method: d-optimal, runs: 9, model: [a + b]}", ["E115"]),
        (THREE, "{method: d-optimal, runs: 9, model: cubic}", ["E105"]),
        (THREE, "{method: d-optimal, runs: 9, model: []}", ["E107"]),
        (THREE, "{method: d-optimal, runs: 9, model: {a: 1}}", ["E103"]),
        (THREE, "{method: morris, runs: 8, levels: 5}", ["E115"]),
        (THREE, "{method: saltelli, runs: 16}", ["E115"]),
        (THREE, "{method: fast, runs: 192}", ["E115"]),
        (THREE, "{method: central-composite, axial: faced, alpha: 2}", ["E115"]),
        (THREE, "{method: fractional-factorial, generators: [C=AX]}", ["E115"]),
        (THREE, "{method: fractional-factorial, generators: []}", ["E107"]),
        (THREE, "{method: fractional-factorial, resolution: 2}", ["E106"]),
        (THREE, "{method: orthogonal-array, array: L7}", ["E105"]),
        ({**THREE, "d": "{levels: [a, b]}"}, "{method: central-composite}", ["E115"]),
        ({**THREE, "d": "{levels: [a, b]}"}, "{method: plackett-burman, centerPoints: 1}", ["E115"]),
        (
            {**THREE, "d": "{generator: Normal, mean: 0, std: 1}"},
            "{method: plackett-burman}",
            ["E115"],
        ),
        (RANDOM, "{sampling: platform}", ["E102"]),
        (RANDOM, "{sampling: platform, runs: 3, iterations: 3}", ["E119"]),
        (RANDOM, "{sampling: platform, iterations: 3, replicates: 2}", ["E119"]),
        (RANDOM, "{sampling: platform, iterations: 3, constraints: [x < 1]}", ["E119"]),
        (RANDOM, "{sampling: platform, iterations: 3, method: latin-hypercube}", ["E119"]),
        (BOTH, "{sampling: platform, iterations: 3}", ["E119"]),
        (
            {"x": "{generator: Normal, mean: 0, std: 1, lower: 0}"},
            "{sampling: platform, iterations: 3}",
            ["E119"],
        ),
        (
            {"x": "{generator: Uniform, min: 0, max: 3, type: integer}"},
            "{sampling: platform, iterations: 3}",
            ["E119"],
        ),
        (
            {"x": "{generator: Uniform, min: 0, max: 3, format: '0.0'}"},
            "{sampling: platform, iterations: 3}",
            ["E119"],
        ),
        ({**RANDOM, "y": "{expression: x + 1}"}, "{sampling: platform, iterations: 3}", ["E119"]),
        ({"n": LEVELS["n"]}, "{sampling: platform, iterations: 3}", ["E116"]),
    ],
)
def test_what_does_not_fit_is_one_finding(read_variables, codes, variables, design, expected):
    assert codes(read_variables(variables, design)) == expected


@pytest.mark.parametrize(
    ("variables", "design", "method"),
    [
        (LEVELS, "", "full-factorial"),
        (LEVELS, "{replicates: 2, constraints: [n < 1]}", "full-factorial"),
        ({"g": "{value: 1}"}, "", "full-factorial"),
        (BOTH, "{method: latin-hypercube, runs: 3, cross: [m]}", "latin-hypercube"),
        (RANDOM, "{sampling: platform, iterations: 3}", "monte-carlo"),
        ({"n": LEVELS["n"]}, "{sampling: platform}", "full-factorial"),
    ],
)
def test_what_fits_has_a_method(read_variables, variables, design, method):
    reading = read_variables(variables, design)
    assert reading.findings == ()
    assert reading.spec.design.method == method
    assert (reading.spec.design.sampling is Sampling.PLATFORM) == ("platform" in design)


def test_too_many_combinations_are_a_finding(read_variables, codes):
    many = "{generator: Linspace, start: 0, stop: 1, count: 1000}"
    assert codes(read_variables(dict.fromkeys("abcdefgh", many))) == ["E110"]


def test_the_nominal_run_needs_every_nominal(read_variables):
    reading = read_variables(BOTH, "{method: monte-carlo, runs: 3}", "job: {includeNominalRun: true}\n")
    assert [f.code for f in reading.findings] == ["E213"] * 3


def test_a_wrong_nominal_is_not_also_missing(read_variables, codes):
    variables = {"m": "{levels: [a, b], nominal: c}"}
    assert codes(read_variables(variables, "", "job: {includeNominalRun: true}\n")) == ["E112"]


TABLE = {"x": "{unit: m}", "m": "{levels: [a, b]}"}


def test_a_table_gives_the_rows(read_variables):
    reading = read_variables(TABLE, "{method: table, file: t.csv}", files={"t.csv": "x, m\n 1.50 ,a\n'2,b\n"})
    assert reading.findings == ()
    assert reading.spec.design.table.names == ("x", "m")
    assert reading.spec.design.table.rows == (("1.50", "a"), ("'2", "b"))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", ["E312"]),
        ("x,m\n", ["E312"]),
        ("x,m\n1\n", ["E312"]),
        ("x,m\n1,a,b\n", ["E312"]),
        ("x,x\n1,a\n", ["E312"]),
        ("x,\n1,a\n", ["E312"]),
        ("x,1m\n1,a\n", ["E312"]),
        ('x,m\n"1,a\n', ["E312"]),
        ("x,m\n,a\n", ["E313"]),
        ('x,m\n"1,2",a\n', ["E313"]),
        ("x,m\n1,c\n", ["E313"]),
        ("x,m,y\n1,a,1\n", ["E214"]),
        ("x\n1\n", ["E214"]),
        ("x,m\n1,a\0\n", ["E004"]),
        (b"x,m\n\xff,a\n", ["E003"]),
        ("x,m\n1,a\n".encode("utf-16"), ["E003"]),
    ],
)
def test_a_wrong_table_is_a_finding(read_variables, codes, content, expected):
    reading = read_variables(TABLE, "{method: table, file: t.csv}", files={"t.csv": content})
    assert codes(reading) == expected


def test_a_table_is_checked_against_ranges(read_variables, codes):
    variables = {"x": "{generator: Uniform, min: 0, max: 1}", "k": "{type: integer}"}
    reading = read_variables(
        variables, "{method: table, file: t.csv}", files={"t.csv": "x,k\n1,1\n2,1\nz,1.5\n"}
    )
    assert codes(reading) == ["E313"] * 3


def test_a_table_full_of_mistakes_tells_the_first_twenty(read_variables):
    reading = read_variables(TABLE, "{method: table, file: t.csv}", files={"t.csv": "x,m\n" + "1\n" * 500})
    assert len(reading.findings) == 21


def test_text_in_a_column_is_not_reckoned_with(read_variables, codes):
    variables = {"x": "{}", "y": "{expression: x + 1}"}
    design = "{method: table, file: t.csv}"
    assert codes(read_variables(variables, design, files={"t.csv": "x\n1\n2\n"})) == []
    assert codes(read_variables(variables, design, files={"t.csv": "x\n1\na\n"})) == ["E207"]


def test_a_line_of_a_table_is_told_as_editors_count(read_variables):
    content = 'x,m\n1,""\n"1\n2",a\n1,a,b\n'
    reading = read_variables(TABLE, "{method: table, file: t.csv}", files={"t.csv": content})
    (shown,) = {f.place.file for f in reading.findings}
    told = [(f.place.line, reading.lines[shown][f.place.line - 1]) for f in reading.findings]
    assert sorted(told) == [(2, '1,""'), (5, "1,a,b")]


def test_a_number_in_a_table_is_a_level_however_it_is_written(read_variables, codes):
    variables = {"x": "{levels: [1, 2.5, '3.0']}"}
    table = "{method: table, file: t.csv}"
    assert codes(read_variables(variables, table, files={"t.csv": "x\n1.0\n2.50\n1e0\n3.0\n"})) == []
    assert codes(read_variables(variables, table, files={"t.csv": "x\n1.1\n3\n"})) == ["E313"] * 2


def test_a_column_of_floats_holds_numbers(read_variables, codes):
    design, variables = "{method: table, file: t.csv}", {"x": "{type: float}"}
    assert codes(read_variables(variables, design, files={"t.csv": "x\n1\n1.5\n-2e-3\n"})) == []
    for cell in ("mm", "1O.5", "1.5d-3", "1e400", "nan"):
        found = codes(read_variables(variables, design, files={"t.csv": f"x\n{cell}\n1\n"}))
        assert set(found) == {"E313"}, cell


def test_a_row_of_units_is_a_run_and_told(read_variables, codes):
    design = "{method: table, file: t.csv}"
    found = codes(read_variables({"x": "{}", "y": "{}"}, design, files={"t.csv": "x,y\nm,kg\n1,2\n3,4\n"}))
    assert found == ["E323"]
    for text in ("x\noff\n1\n", "x\noff\n1\non\n"):
        assert codes(read_variables({"x": "{}"}, design, files={"t.csv": text})) == []
    assert codes(read_variables({"x": "{type: text}"}, design, files={"t.csv": "x\nm\n1\n2\n"})) == []


def test_a_column_of_numbers_holds_finite_ones(read_variables, codes):
    design = "{method: table, file: t.csv}"
    for cells in ("1\nnan\n", "-inf\n2\n", "NaN\n", "1\nInfinity\n"):
        assert codes(read_variables({"x": "{}"}, design, files={"t.csv": "x\n" + cells})) == ["E313"]
    assert codes(read_variables({"x": "{}"}, design, files={"t.csv": "x\ninf\nwall\n"})) == []


def test_a_column_of_numbers_that_writes_one_in_two_ways_is_told(read_variables, codes):
    table = "{method: table, file: t.csv}"
    for cells in ("1.1\n1.10\n", "012\n12\n", "1e3\n1000\n", "+1\n1\n"):
        reading = read_variables({"x": "{}"}, table, files={"t.csv": "x\n" + cells})
        assert codes(reading) == ["E314"]
        assert reading.spec is not None
    for variable, cells in (
        ("{type: text}", "1.1\n1.10\n"),
        ("{}", "1.1\n1.10\nv2\n"),
        ("{}", "1.10\n1.10\n"),
    ):
        assert codes(read_variables({"x": variable}, table, files={"t.csv": "x\n" + cells})) == []


def test_a_table_of_quoted_levels_says_them_as_they_are_written(read_variables, codes):
    table = "{method: table, file: t.csv}"
    variables = {"x": "{levels: ['1.10', '1.2']}"}
    assert codes(read_variables(variables, table, files={"t.csv": "x\n1.10\n1.2\n"})) == []
    assert codes(read_variables(variables, table, files={"t.csv": "x\n1.1\n1.20\n"})) == ["E313"] * 2


def test_hexadecimal_cells_are_texts(read_variables, codes):
    table = "{method: table, file: t.csv}"
    assert codes(read_variables({"x": "{}"}, table, files={"t.csv": "x\n0x10\n012\n12e4567\n"})) == []
    bounded = {"x": "{generator: Uniform, min: 1, max: 20}"}
    assert codes(read_variables(bounded, table, files={"t.csv": "x\n0x10\n"})) == ["E313"]


def test_bounds_of_large_integers_are_exact(read_variables, codes):
    table = "{method: table, file: t.csv}"
    bounded = {"x": "{generator: Uniform, min: 1, max: 9007199254740993, type: integer}"}
    assert codes(read_variables(bounded, table, files={"t.csv": "x\n9007199254740993\n"})) == []
    reading = read_variables(bounded, table, files={"t.csv": "x\n9007199254740994\n"})
    assert codes(reading) == ["E313"]
    assert "above 9007199254740993" in reading.findings[0].message
