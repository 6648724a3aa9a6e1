"""Low, middle and high of variables: exact, whole where they must be, and within or beyond their ends."""

from fractions import Fraction as F

import pytest
from design_studies import built, levels, refusals, study, uniform, variable

from doe_compiler.generators.laws.log_uniform import LogUniform
from doe_compiler.generators.laws.normal import Normal


def test_middles_are_exact_and_logarithms_have_theirs():
    design = built(
        study(uniform("a", "0.1", "0.3"), variable("p", LogUniform(F("0.01"), F(100))), method="star")
    )
    assert design.cells("a") == ["0.2", "0.1", "0.3", "0.2", "0.2"]
    assert design.cells("p") == ["1", "1", "1", "0.01", "100"]


def test_circumscribed_points_lie_beyond_the_ends_and_faced_ones_on_them():
    pair = uniform("a", 0, 2, format="0.00"), uniform("b", 0, 1)
    far = built(study(*pair, method="central-composite"))
    assert {"-0.41", "2.41"} <= set(far.cells("a"))
    near = built(study(*pair, method="central-composite", options={"axial": "faced"}))
    assert set(near.cells("a")) == {"0.00", "1.00", "2.00"}


def test_an_integer_without_a_whole_middle_is_refused():
    (finding,) = refusals(study(uniform("n", 1, 4, is_integer=True), uniform("b"), method="star"))
    assert finding.code == "E527"
    assert "2.5" in finding.message


def test_a_law_without_ends_is_refused_and_a_truncated_one_is_taken():
    law = Normal(F(0), F(1))
    (finding,) = refusals(study(variable("x", law), uniform("b"), method="star"))
    assert finding.code == "E528"
    cut = variable("x", Normal(F(0), F(1), lower=F(-3), upper=F(3)))
    assert built(study(cut, uniform("b"), method="star")).cells("x")[:3] == ["0", "-3", "3"]


def test_a_format_that_makes_two_levels_one_is_refused():
    (finding,) = refusals(study(uniform("a", 0, "0.2", format="0"), uniform("b"), method="star"))
    assert finding.code == "E502"


def test_levels_stand_where_codes_say_and_points_are_crossed():
    design = built(
        study(uniform("a"), levels("m", "x", "y", "z"), levels("s", "p", "q"), method="star", cross=("s",))
    )
    assert design.n == 10
    assert design.cells("m")[::2] == ["y", "y", "y", "x", "z"]
    assert design.cells("s")[:2] == ["p", "q"]


@pytest.mark.parametrize(("nominal", "base"), [("0.5", "0.5"), (None, "0")])
def test_one_at_a_time_starts_at_the_nominal_values(nominal, base):
    design = built(study(uniform("a", nominal=nominal), uniform("b"), method="one-at-a-time"))
    assert design.cells("a")[0] == base
