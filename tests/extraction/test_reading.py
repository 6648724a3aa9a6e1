"""Extractors find what an engineer means in the text that a solver wrote."""

import pytest

from doe_compiler.extraction.reading import FileReading
from doe_compiler.extraction.watch import Watch


def value_of(extractor, text):
    """The value of the one response; ValueError with the reason where there is none."""
    with Watch() as watch:
        reading = FileReading([{"file": "log", **extractor}], watch)
        reading.feed(text.encode() if isinstance(text, str) else text)
        (outcome,) = reading.finish()
    if outcome.value is None:
        raise ValueError(outcome.told)
    return outcome.value


LOG = "iteration 1 Cd = 0.50\niteration 2 Cd = 0.25\niteration 3 Cd = 1.5D-01\n"


@pytest.mark.parametrize(
    ("take", "expected"),
    [
        ("first", "0.50"),
        ("last", "1.5e-01"),
        ("min", "1.5e-01"),
        ("max", "0.50"),
        ("mean", repr((0.5 + 0.25 + 0.15) / 3)),
    ],
)
def test_regex_takes_the_match_that_is_asked_for(take, expected):
    assert value_of({"kind": "regex", "regex": r"Cd\s*=\s*(\S+)", "take": take}, LOG) == expected


def test_regex_anchors_match_lines():
    assert value_of({"kind": "regex", "regex": r"^b (\d)$", "take": "last"}, "a 1\nb 2\nc 3\n") == "2"


def test_no_match_is_an_error():
    with pytest.raises(ValueError, match="nothing matches"):
        value_of({"kind": "regex", "regex": "Cl=(.*)", "take": "last"}, LOG)


@pytest.mark.parametrize(
    ("path", "expected"), [("a.b[1]", "2.5"), ("$.a.b[-1]", "text here"), ("c", "true"), ("a.d", "1e-3")]
)
def test_json_values_by_path(path, expected):
    text = '{"a": {"b": [1, 2.5, "text\\nhere"], "d": "1e-3"}, "c": true}'
    assert value_of({"kind": "json", "path": path}, text) == expected


@pytest.mark.parametrize("path", ["x", "a.b[7]", "a[0]", "c.d"])
def test_a_json_path_that_leads_nowhere_is_an_error(path):
    with pytest.raises(ValueError):
        value_of({"kind": "json", "path": path}, '{"a": {"b": [1]}, "c": 1}')


def test_broken_json_is_an_error():
    with pytest.raises(ValueError):
        value_of({"kind": "json", "path": "a"}, '{"a": ')


@pytest.mark.parametrize(
    "text",
    [
        "t,p\n0,1\n1,3\n",
        "t;p\n0;1\n1;3\n",
        "t\tp\n0\t1\n1\t3\n",
        "# t  p\n0 1\n1   3\n",
        '"t", "p"\n0, 1\n1, 3\n\n',
    ],
)
@pytest.mark.parametrize(("take", "expected"), [("last", "3"), ("min", "1"), ("mean", "2.0")])
def test_csv_columns_by_header_whatever_separates(text, take, expected):
    assert value_of({"kind": "csv", "column": "p", "take": take}, text) == expected


def test_an_unknown_column_is_an_error():
    with pytest.raises(ValueError, match="no column 'q'"):
        value_of({"kind": "csv", "column": "q", "take": "last"}, "t,p\n0,1\n")
