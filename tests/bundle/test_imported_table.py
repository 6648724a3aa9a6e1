"""A parameter CSV becomes the table of a study whose cells are those of the job."""

import csv
import io
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from doe_compiler.bundle.importing.table import NoTable, imported_table, study_names, with_texts
from doe_compiler.bundle.pack import Job
from doe_compiler.bundle.texts import named_texts
from doe_compiler.design.build import build
from doe_compiler.design.cell_text import cell_of
from doe_compiler.spec.model import DesignSpec, FromTable, Variable

from .specs import PLACE, a_spec, levels

CELLS = st.one_of(
    st.integers(-99, 99).map(str),
    st.floats(-1e6, 1e6).map(repr),
    st.sampled_from(["0.50", "1.50", "-2.00", "a", "kEps 2", "1e-7", "007", "9007199254740993", "50%"]),
)


def table_of(header, rows):
    return "".join(",".join(row) + "\n" for row in [header, *rows]).encode()


def read(content):
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig")), skipinitialspace=True))
    return [[cell.strip() for cell in row] for row in rows if row]


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8))
def test_every_cell_is_kept_or_the_change_is_told(rows):
    found = imported_table(table_of(["x", "y"], rows), {})
    assert found.content is None
    for index, name in enumerate(("x", "y")):
        variable = Variable(name, FromTable(), PLACE, format=found.formats.get(name))
        changed = [row[index] for row in rows if cell_of(variable, row[index]) != row[index]]
        told = any(f"numbers of '{name}' are written" in note for note in found.notes)
        assert told is bool(changed)


@given(st.lists(st.sampled_from(["1", "2", "a"]), min_size=1, max_size=5, unique=True), st.integers(2, 4))
def test_replicates_are_found_and_every_point_stands_once(points, replicates):
    rows = [(point, str(number + 1)) for point in points for number in range(replicates)]
    found = imported_table(table_of(["x", "doe_replicate"], rows), {})
    assert found.replicates == replicates
    assert read(found.content) == [["x"], *([point] for point in points)]


@given(st.lists(st.tuples(st.sampled_from("12"), st.sampled_from("123")), min_size=1, max_size=6))
def test_the_rows_of_a_table_with_replicates_are_those_of_the_job(rows):
    """Crossed again with its replicates the table has the very rows, or the column stays as one."""
    content = table_of(["x", "doe_replicate"], rows)
    found = imported_table(content, {})
    again = read(found.content if found.content is not None else content)
    if found.replicates > 1:
        again = [["x", "doe_replicate"]] + [
            [row[0], str(number + 1)] for row in again[1:] for number in range(found.replicates)
        ]
    assert [tuple(row) for row in again[1:]] == rows


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\n", b"x\n", b"x,x\n1,2\n", b"x,y\n1\n", b"x\n1,2\n", b"\xff\xfe", None,
        b"x\n" + b"1" * 200_000 + b"\n",
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_and_nothing_else_happens(content):
    with pytest.raises(NoTable, match="it "):
        imported_table(content, {})


@given(st.binary(max_size=60))
def test_any_bytes_are_a_table_or_none(content):
    try:
        found = imported_table(content, {})
    except NoTable:
        return
    assert found.replicates >= 1
    if found.content is not None:
        assert len({len(row) for row in read(found.content)}) == 1


TEXTS = st.lists(
    st.text(st.characters(exclude_characters="\0\r\n", exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=8)
    .map(str.strip)
    .filter(bool),
    min_size=1, max_size=5, unique=True,
)  # fmt: skip


@given(TEXTS)
def test_texts_that_travelled_by_name_stand_in_the_table_again(texts):
    spec = a_spec(levels("x", *texts))
    design, findings = build(spec)
    assume(not findings)
    sent = b"".join(Job(spec, design, "t").parameter_chunks())
    named = named_texts(design)
    found = imported_table(sent, named)
    content = sent if found.content is None else found.content
    assert [row[0] for row in csv.reader(io.StringIO(content.decode()))] == ["x", *texts]
    assert [row[0] for row in csv.reader(io.StringIO(with_texts(sent, named).decode()))] == ["x", *texts]


@given(st.lists(st.text(max_size=120), unique=True, max_size=8))
def test_names_of_variables_are_all_different_and_all_allowed(names):
    found = study_names(names)
    assert list(found) == names
    assert len(set(found.values())) == len(names)
    for new in found.values():
        assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", new, re.ASCII)
        assert not new.lower().startswith("doe_")


@pytest.mark.parametrize("name", ["x", "alpha_2", "_a", "X"])
def test_a_name_that_a_study_may_use_stays(name):
    assert study_names([name, "y"])[name] == name


def test_a_changed_name_takes_no_other_columns():
    assert study_names(["a-b", "a_b", "a.b"]) == {"a-b": "a_b_2", "a_b": "a_b", "a.b": "a_b_3"}


def test_a_table_of_a_study_is_what_the_design_would_send():
    spec = a_spec(levels("x", "1", "2"), levels("y", "a", "b"), design=DesignSpec("full-factorial", PLACE))
    sent = b"".join(Job(spec, build(spec)[0], "t").parameter_chunks())
    found = imported_table(sent, {})
    assert (found.content, found.formats, found.replicates, found.notes) == (None, {}, 1, ())
