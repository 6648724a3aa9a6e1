"""Whatever an output is, its reading ends, in bounded memory, and costs the other responses nothing."""

import math
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from doe_compiler.extraction.reading import LARGEST_JSON, LONGEST_MATCH
from doe_compiler.extraction.run import run_outcomes

LAST = {"kind": "regex", "regex": r"^Cd = (\S+)$", "take": "last"}
ENDLESS = r"(x+x+)+y"


def read(folder, *extractors, seconds=60.0):
    return run_outcomes(str(folder), [{"file": "out", **extractor} for extractor in extractors], seconds)


def test_windows_of_a_large_log_lose_and_repeat_nothing(tmp_path):
    lines = [f"step {n}\nCd = {n}\n" for n in range(300_000)]
    (tmp_path / "out").write_text("".join(lines))
    taken = [{**LAST, "take": take} for take in ("first", "last", "min", "max", "mean")]
    found = read(tmp_path, *taken, {"kind": "regex", "regex": r"step (\d+)\nCd = \1\n", "take": "mean"})
    assert [each.value for each in found] == ["0", "299999", "0", "299999", "149999.5", "149999.5"]


@pytest.mark.parametrize("flaw", ["", "9,nan\n", "9\n", "# t,p\n", "\n", '"9","9"\n', "t,p\n"])
def test_a_large_table_gives_what_its_lines_give(tmp_path, flaw):
    half = [f"{n},{n / 8}\n" for n in range(60_000)]
    (tmp_path / "out").write_text("t,p\n" + "".join(half) + flaw + "".join(half))
    takes = ("first", "last", "min", "max", "mean")
    found = read(tmp_path, *({"kind": "csv", "column": "p", "take": take} for take in takes))
    numbers = [float(line.split(",")[1]) for line in half] * 2 + ([9.0] if '"' in flaw else [])
    assert [each.value for each in found[:4]] == ["0.0", "7499.875", "0.0", "7499.875"]
    assert float(found[4].value) == pytest.approx(math.fsum(numbers) / len(numbers), rel=1e-15)
    ignored = "1 of 120001 values are no numbers" if flaw in ("9,nan\n", "9\n") else ""
    assert [each.told for each in found[2:]] == [ignored] * 3


@pytest.mark.parametrize("offset", [-2, -1, 0, 1, 2])
def test_a_match_at_the_edge_of_a_window_is_one(tmp_path, offset):
    edge = (1 << 20) + offset
    text = "y" * edge + "\nCd = 125\nend\n" + "z\n" * (1 << 20)
    (tmp_path / "out").write_text(text)
    mean = {**LAST, "take": "mean"}
    begin = {"kind": "regex", "regex": r"\A(y)", "take": "last"}
    word = {"kind": "regex", "regex": r"(?<=\n)(C)d", "take": "last"}
    assert [each.value for each in read(tmp_path, LAST, mean, begin, word)] == ["125", "125.0", "y", "C"]


def test_a_match_over_line_ends_up_to_the_stated_length_is_found(tmp_path):
    head = "z\n" * (1 << 20)
    (tmp_path / "out").write_text(head + "Begin\n" + "y\n" * 30_000 + "value 7\n" + head)
    found = read(tmp_path, {"kind": "regex", "regex": r"Begin\n(?:y\n)*value (\d)", "take": "last"})
    assert found[0].value == "7"


def test_a_match_beyond_the_stated_length_is_a_reason_not_a_wrong_value(tmp_path):
    (tmp_path / "out").write_text("Cd = 1\n" * 400_000)
    found = read(tmp_path, {"kind": "regex", "regex": r"(?s)Cd = (\S+).*", "take": "last"}, LAST)
    assert (found[0].value, found[1].value) == (None, "1")
    assert f"more than {LONGEST_MATCH} characters" in found[0].told


def test_an_endless_regex_is_stopped_and_named_and_the_others_are_read(tmp_path):
    (tmp_path / "out").write_text("x" * 60 + "\nCd = 5\n")
    (tmp_path / "table").write_text("t,p\n0,1\n")
    began = time.monotonic()
    found = read(
        tmp_path,
        {"kind": "regex", "regex": ENDLESS, "take": "last"},
        LAST,
        {"kind": "csv", "file": "table", "column": "p", "take": "last"},
        seconds=20.0,
    )
    assert time.monotonic() - began < 20
    assert found[0].value is None
    assert f"the regex '{ENDLESS}' was stopped" in found[0].told
    assert [each.value for each in found[1:]] == ["5", "1"]


def test_all_readings_of_a_run_together_have_the_stated_time(tmp_path):
    (tmp_path / "out").write_text("x" * 60)
    endless = {"kind": "regex", "regex": ENDLESS, "take": "last"}
    began = time.monotonic()
    found = read(tmp_path, *[endless] * 30, seconds=1.0)
    assert time.monotonic() - began < 5
    assert {each.value for each in found} == {None}
    assert "all readings of the run took longer than 1 s" in found[-1].told


def test_a_command_that_does_not_end_is_stopped_with_its_children(tmp_path):
    began = time.monotonic()
    found = run_outcomes(
        str(tmp_path),
        [
            {"kind": "command", "command": "sleep 60 & echo $! > child; sleep 60"},
            {"kind": "command", "command": "yes"},
            {"kind": "command", "command": "exit 3"},
        ],
        2.0,
    )
    assert time.monotonic() - began < 30
    assert "was stopped" in found[0].told
    assert found[1].value is None
    child = int((tmp_path / "child").read_text())
    give_up = time.monotonic() + 10
    while time.monotonic() < give_up and not is_gone(child):
        time.sleep(0.05)
    assert is_gone(child)


def is_gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize(
    "kind", ["sparse", "random", "nul", "directory", "pipe", "link to nothing", "missing"]
)
def test_what_is_no_text_is_a_reason_and_costs_no_other(tmp_path, kind):
    path = tmp_path / "out"
    if kind == "sparse":
        path.touch()
        os.truncate(path, 300 << 20)
    elif kind == "random":
        path.write_bytes(os.urandom(3 << 20))
    elif kind == "nul":
        path.write_bytes(b"\0Cd\n" * 1000)
    elif kind == "directory":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "link to nothing":
        path.symlink_to("nowhere")
    (tmp_path / "good").write_text("Cd = 5\n")
    found = read(
        tmp_path,
        LAST,
        {"kind": "csv", "column": "p", "take": "last"},
        {"kind": "json", "path": "a"},
        {**LAST, "file": "good"},
        {**LAST, "file": "bad\0name"},
    )
    assert [each.value for each in found] == [None, None, None, "5", None]
    assert all(each.told for each in found if each.value is None)


def test_a_json_beyond_the_stated_size_is_a_reason(tmp_path):
    (tmp_path / "out").write_text('{"a": 1, "b": "' + "x" * LARGEST_JSON + '"}\nCd = 5\n')
    found = read(tmp_path, {"kind": "json", "path": "a"}, LAST)
    assert (found[0].told, found[1].value) == ("the JSON is larger than 32 MiB", "5")


def test_a_first_value_ends_the_reading(tmp_path):
    (tmp_path / "out").write_text("Cd = 5\n")
    os.truncate(tmp_path / "out", 1 << 40)
    assert read(tmp_path, {**LAST, "take": "first"})[0].value == "5"


@pytest.mark.skipif(sys.platform != "linux", reason="the most memory of one program is told by Linux only")
def test_many_responses_of_a_large_file_take_little_memory(tmp_path):
    block = "".join(f"Time = {n}\nCd = {n / 7} Cl = {n / 9}\n" for n in range(50_000))
    with (tmp_path / "out").open("w") as file:
        for _ in range(20):
            file.write(block)
    table = "t,p,q\n" + "".join(f"{n},{n / 3},{n / 7}\n" for n in range(500_000))
    (tmp_path / "table").write_text(table)
    program = f"""
        from pathlib import Path
        from doe_compiler.extraction.run import run_outcomes
        takes = ["first", "last", "min", "max", "mean"]
        logs = [{{"kind": "regex", "file": "out", "regex": r"Cd = (\\S+)", "take": take}} for take in takes]
        tables = [{{"kind": "csv", "file": "table", "column": "p", "take": take}} for take in takes]
        found = run_outcomes({str(tmp_path)!r}, logs + tables, 300.0)
        assert all(each.value for each in found), found
        print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 100 << 10
