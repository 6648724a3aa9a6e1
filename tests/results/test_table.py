"""The table keeps every run, every digit, and says units and states."""

import csv
import io
import json

from doe_compiler.kernel.findings import Place
from doe_compiler.results.collect import ResultRow, Results
from doe_compiler.results.states import RunState
from doe_compiler.results.table import as_csv, as_json
from doe_compiler.spec.model import (
    Analysis,
    Constant,
    Declared,
    DesignSpec,
    Hardware,
    Response,
    Spec,
    Variable,
)

PLACE = Place("study.yaml", 1, 1)
SPEC = Spec(
    "s",
    "study.yaml",
    (Variable("x", Constant("1"), PLACE, unit="m/s"),),
    DesignSpec("table", PLACE),
    (Analysis("c", None, "true", Hardware("emerald"), PLACE),),
    responses=(Response("y", Declared(), PLACE, unit="N, total"), Response("t", Declared(), PLACE)),
)
RESULTS = Results(
    SPEC,
    ("x",),
    (
        ResultRow(
            1,
            {"x": "1.50"},
            {"y": "0.1000000000000000055", "t": "ok", "doe_exit": "0"},
            RunState.DONE,
            "",
            "abc",
            1,
            "/d",
        ),
        ResultRow(2, {"x": "2"}, {"y": "nan"}, RunState.FAILED, "exit code 1", "abc", 2),
        ResultRow(3, {"x": "3"}, {}, RunState.MISSING, "", None, None),
    ),
)


def test_csv_has_every_run_with_texts_as_they_were():
    rows = list(csv.DictReader(io.StringIO(as_csv(RESULTS))))
    assert [row["x [m/s]"] for row in rows] == ["1.50", "2", "3"]
    assert rows[0]["y [N, total]"] == "0.1000000000000000055"
    assert [row["state"] for row in rows] == ["done", "failed", "missing"]
    assert (rows[0]["directory"], rows[2]["job"]) == ("/d", "")


def test_json_has_numbers_where_there_are_numbers():
    document = json.loads(as_json(RESULTS))
    first, second, third = document["runs"]
    assert first["responses"] == {"y": 0.1, "t": "ok"}
    assert (first["exitCode"], second["exitCode"]) == (0, None)
    assert second["responses"] == {"y": "nan", "t": None}
    assert third["state"] == "missing"
    assert document["units"] == {"x": "m/s", "y": "N, total"}


def test_json_has_whole_numbers_of_any_size():
    outputs = {"y": "9007199254740993", "t": "-123456789012345678901234567890", "doe_exit": "0"}
    row = ResultRow(1, {"x": "1"}, outputs, RunState.DONE, "", "abc", 1)
    document = json.loads(as_json(Results(SPEC, ("x",), (row,))))
    assert document["runs"][0]["responses"] == {"y": 9007199254740993, "t": -123456789012345678901234567890}
