"""Blocks in the design: rows block by block, the column that tells them, random order within, and what a row is."""

from design_studies import built, levels, study, uniform

from doe_compiler.bundle.rows import design_keys

THREE = (
    uniform("a", 0, 1, nominal="0.5"),
    uniform("b", 0, 1, nominal="0.5"),
    uniform("c", 0, 1, nominal="0.5"),
)
FACTORIAL = {"method": "full-factorial", "options": {"levels": 2, "blocks": 2}}


def rows(design, *names):
    return list(zip(*(design.cells(name) for name in names), strict=True))


def test_rows_stand_block_by_block_with_the_column_that_tells_them():
    design = built(study(*THREE, **FACTORIAL))
    assert design.cells("doe_block") == ["1"] * 4 + ["2"] * 4
    assert {sum(map(int, row[:3])) % 2 for row in rows(design, "a", "b", "c")[:4]} == {0}
    plain = built(study(*THREE, method="full-factorial", options={"levels": 2}))
    assert sorted(rows(design, "a", "b", "c")) == sorted(rows(plain, "a", "b", "c"))
    assert "doe_block" not in plain.names


def test_the_order_is_random_within_blocks():
    design = built(study(*THREE, **FACTORIAL, replicates=2, is_randomized=True))
    plain = built(study(*THREE, **FACTORIAL, replicates=2))
    assert design.cells("doe_block") == ["1"] * 8 + ["2"] * 8
    assert rows(design, "a", "b", "c") != rows(plain, "a", "b", "c")
    names = ("a", "b", "c", "doe_block", "doe_replicate")
    assert sorted(rows(design, *names)) == sorted(rows(plain, *names))
    assert sorted(design_keys(design)) == sorted(design_keys(plain))


def test_a_block_is_part_of_what_a_run_is():
    """Two centre points that are equal in all variables are two runs where their blocks differ."""
    options = {"generators": ["C=AB"], "centerPoints": 2}
    four = (*THREE, uniform("d", 0, 1))
    design = built(study(*four, method="fractional-factorial", options={**options, "blocks": 2}))
    assert len(set(design_keys(design).tolist())) == 10
    assert design.varied == ("a", "b", "c", "d", "doe_block")
    plain = built(study(*four, method="fractional-factorial", options=options))
    assert len(set(design_keys(plain).tolist())) == 9


def test_crossed_points_stay_in_their_block():
    crossed = (*THREE, levels("m", "x", "y"))
    design = built(
        study(*crossed, method="central-composite", options={"blocks": 2, "centerPoints": 2}, cross=("m",))
    )
    assert design.cells("doe_block") == ["1"] * 18 + ["2"] * 14
    assert rows(design, "m", "doe_block").count(("x", "1")) == 9
