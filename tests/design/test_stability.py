"""What the docs say stays put does: growing, adding, removing, renaming units, reordering, and pinned dimensions."""

from dataclasses import replace

import pytest
from design_studies import F, built, levels, study, uniform, variable
from hypothesis import given, settings
from hypothesis import strategies as st

from doe_compiler.generators.laws.gamma import Gamma
from doe_compiler.generators.laws.linspace import Linspace
from doe_compiler.generators.laws.normal import Normal
from doe_compiler.methods.catalogue import METHODS

SEQUENCES = sorted(name for name, method in METHODS.items() if method.is_sequence)
BY_COLUMN = ("monte-carlo", "sobol", "halton", "latin-hypercube")
POOL = (
    uniform("a", -1, 1),
    variable("b", Normal(F(0), F(2))),
    variable("c", Gamma(F(2), F(1))),
    levels("d", "p", "q", "r"),
    uniform("e", 1, 6, is_integer=True),
)
DIMENSIONS = {one.name: index + 1 for index, one in enumerate(POOL)}


def pinned(variables):
    """With the dimensions that they have in the whole pool, where a method has dimensions."""
    return [replace(one, dimension=DIMENSIONS[one.name]) for one in variables]


def cells(spec):
    design = built(spec)
    return {name: design.cells(name) for name in design.names}


several = st.lists(st.sampled_from(POOL), min_size=1, max_size=5, unique_by=lambda one: one.name)
few = settings(max_examples=25, deadline=None)


@pytest.mark.parametrize("method", SEQUENCES)
@few
@given(variables=several, n=st.integers(1, 60), more=st.integers(1, 60), seed=st.integers(0, 99))
def test_growing_keeps_the_old_rows(method, variables, n, more, seed):
    before, after = (cells(study(*variables, method=method, runs=r, seed=seed)) for r in (n, n + more))
    assert {name: column[:n] for name, column in after.items()} == before


@pytest.mark.parametrize("method", BY_COLUMN)
@few
@given(
    variables=several,
    gone=st.integers(0, 4),
    order=st.randoms(use_true_random=False),
    seed=st.integers(0, 99),
)
def test_adding_removing_and_reordering_leave_the_other_columns(method, variables, gone, order, seed):
    chosen = pinned(variables) if method in ("sobol", "halton") else list(variables)
    before = cells(study(*chosen, method=method, runs=30, seed=seed))
    fewer = [one for index, one in enumerate(chosen) if index != gone % len(chosen)]
    if fewer:
        after = cells(study(*fewer, method=method, runs=30, seed=seed))
        assert after == {name: column for name, column in before.items() if name in after}
    order.shuffle(chosen)
    assert cells(study(*chosen, method=method, runs=30, seed=seed)) == before


@pytest.mark.parametrize("method", ["sobol", "halton"])
@few
@given(variables=several)
def test_appending_keeps_the_dimensions_of_the_others(method, variables):
    before = cells(study(*variables, method=method, runs=20))
    after = cells(study(*variables, uniform("new"), method=method, runs=20))
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize("method", [*SEQUENCES, "latin-hypercube"])
@few
@given(variables=several, unit=st.text("abcm/s", max_size=5))
def test_a_unit_changes_no_cell(method, variables, unit):
    renamed = [replace(one, unit=unit) for one in variables]
    assert cells(study(*renamed, method=method, runs=20)) == cells(study(*variables, method=method, runs=20))


@few
@given(n=st.integers(1, 100), doublings=st.integers(1, 3), variables=several)
def test_a_nested_hypercube_keeps_its_rows_when_doubled(n, doublings, variables):
    continuous = [one for one in variables if one.name in "abc"] or [POOL[0]]
    options = {"nested": True}
    before = cells(study(*continuous, method="latin-hypercube", runs=n, options=options))
    after = cells(study(*continuous, method="latin-hypercube", runs=n << doublings, options=options))
    assert {name: column[:n] for name, column in after.items()} == before


@few
@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3))
def test_a_full_factorial_keeps_the_combinations_of_levels_that_stay(m, n, more):
    def rows(count):
        return set(
            zip(
                *cells(
                    study(
                        levels("m", *"pqrs"[:m]),
                        variable("x", Linspace(F(0), F(count - 1), count)),
                        method="full-factorial",
                    )
                ).values(),
                strict=True,
            )
        )

    assert rows(n + 1) <= rows(n + 1 + more)


@few
@given(variables=several, replicates=st.integers(1, 3), seed=st.integers(0, 9))
def test_random_order_changes_no_row(variables, replicates, seed):
    def rows(**options):
        design = built(study(*variables, runs=12, seed=seed, replicates=replicates, **options))
        return list(zip(*(design.cells(name) for name in design.names), strict=True))

    plain, shuffled = rows(), rows(is_randomized=True)
    assert sorted(plain) == sorted(shuffled)
    assert rows(is_randomized=True) == shuffled
