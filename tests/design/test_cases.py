"""Every run of a design is made for every case, in the order in which platforms cross them."""

from design_studies import built, csv, formula, levels, placeholder, refusals, study, uniform, variable

from doe_compiler.spec.model import FromCases

MESH = variable("mesh", FromCases(("coarse", "fine")), role="Case")
SIZE = variable("size", FromCases(("1", "9007199254740993")), role="Case")
FACTORIAL = {"method": "full-factorial"}


def test_the_cases_are_the_outer_loop():
    spec = study(levels("x", "1", "2"), formula("y", "x + size"), MESH, SIZE, **FACTORIAL)
    assert csv(built(spec)) == (
        "x,y,mesh,size\n1,2,coarse,1\n2,3,coarse,1\n"
        "1,9007199254740994,fine,9007199254740993\n2,9007199254740995,fine,9007199254740993\n"
    )
    assert built(spec).varied == ("x", "mesh", "size")


def test_a_random_design_is_the_same_in_every_case():
    alone = built(study(uniform("x"), runs=3)).cells("x")
    assert built(study(uniform("x"), MESH, runs=3)).cells("x") == alone * 2


def test_replicates_stand_together_and_the_nominal_run_is_one():
    spec = study(
        levels("x", "1", "2", nominal="2"), MESH, replicates=2, nominal=True, **FACTORIAL,
        templates=(placeholder("doe_replicate"),),
    )  # fmt: skip
    assert csv(built(spec, "E571")) == (
        "x,mesh,doe_replicate\n2,coarse,1\n1,coarse,1\n1,coarse,2\n2,coarse,1\n2,coarse,2\n"
        "1,fine,1\n1,fine,2\n2,fine,1\n2,fine,2\n"
    )


def test_constraints_may_read_the_cases():
    small = variable("size", FromCases(("1", "3")), role="Case")
    spec = study(
        levels("x", "1", "2"), formula("y", "x*size"), small, constraints=("y < 5", "x > 0"), **FACTORIAL
    )
    assert csv(built(spec)) == "x,y,size\n1,1,1\n2,2,1\n1,3,3\n"
    none = study(levels("x", "1", "2"), small, constraints=("x*size > 100",), **FACTORIAL)
    assert [finding.code for finding in refusals(none)] == ["E521"]


def test_cases_alone_are_a_design():
    assert csv(built(study(MESH, **FACTORIAL))) == "mesh\ncoarse\nfine\n"
