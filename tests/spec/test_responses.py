"""Responses, and the small languages in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doe_compiler.extraction.json_path import json_path_steps
from doe_compiler.spec.durations import seconds_of
from doe_compiler.spec.model import (
    CommandExtractor,
    CsvExtractor,
    Declared,
    JsonExtractor,
    RegexExtractor,
    Take,
)


@pytest.fixture
def read_response(read_variables):
    def _read(keys, name="y", post=""):
        more = f"responses: {{{name}: {keys}}}\n"
        return read_variables({"x": "{levels: [1, 2]}"}, "", more)

    return _read


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ("{file: a, regex: 'x'}", "E117"),
        ("{file: a, regex: '('}", "E117"),
        ("{file: a, regex: '(x'}", "E117"),
        ("{file: a, regex: '(a){99999999999}'}", "E117"),
        ("{file: a, json: 'a..b'}", "E118"),
        ("{file: a, json: '.'}", "E118"),
        ("{file: a, json: 'a[x]'}", "E118"),
        ("{file: /a, csv: b}", "E310"),
        ("{file: ../a, csv: b}", "E310"),
        ("{file: a, csv: ''}", "E107"),
        ("{file: a}", "E102"),
        ("{regex: (a)}", "E102"),
        ("{file: a, regex: (a), json: b}", "E108"),
        ("{file: a, regex: (a), take: lst}", "E105"),
        ("{file: a, json: a, take: last}", "E108"),
        ("{command: ' '}", "E107"),
        ("{file: a, csv: b, min: 2, max: 1}", "E104"),
        ("{file: a, csv: b, goal: minimise}", "E105"),
        ("{file: a, csv: b, required: no}", "E103"),
        ("{}", "E215"),
        ("{unit: N}", "E215"),
    ],
)
def test_what_is_wrong_is_one_finding(read_response, codes, keys, code):
    assert codes(read_response(keys)) == [code]


@pytest.mark.parametrize(("name", "code"), [("x", "E203"), ("doe_exit", "E202"), ("1x", "E201")])
def test_names_are_free(read_response, codes, name, code):
    assert codes(read_response("{command: a}", name)) == [code]


@pytest.mark.parametrize(
    ("keys", "extractor"),
    [
        ("{file: a, regex: '(x)'}", RegexExtractor("a", "(x)", Take.LAST)),
        ("{file: a, json: 'b.c[0]'}", JsonExtractor("a", "b.c[0]")),
        ("{file: a, csv: b c, take: max}", CsvExtractor("a", "b c", Take.MAX)),
        ("{command: tail -1 a}", CommandExtractor("tail -1 a")),
    ],
)
def test_extractors_are_read(read_response, keys, extractor):
    reading = read_response(keys)
    assert reading.findings == ()
    assert reading.spec.responses[0].extractor == extractor


def test_a_script_declares_responses(read):
    text = """doe: 1
study: beam
variables: {x: {levels: [1, 2]}}
analyses:
  - analysis: {code: user_included}
    command: ./solve
    hardware: {coreType: emerald}
    templates: [{source: t, target: t}]
    postProcess: {script: t, command: sh t}
responses: {y: {unit: N}}
"""
    reading = read(text, {"t": "${x}"})
    assert reading.findings == ()
    assert reading.spec.responses[0].extractor == Declared()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("20m", 1200), ("1h", 3600), ("1h30m", 5400), ("2d", 172800), ("1d2h3m4s", 93784)],
)
def test_durations_have_units(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "20", "m", "1m1h", "-1m", "1.5h", "0s", "1 h", "20min", "１m\n", "9999999m"]
)
def test_what_is_no_duration_is_none(text):
    assert seconds_of(text) is None


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("a", ("a",)),
        ("forces.drag[0]", ("forces", "drag", 0)),
        ("[0][-1].x", (0, -1, "x")),
        ("$.a.b", ("a", "b")),
        ("$[1]", (1,)),
        ("a[\"b c\"]['d.e'].f", ("a", "b c", "d.e", "f")),
    ],
)
def test_paths_have_steps(path, steps):
    assert json_path_steps(path) == steps


@pytest.mark.parametrize("path", ["", ".", "$", "a.", ".a", "a..b", "a[", "a[x]", "a b", "a.[0]", "a]"])
def test_what_is_no_path_is_told(path):
    if path == "$":
        assert json_path_steps(path) == ("$",)
        return
    with pytest.raises(ValueError):
        json_path_steps(path)


@given(st.lists(st.text("abc_1", min_size=1) | st.integers(0, 99), min_size=1))
def test_written_paths_read_back(steps):
    path = "".join(f"[{step}]" if isinstance(step, int) else f'["{step}"]' for step in steps)
    assert json_path_steps(path) == tuple(steps)
