"""What a study says reaches the run digit by digit and byte by byte, and comes back so."""

import csv
import io
import json

STUDY = """doe: 1
study: exact
variables:
  version: {levels: ["1.10", "1.1"]}
  commit: {}
  seed: {}
  next: {expression: "3*seed + 1"}
design: {method: table, file: points.csv}
analyses:
  - analysis: {code: user_included}
    command: "true"
    hardware: {coreType: standard-plus, coresPerSlot: 1}
    templates: [{source: deck.t, target: deck}]
responses:
  n: {file: deck, regex: 'next (\\d+)', goal: maximize, max: 10}
"""
DECK = b"\xef\xbb\xbf$ 23 \xb0C Pr\xfcf\r\n%s %s %s next %s\r\nno end"


def test_texts_and_integers_reach_a_deck_of_another_encoding(doe, tmp_path):
    rows = [
        ("1.10", "12e4567", "9007199254740993"),
        ("1.1", "83e45", "3"),
        ("1.10", "012", "76561198000000001"),
    ]
    (tmp_path / "study.yaml").write_text(STUDY)
    (tmp_path / "points.csv").write_text(
        "version,commit,seed,,\r\n" + "".join(f"{','.join(row)},,\r\n" for row in rows) + ",,,,\r\n"
    )
    (tmp_path / "deck.t").write_bytes(DECK % (b"${version}", b"${commit}", b"${seed}", b"${next}"))
    assert "E315" in doe("validate", "study.yaml").stdout
    assert doe("apply", "study.yaml", "--yes").returncode == 0
    shown = doe("results", "study.yaml", "--format", "csv")
    found = list(csv.DictReader(io.StringIO(shown.stdout)))
    assert [(row["version"], row["commit"], row["seed"]) for row in found] == rows
    for row in found:
        after = str(3 * int(row["seed"]) + 1)
        cells = [row[name].encode() for name in ("version", "commit", "seed")]
        assert (tmp_path / row["directory"] / "deck").read_bytes() == DECK % (*cells, after.encode())
        assert row["n"] == after
    assert "2 outside of the bounds" in shown.stderr
    best = json.loads(doe("results", "study.yaml", "--format", "json", "--best", "2").stdout)["runs"]
    assert [(run["run"], run["responses"]["n"]) for run in best] == [(2, 10), (3, 229683594000000004)]
    assert [run["isOutsideBounds"] for run in best] == [False, True]
