"""Every endpoint from the shell, in process and over a socket."""

import json
import re

import pytest

JOB = {
    "name": "Example Job",
    "jobanalyses": [
        {
            "analysis": {"code": "user_included", "version": "0"},
            "command": "echo hello; mkdir d; seq 50 > d/log; sleep 0.1",
            "hardware": {"coreType": "standard-plus", "coresPerSlot": 1},
        }
    ],
}


@pytest.fixture(params=["local", "served"])
def at(request, doe, tmp_path, serving):
    """Runs a command on the embedded platform, or on one that is served."""
    env = serving() if request.param == "served" else {"DOE_DATA": str(tmp_path / "data")}
    on = "local" if request.param == "local" else "rescale"

    def run(*arguments, expect=0, **more):
        done = doe(*arguments, "--on", on, env=env, **more)
        assert done.returncode == expect, (arguments, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        return done.stdout

    return run


def rows(text):
    return [json.loads(line) for line in text.splitlines()]


def test_a_job_from_its_making_to_its_end(at, tmp_path, until_true):
    (tmp_path / "job.json").write_text(json.dumps(JOB))
    job = at("jobs", "create", "job.json").strip()
    assert re.fullmatch("[A-Za-z]{6}", job)
    at("jobs", "update", job, "--name", "better")
    (tmp_path / "change.json").write_text('{"isLowPriority": true}')
    at("jobs", "update", job, "change.json")
    assert json.loads(at("jobs", "get", job, "--json"))["isLowPriority"] is True
    assert "better" in at("jobs", "list", "--state", "draft")
    assert rows(at("jobs", "list", "--search", "worse", "--json")) == []
    at("jobs", "tags", job, "--add", "wing")
    at("jobs", "custom-fields", job, "--set", "project=X")
    assert [row["name"] for row in rows(at("jobs", "tags", job, "--json"))] == ["wing"]
    at("jobs", "submit", job)
    until_true(lambda: rows(at("jobs", "statuses", job, "--json"))[0]["status"] == "Completed")
    assert "Completed successfully" in at("jobs", "statuses", job)
    assert "Stopped" in at("jobs", "cluster-statuses", job)
    assert "standard-plus" in at("jobs", "instances", job)
    assert "job: Completed" in at("jobs", "logs", job)
    assert [row["id"] for row in rows(at("runs", "list", job, "--json"))] == ["1"]
    assert json.loads(at("runs", "get", job, "1", "--json"))["exitCode"] == 0
    assert at("runs", "tail", job, "1") == "hello\n"
    assert at("runs", "tail", job, "1", "d/log", "-n", "2", "--follow") == "49\n50\n"
    assert {row["relativePath"] for row in rows(at("runs", "files", job, "1", "--json"))} == {
        "d/log", "process_output.log",
    }  # fmt: skip
    assert "d/log" in at("jobs", "files", job, "--search", "log")
    assert "d/log" in at("runs", "files", job, "1", "--now")
    at("files", "download", "--job", job, "-o", "got")
    assert (tmp_path / "got" / "run1" / "d" / "log").read_text().startswith("1\n2\n")
    at("jobs", "share", job, "team@example.com")
    at("jobs", "submit", job, expect=1)
    at("jobs", "delete", job, expect=64)
    at("jobs", "delete", job, "--yes")
    at("jobs", "get", job, expect=1)


def test_files_go_up_and_come_down(at, tmp_path):
    (tmp_path / "a.bin").write_bytes(bytes(range(256)) * 5000)
    (tmp_path / "b.txt").write_text("b")
    first, second = (line.split()[0] for line in at("files", "upload", "a.bin", "b.txt").splitlines())
    assert [row["name"] for row in rows(at("files", "list", "--json"))] == ["b.txt", "a.bin"]
    assert json.loads(at("files", "get", first, "--json"))["decryptedSize"] == 1_280_000
    at("files", "rename", second, "c.txt")
    at("files", "download", first, second, "-o", ".")
    assert (tmp_path / "c.txt").read_text() == "b"
    at("files", "download", first, "-o", "copy.bin")
    assert (tmp_path / "copy.bin").read_bytes() == (tmp_path / "a.bin").read_bytes()
    at("files", "delete", first, second, "--yes")
    assert at("files", "list", "--json") == ""
    at("files", "download", first, expect=1)
    at("files", "upload", "nothing", expect=64)
    assert not list(tmp_path.glob(".doe-*"))


def test_a_long_list_is_shown_page_by_page(at, tmp_path):
    (tmp_path / "job.json").write_text(json.dumps(JOB))
    made = [at("jobs", "create", "job.json").strip() for _ in range(3)]
    listed = rows(at("jobs", "list", "--page-size", "1", "--ordering", "dateInserted", "--json"))
    assert [row["id"] for row in listed] == made
    table = at("jobs", "list", "--page-size", "2").splitlines()
    assert [line.split()[0] for line in table[2:]] == made[::-1]


def test_what_the_platform_offers(at):
    assert "emerald" in at("coretypes")
    assert {"code", "price"} <= set(rows(at("coretypes", "--json"))[0])
    assert "calculix" in at("analyses")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("jobs", "get", "nope"), 1), (("jobs", "get", "a/b"), 1), (("jobs", "get", ".."), 64),
        (("jobs", "list", "--state", "x"), 1), (("jobs", "create", "nothing.json"), 64),
        (("jobs", "update", "abc"), 64), (("runs", "get", "abc", "0"), 64), (("runs", "tail", "abc", "1"), 1),
        (("files", "download"), 64), (("jobs", "stop", "abc"), 64), (("jobs", "share", "abc", "x"), 64),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_a_line(doe, tmp_path, arguments, code):
    done = doe(*arguments, env={"DOE_DATA": str(tmp_path / "data")})
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()
