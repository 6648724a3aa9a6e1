"""Slurm for real: submitted once, whatever is killed, cancelled, lost or forgotten; each with its reason."""

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from doe_compiler.platform.execute.launcher import Kind
from doe_compiler.platform.execute.slurm.fates import fate_of

pytestmark = pytest.mark.xdist_group("slurm")
SUCCESS = "Completed successfully"
SEEDS = int(os.environ.get("DOE_SOAK_SLURM", "1"))  # `make soak` takes ten


@pytest.fixture
def on_slurm(slurm_cluster, api_on, tmp_path):
    """A platform on the cluster; every call makes another one."""
    slurm_cluster.start()
    slurm_cluster.resume()
    made = []

    def on(data=None, **content):
        made.append(data)
        slurm = {"pollSeconds": 1, **content.pop("slurm", {})}
        return api_on(data or tmp_path / f"platform{len(made)}", executor="slurm", slurm=slurm, **content)

    return on


@pytest.fixture
def wrapped(tmp_path, monkeypatch):
    """Puts a script before one of Slurm's commands; `$REAL` is the command itself."""
    folder = tmp_path / "wrapped"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def put(command, script):
        path = folder / command
        path.write_text(f"#!/bin/sh\nREAL={shutil.which(command, path='/usr/bin:/bin')}\n{script}")
        path.chmod(0o755)

    return put


def counting(api, marks, *, sleep="0", slots=4, **more):
    """An analysis whose runs write their numbers when they begin and end."""
    command = f"echo $(cat n) >> {marks}.begun; sleep {sleep}; echo $(cat n) >> {marks}"
    return api.analysis(command, templates=[("n", b"${n}")], slots=slots, **more)


def numbers(count):
    return "n\n" + "".join(f"{number}\n" for number in range(1, count + 1))


def in_slurm(cluster, job):
    """The arrays of a job that Slurm knows, ended ones too."""
    told = cluster.run("squeue", "--noheader", "--states=all", "--format=%F %j")
    return {line.split()[0] for line in told.split("\n") if f"-{job}-" in line}


def all_once(path, count):
    return sorted(map(int, path.read_text().split())) == list(range(1, count + 1))


def test_a_job_is_one_array_of_chunks(on_slurm, slurm_cluster, tmp_path):
    api = on_slurm(slurm={"runsPerTask": 4})
    job, reason = api.ran(counting(api, tmp_path / "marks"), table=numbers(10))
    assert reason == SUCCESS
    (array,) = in_slurm(slurm_cluster, job)
    told = slurm_cluster.run(
        "squeue", "--noheader", "--states=all", "--array", f"--jobs={array}", "--format=%K"
    )
    assert len(told.split()) == 3
    assert all_once(tmp_path / "marks", 10)


def test_more_arrays_where_the_site_allows_less(on_slurm, slurm_cluster, wrapped, tmp_path):
    wrapped(
        "scontrol",
        'case "$*" in "show config") echo "MaxArraySize            = 4";; *) exec $REAL "$@";; esac\n',
    )
    api = on_slurm(slurm={"runsPerTask": 2})
    job, reason = api.ran(counting(api, tmp_path / "marks"), table=numbers(20))
    assert (reason, len(in_slurm(slurm_cluster, job))) == (SUCCESS, 4)
    assert all_once(tmp_path / "marks", 20)


def test_hardware_and_core_types_are_options_of_sbatch(on_slurm, slurm_cluster, until, tmp_path):
    core = {"partition": "main", "memory": "100M", "options": ["--comment=from doe"]}
    api = on_slurm(coretypes={"emerald": core})
    hardware = {"coreType": "emerald", "coresPerSlot": 2, "slots": 3, "walltime": 0.5}
    job = api.create({**counting(api, tmp_path / "marks", sleep="3"), "hardware": hardware}, table=numbers(8))
    api.submit(job)
    until((tmp_path / "marks.begun").exists)
    (array,) = in_slurm(slurm_cluster, job)
    told = slurm_cluster.run("scontrol", "show", "job", "--oneliner", f"{array}_1")
    for expected in (
        "TimeLimit=00:30:00",
        "CPUs/Task=2",
        "NumCPUs=2",
        "MinMemoryNode=100M",
        "Partition=main",
        "Requeue=0",
    ):
        assert expected in told
    assert "Comment=from doe" in told
    assert "ArrayTaskThrottle=3" in told
    api.call("POST", f"jobs/{job}/stop/")
    assert api.finished(job) == "Stopped by the user"


def test_several_tasks_for_mpi_by_srun(on_slurm, tmp_path):
    api = on_slurm(slurm={"mpi": "srun"})
    hardware = {"coreType": "emerald", "coresPerSlot": 4}
    analysis = {
        **api.analysis("mpirun -np 4 sh -c 'echo rank $SLURM_PROCID'"),
        "hardware": hardware,
        "useMpi": True,
    }
    job, reason = api.ran(analysis)
    assert reason == SUCCESS, api.content(job, "process_output.log")
    log = api.content(job, "process_output.log").decode()
    assert sorted(log.split("\n"))[-4:] == [f"rank {number}" for number in range(4)]


def test_what_slurm_refuses_is_told_in_its_words(on_slurm):
    api = on_slurm(coretypes={"emerald": {"partition": "nowhere"}})
    job, reason = api.ran(api.analysis("true"), table=numbers(3))
    assert reason == "A run failed"
    for run in (1, 2, 3):
        assert b"Slurm refuses it: sbatch: error: invalid partition specified: nowhere" in api.content(
            job, "process_output.log", run
        )


def test_runs_lie_where_the_nodes_see_them(on_slurm, tmp_path):
    api = on_slurm(slurm={"runs": str(tmp_path / "scratch")})
    job, reason = api.ran(api.analysis('pwd; echo 1 > "$RESCALE_WORK_PATH/out"'), table=numbers(2))
    assert reason == SUCCESS
    (place,) = (tmp_path / "scratch").glob(f"*/{job}")
    assert api.content(job, "process_output.log").decode().strip() == str(place / "run1")
    assert api.content(job, "out", 2) == b"1\n"
    assert sorted(path.name for path in place.iterdir()) == ["journal", "run1", "run2"]
    assert api.call("DELETE", f"jobs/{job}/")[0] == 204
    assert not place.exists()
    assert not os.path.lexists(api.data / "jobs" / job)


READING = {
    "seconds": 60,
    "variables": [{"name": "y", "kind": "regex", "file": "out.txt", "regex": "y = (.*)", "take": "last"}],
}


def test_responses_are_read_in_the_task(on_slurm):
    api = on_slurm(slurm={"runsPerTask": 2})
    job, reason = api.ran(
        api.analysis("echo y = $(cat n) > out.txt", templates=[("n", b"${n}")]),
        table=numbers(4),
        outputReading=READING,
    )
    assert reason == SUCCESS
    assert [run["variables"][-1]["displayValue"] for run in api.runs(job)] == ["1", "2", "3", "4"]


def test_a_node_without_python_leaves_the_reading_to_us(on_slurm, wrapped, tmp_path, monkeypatch):
    """The script of the task names a Python that is not there."""
    script = (
        'script=$(for last; do :; done; for each; do case $each in *task.sh) echo "$each";; esac; done)\n'
    )
    wrapped(
        "sbatch",
        script + 'sed -i \'s#/bin/python[0-9.]* -P#/bin/no-python -P#\' "$script"\nexec $REAL "$@"\n',
    )
    api = on_slurm()
    job, reason = api.ran(
        api.analysis("echo y = $(cat n) > out.txt", templates=[("n", b"${n}")]),
        table=numbers(2),
        outputReading=READING,
    )
    assert reason == SUCCESS
    assert [run["variables"][-1]["displayValue"] for run in api.runs(job)] == ["1", "2"]


def test_a_lost_answer_of_sbatch_submits_nothing_twice(on_slurm, slurm_cluster, wrapped, tmp_path):
    lost = tmp_path / "lost"
    wrapped(
        "sbatch",
        f'if mkdir {lost} 2>/dev/null; then $REAL "$@" >/dev/null\n'
        '  echo "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation" >&2; exit 1\n'
        'fi\nexec $REAL "$@"\n',
    )
    api = on_slurm()
    job, reason = api.ran(counting(api, tmp_path / "marks", sleep="2"), table=numbers(6))
    assert (reason, len(in_slurm(slurm_cluster, job))) == (SUCCESS, 1)
    assert all_once(tmp_path / "marks.begun", 6)


def test_a_doubled_array_doubles_no_run(on_slurm, slurm_cluster, wrapped, tmp_path):
    wrapped("sbatch", '$REAL "$@" >/dev/null\nexec $REAL "$@"\n')
    api = on_slurm(slurm={"runsPerTask": 3})
    job, reason = api.ran(counting(api, tmp_path / "marks"), table=numbers(20))
    assert (reason, len(in_slurm(slurm_cluster, job))) == (SUCCESS, 2)
    assert all_once(tmp_path / "marks.begun", 20)


def test_a_job_that_is_cancelled_behind_our_back_says_so(on_slurm, slurm_cluster, until, tmp_path):
    api = on_slurm(slurm={"runsPerTask": 1})
    job = api.create(counting(api, tmp_path / "marks", sleep="60", slots=2), table=numbers(4))
    api.submit(job)
    until(lambda: (tmp_path / "marks.begun").exists() and all_once(tmp_path / "marks.begun", 2))
    slurm_cluster.run("scancel", *in_slurm(slurm_cluster, job))
    assert api.finished(job) == "Cancelled in Slurm"
    assert api.counted_runs(job) == (0, 0)
    assert b"cancelled in Slurm" in api.content(job, "process_output.log")


def test_a_task_that_hears_of_its_end_after_its_run_counts_the_run_as_cut_off(
    on_slurm, slurm_cluster, until, tmp_path
):
    """The run dies first, of the signal that its task is about to get."""
    api = on_slurm(slurm={"runsPerTask": 1})
    task = tmp_path / "task"
    command = f"echo $PPID > {task}.new; mv {task}.new {task}; sleep 60"
    job = api.create(api.analysis(command))
    api.submit(job)
    until(task.exists, 60)
    shell = int(task.read_text())
    os.kill(int(Path(f"/proc/{shell}/task/{shell}/children").read_text().split()[0]), signal.SIGTERM)
    time.sleep(0.3)
    os.kill(shell, signal.SIGTERM)
    slurm_cluster.run("scancel", *in_slurm(slurm_cluster, job))
    assert api.finished(job) == "Cancelled in Slurm"
    assert api.counted_runs(job) == (0, 0)


def test_a_node_that_fails_loses_no_run(on_slurm, slurm_cluster, until, tmp_path):
    api = on_slurm(slurm={"runsPerTask": 1})
    job = api.create(counting(api, tmp_path / "marks", sleep="4", slots=4), table=numbers(8))
    api.submit(job)
    until((tmp_path / "marks.begun").exists)
    for node in ("n1", "n2"):
        slurm_cluster.run("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
    time.sleep(1)
    until(lambda: slurm_cluster.resume() or api.ended(job))
    assert api.last_status(job)[1] == SUCCESS
    assert {run["exitCode"] for run in api.runs(job)} == {0}
    assert set(map(int, (tmp_path / "marks").read_text().split())) == set(range(1, 9))


def test_a_controller_that_is_away_for_a_while_loses_nothing(on_slurm, slurm_cluster, until, tmp_path):
    api = on_slurm(slurm={"runsPerTask": 2})
    slurm_cluster.kill("slurmctld")
    job = api.create(counting(api, tmp_path / "marks"), table=numbers(6))
    api.submit(job)
    time.sleep(3)
    assert not (tmp_path / "marks").exists()
    slurm_cluster.start()
    until(lambda: slurm_cluster.resume() or api.ended(job), 180)
    assert api.last_status(job)[1] == SUCCESS
    assert all_once(tmp_path / "marks.begun", 6)


def test_a_run_is_stopped_and_the_others_go_on(on_slurm, until, tmp_path):
    """Run 1 is running, run 3 has not begun."""
    api = on_slurm(slurm={"runsPerTask": 1})
    job = api.create(counting(api, tmp_path / "marks", sleep="5", slots=1), table=numbers(3))
    api.submit(job)
    until((tmp_path / "marks.begun").exists)
    for run in (1, 3):
        assert api.call("POST", f"jobs/{job}/runs/{run}/stop/")[0] < 300
    assert api.finished(job) == "A run failed"
    assert [run["exitCode"] for run in api.runs(job)] == [143, 0, 126]
    assert (tmp_path / "marks").read_text().split() == ["2"]
    for run in (1, 3):
        assert b"The run was stopped by the user." in api.content(job, "process_output.log", run)


def test_the_walltime_is_each_tasks(on_slurm, tmp_path):
    """Slurm knows whole minutes. Run 2 has none left behind run 1 and begins again alone, run 3 takes more than all."""
    api = on_slurm(slurm={"runsPerTask": 2})
    command = "case $(cat n) in 1) sleep 45;; 2) sleep 30;; 3) sleep 1000;; esac"
    job, reason = api.ran(
        api.analysis(command, templates=[("n", b"${n}")], slots=4, walltime=1 / 60),
        table=numbers(3),
        wait_s=300,
    )
    assert reason == "Walltime exceeded"
    assert [run["dateCompleted"] is None for run in api.runs(job)] == [False, False, True]
    assert api.counted_runs(job) == (2, 0)
    assert b"The walltime is exceeded" in api.content(job, "process_output.log", 3)


@pytest.mark.parametrize(
    ("state", "attempt", "is_first", "is_ours", "kind"),
    [
        ("TIMEOUT", 1, True, False, Kind.CUT_OFF),
        ("TIMEOUT", 1, False, False, Kind.AGAIN),
        ("OUT_OF_MEMORY", 1, True, False, Kind.ENDED),
        ("NODE_FAIL", 1, True, False, Kind.AGAIN),
        ("PREEMPTED", 3, True, False, Kind.AGAIN),
        ("PREEMPTED", 4, True, False, Kind.ENDED),
        ("CANCELLED by 0", 1, True, False, Kind.CUT_OFF),
        ("", 1, True, False, Kind.AGAIN),
        ("", 4, True, False, Kind.ENDED),
        ("FAILED", 3, True, True, Kind.CUT_OFF),
    ],
)
def test_the_fate_of_what_was_cut_off(state, attempt, is_first, is_ours, kind):
    assert fate_of(state, attempt, is_first=is_first, is_ours=is_ours).kind is kind


@pytest.mark.parametrize("seed", range(SEEDS))
def test_kills_at_random_moments_lose_and_double_nothing(slurm_cluster, serve_at, tmp_path, seed):
    """The server, its executor, the controller and a node's daemon; what runs goes on, and each run ends once."""
    slurm_cluster.start()
    draw = random.Random(seed)
    configuration = tmp_path / ".config" / "doe" / "config.yaml"
    configuration.parent.mkdir(parents=True)
    configuration.write_text("slurm: {runsPerTask: 2, pollSeconds: 1}\n")
    marks, data = tmp_path / "marks", tmp_path / "data"

    def served():
        return serve_at(data, "--executor", "slurm", env={"HOME": str(tmp_path)})

    server = served()
    job = submitted(server, counting(server, marks, sleep="0.2", slots=6), numbers(60))
    for victim in ("server", "slurmctld", "executor", "slurmd-n1"):
        time.sleep(draw.uniform(0.2, 2))
        if victim == "server":
            server.kill()
            server = served()
        elif victim == "executor":
            server.kill_executor()
        else:
            slurm_cluster.kill(victim)
            slurm_cluster.start()
    until_done(server, job, slurm_cluster)
    runs = server.get(f"jobs/{job}/runs/?page_size=100")["results"]
    assert [run["exitCode"] for run in runs] == [0] * 60
    assert all_once(marks, 60)


def submitted(server, analysis, table):
    body = {
        "name": "a job",
        "jobanalyses": [analysis],
        "paramFile": {"id": server.upload("p.csv", table.encode())["id"]},
    }
    status, content, _ = server.call("POST", "jobs/", body)
    assert status == 201, content
    job = json.loads(content)["id"]
    assert server.call("POST", f"jobs/{job}/submit/")[0] == 200
    return job


def until_done(server, job, cluster, wait_s=180):
    """As the administrator would, nodes that a controller without memory has drained are taken into use again."""
    give_up = time.monotonic() + wait_s
    while (last := server.get(f"jobs/{job}/statuses/")["results"][0])["status"] != "Completed":
        assert time.monotonic() < give_up, "it did not end in time"
        cluster.resume()
        time.sleep(1)
    assert last["statusReason"] == SUCCESS


STUDY = """\
doe: 1
study: beam
variables:
  x: {generator: Uniform, min: 0, max: 10}
design: {method: sobol, runs: 6}
analyses:
  - analysis: {code: user_included}
    command: sleep 3; echo "y = $(cat x.txt)" > out.txt
    hardware: {coreType: emerald, slots: 2}
    templates: [{source: x.tpl, target: x.txt}]
responses:
  y: {file: out.txt, regex: 'y = (.*)'}
"""


@pytest.fixture
def interrupted(slurm_cluster, tmp_path):
    """Apply a study in process and interrupt it when runs have begun; what was told, and how to go on."""
    slurm_cluster.start()
    slurm_cluster.resume()
    (tmp_path / "study.yaml").write_text(STUDY)
    (tmp_path / "x.tpl").write_text("${x}\n")
    (tmp_path / ".doe").mkdir()
    (tmp_path / ".doe" / "config.yaml").write_text(
        "executor: slurm\nslurm: {runsPerTask: 1, pollSeconds: 1}\n"
    )

    def doe(*arguments):
        command = [sys.executable, "-m", "doe_compiler", *arguments]
        return subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def said(*arguments):
        process = doe(*arguments)
        return process.communicate(timeout=180)[0], process.returncode

    def interrupt(seconds):
        (tmp_path / "study.yaml").write_text(STUDY.replace("sleep 3", f"sleep {seconds}"))
        applying = doe("apply", "study.yaml", "--yes")
        begun = tmp_path / ".doe" / "platform" / "jobs"
        give_up = time.monotonic() + 60
        while not list(begun.glob("*/slurm/marks/claim-*")) and time.monotonic() < give_up:
            time.sleep(0.05)
        applying.send_signal(signal.SIGINT)
        told = applying.communicate(timeout=60)[0]
        assert applying.returncode == 130
        return told, said

    return interrupt


def test_ctrl_c_ends_no_run_and_says_so(interrupted, tmp_path):
    """A study that is applied in process, as its user sees it."""
    told, said = interrupted(3)
    assert "the runs go on in Slurm" in told
    assert "6 submitted runs go on in Slurm" in said("status", "study.yaml")[0]
    time.sleep(4)
    told, code = said("apply", "study.yaml", "--yes")
    assert (code, "Nothing to submit." in told) == (0, True), told
    said("results", "study.yaml", "--format", "csv", "-o", "results.csv")
    rows = list(csv.DictReader((tmp_path / "results.csv").read_text().splitlines()))
    assert [row["state"] for row in rows] == ["done"] * 6
    assert all(row["y"] == row["x"] for row in rows)


def test_a_stop_with_nobody_there_cancels_what_goes_on_in_slurm(interrupted, slurm_cluster, until, tmp_path):
    _, said = interrupted(600)
    (folder,) = (tmp_path / ".doe" / "platform" / "jobs").iterdir()
    assert in_queue(slurm_cluster, folder.name)
    before = time.monotonic()
    told, code = said("stop", "study.yaml")
    assert code == 0, told
    until(lambda: not in_queue(slurm_cluster, folder.name), 60)
    assert time.monotonic() - before < 60
    (job,) = [json.loads(line) for line in said("jobs", "list", "--json")[0].splitlines()]
    assert (job["jobStatus"]["content"], job["statusReason"]) == ("Completed", "Stopped by the user")


def test_a_stop_by_a_server_whose_executor_was_killed(slurm_cluster, serve_at, until, tmp_path):
    slurm_cluster.start()
    slurm_cluster.resume()
    configuration = tmp_path / ".config" / "doe" / "config.yaml"
    configuration.parent.mkdir(parents=True)
    configuration.write_text("slurm: {runsPerTask: 1, pollSeconds: 1}\n")
    server = serve_at(tmp_path / "data", "--executor", "slurm", env={"HOME": str(tmp_path)})
    marks = tmp_path / "marks"
    job = submitted(server, counting(server, marks, sleep="600", slots=2), numbers(6))
    until((tmp_path / "marks.begun").exists, 60)
    server.kill_executor()
    assert server.call("POST", f"jobs/{job}/stop/")[0] == 202
    until(lambda: server.get(f"jobs/{job}/statuses/")["results"][0]["status"] == "Completed", 60)
    assert server.get(f"jobs/{job}/statuses/")["results"][0]["statusReason"] == "Stopped by the user"
    until(lambda: not in_queue(slurm_cluster, job), 60)
    assert not marks.exists()


def in_queue(cluster, job):
    """The tasks of a job that wait or run in Slurm."""
    told = cluster.run("squeue", "--noheader", "--states=PD,R,CG", "--format=%i %j")
    return [line for line in told.split("\n") if f"-{job}-" in line]
