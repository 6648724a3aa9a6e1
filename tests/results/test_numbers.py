"""What counts as a number, in bounds, ranks, JSON and on the screen, is what was written as one."""

import json
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from doe_compiler.cli.shown import results_table
from doe_compiler.cli.tables import Layout
from doe_compiler.extraction.values import NoValue, number, plain
from doe_compiler.kernel.findings import Place
from doe_compiler.results.collect import ResultRow, Results
from doe_compiler.results.goals import best
from doe_compiler.results.states import RunState, broken_bounds, number_of
from doe_compiler.results.table import as_csv, as_json
from doe_compiler.spec.model import (
    Analysis,
    Constant,
    Declared,
    DesignSpec,
    Goal,
    Hardware,
    Response,
    Spec,
    Variable,
)

PLACE = Place("study.yaml", 1, 1)
TEXTS_THAT_PYTHON_TAKES_FOR_NUMBERS = ["1_000", "2024_01_15_12", "١٢", "１２", "infinity", "1_0e5"]


def spec(**bounds):
    return Spec(
        "s",
        "study.yaml",
        (Variable("x", Constant("1"), PLACE),),
        DesignSpec("table", PLACE),
        (Analysis("c", None, "true", Hardware("emerald"), PLACE),),
        responses=(Response("y", Declared(), PLACE, **bounds),),
    )


def table_of(*values, inputs=("1",), **bounds):
    rows = [
        ResultRow(
            n, {"x": inputs[(n - 1) % len(inputs)]}, {"y": y, "doe_exit": "0"}, RunState.DONE, "", "j", n
        )
        for n, y in enumerate(values, 1)
    ]
    return Results(spec(**bounds), ("x",), tuple(rows))


def in_json(text):
    return json.loads(as_json(table_of(text)))["runs"][0]["responses"]["y"]


@pytest.mark.parametrize("text", TEXTS_THAT_PYTHON_TAKES_FOR_NUMBERS)
def test_a_text_is_no_number_because_python_could_read_one(text):
    assert number_of(text) is None
    assert in_json(text) == text
    (broken,) = broken_bounds(spec(maximum=1e9).responses, {"y": text})
    assert "is no number" in broken
    assert best(table_of(text, "3", goal=Goal.MAXIMIZE), 5).rows[0].outputs["y"] == "3"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_in_json_is_the_number_of_the_run(value):
    assert in_json(repr(value)) == value


@given(st.integers(-(10**60), 10**60))
@example(9007199254740993)
def test_a_whole_number_in_json_keeps_all_digits(value):
    assert in_json(str(value)) == value


@given(st.text(max_size=30) | st.from_regex(r"[+-]?[0-9._eEdD+-]{1,30}", fullmatch=True))
def test_json_csv_and_bounds_agree_on_what_a_value_is(text):
    try:
        value = plain(text)
    except NoValue:
        return
    shown = in_json(value)
    assert (number_of(value) is None) == isinstance(shown, str)
    if isinstance(shown, str):
        assert shown == value
    else:
        assert math.isclose(shown, float(value), rel_tol=1e-15)
        assert number(value) == number_of(value)
    assert value in as_csv(table_of(value)).replace('""', '"')


CELL = (
    st.floats(allow_nan=False, allow_infinity=False).map(repr)
    | st.integers(-(10**40), 10**40).map(str)
    | st.from_regex(r"[0-9a-f]{8,16}", fullmatch=True)
    | st.from_regex(r"[0-9]{1,6}e[0-9]{5,12}", fullmatch=True)
    | st.sampled_from(TEXTS_THAT_PYTHON_TAKES_FOR_NUMBERS)
)


@given(CELL)
@example("83e4567890123")
@example("1e-40000000001")
@example("2024_01_15_12")
def test_the_screen_shortens_a_number_to_seven_digits_and_never_to_another(cell):
    table = table_of("1", "2", inputs=(cell, "other"))
    text = results_table(table, asked=Layout(("x",), is_wide=True))
    shown = text.splitlines()[2].strip()
    if shown != cell:
        assert number(cell) is not None
        assert math.isclose(float(shown), float(cell), rel_tol=1e-6)
