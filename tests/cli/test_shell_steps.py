"""Variables in commands, scripts and envVars, and execute bits, with real runs."""

import csv
import io
import json


def rows_of(done):
    assert done.returncode == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout)))


ANALYSIS = """\
    inputFiles: [bin-solve]
    envVars: {PATH: "$PWD:$PATH", BETA: "b${x}", PLAIN: "$$5"}
    preProcess: {script: pre.sh, command: ". ./pre.sh"}
    postProcess: {script: post.sh, command: sh post.sh $c}
"""


def test_every_step_sees_the_columns_that_the_analysis_names(doe, study_at):
    study = study_at(
        variables="  x: {levels: [1.50, 2]}\n  c: {value: 7}\n  unused: {value: 3}",
        design="{}",
        command="bin-solve $x",
        deck="nothing\n",
        analysis=ANALYSIS,
        responses="  y: {file: y.txt, regex: 'y = (\\S+)'}\n  e: {file: y.txt, regex: 'e = (\\S+)'}\n  p: {}\n"
        "  k: {command: 'echo $c'}",
    )
    folder = study.parent
    (folder / "bin-solve").write_text('#!/bin/sh\necho "y = $1"; echo "e = $BETA$PLAIN"; cat pre.txt\n')
    (folder / "bin-solve").chmod(0o755)
    (folder / "pre.sh").write_text('echo "pre $x" > pre.txt\n')
    (folder / "post.sh").write_text('printf "p\\t%s\\n" "$1$x"\n')
    study.write_text(study.read_text().replace("bin-solve $x", "bin-solve $x > y.txt"))
    checked = doe("validate", study)
    assert "'unused'" in checked.stdout
    applied = doe("apply", study, "--yes")
    assert applied.returncode == 0, applied.stderr
    rows = rows_of(doe("results", study, "--format", "csv"))
    assert [(row["x"], row["y"], row["e"], row["p"], row["k"], row["state"]) for row in rows] == [
        ("1.5", "1.5", "b1.5$5", "71.5", "7", "done"),
        ("2", "2", "b2$5", "72", "7", "done"),
    ]


def test_a_constant_that_only_a_command_names_buys_runs_again(doe, study_at):
    def study(value, folder="study"):
        return study_at(
            folder,
            variables=f"  x: {{levels: [1, 2]}}\n  c: {{value: {value}}}",
            design="{}",
            command='"echo $c > y.txt"',
        )

    doe("apply", study(7), "--yes")
    assert "Nothing to do" in doe("apply", study(7), "--yes").stderr
    assert "constant c '7' is now '8'" in doe("plan", study(8)).stdout
    doe("apply", study(8), "--yes")
    assert {row["y"] for row in rows_of(doe("results", study(8), "--format", "csv"))} == {"8"}


def test_texts_that_a_table_cannot_hold_reach_deck_shell_and_results(doe, study_at):
    texts = ["CH4:1, O2:2, N2:7.52", 'it\'s "so"', " lead", "plain", "two\nlines"]
    levels = ", ".join('"' + text.replace('"', '\\"').replace("\n", "\\n") + '"' for text in texts)

    def study(levels, runs=""):
        return study_at(
            variables=f"  mix: {{levels: [{levels}]}}",
            design="{}",
            command='"printf \'%s\' \\"$mix\\" > shell.txt; cp deck.txt y.txt"',
            deck="mix = ${mix}!\n",
            responses="  y: {file: y.txt, regex: '(?s)mix = (.*)!', required: false}",
        )

    applied = doe("apply", study(levels), "--yes")
    assert applied.returncode == 0, applied.stderr
    shown = doe("results", study(levels), "--format", "json")
    runs = json.loads(shown.stdout)["runs"]
    assert [run["inputs"]["mix"] for run in runs] == texts
    for run, text in zip(runs, texts, strict=True):
        where = study(levels).parent / run["directory"]
        assert (where / "deck.txt").read_text() == f"mix = {text}!\n"
        assert (where / "shell.txt").read_text() == text
    grown = study(levels + ', "a, b"')
    assert "1 run in 1 job to create" in doe("plan", grown).stdout
    moved = study('"first, new", ' + levels)
    assert "Plan: 1 run " in doe("plan", moved).stdout
    assert list(csv.reader(io.StringIO(doe("design", moved, "--format", "csv").stdout)))[2] == [texts[0]]


def test_a_job_with_texts_and_named_columns_is_imported_as_the_same_study(doe, study_at):
    study = study_at(
        variables="  mix: {levels: ['CH4:1, O2:2', \"it's\", b]}",
        design="{}",
        command='"echo $mix > y.txt"',
        deck="mix = ${mix}\n",
        analysis="    envVars: {A: 'a$mix'}\n    preProcess: {script: pre.sh, command: sh pre.sh}",
    )
    (study.parent / "pre.sh").write_text("true\n")
    data = {"DOE_DATA": str(study.parent / "data")}
    doe("apply", study, "--yes", env=data)
    (job,) = map(json.loads, doe("jobs", "list", "--json", cwd=study.parent, env=data).stdout.splitlines())
    imported = doe("import", job["id"], "again", cwd=study.parent, env=data)
    assert imported.returncode == 0, imported.stderr
    text = (study.parent / "again" / "study.yaml").read_text()
    assert 'command: "echo $mix > y.txt"' in text
    assert "doe_variables" not in text
    rows = list(
        csv.reader(io.StringIO(doe("design", "again", "--format", "csv", cwd=study.parent, env=data).stdout))
    )
    assert rows[1:] == [["CH4:1, O2:2"], ["it's"], ["b"]]
    planned = doe("plan", "again", "--detailed-exitcode", cwd=study.parent, env=data)
    assert planned.returncode == 0, planned.stdout


def test_letters_reach_a_latin1_deck_as_latin1_and_the_shell_as_utf8(doe, study_at):
    study = study_at(
        variables="  place: {levels: [Prüfstand, other]}",
        design="{}",
        command="\"printf '%s' $place > shell.txt; cp deck.txt y.txt\"",
        deck="x\n",
        responses="  y: {file: y.txt, regex: '(deg)'}",
    )
    (study.parent / "deck.template").write_bytes(b"\xb0 deg ${place}\r\n")
    study.write_text(study.read_text().replace("target: deck.txt", "target: deck.txt, encoding: latin-1"))
    applied = doe("apply", study, "--yes")
    assert applied.returncode == 0, applied.stderr
    runs = json.loads(doe("results", study, "--format", "json").stdout)["runs"]
    assert [run["inputs"]["place"] for run in runs] == ["Prüfstand", "other"]
    where = study.parent / runs[0]["directory"]
    assert (where / "deck.txt").read_bytes() == b"\xb0 deg Pr\xfcfstand\r\n"
    assert (where / "shell.txt").read_text() == "Prüfstand"
    assert "Nothing to do" in doe("apply", study, "--yes").stderr


def test_cases_and_execute_bits_come_back_with_an_import(doe, study_at):
    data = {"DOE_DATA": str(study_at("x").parent / "data")}
    study = study_at(
        variables="  x: {levels: [1, 2]}",
        design="{}",
        command='"./tool > y.txt"',
        deck="x = ${x} ${k}\n",
        analysis="    inputFiles: [tool, data.bin]",
        rest="job: {caseFile: cases.csv}",
    )
    (study.parent / "cases.csv").write_text('k\n"a, b"\nc\n')
    (study.parent / "tool").write_text("#!/bin/sh\n./data.bin\n")
    (study.parent / "data.bin").write_text("cat deck.txt\n")
    for name in ("tool", "data.bin"):
        (study.parent / name).chmod(0o755)
    applied = doe("apply", study, "--yes", env=data)
    assert applied.returncode == 0, applied.stderr
    (job,) = map(json.loads, doe("jobs", "list", "--json", env=data).stdout.splitlines())
    imported = doe("import", job["id"], "again", env=data)
    assert imported.returncode == 0, imported.stderr
    planned = doe("plan", "again", "--detailed-exitcode", env=data)
    assert planned.returncode == 0, planned.stdout + planned.stderr
