"""The union of several designs: equal rows once, a method that stands twice draws anew."""

from design_studies import PLACE, built, levels, study, uniform

from doe_compiler.spec.model import DesignSpec

CUBE = DesignSpec("central-composite", PLACE, options={"axial": "faced"})
STAR = DesignSpec("star", PLACE)
LATIN = DesignSpec("latin-hypercube", PLACE, runs=6)
PAIR = (uniform("a", 1, 2), uniform("b", 0, 4))


def rows(*parts, variables=PAIR, **options):
    design = built(study(*variables, method="combine", parts=parts, **options))
    return list(zip(*(design.cells(variable.name) for variable in variables), strict=True))


def test_equal_rows_stand_once():
    """A star lies within a faced composite design."""
    assert rows(CUBE, STAR) == rows(CUBE)
    assert len(rows(CUBE)) == 9


def test_parts_stand_one_after_the_other():
    both = rows(CUBE, LATIN)
    assert both[:9] == rows(CUBE)
    assert both[9:] == rows(LATIN)


def test_a_method_that_stands_twice_draws_anew():
    both = rows(LATIN, LATIN)
    assert len(set(both)) == 12
    assert both[:6] == rows(LATIN)


def test_replicates_repeat_the_union():
    design = built(study(*PAIR, method="combine", parts=(CUBE, LATIN), replicates=2))
    assert design.n == 30


def test_levels_and_points_beyond_the_ends_go_together():
    variables = (uniform("a", 1, 2, format="0.000"), uniform("b", 0, 4), levels("m", "x", "y"))
    crossed = DesignSpec("central-composite", PLACE, cross=("m",))
    drawn = DesignSpec("latin-hypercube", PLACE, runs=8)
    found = rows(crossed, drawn, variables=variables)
    assert len(found) == 2 * 9 + 8
    assert {m for _, _, m in found} == {"x", "y"}
    assert min(float(a) for a, _, _ in found) < 1
