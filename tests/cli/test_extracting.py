"""Responses that are added when the runs are over, by command too: from the stored outputs, which stay as they are."""

import csv
import hashlib
import io
import json

import pytest

DESIGN = {
    "variables": '  x: {levels: [1, 2]}\n  word: {levels: ["a b", "it\'s, 1"]}',
    "design": "{}",
    "deck": "${x} ${word}\n",
    "command": '"cp deck.txt out.txt; ln -s out.txt link; mkfifo pipe"',
    "analysis": "    envVars: {A: a$x}",
}
READ = "  y: {file: out.txt, regex: '^(\\d)'}"


def results(doe, study, *options, **more):
    done = doe("results", study, "--format", "csv", *options, **more)
    assert done.returncode == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout)))


def tree(folder):
    found = {}
    for path in sorted(folder.rglob("*")):
        is_file = path.is_file() and not path.is_symlink()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if is_file else None
        found[str(path)] = (content, path.lstat().st_mtime_ns)
    return found


@pytest.fixture
def later(doe, study_at):
    """The study of runs that are over, with more responses."""

    def _later(more, **changed):
        assert doe("apply", study_at(**DESIGN, responses=READ), "--yes").returncode == 0
        return study_at(**{**DESIGN, **changed}, responses=f"{READ}\n{more}")

    return _later


def test_a_command_that_is_added_later_fails_nothing_and_runs_only_when_asked(doe, later, tmp_path):
    ran = tmp_path / "ran"
    study = later(f'  size: {{command: "echo x >> {ran}; wc -c < link"}}')
    rows = results(doe, study)
    assert [(row["state"], row["size"]) for row in rows] == [("done", "")] * 4
    assert rows[0]["why"] == "not read yet (results --extract): size"
    assert not ran.exists()
    assert doe("plan", study, "--detailed-exitcode", "--retry-failed").returncode == 0
    assert [row["size"] for row in results(doe, study, "--extract")] == ["6", "10", "6", "10"]
    assert ran.read_text() == "x\n" * 4


def test_what_is_stored_stays_as_it_is(doe, later):
    study = later(
        '  n: {command: "rm deck.txt; echo 8 > link; echo new > more; cat out.txt", required: false}'
    )
    runs = [study.parent / row["directory"] for row in results(doe, study)]
    before = [tree(run) for run in runs]
    assert [row["n"] for row in results(doe, study, "--extract")] == ["8"] * 4
    assert [tree(run) for run in runs] == before


def test_a_command_has_the_columns_that_it_names_and_no_keys(doe, later):
    study = later('  n: {command: "echo $word-${x}-$A-$RESCALE_API_KEY"}')
    rows = results(doe, study, "--extract", env={"RESCALE_API_KEY": "secret"})
    assert [row["n"] for row in rows] == ["a b-1-a1-", "it's, 1-1-a1-", "a b-2-a2-", "it's, 1-2-a2-"]


def test_what_was_read_once_stays_known_without_outputs(doe, later):
    study = later("  n: {command: wc -w < out.txt}\n  z: {file: out.txt, regex: '([a-z]+)'}")
    first = results(doe, study, "--extract")
    assert [row["z"] for row in first] == ["b", "s", "b", "s"]
    for row in first:
        (study.parent / row["directory"] / "out.txt").unlink()
    again = results(doe, study)
    assert [(row["n"], row["z"], row["state"]) for row in again] == [(r["n"], r["z"], "done") for r in first]


def test_what_is_wrong_with_one_command_is_told_and_ends(doe, later):
    study = later(
        '  bad: {command: "exit 3", required: false}\n  n: {command: echo 5}\n  slow: {command: sleep 60, required: false}',
        analysis=f"{DESIGN['analysis']}\n    runTimeout: 2s",
    )
    for row in results(doe, study, "--extract"):
        assert row["state"] == "done"
        assert "bad (the command ended with status 3)" in row["why"]
        assert "slow (the command was stopped" in row["why"]


def test_outputs_that_are_not_here_are_told(doe, later):
    study = later("  n: {command: wc -w < out.txt}")
    directory = study.parent / results(doe, study)[0]["directory"]
    directory.rename(directory.with_name("gone"))
    rows = results(doe, study, "--extract")
    assert "do not lie on this machine" in rows[0]["why"]
    assert [row["n"] for row in rows] == ["", "3", "3", "3"]
    document = json.loads(doe("results", study, "--format", "json").stdout)
    assert document["runs"][0]["state"] == "done"


def test_an_input_that_a_run_has_not_changed_is_no_result_later_either(doe, study_at):
    runs = {**DESIGN, "command": '"[ $(cut -c1 deck.txt) = 1 ] || echo y = 2 >> case/log"'}
    inputs = {
        "analysis": "    inputFiles: [case, old]",
        "variables": "  x: {levels: [1, 2]}",
        "deck": "${x}\n",
    }
    study = study_at(**{**runs, **inputs}, responses="  n: {file: deck.txt, regex: '(\\d)'}")
    (study.parent / "case").mkdir()
    for name in ("case/log", "old"):
        (study.parent / name).write_text("y = 500\n")
    assert doe("apply", study, "--yes").returncode == 0
    late = "  y: {file: ./case/log, regex: 'y = (\\S+)', required: false}\n  z: {file: old, regex: '(5.*)', required: false}"
    rows = results(doe, study_at(**{**runs, **inputs}, responses=late))
    assert [(row["y"], row["z"]) for row in rows] == [("", ""), ("2", "")]
    assert "'./case/log' is an input that the run has not changed" in rows[0]["why"]
