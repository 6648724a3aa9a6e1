"""The columns of a case file are variables; what cannot be crossed is told."""

import pytest

from doe_compiler.bundle.pack import bundled
from doe_compiler.spec.model import FromCases

JOB = "job: {caseFile: cases.csv}"


@pytest.fixture
def read_cases(read):
    def _read(cases, variables="x: {levels: [1, 2]}", more=JOB, template="${x} ${mesh} ${size}"):
        text = (
            f"doe: 1\nstudy: beam\nvariables:\n  {variables}\nanalyses:\n"
            "  - analysis: {code: user_included}\n    command: ./solve\n    hardware: {coreType: emerald}\n"
            f"    templates: [{{source: in.t, target: in}}]\n{more}\n"
        )
        return read(text, {"in.t": template, "cases.csv": cases})

    return _read


def test_columns_of_cases_are_variables_of_role_case(read_cases):
    reading = read_cases("mesh,size\ncoarse,1.0\nfine,9007199254740993\n")
    assert reading.findings == ()
    mesh, size = reading.spec.cases
    assert (mesh.name, mesh.law, mesh.role) == ("mesh", FromCases(("coarse", "fine")), "Case")
    assert size.law == FromCases(("1", "9007199254740993"))
    assert [variable.name for variable in reading.spec.varied] == ["x", "mesh", "size"]


def test_a_column_may_be_declared_for_its_unit_and_type(read_cases):
    reading = read_cases("mesh,size\na,1.10\nb,1.9\n", "x: {levels: [1, 2]}\n  size: {unit: mm, type: text}")
    assert reading.findings == ()
    size = next(variable for variable in reading.spec.variables if variable.name == "size")
    assert (size.law, size.unit, size.role) == (FromCases(("1.10", "1.9")), "mm", "Case")


def test_expressions_and_constraints_know_the_columns(read_cases, codes):
    variables = "x: {levels: [1, 2]}\n  y: {expression: x*size}"
    more = f"{JOB}\ndesign: {{constraints: ['size > x', \"mesh == 'a'\"]}}"
    template = "${x} ${mesh} ${size} ${y}"
    assert codes(read_cases("mesh,size\na,1\nb,2\n", variables, more, template)) == []
    assert codes(read_cases("mesh,size\na,1\nb,two\n", variables, more, template)) == ["E207", "E207"]


@pytest.mark.parametrize(
    ("cases", "variables", "expected"),
    [
        ("mesh,size\na,1\na,1\n", "x: {levels: [1, 2]}", ["E120"]),
        ("mesh,size\na,1\n", "x: {levels: [1, 2]}\n  size: {levels: [1, 2]}", ["E214"]),
        ("mesh,size\na,#N/A\n", "x: {levels: [1, 2]}", ["E313"]),
        ("mesh;size\na;1\n", "x: {levels: [1, 2]}", ["E312"]),
        ("mesh,size,,\na,1,,\n,,,\n", "x: {levels: [1, 2]}", ["E315"]),
    ],
)
def test_a_wrong_case_file_is_told(read_cases, codes, cases, variables, expected):
    assert [code for code in codes(read_cases(cases, variables)) if code != "T107"] == expected


def test_cases_that_no_template_uses_are_told(read_cases, codes):
    assert codes(read_cases("mesh,size\na,1\nb,2\n", template="${x} ${mesh}")) == ["E211"]


def test_a_case_file_on_the_platform_is_refused(read_cases, codes):
    found = codes(read_cases("", more="job: {caseFile: {id: abc}}", template="${x}"))
    assert found == ["E119"]


def test_the_nominal_run_takes_the_first_case(read_cases):
    reading = read_cases(
        "mesh,size\na,1\nb,2\n",
        "x: {levels: [1, 2], nominal: 1}",
        "job: {caseFile: cases.csv, includeNominalRun: true}",
    )
    assert reading.findings == ()
    assert [variable.nominal for variable in reading.spec.cases] == [None, None]


def test_cases_of_words_may_be_sent_to_a_platform_that_samples(read_cases):
    reading = read_cases(
        "mesh,size\na,1\nb,2\n",
        "x: {generator: Uniform, min: 1, max: 2, nominal: 1}",
        "design: {sampling: platform, iterations: 2}\njob: {caseFile: cases.csv, includeNominalRun: true}",
    )
    assert reading.findings == ()
    bundle = bundled(reading.spec, None)
    payload = bundle.jobs()[0].payload(bundle, name="n", parameters=None)
    assert payload["caseFile"] is not None
    roles = {variable["name"]: variable["variableType"] for variable in payload["jobvariables"]}
    assert roles == {"x": "Param", "mesh": "Case", "size": "Case"}
