"""Runs for real: what they are given, what they leave, how they end, and that a kill loses and repeats none."""

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from doe_compiler.kernel.errors import DoeError

SUCCESS = "Completed successfully"
FAILED = "A run failed"


def test_a_run_gets_its_row_and_leaves_its_files(api):
    script = b'#!/bin/sh\nread a b < deck/in.txt\necho "$a+$b" > out.txt\necho said\n'
    analysis = api.analysis(
        "./run.sh",
        inputs=[("run.sh", script)],
        templates=[("deck/in.txt", b'${x} ${y?string("0.00")}\n')],
        slots=2,
    )
    job, reason = api.ran(analysis, table="x, y\na b,1.005\nc,2\n")
    assert reason == SUCCESS
    assert api.content(job, "out.txt", 1) == b"a+b 1.00\n"
    assert api.content(job, "out.txt", 2) == b"c+2.00\n"
    assert api.content(job, "process_output.log", 2) == b"said\n"
    out = api.outputs(job, 2)["out.txt"]
    assert out["md5"] == hashlib.md5(b"c+2.00\n").hexdigest()
    assert out["path"].endswith(f"/output/job_{job}/run2/out.txt")
    assert out["typeId"] == 5
    assert set(api.outputs(job)) == {"deck/in.txt", "out.txt", "process_output.log", "run.sh"}
    first = api.runs(job)[0]
    assert (first["id"], first["outputFileCount"]) == ("1", 4)
    assert first["dateStarted"] <= first["dateCompleted"]
    assert [(v["name"], v["value"], v["displayValue"]) for v in first["variables"]] == [
        ("x", None, "a b"),
        ("y", 1.005, "1.005"),
    ]
    assert api.get(f"jobs/{job}/files/", search="OUT.txt")["count"] == 2
    words = [each["status"] for each in api.get(f"jobs/{job}/statuses/")["results"]]
    assert words == ["Completed", "Executing", "Validated", "Started", "Queued", "Pending"]
    words = [each["status"] for each in api.get(f"jobs/{job}/cluster_statuses/")["results"]]
    assert words == ["Stopped", "Stopping", "Stop Requested", "Started", "Starting", "Not Started"]


def test_a_template_may_be_the_command_itself(api):
    job, reason = api.ran(
        api.analysis("./go one", templates=[("go", b"#!/bin/sh\necho $1 ${x}\n")]), table="x\n7\n"
    )
    assert (reason, api.content(job, "process_output.log")) == (SUCCESS, b"one 7\n")


def test_steps_go_in_order_and_printed_pairs_become_variables(api):
    pre = {
        "preProcessScript": {"id": api.upload("pre.sh", b"echo pre\n")["id"]},
        "preProcessScriptCommand": "sh pre.sh",
    }
    post = {
        "postProcessScript": {
            "id": api.upload("post.sh", b"printf 'Cd\\t0.5\\nnoise\\nname\\tNACA 0012\\n'; echo oops >&2\n")[
                "id"
            ]
        },
        "postProcessScriptCommand": "sh post.sh",
    }
    first = api.analysis("echo one; echo $A", envVars={"A": "1"}, **pre)
    second = api.analysis("echo two; echo $A; cd /; exit 0", envVars={"A": "it's"}, **post)
    job, reason = api.ran(first, second, table="x\n1\n2\n3\n")
    assert reason == SUCCESS
    for number, run in enumerate(api.runs(job), 1):
        assert api.content(job, "process_output.log", number) == (
            b"pre\none\n1\ntwo\nit's\noops\nCd\t0.5\nnoise\nname\tNACA 0012\n"
        )
        found = {each["name"]: (each["value"], each["displayValue"]) for each in run["variables"]}
        assert found == {"x": (number, str(number)), "Cd": (0.5, "0.5"), "name": (None, "NACA 0012")}


@pytest.mark.parametrize(
    ("step", "log"),
    [
        ({"preProcessScriptCommand": "exit 3"}, b"The pre-processing ended with status 3"),
        ({"postProcessScriptCommand": "set -e; false; true"}, b"The post-processing ended with status 1"),
        ({"postProcessScriptCommand": "if"}, b"The post-processing ended with status"),
    ],
)
def test_a_failing_step_fails_its_run(api, step, log):
    job, reason = api.ran(api.analysis("echo ran", **step))
    assert reason == FAILED
    assert log in api.content(job, "process_output.log")


def counted_runs(api, job):
    """How many runs were completed and how many of them failed, as the list of jobs tells it."""
    row = next(row for row in api.get("jobs/")["results"] if row["id"] == job)
    return row["runsCompleted"], row["runsFailed"]


@pytest.mark.parametrize(
    "command",
    ["exit 7", "./missing.sh", "no-such-program", "kill -9 $$", "kill -SEGV $$", "if", "./data.txt"],
)
def test_a_failing_run_does_not_stop_the_others(api, command):
    analysis = api.analysis(
        f"[ $(cat n) = 2 ] || exit 0\n{command}", inputs=[("data.txt", b"x")], templates=[("n", b"${n}")]
    )
    job, reason = api.ran(analysis, table="n\n1\n2\n3\n")
    assert reason == FAILED
    assert all(run["dateCompleted"] for run in api.runs(job))
    assert counted_runs(api, job) == (3, 1)


def test_a_program_that_cannot_be_started_says_so_in_the_log(api):
    job, reason = api.ran(api.analysis("./missing.sh"))
    assert reason == FAILED
    assert b"missing.sh" in api.content(job, "process_output.log")


def test_a_chatty_run_is_kept_whole(api):
    job, reason = api.ran(api.analysis("yes 0123456 | head -c 8000000"))
    assert reason == SUCCESS
    assert api.outputs(job)["process_output.log"]["decryptedSize"] == 8_000_000


@pytest.mark.parametrize("has_post", [False, True])
@pytest.mark.parametrize(
    "cleaning",
    [
        "rm -rf *",
        "rm -rf .* * 2>/dev/null",
        "find . -mindepth 1 -delete",
        'rm -rf "$PWD"',
        'rm -rf "$PWD" && touch "$RESCALE_WORK_PATH"',
        'mv "$PWD" "$PWD.moved"',
        'mv "$PWD" "$PWD.moved" && ln -s "$PWD.moved" "$RESCALE_WORK_PATH"',
        'mv "$PWD" "$PWD.moved" && mkdir "$RESCALE_WORK_PATH"',
        "rm process_output.log; ln -s /etc/passwd process_output.log",
        "rm process_output.log; mkdir process_output.log",
        "mkdir old; mv process_output.log old; chmod 555 .",
    ],
)
@pytest.mark.parametrize("code", [0, 3])
def test_a_run_is_judged_right_whatever_it_does_to_its_directory(api, cleaning, code, has_post):
    post = {"postProcessScriptCommand": "pwd; printf 'y\\t1\\n'"} if has_post else {}
    job, reason = api.ran(api.analysis(f"echo begun; {cleaning}; echo ended; exit {code}", **post))
    assert reason == (FAILED if code else SUCCESS)
    lines = api.content(job, "process_output.log").decode().split("\n")
    assert [line for line in lines if line in ("begun", "ended")] == ["begun", "ended"]
    assert (api.data / "jobs" / job / "run1" / "process_output.log").is_file()
    run = api.runs(job)[0]
    assert run["exitCode"] == code
    assert [each["name"] for each in run["variables"]] == (["y"] if has_post and not code else [])


def test_what_a_run_puts_in_the_place_of_its_log_is_kept_beside_it(api):
    job, _ = api.ran(api.analysis("echo said; rm process_output.log; echo mine > process_output.log"))
    assert api.content(job, "process_output.log") == b"said\n"
    assert api.content(job, "process_output.log.1") == b"mine\n"


def test_a_moved_directory_comes_back_with_its_outputs(api):
    job, _ = api.ran(api.analysis('echo x > out; mv "$PWD" "$PWD.moved"'))
    assert api.content(job, "out") == b"x\n"
    assert sorted(path.name for path in (api.data / "jobs" / job).iterdir()) == ["journal", "run1"]


def test_a_step_begins_in_the_directory_that_the_step_before_has_left(api):
    post = {"postProcessScriptCommand": "printf 'y\\t%s\\n' \"$(cat out)\""}
    for leaving in (
        'echo 5 > out; mv "$PWD" "$PWD.moved"',
        'cp -R . ../new; rm -rf "$PWD"; echo 5 > ../new/out; mv ../new "$PWD"',
    ):
        job, reason = api.ran(api.analysis(leaving, **post))
        assert reason == SUCCESS, api.content(job, "process_output.log")
        assert api.runs(job)[0]["variables"][0]["value"] == 5


def test_a_run_sees_no_keys_and_its_own_settings(api, monkeypatch):
    for name in ("RESCALE_API_KEY", "DOE_TOKEN", "AWS_SECRET"):
        monkeypatch.setenv(name, "secret")
    job, _ = api.ran(api.analysis("env; pwd", envVars={"MINE": "a b"}))
    log = api.content(job, "process_output.log").decode()
    assert "secret" not in log
    for line in (
        f"RESCALE_JOB_ID={job}",
        "RESCALE_CORES_PER_SLOT=1",
        "RESCALE_CORE_TYPE=emerald",
        "MINE=a b",
    ):
        assert line in log.split("\n")
    directory = str(api.data / "jobs" / job / "run1")
    assert f"RESCALE_WORK_PATH={directory}" in log.split("\n")
    assert log.endswith(directory + "\n")


def test_a_dry_run_only_fills_in_the_templates(api):
    analysis = api.analysis("touch ran", inputs=[("i", b"")], templates=[("t", b"${x}")])
    job, reason = api.ran(analysis, table="x\n1\n2\n", isTemplateDryRun=True)
    assert reason == SUCCESS
    assert set(api.outputs(job, 2)) == {"t"}
    assert api.content(job, "t", 2) == b"2"


def test_an_unknown_placeholder_fails_every_run_with_the_reason(api):
    job, reason = api.ran(api.analysis("true", templates=[("t", b"a\n${typo}")]), table="x\n1\n2\n")
    assert reason.startswith(FAILED)
    assert counted_runs(api, job) == (2, 2)
    assert b"typo" in api.content(job, "process_output.log", 2)


def test_a_cell_that_cannot_be_formatted_fails_its_run_only(api):
    job, reason = api.ran(
        api.analysis("touch ran", templates=[("t", b'${x?string("0.0")}')]), table="x\n1\nword\n3\n"
    )
    assert reason == FAILED
    assert ["ran" in api.outputs(job, run) for run in (1, 2, 3)] == [True, False, True]


def test_links_are_not_outputs_and_odd_names_are(api):
    job, _ = api.ran(
        api.analysis(
            "ln -s /etc/passwd link; mkfifo pipe; printf x > \"$(printf 'a\\377b')\"; mkdir d; echo y > 'd/ü ö'"
        )
    )
    assert set(api.outputs(job)) == {"a?b", "d/ü ö", "process_output.log"}
    assert api.content(job, "a?b") == b"x"


def test_what_a_run_leaves_running_is_ended(api, tmp_path, until):
    _, reason = api.ran(api.analysis(f"sleep 1000 & echo $! > {tmp_path}/pid"))
    assert reason == SUCCESS
    until(lambda: not _is_alive(int((tmp_path / "pid").read_text())))


# A daemon: a session of its own, a parent that is gone, no environment, no descriptors of the run, deaf to requests.
DAEMON = b"""import os, signal, sys, time
if os.fork():
    os.wait()
    while not os.path.exists(sys.argv[1]):
        time.sleep(0.001)
    sys.exit(int(sys.argv[2]))
os.setsid()
if os.fork():
    os._exit(0)
os.chdir("/")
os.closerange(0, 100)
if len(sys.argv) < 4:
    os.execve(sys.executable, [sys.executable, __file__, *sys.argv[1:], "bare"], {})
"""
BARE = b"""import os, signal, sys, time
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
open(sys.argv[1] + ".alive", "w").write("x")
with open(sys.argv[1] + ".new", "w") as file:
    file.write(str(os.getpid()))
os.rename(sys.argv[1] + ".new", sys.argv[1])
while True:
    time.sleep(0.01)
    with open(sys.argv[1] + ".alive", "a") as file:
        file.write("x")
"""


def _leaving(tmp_path, name, code=0):
    """A command that leaves a daemon behind, whose id stands in the file `name`."""
    (tmp_path / "bare.py").write_bytes(BARE)
    (tmp_path / "daemon.py").write_bytes(
        DAEMON.replace(b"__file__", repr(str(tmp_path / "bare.py")).encode())
    )
    return f"{sys.executable} {tmp_path}/daemon.py {tmp_path}/{name} {code}"


@pytest.mark.skipif(sys.platform != "linux", reason="needs a subreaper")
@pytest.mark.parametrize("code", [0, 3])
def test_a_daemon_of_a_run_is_gone_before_the_next_run_takes_the_slot(api, tmp_path, code):
    command = f"""if [ $(cat n) = 1 ]; then {_leaving(tmp_path, "pid", code)}; exit; fi
    kill -0 $(cat {tmp_path}/pid) 2>/dev/null && echo "still there" > found; sleep 0.1; cp {tmp_path}/pid.alive ."""
    job, _ = api.ran(api.analysis(command, templates=[("n", b"${n}")], slots=1), table="n\n1\n2\n")
    assert [run["exitCode"] for run in api.runs(job)] == [code, 0]
    assert "found" not in api.outputs(job, 2)
    assert api.outputs(job, 2)["pid.alive"]["decryptedSize"] == (tmp_path / "pid.alive").stat().st_size


@pytest.mark.skipif(sys.platform != "linux", reason="needs a subreaper")
def test_a_daemon_of_a_run_that_is_stopped_or_timed_out_ends_with_it(api, tmp_path, until):
    for number, limit in enumerate(({}, {"walltime": 0.0003})):
        job = api.create(api.analysis(_leaving(tmp_path, f"pid{number}") + "; sleep 1000", **limit))
        api.submit(job)
        until((tmp_path / f"pid{number}").exists)
        if not limit:
            api.call("POST", f"jobs/{job}/stop/")
        assert api.finished(job) in ("Stopped by the user", "Walltime exceeded")
        assert not _is_alive(int((tmp_path / f"pid{number}").read_text()))


@pytest.mark.skipif(sys.platform != "linux", reason="needs a subreaper")
def test_a_daemon_of_another_run_goes_on(api, tmp_path):
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("needs two cores")
    command = f"""if [ $(cat n) = 1 ]; then {_leaving(tmp_path, "pid")}; until [ -e {tmp_path}/go ]; do sleep 0.01; done
    kill -0 $(cat {tmp_path}/pid); exit; fi
    until [ -e {tmp_path}/pid ]; do sleep 0.01; done; [ $(cat n) != 5 ] || touch {tmp_path}/go"""
    job, reason = api.ran(
        api.analysis(command, templates=[("n", b"${n}")], slots=2), table="n\n1\n2\n3\n4\n5\n"
    )
    assert reason == SUCCESS, api.content(job, "process_output.log")


@pytest.mark.skipif(sys.platform != "linux", reason="needs a subreaper")
@pytest.mark.parametrize("victim", ["executor", "supervisor"])
def test_a_kill_leaves_no_daemon(api, tmp_path, until, victim):
    command = f"echo $PPID > {tmp_path}/supervisor; {_leaving(tmp_path, 'pid')}; [ -e {tmp_path}/second ] || {{ touch {tmp_path}/second; sleep 1000; }}"
    job = api.create(api.analysis(command))
    api.submit(job)
    until((tmp_path / "second").exists)
    executor, pid = _executor_pid(api.data), int((tmp_path / "pid").read_text())
    if victim == "executor":
        os.killpg(executor, signal.SIGKILL)
        until(lambda: not _is_alive(pid))
        (tmp_path / "pid").unlink()
        assert api.finished(job) == SUCCESS
    else:
        os.kill(int((tmp_path / "supervisor").read_text()), signal.SIGKILL)
        assert api.finished(job) == FAILED
        assert b"was killed" in api.content(job, "process_output.log")
        os.kill(pid, signal.SIGKILL)


def test_executors_that_fail_again_and_again_are_told_of(api, tmp_path, until):
    job = api.create(api.analysis("true"))
    (api.data / "jobs" / job).write_text("in the way")
    api.submit(job)

    def told():
        try:
            api.platform.check_executor()
        except DoeError as error:
            return error.message
        api.platform.ensure_executor(detached=False)
        return ""

    until(lambda: "File exists" in told())
    (api.data / "jobs" / job).unlink()
    assert api.finished(job) == SUCCESS
    until(lambda: not told())


@pytest.mark.skipif(not shutil.which("unshare"), reason="needs a mount of its own")
def test_a_full_disk_is_told(api, tmp_path):
    """The data lie on a file system of 1 MiB, in a name space of the test's own."""
    script = """
        mount -t tmpfs -o size=1m none $0 || exit 77
        head -c 2000000 /dev/zero > $0/full 2>/dev/null; truncate -s 0 $0/executor.log 2>/dev/null
        exec "$1" -c 'import sys
from pathlib import Path
from doe_compiler.platform.execute.launch import _last_line
print(_last_line(Path(sys.argv[1]) / "executor.log"))' $0
    """
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, str(tmp_path), sys.executable],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("cannot mount here")
    assert done.stdout == f"the disk is full: {tmp_path}\n"


@pytest.mark.parametrize("number", ["TERM", "HUP", "INT"])
def test_a_run_that_signals_its_parent_is_judged_right(api, number):
    job, reason = api.ran(api.analysis(f"kill -{number} $PPID; sleep 0.1; echo said; exit 5"))
    assert (reason, api.runs(job)[0]["exitCode"]) == (FAILED, 5)
    assert api.content(job, "process_output.log") == b"said\n"


def test_at_most_as_many_runs_at_a_time_as_slots(api, tmp_path):
    command = f"mkdir {tmp_path}/one || exit 1; for i in 1 2 3 4 5 6 7 8 9; do :; done; rmdir {tmp_path}/one"
    assert api.ran(api.analysis(command, slots=1), table="x\n" + "1\n" * 30)[1] == SUCCESS


def test_slots_run_at_the_same_time(api, tmp_path):
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("needs two cores")
    command = f"echo > {tmp_path}/at$(cat n); until [ -e {tmp_path}/at1 ] && [ -e {tmp_path}/at2 ]; do sleep 0.01; done"
    assert (
        api.ran(api.analysis(command, slots=2, templates=[("n", b"${n}")]), table="n\n1\n2\n")[1] == SUCCESS
    )


def test_a_stopped_job_ends_and_its_runs_are_not_completed(api, tmp_path, until):
    job = api.create(api.analysis(f"echo begun > {tmp_path}/begun; sleep 1000"), table="x\n1\n2\n")
    api.submit(job)
    until((tmp_path / "begun").exists)
    assert api.call("DELETE", f"jobs/{job}/")[0] == 400
    assert api.call("POST", f"jobs/{job}/stop/")[:2] == (202, b"")
    assert api.finished(job) == "Stopped by the user"
    assert [run["dateCompleted"] for run in api.runs(job)] == [None, None]
    assert counted_runs(api, job) == (0, 0)
    assert "process_output.log" in api.outputs(job)
    assert api.call("DELETE", f"jobs/{job}/")[0] == 204
    assert not (api.data / "jobs" / job).exists()


def test_a_run_that_ignores_the_request_to_end_is_killed(api, tmp_path, until):
    job = api.create(
        api.analysis(f"trap '' TERM; echo begun > {tmp_path}/begun; while :; do sleep 0.1; done")
    )
    api.submit(job)
    until((tmp_path / "begun").exists)
    api.call("POST", f"jobs/{job}/stop/")
    assert api.finished(job) == "Stopped by the user"


def test_walltime_ends_what_hangs(api):
    job, reason = api.ran(
        api.analysis("[ $(cat n) = 1 ] || sleep 1000", templates=[("n", b"${n}")], walltime=0.0002),
        table="n\n1\n2\n3\n",
    )
    assert reason == "Walltime exceeded"
    runs = api.runs(job)
    assert runs[0]["dateCompleted"] is not None
    assert [run["dateCompleted"] for run in runs[1:]] == [None, None]
    assert counted_runs(api, job) == (1, 0)


def test_jobs_run_in_the_order_of_their_submits(api, tmp_path):
    every_core = {"coreType": "emerald", "coresPerSlot": 288}
    jobs = [
        api.create({**api.analysis(f"echo {number} >> {tmp_path}/order"), "hardware": every_core})
        for number in range(5)
    ]
    for job in jobs[::-1]:
        api.submit(job)
    for job in jobs:
        assert api.finished(job) == SUCCESS
    assert (tmp_path / "order").read_text().split() == list("43210")


@pytest.mark.parametrize("after", [1, 7, 20, 41])
def test_a_kill_loses_and_repeats_no_finished_run(api, tmp_path, until, after):
    marks = tmp_path / "marks"
    marks.touch()
    post = {"postProcessScriptCommand": "printf 'n\\t%s\\n' $(cat n)"}
    analysis = api.analysis(f"echo $(cat n) >> {marks}", templates=[("n", b"${n}")], slots=2, **post)
    job = api.create(analysis, table="n\n" + "".join(f"{n}\n" for n in range(1, 61)))
    api.submit(job)
    until(lambda: len(marks.read_text().split()) >= after)
    _kill_executor(api.data)
    done = {run["id"] for run in api.runs(job) if run["dateCompleted"]}
    assert api.finished(job) == SUCCESS
    runs = api.runs(job)
    assert all(run["dateCompleted"] for run in runs)
    assert [run["variables"][-1]["displayValue"] for run in runs] == [str(n) for n in range(1, 61)]
    times = marks.read_text().split()
    assert set(times) == {str(n) for n in range(1, 61)}
    assert all(times.count(number) == 1 for number in done)
    assert len(times) <= 60 + 2


def test_what_a_killed_executor_left_running_is_ended(api, tmp_path, until):
    job = api.create(
        api.analysis(f"echo $$ >> {tmp_path}/pids; [ $(wc -l < {tmp_path}/pids) = 2 ] || sleep 1000")
    )
    api.submit(job)
    until((tmp_path / "pids").exists)
    _kill_executor(api.data)
    assert api.finished(job) == SUCCESS
    first = int((tmp_path / "pids").read_text().split()[0])
    assert not _is_alive(first)


def test_closing_ends_the_tied_executor_and_the_next_goes_on(api, another, tmp_path, until):
    job = api.create(api.analysis(f"echo >> {tmp_path}/n; [ $(wc -l < {tmp_path}/n) = 2 ] || sleep 1000"))
    api.submit(job)
    until((tmp_path / "n").exists)
    api.platform.close()
    other = another(api.data)
    assert other.last_status(job)[0] == "Executing"
    assert other.finished(job) == SUCCESS


def test_a_detached_executor_outlives_its_starter(api, another, tmp_path, until):
    job = api.create(api.analysis(f"until [ -e {tmp_path}/go ]; do sleep 0.01; done"))
    api.submit(job)
    api.platform.ensure_executor(detached=True)
    api.platform.close()
    (tmp_path / "go").touch()
    reader = another(api.data)
    until(lambda: reader.last_status(job) == ("Completed", SUCCESS))


def test_only_one_executor_works_on_a_folder(api, tmp_path):
    job = api.create(api.analysis("true"))
    api.submit(job)
    api.finished(job)
    second = subprocess.run(
        [sys.executable, "-m", "doe_compiler.platform.execute.executor", str(api.data)],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False,
    )  # fmt: skip
    assert (second.returncode, second.stderr) == (0, b"")


def _executor_pid(data):
    """The executor on the data; its guardian and supervisors have its command line, too, and are its children."""
    parents = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if b"doe_compiler.platform.execute.executor" in words and os.fsencode(data) in words:
                status = (process / "stat").read_text().rpartition(")")[2].split()
                parents[int(process.name)] = int(status[1])
    return next((pid for pid, parent in parents.items() if parent not in parents), None)


def _kill_executor(data):
    pid = _executor_pid(data)
    if pid is not None:
        os.kill(pid, signal.SIGKILL)


def _is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
