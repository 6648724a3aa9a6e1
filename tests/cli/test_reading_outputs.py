"""Outputs of all kinds of runs, from YAML to the table: one bad run never hides the others."""

import csv
import io
import json

import pytest

DECK = "${x}\n"
ONE = "{coreType: standard-plus, coresPerSlot: 1}"


def rows_of(done):
    assert done.returncode == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout)))


def results(doe, study):
    return rows_of(doe("results", study, "--format", "csv"))


def test_one_bad_run_never_hides_the_others(doe, study_at):
    study = study_at(
        variables="  x: {levels: [1, 2, 3, 4, 5, 6, 7, 8]}",
        design="{}",
        deck=DECK,
        command='"sh bad$(cat deck.txt).sh"',
        analysis="    inputFiles: [bad1.sh, bad2.sh, bad3.sh, bad4.sh, bad5.sh, bad6.sh, bad7.sh, bad8.sh]",
        responses="  y: {file: out, regex: 'y = (\\S+)'}\n  z: {file: out, csv: z, required: false}",
    )
    commands = [
        "echo 'y = 5' > out",
        "truncate -s 300M out",
        "mkdir out",
        "head -c 3000000 /dev/urandom > out",
        "mkfifo out",
        "ln -s nowhere out",
        "echo 'y = nan' > out",
        "echo 'y = 8' > out",
    ]
    for number, command in enumerate(commands, 1):
        (study.parent / f"bad{number}.sh").write_text(command + "\n")
    assert doe("apply", study, "--yes").returncode == 1
    rows = results(doe, study)
    assert [row["state"] for row in rows] == ["done", *["failed"] * 6, "done"]
    assert [row["y"] for row in rows] == ["5", *[""] * 6, "8"]
    for row, reason in zip(
        rows[1:7],
        [
            "",
            "no regular file",
            "",
            "no regular file",
            "no file 'out'",
            "'nan' is no value",
        ],
        strict=True,
    ):
        assert row["why"].startswith("no value of y")
        assert reason in row["why"]


def test_an_added_response_is_read_where_it_can_be_and_told_where_not(doe, study_at):
    design = {"variables": "  x: {levels: [1, 2, 3, 4]}", "design": "{}", "deck": DECK}
    command = "\"cp deck.txt y.txt; cp deck.txt log; echo '{}' > deep.json\""
    doe("apply", study_at(**design, command=command), "--yes")
    study = study_at(
        **design,
        command=command,
        responses="  y: {file: y.txt, regex: '(\\S+)'}\n  z: {file: log, regex: '(\\d)'}\n  d: {file: deep.json, json: a, required: false}",
    )
    rows = results(doe, study)
    assert [row["z"] for row in rows] == ["1", "2", "3", "4"]
    logs = [study.parent / row["directory"] / "log" for row in rows]
    logs[0].unlink()
    logs[1].unlink()
    logs[1].mkdir()
    logs[2].write_text("x")
    (study.parent / rows[3]["directory"] / "deep.json").write_text("[" * 200_000)
    rows = results(doe, study)
    assert [(row["state"], row["y"], row["z"]) for row in rows] == [
        ("failed", "1", ""), ("failed", "2", ""), ("failed", "3", ""), ("done", "4", "4"),
    ]  # fmt: skip
    assert all("no value of z" in row["why"] for row in rows[:3])
    assert "nested too deeply" in rows[3]["why"]


def test_an_endless_regex_is_named_and_ends_with_the_time_of_a_run(doe, study_at):
    study = study_at(
        variables="  x: {levels: [1, 2]}",
        design="{}",
        deck=DECK,
        command='"awk \'BEGIN {for (i = 0; i < 40; i++) printf \\"x\\"; print \\"\\"; print 7}\' > out"',
        analysis="    runTimeout: 2s",
        responses="  slow: {file: out, regex: '(x+x+)+y', required: false}\n  y: {file: out, regex: '^(\\d)$'}",
    )
    assert doe("apply", study, "--yes").returncode in {0, 1}
    for row in results(doe, study):
        assert "the regex '(x+x+)+y' was stopped" in row["why"]
        assert (row["state"], row["y"]) == ("done", "7")
    changed = study_at(
        variables="  x: {levels: [1, 2]}",
        design="{}",
        deck=DECK,
        command='"awk \'BEGIN {for (i = 0; i < 40; i++) printf \\"x\\"; print \\"\\"; print 7}\' > out"',
        analysis="    runTimeout: 2s",
        responses="  slow: {file: out, regex: '(x+x+x*)+y', required: false}\n  y: {file: out, regex: '^(\\d)$'}",
    )
    for row in results(doe, changed):
        assert "the regex '(x+x+x*)+y' was stopped" in row["why"]


def test_what_is_no_number_is_passed_over_and_counted(doe, study_at):
    study = study_at(
        variables="  x: {levels: [1]}",
        design="{}",
        command="\"printf 'r = nan\\nr = 2\\nr = 0.25-101\\n' > log\"",
        responses="  least: {file: log, regex: 'r = (\\S+)', take: min}\n  mine: {}",
        analysis="    inputFiles: [post.sh]\n    postProcess: {script: post.sh, command: sh post.sh}",
    )
    (study.parent / "post.sh").write_text("printf 'mine\\t1.5D-03\\n'\n")
    assert doe("apply", study, "--yes").returncode == 0
    (row,) = results(doe, study)
    assert (row["least"], row["mine"], row["state"]) == ("0.25e-101", "1.5e-03", "done")
    assert row["why"] == "least (1 of 3 values are no numbers)"


def test_an_own_exit_code_124_is_no_time_out(doe, study_at):
    for timeout in ("", "    runTimeout: 30s"):
        study = study_at(
            f"study{len(timeout)}",
            variables="  x: {levels: [1]}",
            design="{}",
            command="exit 124",
            analysis=timeout,
        )
        assert doe("apply", study, "--yes").returncode == 1
        assert results(doe, study)[0]["why"] == "exit code 124"


def test_a_time_out_is_told_without_responses_too(doe, study_at):
    study = study_at(
        variables="  x: {levels: [1]}",
        design="{}",
        command="sleep 60",
        analysis="    runTimeout: 1s",
        responses="  {}",
    )
    assert doe("apply", study, "--yes").returncode == 1
    assert results(doe, study)[0]["why"] == "timed out"


def test_every_column_of_the_table_has_a_name_of_its_own(doe, study_at):
    study = study_at(
        variables="  run: {levels: [7, 8]}\n  state: {value: solid}\n  Why: {value: 1}",
        design="{}",
        deck="${run} ${state} ${Why}\n",
        command='"cp deck.txt out"',
        responses="  job: {file: out, regex: '^(\\d+)', unit: m}",
    )
    assert doe("apply", study, "--yes").returncode == 0
    names = doe("results", study, "--format", "csv").stdout.splitlines()[0].split(",")
    assert len({name.lower() for name in names}) == len(names)
    rows = results(doe, study)
    assert [(row["run"], row["run (input)"], row["job (response) [m]"], row["state"]) for row in rows] == [
        ("1", "7", "7", "done"), ("2", "8", "8", "done"),
    ]  # fmt: skip
    table = doe("results", study).stdout
    assert "run (input)" in table


def test_thousands_of_responses_run_and_stay_known_without_their_outputs(doe, study_at):
    count = 10_000
    study = study_at(
        variables="  x: {levels: [1]}",
        design="{}",
        command='"awk \'BEGIN {printf \\"{\\"; for (i = 0; i < 10000; i++) printf \\"\\\\\\"h%d\\\\\\": %d, \\", i, i; print \\"\\\\\\"e\\\\\\": 1}\\"}\' > out.json"',
        responses="\n".join(f"  r{n}: {{file: out.json, json: h{n}}}" for n in range(count)),
    )
    applied = doe("apply", study, "--yes", "--json")
    assert applied.returncode == 0, applied.stderr[-2000:]
    (directory,) = {row["directory"] for row in results(doe, study)}
    (study.parent / directory / "out.json").unlink()
    (run,) = json.loads(doe("results", study, "--format", "json").stdout)["runs"]
    assert run["state"] == "done"
    assert run["responses"] == {f"r{n}": n for n in range(count)}


@pytest.mark.parametrize("more", ["", "\n  n: {command: echo 1}"])
def test_an_old_log_among_the_inputs_is_no_result(doe, study_at, more):
    study = study_at(
        variables="  x: {levels: [1, 2]}",
        design="{}",
        deck=DECK,
        command='"[ $(cat deck.txt) = 1 ] || echo y = 2 >> log"',
        analysis="    inputFiles: [log]",
        responses=f"  y: {{file: log, regex: 'y = (\\S+)'}}{more}",
    )
    (study.parent / "log").write_text("y = 500\n")
    assert "E319" in doe("validate", study).stdout
    assert doe("apply", study, "--yes").returncode == 1
    first, second = results(doe, study)
    assert (first["state"], first["y"]) == ("failed", "")
    assert "'log' is an input that the run has not written" in first["why"]
    assert (second["state"], second["y"]) == ("done", "2")


@pytest.mark.parametrize("is_served", [False, True])
def test_our_platform_reads_without_wrapper_and_step(doe, study_at, serving, tmp_path, is_served):
    env = serving() if is_served else {"DOE_DATA": str(tmp_path / "data")}
    on = ("--on", env["RESCALE_API_URL"]) if is_served else ()
    study = study_at(
        command="\"awk '{print $3}' deck.txt > y.txt\"",
        rest='job: {resourceFilters: [{action: drop, source: any, pattern: "y.txt"}]}',
    )
    assert doe("apply", study, "--yes", *on, env=env).returncode == 0
    rows = rows_of(doe("results", study, "--format", "csv", *on, env=env))
    assert [row["y"] for row in rows] == [row["x"] for row in rows]
    left = {path.name for path in tmp_path.rglob("jobs/*/run*/*")}
    assert left == {"deck.txt", "process_output.log"}
