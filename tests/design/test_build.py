"""Building a design: the order of columns, replicates, the nominal run, and what is refused."""

from fractions import Fraction as F

import numpy as np
import pytest
from design_studies import (
    PLACE,
    built,
    column,
    csv,
    formula,
    levels,
    placeholder,
    refusals,
    study,
    table_of,
    uniform,
    variable,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from doe_compiler.design.build import build
from doe_compiler.design.rows import added_columns
from doe_compiler.generators.laws.fixed_range import FixedRange
from doe_compiler.generators.laws.linspace import Linspace
from doe_compiler.generators.laws.normal import Normal
from doe_compiler.generators.laws.uniform import Uniform
from doe_compiler.kernel.findings import Severity
from doe_compiler.spec.model import Constant, Formula, FromTable

X = uniform("x")
Y = variable("y", Normal(F(0), F(1)))
M = levels("m", "a", "b", "c")
K = variable("k", Constant("1.225"))
R = variable("r", FixedRange(F(0), F(1), F("0.1")))
DIE = variable("d", Uniform(F(1), F(6)), is_integer=True)


class TestEveryMethod:
    STUDIES = (
        study(X, Y, M, runs=12),
        study(X, Y, M, runs=12, method="latin-hypercube"),
        study(M, R, method="full-factorial"),
        study(X, M, method="table", table=table_of(["x", "m"], ["0.5", "a"], ["0.25", "c"])),
    )

    @pytest.mark.parametrize("spec", STUDIES)
    def test_same_study_same_seed_same_bytes(self, spec):
        assert csv(built(spec)) == csv(built(spec))

    @pytest.mark.parametrize("spec", STUDIES)
    def test_rows_and_cells_and_csv_agree(self, spec):
        design = built(spec)
        lines = csv(design).splitlines()
        assert lines[0] == ",".join(design.names)
        assert [",".join(design.row(i).values()) for i in range(design.n)] == lines[1:]
        assert design.method == spec.design.method
        assert design.varied == tuple(v.name for v in spec.variables)

    @pytest.mark.parametrize("spec", STUDIES)
    def test_taking_rows_keeps_their_cells(self, spec):
        design = built(spec)
        part = design.take([1, 0])
        assert [part.row(0), part.row(1)] == [design.row(1), design.row(0)]

    def test_the_seed_and_the_study_s_name_count_where_points_are_random(self):
        for method in ("monte-carlo", "latin-hypercube"):
            texts = {
                csv(built(study(X, runs=5, method=method, seed=s, name=n)))
                for s, n in ((1, "a"), (2, "a"), (1, "b"))
            }
            assert len(texts) == 3


POOL = (X, Y, M, R, DIE, uniform("z", -5, 5, format="0.00"))


@pytest.mark.parametrize("method", ["monte-carlo", "latin-hypercube"])
@given(st.permutations(POOL), st.integers(1, len(POOL)))
@settings(max_examples=20)
def test_adding_and_reordering_variables_leaves_the_other_columns(method, order, count):
    everything = built(study(*POOL, runs=9, method=method))
    some = built(study(*order[:count], runs=9, method=method))
    for name in some.names:
        assert some.cells(name) == everything.cells(name)


@given(
    st.integers(1, 40), st.integers(0, 40), st.sampled_from([(), ("x < 0.6",), ('m != "b"', "x + y > 0.2")])
)
@settings(max_examples=30)
def test_n_runs_of_monte_carlo_are_the_first_of_more_runs(n, m, constraints):
    few = built(study(X, Y, M, runs=n, constraints=constraints))
    many = built(study(X, Y, M, runs=n + m, constraints=constraints))
    assert csv(many).startswith(csv(few))


@given(st.integers(1, 60))
@settings(max_examples=20)
def test_a_latin_hypercube_hits_every_stratum_and_balances_levels(n):
    design = built(study(X, M, R, DIE, runs=n, method="latin-hypercube"))
    assert sorted(int(float(x) * n) for x in design.cells("x")) == list(range(n))
    for name, count in (("m", 3), ("r", 11), ("d", 6)):
        cells = design.cells(name)
        frequencies = [cells.count(cell) for cell in set(cells)]
        assert {*frequencies, *([0] if len(frequencies) < count else [])} <= {n // count, -(-n // count)}


def test_full_factorial_varies_the_first_variable_slowest():
    design = built(study(M, variable("l", Linspace(F(0), F(1), 3)), method="full-factorial"))
    assert csv(design) == "m,l\na,0\na,0.5\na,1\nb,0\nb,0.5\nb,1\nc,0\nc,0.5\nc,1\n"


def test_full_factorial_leaves_out_what_violates_a_constraint():
    design = built(study(M, R, method="full-factorial", constraints=['m == "b"', "r > 0.75"]))
    assert csv(design) == "m,r\nb,0.8\nb,0.9\nb,1\n"


def test_nothing_that_varies_is_one_run():
    assert csv(built(study(K, formula("s", "2*k"), method="full-factorial"))) == "k,s\n1.225,2.45\n"


def test_crossed_variables_repeat_every_point():
    design = built(study(X, M, R, runs=3, cross=("m",)))
    alone = built(study(X, R, runs=3))
    assert design.cells("m") == ["a", "b", "c"] * 3
    assert design.cells("x") == [x for x in alone.cells("x") for _ in range(3)]


def test_with_crossing_a_point_must_satisfy_the_constraints_in_every_cell():
    u = levels("u", "0.1", "0.5")
    design = built(study(X, u, runs=20, cross=("u",), constraints=["x + u < 0.9"]))
    assert design.n == 40
    assert max(map(float, design.cells("x"))) < 0.4


def test_columns_stand_in_the_order_of_the_file_then_those_of_doe():
    spec = study(
        K,
        formula("s", "x*k"),
        X,
        runs=2,
        replicates=2,
        templates=("$", "${", placeholder("doe_seed"), placeholder("x")),
    )
    assert built(spec).names == ("k", "s", "x", "doe_replicate", "doe_seed", "doe_dollar")
    assert set(built(spec).cells("doe_dollar")) == {"$"}


def test_columns_of_doe_are_added_only_where_they_are_needed():
    assert built(study(X, runs=2, templates=("a $ b", placeholder("x")))).names == ("x",)
    assert built(study(X, runs=2, templates=(placeholder("doe_replicate"),))).names == ("x", "doe_replicate")
    assert built(study(X, runs=2, templates=(placeholder("doe_dollar"),))).names == ("x", "doe_dollar")


def test_replicates_are_consecutive_rows():
    design = built(study(X, runs=3, replicates=2))
    alone = built(study(X, runs=3)).cells("x")
    assert design.cells("x") == [cell for cell in alone for _ in range(2)]
    assert design.cells("doe_replicate") == ["1", "2"] * 3


def test_the_nominal_run_is_the_first_row_once():
    x = uniform("x", nominal="0.50")
    m = levels("m", "a", "b", nominal="b")
    design = built(study(x, m, formula("s", "2*x"), runs=2, replicates=2, nominal=True))
    assert design.n == 5
    assert design.has_nominal
    assert design.row(0) == {"x": "0.5", "m": "b", "s": "1", "doe_replicate": "1"}
    assert design.cells("doe_replicate") == ["1", "1", "2", "1", "2"]
    assert not design.take([1, 2]).has_nominal
    assert design.take([0, 2]).has_nominal


def test_a_nominal_run_that_the_design_has_or_that_breaks_a_constraint_is_told():
    x, b = levels("x", "1", "2", nominal="2"), levels("m", "a", "b", nominal="b")
    y = uniform("y", nominal="0.5")
    (finding,) = build(study(x, b, method="full-factorial", nominal=True))[1]
    assert (finding.code, finding.severity) == ("E571", Severity.WARNING)
    assert "equals run 5" in finding.message
    (finding,) = build(study(x, b, method="full-factorial", nominal=True, replicates=2))[1]
    assert "equals run 8" in finding.message
    (finding,) = build(study(x, y, runs=3, nominal=True, constraints=["x < 2"]))[1]
    assert (finding.code, finding.severity) == ("E570", Severity.WARNING)
    assert "'x < 2'" in finding.message


def test_equal_rows_that_share_a_seed_are_told():
    x = uniform("x", 0, 10)
    table = table_of(["x"], ["1"], ["2"], ["1.0"])
    assert build(study(x, method="table", table=table))[1] == []
    (finding,) = build(study(x, method="table", table=table, templates=(placeholder("doe_seed"),)))[1]
    assert (finding.code, finding.severity) == ("E572", Severity.WARNING)
    assert "runs 1 and 3 are equal" in finding.message
    seeded = study(x, method="table", table=table, replicates=2, templates=(placeholder("doe_seed"),))
    assert "runs 1 and 5 are equal" in build(seeded)[1][0].message


def test_the_nominal_cell_is_written_like_the_others():
    z = uniform("z", -5, 5, format="0.00", nominal="1")
    off_grid = variable("r", FixedRange(F(0), F(1), F("0.1")), nominal="0.25")
    design = built(study(z, off_grid, runs=2, nominal=True))
    assert design.row(0) == {"z": "1.00", "r": "0.25"}


def test_the_nominal_run_needs_a_nominal_of_every_varied_variable():
    findings = refusals(study(X, M, K, runs=2, nominal=True))
    assert [finding.code for finding in findings] == ["E550", "E550"]
    assert "'x'" in findings[0].message


def test_seeds_differ_by_row_and_replicate_and_stay_when_the_design_grows():
    few = built(study(X, M, runs=5, replicates=2, templates=(placeholder("doe_seed"),)))
    many = built(study(M, X, K, runs=9, replicates=2, templates=(placeholder("doe_seed"),)))
    seeds = few.cells("doe_seed")
    assert len(set(seeds)) == 10
    assert all(1 <= int(seed) < 2**31 for seed in seeds)
    assert many.cells("doe_seed")[:10] == seeds


def test_seeds_need_nothing_that_varies():
    spec = study(K, method="full-factorial", templates=(placeholder("doe_seed"),))
    assert len(built(spec).cells("doe_seed")) == 1
    assert [c.name for c in added_columns(spec, {}, np.zeros(1, np.int32), 1)[0]] == ["doe_seed"]


def test_formats_make_the_cell_and_expressions_read_it():
    design = built(study(uniform("x", 0, 9, format="0.0"), formula("s", "x*10"), runs=20))
    assert [float(x) * 10 for x in design.cells("x")] == [float(s) for s in design.cells("s")]
    assert all(len(x) == 3 for x in design.cells("x"))


def test_expressions_may_be_formatted_whole_conditional_or_text():
    design = built(
        study(
            levels("x", "1", "2"),
            formula("half", "x/2", is_integer=True),
            formula("third", "x/3", format="0.000"),
            formula("size", '"big" if x > 1 else "small"'),
            formula("isbig", "x > 1"),
            formula("again", '1 if size == "big" else third'),
            method="full-factorial",
        )
    )
    assert list(design.row(0).values()) == ["1", "0", "0.333", "small", "0", "0.333"]
    assert list(design.row(1).values()) == ["2", "1", "0.667", "big", "1", "1"]


def test_expressions_may_stand_before_what_they_read():
    assert column(
        study(
            formula("c", "b+1"), formula("b", "a+1"), variable("a", Constant("1")), method="full-factorial"
        ),
        "c",
    ) == ["3"]


def test_constants_and_levels_follow_their_format():
    design = built(
        study(
            levels("x", "1", "auto", format="0.00"),
            variable("k", Constant("2"), format="0.0"),
            method="full-factorial",
        )
    )
    assert csv(design) == "x,k\n1.00,2.0\nauto,2.0\n"


def test_levels_keep_their_text():
    assert column(study(levels("x", "1.0", "007"), method="full-factorial"), "x") == ["1.0", "007"]


def test_the_acceptance_of_tight_constraints_is_told():
    design, findings = build(study(X, runs=20, constraints=["x < 0.01"]))
    assert design.n == 20
    assert [finding.code for finding in findings] == ["E526"]
    assert "candidates" in findings[0].message


@pytest.mark.parametrize(
    ("spec", "code", "part"),
    [
        (study(X, runs=3, constraints=["x > 2"]), "E525", "keep 0 of"),
        (study(R, method="full-factorial", constraints=["r > 2"]), "E521", "none of the 11"),
        (study(X, runs=5001, method="latin-hypercube", constraints=["x > 0"]), "E522", "more than 5,000"),
        (study(X, method="full-factorial"), "E520", "'x'"),
        (study(X), "E523", "number of runs"),
        (study(X, method="latin-hypercube", runs=0), "E523", "number of runs"),
        (study(X, runs=3, method="sobl"), "E561", "'sobl'"),
        (study(K, runs=3), "E565", "nothing varies"),
        (study(X, Y, runs=3, cross=("y",)), "E524", "'y'"),
        (study(X, variable("r", FixedRange(F(1), F(0), F(1))), runs=3, cross=("r",)), "E524", "'r'"),
        (study(variable("r", FixedRange(F(1), F(0), F(1))), method="full-factorial"), "E503", "no point"),
        (
            study(variable("r", FixedRange(F(1), F(0), F(1))), runs=9, method="latin-hypercube"),
            "E503",
            "no point",
        ),
        (study(X, runs=10_000_001), "E563", "10,000,001"),
        (study(X, runs=10_000, replicates=1001), "E563", "10,010,000"),
        (
            study(*(levels(f"l{i}", *"abcdefghij") for i in range(9)), method="full-factorial"),
            "E563",
            "1,000,000,000",
        ),
        (
            study(variable("x", Normal(F(0), F(1), lower=F(50), upper=F(51))), runs=3),
            "E504",
            "no probability",
        ),
        (study(variable("x", Normal(F(0), F(10) ** 308 * 17 / 10)), runs=99), "E505", "larger than a number"),
        (study(X, formula("s", "1/(x - x)"), runs=3), "E512", "in row 1, where x = "),
        (study(X, formula("s", "sqrt(x - 5)", format="0.0"), runs=3), "E512", "'s' has no finite value"),
        (study(M, formula("s", "m + 1"), method="full-factorial"), "E510", "'m' is text"),
        (study(X, runs=3, constraints=["x + 1"]), "E511", "neither true nor false"),
        (study(uniform("e"), formula("s", "e + 1"), runs=3), "E562", "'e'"),
        (study(levels("x", "0.1", "0.10", format="0.0"), method="full-factorial"), "E502", "'0.1'"),
        (
            study(variable("x", Linspace(F(0), F(1), 11), format="0"), method="full-factorial"),
            "E502",
            "both written",
        ),
        (study(variable("x", FixedRange(F(1), F(0), F(1))), runs=2), "E503", "no point"),
        (
            study(uniform("x", "0.26", "0.29", format="0.0"), runs=5),
            "E540",
            "is written 0.3 in point 1, above",
        ),
        (study(uniform("x", format="abc"), runs=5), "E501", "'x' cannot be written"),
        *(
            (study(levels("x", "ok", text), method="full-factorial"), "E541", part)
            for text, part in [
                ("", "is empty"),
                ("a\0", "NUL"),
                ("\ud800", "surrogate"),
            ]
        ),
    ],
)
def test_what_cannot_be_a_design_is_refused(spec, code, part):
    findings = refusals(spec)
    assert findings[0].code == code
    assert part in findings[0].message
    assert findings[0].place == PLACE
    assert not any(isinstance(v.law, FromTable | Formula) and v.varies for v in spec.variables)


def test_a_refused_design_has_the_study_s_name_and_no_rows():
    design, _ = build(study(X))
    assert (design.study, design.names, design.n) == ("wing", (), 0)
