"""One case a rule: each wrong variable gives one finding with its code, each right one none."""

from fractions import Fraction

import pytest

from doe_compiler.generators.laws.empirical import Empirical
from doe_compiler.generators.laws.fixed_range import FixedRange
from doe_compiler.generators.laws.linspace import Linspace
from doe_compiler.generators.laws.log_normal import LogNormal
from doe_compiler.generators.laws.normal import Normal
from doe_compiler.generators.laws.triangular import Triangular
from doe_compiler.spec.model import Constant, Levels

MONTE_CARLO = "{method: monte-carlo, runs: 4}"


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ("{generator: Uniform, min: 3, max: 3}", "E104"),
        ("{generator: Normal, mean: 0, std: 0}", "E106"),
        ("{generator: Normal, mean: 0, std: 1, lower: 2, upper: 1}", "E104"),
        ("{generator: Normal, mean: 0, std: 1, lower: 40}", "E109"),
        ("{generator: Normal, mean: 0, std: 1, upper: -40}", "E109"),
        ("{generator: Normal, mean: 0, std: 1, lower: 0, upper: 1e-12}", "E109"),
        ("{generator: LogNormal, mu: 0, sigma: 1, upper: 0}", "E109"),
        ("{generator: LogNormal, mean: -1, std: 1}", "E106"),
        ("{generator: Triangular, min: 1, mode: 0, max: 2}", "E104"),
        ("{generator: Triangular, min: 1, mode: 3, max: 2}", "E104"),
        ("{generator: Linspace, start: 0, stop: 1, count: 1}", "E106"),
        ("{generator: Linspace, start: 1, stop: 1, count: 2}", "E104"),
        ("{generator: Linspace, start: 0, stop: 1, count: 10000001}", "E106"),
        ("{generator: FixedRange, min: 0, max: 1, increment: 0}", "E106"),
        ("{generator: FixedRange, min: 0, max: 1, increment: -1}", "E106"),
        ("{generator: FixedRange, min: 0, max: 1, increment: 1e-300}", "E110"),
        ("{generator: FixedRange, min: 1, max: 1, increment: 1}", "E104"),
        ("{generator: LogUniform, min: 0, max: 1}", "E106"),
        ("{generator: LogUniform, min: 2, max: 1}", "E104"),
        ("{generator: Beta, alpha: 2, beta: 2, min: 1, max: 1}", "E104"),
        ("{generator: Pert, min: 0, mode: 2, max: 1}", "E104"),
        ("{generator: Gamma, shape: 100000, scale: 1}", "E106"),
        ("{generator: Exponential, mean: 1, lower: 100}", "E109"),
        ("{generator: Exponential, mean: 1, upper: -1}", "E109"),
        ("{generator: Uniform, min: 0, max: 1, lower: 2}", "E109"),
        ("{generator: Poisson, mean: 4, upper: 100, lower: 99}", "E109"),
        ("{generator: Student, df: 0}", "E106"),
        ("{generator: Binomial, trials: 1.5, probability: 0.5}", "E103"),
        ("{generator: Histogram, edges: [1, 0], weights: [1]}", "E104"),
        ("{generator: Histogram, edges: [0, 1, 2], weights: [1]}", "E106"),
        ("{generator: Histogram, edges: [0, 1, 2], weights: [1, -1]}", "E106"),
        ("{generator: Histogram, edges: [0, 1], weights: [x]}", "E103"),
        ("{generator: Empirical, file: missing.csv, column: a}", "E301"),
        ("{levels: [a, b], weights: [1]}", "E106"),
        ("{levels: [a, b], weights: [0, 0]}", "E106"),
        ("{levels: [a, b], weights: [1, 2]}", "E116"),
        ("{generator: Uniform, min: 0, max: .inf}", "E010"),
        ("{generator: Uniform, min: 0, max: nan}", "E103"),
        ("{levels: []}", "E107"),
        ("{levels: [1, 1.0]}", "E120"),
        ("{levels: ['']}", "E111"),
        ('{levels: ["a\\0b"]}', "E111"),
        ("{value: [1]}", "E103"),
        ("{value: 1, levels: [1]}", "E108"),
        ("{value: 1, generator: Uniform, min: 0, max: 1}", "E108"),
        ("{}", "E102"),
        ("{unit: m}", "E102"),
        ("{generator: Uniform, min: 0, max: 1, nominal: 2}", "E112"),
        ("{generator: Uniform, min: 0, max: 1, nominal: text}", "E112"),
        ("{generator: Normal, mean: 0, std: 1, lower: -1, nominal: -2}", "E112"),
        ("{generator: LogNormal, mu: 0, sigma: 1, nominal: -2}", "E112"),
        ("{levels: [a, b], nominal: c}", "E112"),
        ("{generator: Uniform, min: 0, max: 1.5, type: integer}", "E113"),
        ("{generator: Linspace, start: 0, stop: 3, count: 3, type: integer}", "E113"),
        ("{generator: FixedRange, min: 0, max: 3, increment: 0.5, type: integer}", "E113"),
        ("{levels: [1, 1.5], type: integer}", "E113"),
        ("{levels: [a], type: integer}", "E113"),
        ("{value: 1.5, type: integer}", "E113"),
        ("{levels: [1.5, 1O.5], type: float}", "E113"),
        ("{value: mm, type: float}", "E113"),
        ("{generator: Uniform, min: 0, max: 5, nominal: 1.5, type: integer}", "E112"),
        ("{expression: '1 + 1', type: integer}", "E116"),
        ("{generator: Uniform, min: 0, max: 1, format: '0.0.0'}", "E114"),
        ("{levels: [a, b], format: '0.0'}", "E116"),
        ("{value: 1, role: Parm}", "E105"),
        ("{expression: '1 +'}", "E204"),
        ("{expression: 'other * 2'}", "E205"),
        ("{expression: 'x + 1'}", "E206"),
        ("{expression: '1 > 0'}", "E207"),
        ("{expression: '__import__(1)'}", "E204"),
    ],
)
def test_a_wrong_variable_is_one_finding_in_its_line(read_variables, keys, code):
    design = MONTE_CARLO if "nominal" in keys or "Uniform" in keys else ""
    reading = read_variables({"x": keys}, design)
    assert [finding.code for finding in reading.findings] == [code]
    assert reading.findings[0].place.line == 4


@pytest.mark.parametrize("text", ["a,b", " a", "a\\nb", "${x}", 'say \\"hi\\"'])
def test_a_level_may_be_any_text(read_variables, text):
    reading = read_variables({"x": f'{{levels: ["{text}", other]}}'}, "")
    assert reading.findings == ()


@pytest.mark.parametrize(
    ("keys", "law"),
    [
        ("{generator: Linspace, start: 1, stop: 0, count: 3}", Linspace(Fraction(1), Fraction(0), 3)),
        ("{generator: Linspace, start: 1, stop: 1, count: 1}", Linspace(Fraction(1), Fraction(1), 1)),
        (
            "{generator: FixedRange, min: 0, max: 1, increment: 0.1}",
            FixedRange(Fraction(0), Fraction(1), Fraction(1, 10)),
        ),
        (
            "{generator: Triangular, min: 1, mode: 1, max: 2}",
            Triangular(Fraction(1), Fraction(1), Fraction(2)),
        ),
        ("{generator: Normal, mean: 1e-5, std: 2}", Normal(Fraction(1, 100000), Fraction(2))),
        (
            "{generator: LogNormal, mu: 0, sigma: 1, lower: -1}",
            LogNormal(Fraction(0), Fraction(1), lower=Fraction(-1)),
        ),
        ("{levels: [1.0, '1.0', 0x10, no, true, 1e-5]}", Levels(("1", "1.0", "16", "no", "true", "0.00001"))),
        ("{value: 1.2250}", Constant("1.225")),
        ("{value: '1.2250'}", Constant("1.2250")),
        ("{value: off}", Constant("off")),
    ],
)
def test_settings_are_exact(read_variables, keys, law):
    needs_method = not ("Linspace" in keys or "FixedRange" in keys or "levels" in keys or "value" in keys)
    reading = read_variables({"x": keys}, MONTE_CARLO if needs_method else "")
    assert reading.findings == ()
    assert reading.spec.variables[0].law == law


@pytest.mark.parametrize("name", ["doe_run", "doe_seed", "doe_x", "DOE_x"])
def test_names_of_doe_are_reserved(read_variables, codes, name):
    assert "E202" in codes(read_variables({name: "{value: 1}"}))


@pytest.mark.parametrize("name", ["1x", "a-b", "'a b'", "é", "''", "x.y"])
def test_names_are_identifiers(read_variables, codes, name):
    assert "E201" in codes(read_variables({"ok": "{value: 1}", name: "{value: 1}"}))


def test_the_caret_stands_inside_of_an_expression(read_variables):
    reading = read_variables({"x": "{value: 1}", "y": "{expression: 'x * (spped + 2)'}"})
    finding = reading.findings[0]
    assert (finding.code, finding.place.column, finding.place.end_column) == ("E205", 25, 30)


def test_the_caret_stands_inside_of_a_format(read_variables):
    reading = read_variables({"x": "{value: 1, format: '0.0.0'}"})
    assert reading.findings[0].code == "E114"
    assert reading.findings[0].place.column > len("  x: {value: 1, format: '0")


def test_a_circle_is_told_once_and_whole(read_variables, codes):
    reading = read_variables(
        {
            "a": "{expression: b + 1}",
            "b": "{expression: c + 1}",
            "c": "{expression: a + 1}",
            "d": "{expression: a}",
        }
    )
    assert codes(reading) == ["E206"]
    assert "a → b → c → a" in reading.findings[0].message


def test_a_shared_need_is_no_circle(read_variables):
    reading = read_variables(
        {
            "a": "{value: 1}",
            "b": "{expression: a + 1}",
            "c": "{expression: a + b}",
            "d": "{expression: c + b + a}",
        }
    )
    assert reading.findings == ()


@pytest.mark.parametrize(
    "expression", ["m + 1", "sqrt(m)", "-m", "1 if m < 2 else 0", "1 if q < m else 0", "n * 2"]
)
def test_text_is_not_reckoned_with(read_variables, codes, expression):
    variables = {"m": "{levels: [a, b]}", "q": "{value: 1}", "n": "{expression: \"m if m == 'a' else 'c'\"}"}
    assert codes(read_variables({**variables, "y": f'{{expression: "{expression}"}}'})) == ["E207"]


@pytest.mark.parametrize("expression", ["1 if m == 'a' else 0", "m", "m if m != 'b' else 'c'", "q + 1"])
def test_text_may_be_compared_and_copied(read_variables, expression):
    variables = {"m": "{levels: [a, b]}", "q": "{levels: [1, '2']}"}
    assert read_variables({**variables, "y": f'{{expression: "{expression}"}}'}).findings == ()


def test_a_variable_that_hides_a_constant_is_told_where_it_is_used(read_variables, codes):
    assert codes(read_variables({"e": "{value: 1}"})) == []
    assert codes(read_variables({"e": "{value: 1}", "y": "{expression: e + 1}"})) == ["E205"]


def test_bounds_beyond_any_number_of_deviations_are_a_finding(read_variables, codes):
    far = "{generator: Normal, mean: -1e308, std: 1e-300, lower: 1e308}"
    assert codes(read_variables({"x": far}, MONTE_CARLO)) == ["E109"]


def test_expressions_are_read_in_linear_time(read_variables, codes):
    count = 2000
    chain = {f"x{i}": f"{{expression: x{i + 1}}}" for i in range(count)}
    reading = read_variables({**chain, f"x{count}": "{levels: [a, b]}", "y": "{expression: x0 + 1}"})
    assert codes(reading) == ["E207"]


@pytest.mark.parametrize(
    "text", ["9007199254740993", "-9007199254740993", "1" + "0" * 16, "1" + "0" * 300, "1152921504606846976"]
)
def test_integers_keep_every_digit(read_variables, text):
    reading = read_variables({"x": f"{{levels: [{text}, 2], nominal: {text}}}", "c": f"{{value: {text}}}"})
    assert reading.findings == ()
    assert reading.spec.variables[0].law.texts == (text, "2")
    assert reading.spec.variables[0].nominal == text
    assert reading.spec.variables[1].law == Constant(text)


def test_an_integer_beyond_floats_is_told(read_variables, codes):
    reading = read_variables({"x": "{levels: [1" + "0" * 310 + ", 2]}"})
    assert codes(reading) == ["E010"]
    assert "quote it" in reading.findings[0].hint


def test_one_number_by_digits_and_by_exponent_is_one_level(read_variables, codes):
    assert codes(read_variables({"x": "{levels: [10000000000000000, 1e16]}"})) == ["E120"]
    assert codes(read_variables({"x": "{levels: ['1e16', '10000000000000000']}"})) == ["E120"]


def test_text_keeps_levels_and_values_as_they_are_written(read_variables):
    reading = read_variables(
        {"x": "{levels: [1.10, 1.9], type: text, nominal: 1.10}", "c": "{value: 1.0, type: text}"}
    )
    assert reading.findings == ()
    assert reading.spec.variables[0].law == Levels(("1.10", "1.9"), keeps_text=True)
    assert reading.spec.variables[0].nominal == "1.10"
    assert reading.spec.variables[1].law == Constant("1.0")


def test_text_goes_with_levels_values_and_columns_only(read_variables, codes):
    assert codes(read_variables({"x": "{generator: Uniform, min: 1, max: 2, type: text}"}, MONTE_CARLO)) == [
        "E116"
    ]
    assert codes(read_variables({"x": "{levels: [1, 2]}", "y": "{expression: x, type: text}"})) == ["E116"]
    assert codes(read_variables({"x": "{levels: [1, 2], type: text, format: '0.0'}"})) == ["E116"]
    assert codes(read_variables({"x": "{levels: [1, 2], type: text}", "y": "{expression: 2*x}"})) == ["E207"]


def test_a_large_integer_is_reckoned_with_exactly_or_not_at_all(read_variables, codes):
    x = "{levels: [9007199254740993, 5]}"
    assert codes(read_variables({"x": x, "y": "{expression: 2*x + 1}"})) == []
    assert codes(read_variables({"x": x, "y": "{expression: x/2}"})) == ["E219"]
    assert codes(read_variables({"x": x}, "{constraints: ['x > 6']}")) == ["E219"]
    assert codes(
        read_variables({"x": "{levels: [1, 2]}", "y": "{expression: 0.5*x + 9007199254740993}"})
    ) == ["E219"]


@pytest.mark.parametrize("keys", ["{value: 1, nominal: 2}", "{expression: '1 + 1', nominal: 2}"])
def test_a_nominal_value_of_what_does_not_vary_is_told(read_variables, keys):
    reading = read_variables({"x": "{levels: [1, 2]}", "c": keys}, "")
    assert [finding.code for finding in reading.findings] == ["E222"]


def test_an_empirical_law_is_the_numbers_of_a_column(read_variables):
    files = {"wind.csv": "hour,speed\n1,4.5\n2,7\n3,4.50\n"}
    keys = {"v": "{generator: Empirical, file: wind.csv, column: speed, lower: 1}"}
    (variable,) = read_variables(keys, MONTE_CARLO, files=files).spec.variables
    assert variable.law == Empirical((Fraction(9, 2), Fraction(7)), (2, 1), lower=Fraction(1))


@pytest.mark.parametrize(
    ("column", "text", "code"),
    [
        ("sped", "speed\n1\n", "E214"),
        ("speed", "speed\ncalm\n", "E313"),
        ("speed", "speed\n10000000000000001\n", "E313"),
        ("speed", "speed\n", "E312"),
    ],
)
def test_what_is_wrong_with_a_column_is_told(read_variables, codes, column, text, code):
    keys = {"v": f"{{generator: Empirical, file: wind.csv, column: {column}}}"}
    reading = read_variables(keys, MONTE_CARLO, files={"wind.csv": text})
    assert code in codes(reading)


def test_weights_of_levels_are_read_where_they_are_drawn(read_variables):
    reading = read_variables({"v": "{levels: [a, b], weights: [3, 1]}"}, MONTE_CARLO)
    assert reading.findings == ()
    assert reading.spec.variables[0].law.weights == (3, 1)
