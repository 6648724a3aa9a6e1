"""Whole numbers beyond 2^53 reach the cells digit by digit, or the design is refused."""

from fractions import Fraction as F

import pytest
from design_studies import built, csv, formula, levels, refusals, study, uniform, variable

from doe_compiler.generators.laws.fixed_range import FixedRange
from doe_compiler.generators.laws.linspace import Linspace
from doe_compiler.generators.laws.normal import Normal
from doe_compiler.spec.model import Constant

BIG = 2**53 + 1
LARGE = levels("x", str(BIG), str(-BIG), "3")


def factorial(*variables, **options):
    return study(*variables, method="full-factorial", **options)


def test_sums_and_products_of_whole_numbers_are_exact():
    spec = factorial(LARGE, formula("y", "1000003*x - (x + 1)*2"))
    assert built(spec).cells("y") == [str(1000003 * x - (x + 1) * 2) for x in (BIG, -BIG, 3)]


def test_a_product_of_small_numbers_may_be_large():
    spec = factorial(levels("x", "94906267", "2"), formula("y", "x*x"))
    assert built(spec).cells("y") == ["9007199515875289", "4"]
    spec = factorial(levels("x", str(2**40 + 1)), formula("y", "x*x - x*x + 1"))
    assert built(spec).cells("y") == ["1"]


def test_a_chain_of_expressions_stays_exact():
    spec = factorial(LARGE, formula("y", "x + 1"), formula("z", "y*3"), variable("c", Constant(str(BIG))))
    assert built(spec).cells("z") == [str((x + 1) * 3) for x in (BIG, -BIG, 3)]
    assert built(spec).cells("c") == [str(BIG)] * 3


def test_numbers_that_floats_hold_are_reckoned_as_before():
    spec = factorial(levels("x", "1e200", "2"), formula("y", "x*1e16"), formula("z", "x/4"))
    assert csv(built(spec)) == "x,y,z\n1e200,1e216,2.5e199\n2,2e16,0.5\n"


@pytest.mark.parametrize("source", ["x/2", "sqrt(x)", "x**2", "x*0.5", "abs(x)", "1 if x > 0 else 0"])
def test_what_floating_point_would_change_is_refused(source):
    found = refusals(factorial(LARGE, formula("y", source)))
    assert [finding.code for finding in found] == ["E513"]
    assert str(BIG) in found[0].message


def test_a_constraint_on_a_large_integer_is_refused():
    found = refusals(factorial(LARGE, constraints=("x > 0",)))
    assert [finding.code for finding in found] == ["E513"]


def test_a_formula_may_give_a_small_number_to_floating_point():
    spec = factorial(levels("x", str(BIG + 1), str(BIG)), formula("d", f"x - {BIG - 2}"), formula("h", "d/2"))
    assert built(spec).cells("h") == ["1.5", "1"]


def test_points_of_whole_numbers_are_exact():
    fixed = variable("x", FixedRange(F(BIG), F(BIG + 2), F(1)), is_integer=True)
    assert built(factorial(fixed)).cells("x") == [str(BIG), str(BIG + 1), str(BIG + 2)]
    untyped = variable("x", Linspace(F(-BIG), F(10**16), 2))
    assert built(factorial(untyped)).cells("x") == [str(-BIG), "10000000000000000"]
    plain = variable("x", FixedRange(F(10**20), F(2 * 10**20), F(10**20)))
    assert built(factorial(plain)).cells("x") == ["1e20", "2e20"]


def test_drawn_whole_numbers_are_digits_within_their_bounds():
    law = uniform("x", BIG, BIG + 4, is_integer=True)
    cells = built(study(law, method="latin-hypercube", runs=50)).cells("x")
    assert {int(cell) for cell in cells} == set(range(BIG, BIG + 5))
    normal = variable("x", Normal(F(10**17), F(10**10)), is_integer=True)
    cells = built(study(normal, runs=20)).cells("x")
    assert all(cell.isdigit() and len(cell) in (17, 18) for cell in cells)


def test_a_large_nominal_value_keeps_its_digits():
    law = uniform("x", 0, 10**17, nominal=str(BIG))
    assert built(study(law, runs=2, nominal=True)).cells("x")[0] == str(BIG)


def test_formats_keep_the_digits_of_whole_numbers():
    large = levels("x", str(BIG), "-1", format="0000.0")
    assert built(factorial(large)).cells("x") == ["9007199254740993.0", "-0001.0"]
    spec = factorial(LARGE, formula("y", "x + 0", format="0.0"))
    assert built(spec).cells("y") == [f"{BIG}.0", f"-{BIG}.0", "3.0"]
