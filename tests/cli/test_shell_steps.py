"""Variables in commands, scripts and envVars, and execute bits, with real runs."""

import csv
import io


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
