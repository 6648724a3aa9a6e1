"""Rows as the platform makes them: enumerating variables crossed, random ones drawn in each cell."""

from fractions import Fraction as F

import pytest

from doe_compiler.generators.laws.fixed_range import FixedRange
from doe_compiler.generators.laws.linspace import Linspace
from doe_compiler.generators.laws.normal import Normal
from doe_compiler.generators.laws.uniform import Uniform
from doe_compiler.generators.platform_sampling import platform_rows, row_count

A = ("a", FixedRange(F(1), F(3), F(1)))
B = ("b", Linspace(F(0), F(1), 2))
U = ("u", Uniform(F(10), F(20)))
N = ("n", Normal(F(0), F(1)))


def test_the_first_variable_varies_slowest():
    assert list(platform_rows([A, B], 5, "k")) == [
        ("1", "0"),
        ("1", "1"),
        ("2", "0"),
        ("2", "1"),
        ("3", "0"),
        ("3", "1"),
    ]


def test_random_variables_are_drawn_anew_in_each_cell():
    rows = list(platform_rows([U, A, N], 4, "k"))
    assert len(rows) == 12 == row_count([U, A, N], 4)
    assert [row[1] for row in rows] == ["1"] * 4 + ["2"] * 4 + ["3"] * 4
    assert len({row[0] for row in rows}) == len({row[2] for row in rows}) == 12
    assert all(10 <= float(row[0]) < 20 for row in rows)


def test_the_same_key_gives_the_same_rows_and_the_order_of_variables_does_not_matter():
    rows = list(platform_rows([U, N], 6, "k"))
    assert rows == list(platform_rows([U, N], 6, "k"))
    assert rows != list(platform_rows([U, N], 6, "other"))
    assert [row[::-1] for row in rows] == list(platform_rows([N, U], 6, "k"))


def test_without_iterations_there_is_one_draw():
    assert len(list(platform_rows([U], 0, "k"))) == 1


def test_no_variables_make_no_rows():
    assert list(platform_rows([], 3, "k")) == []


def test_too_many_rows_are_refused():
    with pytest.raises(ValueError, match="more than"):
        platform_rows([("a", Linspace(F(0), F(1), 10**4)), ("b", Linspace(F(0), F(1), 10**4))], 1, "k")
