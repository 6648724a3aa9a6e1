"""What the executor reads of runs that have ended: the values of the generated script, whatever happens meanwhile."""

import io
import os
import signal
import tarfile
import time
from pathlib import Path

import pytest

from doe_compiler.extraction.run import run_outcomes
from doe_compiler.extraction.told import told_in
from doe_compiler.platform.execute import reading
from doe_compiler.platform.execute.reading import ReadFrom, Readings
from doe_compiler.platform.execute.tie import Tie
from tests.extraction.corpus import CORPUS
from tests.extraction.test_corpus import printed, response

ENDLESS = {"name": "endless", "kind": "regex", "file": "long.txt", "regex": "(a+)+$", "take": "last"}
Y = {"name": "y", "kind": "regex", "file": "y.txt", "regex": "y = (\\S+)", "take": "last"}
LONG = "printf 'a%.0s' $(seq 60) > long.txt; printf 'b' >> long.txt"


def asked(*variables, seconds=60):
    return {"outputReading": {"seconds": seconds, "variables": list(variables)}}


def read_of(api, job, run=1):
    return {each["name"]: each["displayValue"] for each in api.runs(job)[run - 1]["variables"]}


def readers():
    """The reading processes on this machine, by their parent."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if reading.MODULE.encode() in words:
                found[int(entry.name)] = int(words[words.index(reading.MODULE.encode()) + 1]), parent
    return found


def test_the_executor_reads_the_corpus_as_the_generated_script_does(api, tmp_path):
    named = [{"name": f"r{n}", "file": f"out{n}", **each[0]} for n, each in enumerate(CORPUS)]
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for variable, (_, content, *_) in zip(named, CORPUS, strict=True):
            (tmp_path / variable["file"]).write_bytes(content)
            info = tarfile.TarInfo(f"in/{variable['file']}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    analysis = api.analysis("cp in/* .", inputs=[("in.tar", stream.getvalue())])
    job, reason = api.ran(analysis, **asked(*named))
    assert reason == "Completed successfully"
    found = read_of(api, job)
    assert found == printed(tmp_path, [response(each["name"], each) for each in named])
    outcomes = run_outcomes(str(tmp_path), named, 60.0)
    assert told_in(found["doe_reading"]).missing == {
        each["name"]: outcome.told for each, outcome in zip(named, outcomes, strict=True) if not outcome.value
    }
    assert sum(name != "doe_reading" for name in found) == sum(
        outcome.value is not None for outcome in outcomes
    )


def test_what_is_read_outlives_the_outputs_and_failed_runs_are_read_too(api):
    job, _ = api.ran(
        api.analysis("echo y = $(cat x) > y.txt; exit $(cat x)", templates=[("x", b"${x}")]),
        table="x\n0\n3\n",
        **asked(Y),
        resourceFilters=[{"action": "drop", "source": "any", "pattern": "y.txt"}],
    )
    assert [read_of(api, job, run)["y"] for run in (1, 2)] == ["0", "3"]
    assert "y.txt" not in api.outputs(job)
    assert [run["exitCode"] for run in api.runs(job)] == [0, 3]


def test_what_the_post_processing_prints_stays_and_it_may_make_the_file(api):
    post = {"postProcessScriptCommand": "echo y = 5 > y.txt; printf 'mine\\t1\\ny\\t2\\n'"}
    job, _ = api.ran(api.analysis("true", slots=2, **post), table="x\n1\n2\n3\n", **asked(Y))
    assert [read_of(api, job, run) for run in (1, 2, 3)] == [
        {"x": str(run), "mine": "1", "y": "5"} for run in (1, 2, 3)
    ]


def test_an_endless_expression_costs_its_own_value_only(api):
    job, reason = api.ran(
        api.analysis(f"{LONG}; echo y = 7 > y.txt"), table="x\n1\n2\n", **asked(ENDLESS, Y, seconds=2)
    )
    assert reason == "Completed successfully"
    for run in (1, 2):
        found = read_of(api, job, run)
        assert found["y"] == "7"
        assert "was stopped" in told_in(found["doe_reading"]).missing["endless"]


def test_an_input_that_a_run_has_not_written_is_no_result(api):
    old = [("y.txt", b"y = 7\n"), ("x.sh", b"[ $1 = 1 ] || echo y = $1 >> y.txt\n")]
    analysis = api.analysis("sh x.sh $(cat x)", inputs=old, templates=[("x", b"${x}")])
    job, _ = api.ran(analysis, table="x\n1\n2\n", **asked(Y))
    assert "y" not in read_of(api, job, 1)
    assert told_in(read_of(api, job, 1)["doe_reading"]).missing == {
        "y": "'y.txt' is an input that the run has not written"
    }
    assert read_of(api, job, 2) == {"x": "2", "y": "2"}


@pytest.mark.parametrize(
    ("variable", "place"),
    [
        ({**Y, "kind": "command"}, "kind"),
        ({**Y, "file": "../y.txt"}, "file"),
        ({**Y, "file": "/etc/passwd"}, "file"),
        ({**Y, "take": "best"}, "take"),
        ({"name": "y", "kind": "json", "file": "y.json"}, "path"),
    ],
)
def test_what_cannot_be_read_is_refused(api, variable, place):
    body = {"name": "a job", "jobanalyses": [api.analysis("true")], **asked(variable)}
    status, told, _ = api.call("POST", "jobs/", body)
    assert status == 400
    assert place in str(told["outputReading"])


def test_the_platform_says_that_it_reads(api):
    assert "outputReading" in api.get("")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_run_whose_reading_was_killed_is_read_by_the_next_executor(api, tmp_path, until):
    ran = tmp_path / "ran"
    command = f"echo x >> {ran}; {LONG}; echo y = 7 > y.txt"
    job = api.create(api.analysis(command), **asked(ENDLESS, Y, seconds=8))
    api.submit(job)
    api.platform.ensure_executor(detached=False)
    journal = api.data / "jobs" / job / "journal"
    until(lambda: journal.exists() and journal.read_text())
    busy = []
    until(lambda: busy.extend((pid, found) for pid, found in readers().items() if _is_busy(pid)) or busy)
    reader, (executor, parent) = busy[0]
    assert executor == parent
    assert not api.runs(job)[0]["dateCompleted"]
    os.kill(executor, signal.SIGKILL)
    until(lambda: reader not in readers())
    assert api.finished(job) == "Completed successfully"
    assert ran.read_text() == "x\n"
    assert read_of(api, job)["y"] == "7"


def _is_busy(pid):
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return fields[0] == "R" and int(fields[11]) > 20


@pytest.fixture
def readings():
    before = signal.getsignal(signal.SIGCHLD)
    found = Readings(Tie(reads_stdin=False), 2)
    yield found
    found.close()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, before)


def all_of(readings, count):
    found = {}
    give_up = time.monotonic() + 30
    while len(found) < count:
        assert time.monotonic() < give_up
        found.update(readings.answers())
        time.sleep(0.005)
    return found


def folder(tmp_path, number):
    where = tmp_path / str(number)
    where.mkdir()
    (where / "y.txt").write_text(f"y = {number}\n")
    return str(where)


def mine():
    return [pid for pid, (_, parent) in readers().items() if parent == os.getpid()]


def test_few_processes_read_many_runs_and_two_jobs(readings, tmp_path):
    one, other = ReadFrom([Y], 60), ReadFrom([{**Y, "name": "z"}], 60)
    for number in range(200):
        readings.ask(number, folder(tmp_path, number), (one, other)[number % 2])
    assert readings.are_behind
    found = all_of(readings, 200)
    assert found == {number: (("yz"[number % 2], str(number)),) for number in range(200)}
    assert 1 <= len(mine()) <= 2


def test_the_memory_of_the_executor_is_not_the_reader_s(readings, tmp_path):
    ballast = bytearray(400 << 20)
    ballast[::4096] = b"x" * len(ballast[::4096])
    for number in range(3):
        readings.ask(number, folder(tmp_path, number), ReadFrom([Y], 60))
        all_of(readings, 1)
    first = mine()
    readings.ask(3, folder(tmp_path, 3), ReadFrom([Y], 60))
    all_of(readings, 1)
    assert len(first) == 1
    assert mine() == first


def test_a_reader_that_dies_is_replaced_and_its_run_read_again(readings, tmp_path):
    wanted = ReadFrom([Y], 60)
    readings.ask(0, folder(tmp_path, 0), wanted)
    all_of(readings, 1)
    (pid,) = mine()
    os.kill(pid, signal.SIGSTOP)
    readings.ask(1, folder(tmp_path, 1), wanted)
    os.kill(pid, signal.SIGKILL)
    assert all_of(readings, 1) == {1: (("y", "1"),)}


def test_a_reader_that_hangs_is_killed_and_the_others_are_read(readings, tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "GRACE_S", 0.3)
    quick, slow = ReadFrom([Y], 0.2), ReadFrom([Y], 60)
    readings.ask(0, folder(tmp_path, 0), slow)
    all_of(readings, 1)
    (pid,) = mine()
    os.kill(pid, signal.SIGSTOP)
    readings.ask(1, folder(tmp_path, 1), quick)
    readings.ask(2, folder(tmp_path, 2), slow)
    found = all_of(readings, 2)
    assert found[2] == (("y", "2"),)
    assert "did not end within 0.2 s" in told_in(dict(found[1])["doe_reading"]).missing["y"]
    assert pid not in mine()


def test_a_reader_that_took_much_memory_is_replaced(readings, tmp_path):
    where = folder(tmp_path, 0)
    Path(where, "big.json").write_text('{"a": [' + "[0]," * 4_000_000 + "1]}")
    tree = ReadFrom([{"name": "a", "kind": "json", "file": "big.json", "path": "a[-1]"}], 60)
    readings.ask(0, where, tree)
    assert all_of(readings, 1) == {0: (("a", "1"),)}
    readings.ask(1, folder(tmp_path, 1), ReadFrom([Y], 60))
    assert all_of(readings, 1) == {1: (("y", "1"),)}
    assert len(mine()) == 1
