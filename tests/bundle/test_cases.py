"""Whole cases are sent as runs and a case file, parts of them as rows; both hold the same rows."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.bundle.pack import Job, bundled, case_file, parameter_file
from doe_compiler.bundle.rows import design_keys
from doe_compiler.design.build import build
from doe_compiler.expressions.parser import parse
from doe_compiler.kernel.findings import Place
from doe_compiler.observe.rows import crossed, parameter_keys
from doe_compiler.spec.model import Analysis, DesignSpec, Formula, FromCases, Hardware, Levels, Spec, Variable

PLACE = Place("study.yaml", 1, 1)
X = Variable("x", Levels(("1", "2")), PLACE)
MESH = Variable("mesh", FromCases(("coarse", "fine", "3")), PLACE, role="Case")
SPEC = Spec(
    "s",
    "study.yaml",
    (X, MESH),
    DesignSpec("full-factorial", PLACE),
    (Analysis("c", None, "true", Hardware("emerald"), PLACE),),
)


def job_of(spec, rows=None):
    design, findings = build(spec)
    assert findings == []
    bundle = bundled(spec, design)
    job = Job(spec, design if rows is None else design.take(rows), "t")
    parameters = parameter_file(job)
    sent = None if parameters is None else parameters.content
    payload = job.payload(bundle, name="n", parameters=parameters.reference if parameters else None)
    return job, sent, payload


def test_whole_cases_are_sent_as_a_case_file():
    job, sent, payload = job_of(SPEC)
    assert sent == b"x\n1\n2\n"
    assert case_file(SPEC).content == b"mesh\ncoarse\nfine\n3\n"
    assert payload["caseFile"] == {"id": f"sha256:{case_file(SPEC).reference}"}
    rows = crossed(case_file(SPEC).content, sent, where="CSV")
    keys = parameter_keys(rows, job.design.varied, where="CSV")
    assert keys.tolist() == design_keys(job.design).tolist()


def test_a_part_of_the_cases_is_sent_as_rows():
    job, sent, payload = job_of(SPEC, [0, 1, 2])
    assert sent == b"x,mesh\n1,coarse\n2,coarse\n1,fine\n"
    assert payload["caseFile"] is None
    assert parameter_keys(sent, job.design.varied, where="CSV").tolist() == design_keys(job.design).tolist()
    assert job_of(SPEC, [1, 3, 5])[1] == b"x\n2\n"
    assert job_of(SPEC, [1, 3, 4])[2]["caseFile"] is None
    assert job_of(SPEC, [0, 2, 1, 3, 4, 5])[2]["caseFile"] is None


def test_columns_that_follow_from_the_case_are_sent_as_rows():
    y = Variable("y", Formula("x", parse("x if mesh == 'fine' else 0")), PLACE)
    assert job_of(replace(SPEC, variables=(X, y, MESH)))[2]["caseFile"] is None


def test_cases_alone_need_no_parameters():
    job, sent, payload = job_of(replace(SPEC, variables=(MESH,)))
    assert (sent, payload["paramFile"]) == (None, None)
    assert payload["caseFile"] is not None
    rows = crossed(case_file(SPEC).content, None, where="CSV")
    assert parameter_keys(rows, ["mesh"], where="CSV").tolist() == design_keys(job.design).tolist()


def test_more_cases_are_no_new_recipe():
    design, _ = build(SPEC)
    more = replace(SPEC, variables=(X, replace(MESH, law=FromCases(("other", *MESH.law.texts)))))
    assert bundled(SPEC, design).recipe == bundled(more, build(more)[0]).recipe


# Laws

CELLS = st.lists(
    st.sampled_from(["coarse", "fine", "3", "a,b", "it's", "é", "0.5"]), min_size=1, max_size=4, unique=True
)
LEVELS = st.lists(st.sampled_from(["1", "2", "3.5", "x,y"]), min_size=1, max_size=3, unique=True)


@given(LEVELS, CELLS, CELLS, st.integers(1, 2))
def test_crossing_what_is_sent_gives_the_very_rows_of_the_design(points, one, two, replicates):
    size = min(len(one), len(two))
    mesh = Variable("mesh", FromCases(tuple(one[:size])), PLACE, role="Case")
    other = Variable("other", FromCases(tuple(two[:size])), PLACE, role="Case")
    design = DesignSpec("full-factorial", PLACE, replicates=replicates)
    spec = replace(SPEC, variables=(Variable("x", Levels(tuple(points)), PLACE), mesh, other), design=design)
    job, sent, payload = job_of(spec)
    rows = sent if payload["caseFile"] is None else crossed(case_file(spec).content, sent, where="CSV")
    texts = bundled(spec, job.design).texts
    table = [line.split(",") for line in rows.decode().splitlines()]
    for name in ("x", "mesh", "other"):
        cells = [texts.get(row[table[0].index(name)], row[table[0].index(name)]) for row in table[1:]]
        assert cells == job.design.cells(name)


@given(LEVELS, CELLS, st.data())
def test_any_part_of_the_rows_is_sent_as_these_rows(points, cases, data):
    mesh = Variable("mesh", FromCases(tuple(cases)), PLACE, role="Case")
    spec = replace(SPEC, variables=(Variable("x", Levels(tuple(points)), PLACE), mesh))
    count = len(points) * len(cases)
    rows = data.draw(st.lists(st.integers(0, count - 1), unique=True, min_size=1))
    job, sent, payload = job_of(spec, rows)
    content = sent if payload["caseFile"] is None else crossed(case_file(spec).content, sent, where="CSV")
    assert len(content.decode().splitlines()) - 1 == len(rows)
    named = {text: name for name, text in bundled(spec, build(spec)[0]).texts.items()}
    lines = [line.split(",") for line in content.decode().splitlines()]
    cells = [row[lines[0].index("mesh")] for row in lines[1:]]
    assert cells == [named.get(cell, cell) for cell in job.design.cells("mesh")]


def test_a_study_without_cases_has_no_case_file():
    assert case_file(replace(SPEC, variables=(X,))) is None
    assert job_of(replace(SPEC, variables=(X,)))[2]["caseFile"] is None


def test_adding_a_case_keeps_the_rows_that_were_there():
    before = set(design_keys(build(SPEC)[0]).tolist())
    more = replace(SPEC, variables=(X, replace(MESH, law=FromCases((*MESH.law.texts, "new")))))
    assert before < set(design_keys(build(more)[0]).tolist())
