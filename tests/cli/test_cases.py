"""A case file from plan to results: every case of every run, each once, whatever is added later."""

import csv
import io

import pytest

STUDY = """doe: 1
study: cases
variables:
  x: {levels: [1, 2]}
analyses:
  - analysis: {code: user_included}
    command: "true"
    hardware: {coreType: standard-plus, coresPerSlot: 1}
    templates: [{source: deck.t, target: deck}]
responses:
  y: {file: deck, regex: '(\\S+) end'}
job: {caseFile: cases.csv}
limits: {runs: 9}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "study.yaml").write_text(STUDY)
    (tmp_path / "deck.t").write_text("${x}:${mesh}:${size} end\n")
    (tmp_path / "cases.csv").write_text("mesh,size\ncoarse,1.0\nfine,9007199254740993\n")
    return tmp_path


def seen(doe):
    rows = list(csv.DictReader(io.StringIO(doe("results", "study.yaml", "--format", "csv").stdout)))
    assert all(row["y"] == f"{row['x']}:{row['mesh']}:{row['size']}" for row in rows)
    return [(row["x"], row["mesh"], row["size"], row["state"]) for row in rows]


def test_every_run_is_made_for_every_case_once(doe, folder):
    assert "4 runs in 1 job to create" in doe("plan", "study.yaml").stdout
    assert doe("apply", "study.yaml", "--yes").returncode == 0
    big = "9007199254740993"
    expected = [(x, mesh, size, "done") for mesh, size in (("coarse", "1"), ("fine", big)) for x in "12"]
    assert seen(doe) == expected
    assert "Nothing to do" in doe("apply", "study.yaml", "--yes").stderr
    (folder / "study.yaml").write_text(STUDY.replace("[1, 2]", "[1, 2, 3]"))
    (folder / "cases.csv").write_text(f"mesh,size\ncoarse,1\nother,2\nfine,{big}\n")
    assert "5 runs in 1 job to create" in doe("plan", "study.yaml").stdout
    assert doe("apply", "study.yaml", "--yes").returncode == 0
    assert len(seen(doe)) == 9
    assert "Nothing to do" in doe("apply", "study.yaml", "--yes").stderr


def test_limits_count_the_cases(doe, folder):
    (folder / "study.yaml").write_text(STUDY.replace("runs: 9", "runs: 3"))
    assert doe("plan", "study.yaml").returncode == 5
