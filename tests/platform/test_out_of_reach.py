"""What a run that looks for secrets finds: tokens, the environment of the server and of commands, other jobs' files."""

import http.client
import json
import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

PLANTED = "planted-secret-0123456789"
# Everything that a run can ask of the processes above it, and all files below the data folder.
ADVERSARY = r"""
pid=$$
while [ "$pid" -gt 1 ]; do
  pid=$(sed -n 's/^PPid:[[:space:]]*//p' /proc/$pid/status)
  [ "$pid" -gt 1 ] || break
  echo "ancestor $pid $(tr '\0' ' ' < /proc/$pid/cmdline)"
  cat /proc/$pid/environ
  ls -l /proc/$pid/fd && for each in /proc/$pid/fd/*; do timeout 1 head -c 1000 "$each"; done
  while read -r range mode rest; do
    case "$mode $rest" in r*heap*|r*stack*)
      from=$((0x${range%-*})); upto=$((0x${range#*-}))
      dd if=/proc/$pid/mem bs=4096 skip=$((from / 4096)) count=$(((upto - from) / 4096)) ;;
    esac
  done < /proc/$pid/maps
done > found.txt 2> refused.txt
env > mine.txt
true
"""


def as_nobody():
    """Words before a command that run it as a user who is not root, and may read what lies in folders of root."""
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam("nobody")
    may = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", *may]


@pytest.fixture
def folder(tmp_path):
    """A folder of the user who is not root."""
    where = tmp_path / "lab"
    where.mkdir()
    if os.geteuid() == 0:
        user = pwd.getpwnam("nobody")
        os.chown(where, user.pw_uid, user.pw_gid)
    return where


def environment(folder):
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("RESCALE_", "DOE_"))}
    return {
        **kept, "HOME": str(folder), "RESCALE_API_KEY": PLANTED, "CLOUD_PASSWORD": PLANTED, "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip


def all_but(folder, *names):
    """What lies in the files of a folder, those of some names left out."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not any(part in names for part in path.relative_to(folder).parts)
    }


def test_a_run_finds_nothing_in_the_processes_above_it(folder):
    (folder / "study.yaml").write_text(
        "doe: 1\nstudy: spy\nvariables: {x: {levels: [1]}}\ndesign: {}\nanalyses:\n  - analysis: {code: user_included}\n"
        "    command: sh spy.sh $x\n    inputFiles: [spy.sh]\n    hardware: {coreType: emerald}\n"
    )
    (folder / "spy.sh").write_text(ADVERSARY)
    words = [*as_nobody(), sys.executable, "-m", "doe_compiler", "apply", "study.yaml", "--yes"]
    answer = subprocess.run(
        words, cwd=folder, env=environment(folder), capture_output=True, text=True, check=False, timeout=120
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    found = next(folder.rglob("found.txt")).read_bytes()
    assert found.count(b"ancestor ") >= 3  # its supervisor, the executor, doe apply
    assert b"doe_compiler apply" in found
    assert PLANTED.encode() not in found
    assert b"Permission denied" in next(folder.rglob("refused.txt")).read_bytes()
    assert PLANTED not in next(folder.rglob("mine.txt")).read_text()
    assert not any(PLANTED.encode() in content for content in all_but(folder).values())


def test_a_run_of_a_server_finds_neither_its_environment_nor_a_token_below_its_data(folder, until):
    data = folder / "data"
    process = subprocess.Popen(
        [*as_nobody(), sys.executable, "-m", "doe_compiler", "serve", "--port", "0", "--data", str(data)],
        stdout=subprocess.PIPE, text=True, env=environment(folder),
    )  # fmt: skip
    try:
        said = process.stdout.readline().rstrip("\n")
        port = int(said.partition("/api")[0].rpartition(":")[2])
        token_file = said.rpartition(", token in ")[2]
        token = Path(token_file).read_text().strip()

        def call(method, path, body=None):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request(
                method,
                f"/api/v2/{path}",
                body and json.dumps(body),
                {"Authorization": f"Token {token}", "Content-Type": "application/json"},
            )
            content = connection.getresponse().read()
            connection.close()
            return json.loads(content) if content else None

        analysis = {
            "analysis": {"code": "user_included"},
            "command": ADVERSARY,
            "hardware": {"coreType": "emerald", "coresPerSlot": 1},
        }
        job = call("POST", "jobs/", {"name": "spy", "jobanalyses": [analysis]})["id"]
        call("POST", f"jobs/{job}/submit/")
        until(lambda: call("GET", f"jobs/{job}/statuses/")["results"][0]["status"] == "Completed")
        found = next(folder.rglob("found.txt")).read_bytes()
        assert b"doe_compiler serve" in found
        for secret in (PLANTED, token):
            assert secret.encode() not in found
            assert not any(secret.encode() in content for content in all_but(data).values())
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()
