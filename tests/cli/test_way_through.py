"""A study from YAML to a results table, with real processes, as a user types it."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.started


def rows_of(done):
    assert done.returncode in {0, 1}, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout)))


def test_a_new_user_gets_from_nothing_to_results(doe, tmp_path):
    assert doe("init", "mine").returncode == 0
    assert doe("validate", "mine").returncode == 0
    applied = doe("apply", "mine", "--yes")
    assert applied.returncode == 0, applied.stderr
    assert "Plan: " in applied.stderr
    rows = rows_of(doe("results", "mine", "--format", "csv"))
    assert rows
    assert {row["state"] for row in rows} == {"done"}
    assert "Nothing to do" in doe("apply", "mine", "--yes").stderr


def test_init_overwrites_nothing(doe, tmp_path):
    doe("init")
    before = (tmp_path / "study.yaml").read_bytes()
    (tmp_path / "study.yaml").write_bytes(before + b"# mine\n")
    again = doe("init")
    assert again.returncode == 64
    assert "exists already" in again.stderr
    assert (tmp_path / "study.yaml").read_bytes() == before + b"# mine\n"


def test_responses_belong_to_their_inputs(doe, study_at):
    study = study_at()
    doe("apply", study, "--yes")
    for row in rows_of(doe("results", study, "--format", "csv")):
        assert float(row["y"]) == pytest.approx(float(row["x"]) + 1, rel=1e-5)
        assert row["exit_code"] == "0"
        assert (study.parent / row["directory"] / "y.txt").exists()


def events_of(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def results_of(done):
    (outputs,) = [event for event in events_of(done) if event["type"] == "outputs"]
    return outputs["outputs"]["results"]["value"]["runs"]


def test_growing_runs_only_what_is_new(doe, study_at):
    first = doe("apply", study_at(design="{method: monte-carlo, runs: 50}"), "--yes", "--json")
    study = study_at(design="{method: monte-carlo, runs: 80}")
    planned = doe("plan", study, "--detailed-exitcode")
    assert planned.returncode == 2
    assert (
        "Plan: 30 runs in 1 job to create, 0 to retry, 0 to supersede. 50 runs unchanged." in planned.stdout
    )
    second = doe("apply", study, "--yes", "--json")
    changes = [event["change"] for event in events_of(second) if event["type"] == "planned_change"]
    assert [(change["action"], change["reason"]) for change in changes] == [("create", "new-rows")]
    then = {row["run"]: row["inputs"] for row in results_of(first)}
    now = {row["run"]: row["inputs"] for row in results_of(second)}
    assert len(now) == 80
    assert {run: now[run] for run in then} == then
    assert doe("plan", study, "--detailed-exitcode").returncode == 0


def test_another_command_runs_everything_again(doe, study_at):
    doe("apply", study_at(), "--yes")
    study = study_at(command="\"awk '{print $3 + 2}' deck.txt > y.txt\"")
    assert "0 runs in 0 jobs to create, 0 to retry, 5 to supersede." in doe("plan", study).stdout
    doe("apply", study, "--yes")
    for row in rows_of(doe("results", study, "--format", "csv")):
        assert float(row["y"]) == pytest.approx(float(row["x"]) + 2, rel=1e-5)
    status = json.loads(doe("status", study, "--json").stdout)
    assert sorted(job["presentRecipe"] for job in status["jobs"]) == [False, True]


def test_failed_runs_are_rows_not_gaps(doe, study_at):
    study = study_at(
        variables="  x: {levels: [1, 2, 3, 4]}",
        design="{}",
        command="\"case $(cut -d' ' -f3 deck.txt) in 2) exit 7;; 3) true;; 4) sh -c 'kill -9 $$';; *) echo 5 > y.txt;; esac\"",
    )
    applied = doe("apply", study, "--yes")
    assert applied.returncode == 1
    rows = rows_of(doe("results", study, "--format", "csv"))
    assert [(row["x"], row["state"], row["why"]) for row in rows] == [
        ("1", "done", ""),
        ("2", "failed", "exit code 7"),
        ("3", "failed", "no value of y (there is no file 'y.txt')"),
        ("4", "failed", "exit code 137"),
    ]


def test_a_run_that_hangs_is_ended_and_the_others_go_on(doe, study_at):
    study = study_at(
        variables="  x: {levels: [1, 2]}",
        design="{}",
        command='"grep -q 1 deck.txt && sleep 600; echo 5 > y.txt"',
        analysis="    runTimeout: 1s",
    )
    assert doe("apply", study, "--yes").returncode == 1
    rows = rows_of(doe("results", study, "--format", "csv"))
    assert [(row["state"], row["why"]) for row in rows] == [("failed", "timed out"), ("done", "")]


def test_an_added_response_is_read_from_the_stored_outputs(doe, study_at):
    doe("apply", study_at(), "--yes")
    study = study_at(
        responses="  y: {file: y.txt, regex: '(\\S+)'}\n  x_again: {file: deck.txt, regex: 'x = (\\S+)', unit: m}"
    )
    assert "Nothing to do" in doe("apply", study, "--yes").stderr
    for row in rows_of(doe("results", study, "--format", "csv")):
        assert row["x_again [m]"] == row["x"]
        assert row["state"] == "done"


def test_replicates_and_seeds_reach_the_run(doe, study_at):
    study = study_at(
        variables="  x: {levels: [1, 2]}",
        design="{replicates: 3}",
        deck="x = ${x} ${doe_replicate} ${doe_seed}\n",
        responses="  replicate: {file: deck.txt, regex: 'x = \\S+ (\\S+)'}\n  seed: {file: deck.txt, regex: '(\\S+)$'}",
    )
    doe("apply", study, "--yes")
    rows = rows_of(doe("results", study, "--format", "csv"))
    assert [(row["x"], row["replicate"]) for row in rows] == [(x, r) for x in "12" for r in "123"]
    assert len({row["seed"] for row in rows}) == 6


def test_a_literal_dollar_brace_reaches_the_file(doe, study_at):
    study = study_at(
        deck="x = ${x}\nhome = $${HOME}\nkept = ${KEPT}\n",
        responses="  home: {file: deck.txt, regex: 'home = (.*)'}\n  kept: {file: deck.txt, regex: 'kept = (.*)'}",
    )
    text = study.read_text().replace("target: deck.txt}", "target: deck.txt, keep: [KEPT]}")
    study.write_text(text)
    doe("apply", study, "--yes")
    assert {(row["home"], row["kept"]) for row in rows_of(doe("results", study, "--format", "csv"))} == {
        ("${HOME}", "${KEPT}")
    }


def test_the_platform_samples_when_asked(doe, study_at):
    study = study_at(
        variables="  x: {generator: Normal, mean: 5, std: 1}\n  n: {generator: Linspace, start: 1, stop: 3, count: 3}",
        design="{sampling: platform, iterations: 2}",
        deck="x = ${x}\nn = ${n}\n",
    )
    applied = doe("apply", study, "--yes")
    assert applied.returncode == 0, applied.stderr
    rows = rows_of(doe("results", study, "--format", "csv"))
    assert [float(row["n"]) for row in rows] == [1, 1, 2, 2, 3, 3]
    assert len({row["x"] for row in rows}) == 6
    assert "Nothing to do" in doe("apply", study, "--yes").stderr


def test_a_study_without_variables_is_one_run(doe, study_at):
    study = study_at(variables="  rho: {value: 1.2}", design="{}", deck="rho = ${rho}\n")
    assert doe("apply", study, "--yes").returncode == 0
    assert len(rows_of(doe("results", study, "--format", "csv"))) == 1
    assert "Nothing to do" in doe("apply", study, "--yes").stderr


def test_several_analyses_run_in_order(doe, study_at):
    study = study_at(
        analysis="  - analysis: {code: user_included}\n    command: cat y.txt y.txt > z.txt\n    hardware: {coreType: emerald}",
        responses="  z: {file: z.txt, regex: '(\\S+)', take: first}",
    )
    assert doe("apply", study, "--yes").returncode == 0
    assert {row["state"] for row in rows_of(doe("results", study, "--format", "csv"))} == {"done"}


def test_a_dry_run_of_the_templates_executes_nothing(doe, study_at):
    study = study_at(rest="job: {isTemplateDryRun: true}", command='"touch ran"')
    doe("apply", study, "--yes")
    for row in rows_of(doe("results", study, "--format", "csv")):
        assert not (study.parent / row["directory"] / "ran").exists()
        assert (study.parent / row["directory"] / "deck.txt").read_text() == f"x = {row['x']}\n"


def test_not_waiting_leaves_the_runs_going(doe, study_at):
    study = study_at(command='"sleep 0.2; echo 1 > y.txt"')
    assert doe("apply", study, "--yes", "--no-wait").returncode == 0
    deadline = time.monotonic() + 60
    while json.loads(doe("status", study, "--json").stdout)["runs"]["done"] < 5:
        assert time.monotonic() < deadline
    assert "Nothing to do" in doe("apply", study, "--yes").stderr


def test_stop_ends_what_runs_and_the_next_apply_runs_the_rest(doe, study_at, tmp_path):
    study = study_at(command='"test -e ../../../../../go || sleep 600; echo 1 > y.txt"')
    doe("apply", study, "--yes", "--no-wait")
    assert "stopping" in doe("stop", study).stderr
    deadline = time.monotonic() + 60
    while json.loads(doe("status", study, "--json").stdout)["runs"]["stopped"] < 5:
        assert time.monotonic() < deadline
    planned = doe("plan", study).stdout
    assert "stopped before it was completed" in planned
    assert "5 to retry" in planned


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_apply_goes_on_with_the_same_command(study_at, tmp_path, doe, kind):
    log = tmp_path / "starts"
    study = study_at(
        design="{method: monte-carlo, runs: 12}",
        command=f'"echo started >> {log}; sleep 0.3; cp deck.txt y.txt; echo done >> {log}"',
        responses="  y: {file: y.txt, regex: 'x = (\\S+)'}",
    )
    env = {**os.environ, "HOME": str(tmp_path)}
    running = subprocess.Popen(
        [sys.executable, "-m", "doe_compiler", "apply", str(study), "--yes"],
        env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not (log.exists() and log.read_text().count("done") >= 3):
        assert time.monotonic() < deadline
        assert running.poll() is None
    running.send_signal(kind)
    running.communicate(timeout=30)
    expected = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}
    assert running.returncode == expected[kind]
    again = doe("apply", study, "--yes")
    assert again.returncode == 0, again.stderr
    assert "Nothing to submit. " in again.stderr
    rows = rows_of(doe("results", study, "--format", "csv"))
    assert [row["y"] for row in rows] == [row["x"] for row in rows]
    assert log.read_text().count("done") <= 12 + 2


def test_over_http_it_is_the_same(doe, study_at, serving):
    cloud = serving()
    address, key = cloud["RESCALE_API_URL"], cloud["RESCALE_API_KEY"]
    study = study_at()
    refused = doe("apply", study, "--yes", "--on", address, env={"RESCALE_API_KEY": "wrong"})
    assert refused.returncode == 7
    env = {"RESCALE_API_KEY": key}
    applied = doe("apply", study, "--yes", "--on", address, env=env)
    assert applied.returncode == 0, applied.stderr
    results = doe("results", study, "--on", address, "--format", "csv", env=env)
    assert {row["state"] for row in rows_of(results)} == {"done"}
    assert "Nothing to do" in doe("apply", study, "--yes", "--on", address, env=env).stderr
    assert "Nothing to do" in doe("apply", study, "--yes", "--on", "rescale", env=cloud).stderr
    for done in (refused, applied):
        assert key not in done.stdout + done.stderr


BAD_DAYS = ["503:0.05,429:0.05,drop-before:0.03", "read/truncate:0.05,read/garbled:0.05,read/drop-after:0.05"]


@pytest.mark.parametrize("faults", BAD_DAYS)
def test_on_a_bad_day_every_run_is_run_once_all_the_same(doe, study_at, serving, tmp_path, faults):
    study = study_at(
        command=f'"cat deck.txt >> {tmp_path}/ran; cp deck.txt y.txt"',
        responses="  y: {file: y.txt, regex: 'x = (\\S+)'}",
    )
    cloud = serving("--faults", f"{faults},seed=3", "--latency", "0ms..2ms")
    for _ in range(30):
        applied = doe("apply", study, "--yes", "--on", "rescale", env=cloud)
        assert "Traceback" not in applied.stderr
        if applied.returncode == 0:
            break
    assert applied.returncode == 0, applied.stderr
    ran = (tmp_path / "ran").read_text().split("\n")[:-1]
    assert len(ran) == len(set(ran)) == 5


def test_a_study_with_no_variables_at_all_is_one_run(doe, study_at, tmp_path):
    study = study_at(variables="  {}", design="{}", deck="y 3\n", command=f'"echo r >> {tmp_path}/ran; cp deck.txt y.txt"',
                     responses="  y: {file: y.txt, regex: 'y (\\S+)'}")  # fmt: skip
    for _ in range(2):
        assert doe("apply", study, "--yes").returncode == 0
    (row,) = rows_of(doe("results", study, "--format", "csv"))
    assert (row["state"], row["y"]) == ("done", "3")
    assert (tmp_path / "ran").read_text() == "r\n"
    assert len(json.loads(doe("design", study, "--format", "json").stdout)["runs"]) == 1


def test_a_plan_says_which_line_of_which_file_changed_in_a_clean_checkout_too(doe, study_at, tmp_path):
    shared = {"DOE_DATA": str(tmp_path / "data")}
    constant = "  x: {{levels: [1, 2]}}\n  rho: {{value: 2.567, format: '{}'}}"
    more = {"design": "{}", "deck": "x = ${x}\nrho = ${rho}\n"}
    first = doe("apply", study_at("one", variables=constant.format("0.0"), **more), "--yes", env=shared)
    assert first.returncode == 0, first.stderr
    more["deck"] = "x = ${x}\ndensity = ${rho}\n"
    planned = doe("plan", study_at("two", variables=constant.format("0.000"), **more), env=shared)
    assert "constant rho '2.567 as 0.0' is now '2.567 as 0.000'" in planned.stdout
    assert "template deck.txt: line 2: 'rho = ${rho}' is now 'density = ${rho}'" in planned.stdout
    assert "2 to supersede" in planned.stdout


def test_a_folder_arrives_under_its_own_name_with_its_execute_bits(doe, study_at):
    study = study_at(command="./case/bin/solve > y.txt", analysis="    inputFiles: [case]")
    solver = study.parent / "case" / "bin" / "solve"
    solver.parent.mkdir(parents=True)
    solver.write_text("#!/bin/sh\nawk '{print $3 + 1}' deck.txt\n")
    solver.chmod(0o755)
    assert doe("compile", study, "-o", "out").returncode == 0
    applied = doe("apply", study, "--yes")
    assert applied.returncode == 0, applied.stderr
    assert {row["state"] for row in rows_of(doe("results", study, "--format", "csv"))} == {"done"}
    assert "Nothing to do" in doe("apply", study, "--yes").stderr


def test_results_show_the_inputs_that_the_runs_had(doe, study_at):
    variables = "  x: {{levels: [1, 2]}}\n  label: {{value: {}}}\n  rho: {{value: 2.567, format: '0.0'}}"
    more = {"design": "{}", "deck": "x = ${x}\n# ${rho}\n"}
    doe("apply", study_at(variables=variables.format("old"), **more), "--yes")
    study = study_at(variables=variables.format("new"), **more)
    assert "Nothing to do" in doe("apply", study, "--yes").stderr
    shown = doe("results", study, "--format", "csv")
    assert [(row["label"], row["rho"]) for row in rows_of(shown)] == [("old", "2.6")] * 2
    assert "'label' is shown as it ran: run 1 had old, the study now says new (and 1 more)" in shown.stderr


def test_two_files_of_one_content_are_two_files(doe, study_at):
    study = study_at(
        command='"cat one.txt two.txt > y.txt"',
        analysis="    inputFiles: [one.txt, two.txt]\n    preProcess: {script: pre.sh, command: sh pre.sh}\n"
        "    postProcess: {script: post.sh, command: sh post.sh}",
        responses="  y: {file: y.txt, regex: '(\\S+)'}\n  p: {}",
    )
    for name in ("one.txt", "two.txt"):
        (study.parent / name).write_text("7\n")
    for name in ("pre.sh", "post.sh"):
        (study.parent / name).write_text('printf "p\\t8\\n"\n')
    applied = doe("apply", study, "--yes")
    assert applied.returncode == 0, applied.stderr
    rows = rows_of(doe("results", study, "--format", "csv"))
    assert {(row["state"], row["y"], row["p"]) for row in rows} == {("done", "7", "8")}


def test_a_study_finds_its_runs_whether_it_is_named_by_itself_or_by_a_folder_above(doe, study_at, tmp_path):
    one = study_at("all/one", name="one")
    study_at("all/two", name="two")
    assert doe("apply", "all", "--yes").returncode == 0
    assert "5 runs unchanged" in doe("plan", one).stdout
    assert "5 runs unchanged" in doe("plan", "all/one").stdout
    assert "10 runs unchanged" in doe("plan", "all").stdout


def test_a_folder_in_which_a_study_keeps_runs_of_its_own_is_refused(doe, study_at):
    one = study_at("all/one", name="one")
    assert doe("apply", one, "--yes").returncode == 0
    assert "5 runs unchanged" in doe("plan", "all").stdout
    study_at("all/two", name="two")
    refused = doe("apply", "all", "--yes")
    assert refused.returncode == 4
    assert "keeps its runs there" in refused.stderr
