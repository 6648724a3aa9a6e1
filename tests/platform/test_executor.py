"""Runs for real: what they are given, what they leave, how they end, and that a kill loses and repeats none."""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from doe_compiler.kernel.errors import DoeError
from doe_compiler.platform.store.records import DataFolder, now_us
from doe_compiler.platform.store.states import JobState, Reason
from doe_compiler.platform.store.store import Store

SUCCESS = "Completed successfully"
FAILED = "A run failed"


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
    executor, pid = api.executor_pid(), int((tmp_path / "pid").read_text())
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


def test_walltime_ends_what_hangs(api):
    job, reason = api.ran(
        api.analysis("[ $(cat n) = 1 ] || sleep 1000", templates=[("n", b"${n}")], walltime=0.0002),
        table="n\n1\n2\n3\n",
    )
    assert reason == "Walltime exceeded"
    runs = api.runs(job)
    assert runs[0]["dateCompleted"] is not None
    assert [run["dateCompleted"] for run in runs[1:]] == [None, None]
    assert api.counted_runs(job) == (1, 0)


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


def test_what_a_killed_executor_left_running_is_ended(api, tmp_path, until):
    job = api.create(
        api.analysis(f"echo $$ >> {tmp_path}/pids; [ $(wc -l < {tmp_path}/pids) = 2 ] || sleep 1000")
    )
    api.submit(job)
    until((tmp_path / "pids").exists)
    api.kill_executor()
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


def _is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_stop_while_no_executor_lives_ends_the_job_though_others_take_all_cores(api, tmp_path, until):
    table = "n\n" + "1\n" * 2 * (os.cpu_count() or 1)
    first = api.create(
        api.analysis(f"touch {tmp_path}/begun; sleep 1000", slots=os.cpu_count() or 1), table=table
    )
    second = api.create(api.analysis(f"touch {tmp_path}/never"), table="n\n1\n2\n")
    api.submit(first)
    until((tmp_path / "begun").exists)
    api.kill_executor()
    until(lambda: not api.platform.is_executing())
    with closing(Store(DataFolder(api.data).database, durable=True)) as store:
        assert store.submit(second, now_us()) is JobState.DRAFT
        assert store.start_job(store.job(second).key, now_us())
    assert api.call("POST", f"jobs/{second}/stop/")[0] == 202
    assert api.finished(second) == Reason.STOPPED
    assert not (tmp_path / "never").exists()
    assert api.last_status(first)[0] == "Executing"
