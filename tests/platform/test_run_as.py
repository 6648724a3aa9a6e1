"""Runs that execute as another user: what they find of the server and of others, and what they cannot make it do."""

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.platform.conftest import Served
from tests.platform.test_out_of_reach import as_nobody

USER = "daemon"  # other tests run programs as nobody at the same time, which runs of nobody may signal
SECRET = "secret-of-root-0123456789"

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can run as another user"),
    pytest.mark.xdist_group("run-as"),  # runs of one user may signal each other
]


@pytest.fixture
def lab():
    """A folder that every user can get through, which pytest's are not; a file of root's lies in it."""
    where = Path(tempfile.mkdtemp(prefix="lab"))
    where.chmod(0o711)
    secret = where / "secret.txt"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    yield where
    shutil.rmtree(where)


@pytest.fixture
def server(lab):
    served = Served(lab / "data", "--run-as", USER)
    yield served
    served.end()


def submitted(server, command, *, inputs=(), job=None, **analysis):
    whole = {
        "analysis": {"code": "user_included"},
        "command": command,
        "inputFiles": [{"id": each["id"]} for each in inputs],
        "hardware": {"coreType": "emerald", "coresPerSlot": 1},
        **analysis,
    }
    status, body, _ = server.call("POST", "jobs/", {"name": "spy", "jobanalyses": [whole], **(job or {})})
    assert status == 201, body
    made = json.loads(body)["id"]
    assert server.call("POST", f"jobs/{made}/submit/")[0] == 200
    return made


def ended(server, until, job):
    until(lambda: server.get(f"jobs/{job}/statuses/")["results"][0]["status"] == "Completed")
    return server.get(f"jobs/{job}/runs/?page_size=100")["results"]


def outputs_of(server, job, run=1):
    found = server.get(f"jobs/{job}/runs/{run}/files/?page_size=100")["results"]
    return {each["relativePath"]: each for each in found}


def text_of(server, output):
    status, body, _ = server.call("GET", f"files/{output['id']}/contents/")
    assert status == 200, body
    return body.decode()


def test_a_run_is_the_user_s(server, until):
    job = submitted(
        server,
        "id -un; id -G; echo $USER $LOGNAME; cd; pwd; touch made-in-home; umask; cat /proc/self/status | grep Cap",
        preProcessScript=None,
    )
    assert [run["exitCode"] for run in ended(server, until, job)] == [0]
    said = text_of(server, outputs_of(server, job)["process_output.log"]).split("\n")
    groups = " ".join(map(str, os.getgrouplist(USER, pwd.getpwnam(USER).pw_gid)))
    assert said[:3] == [USER, groups, f"{USER} {USER}"]
    assert said[3].endswith("/home1")
    assert all(
        set(line.split()[1]) == {"0"} for line in said if line.startswith(("CapEff", "CapPrm", "CapInh"))
    )
    (found,) = server.get(f"jobs/{job}/instances/")["results"]
    assert found["username"] == USER


def test_inputs_commands_post_processing_and_readings_work_as_ever(server, until):
    program = server.upload(
        "solve.sh", b"#!/bin/sh\necho Cd = $(cat x.txt) | tee result.txt\nmkdir sub; echo 1 > sub/deep.txt\n"
    )
    mesh = server.upload("mesh.dat", os.urandom(200_000))
    template = server.upload("x.txt.template", b"${x}")
    table = server.upload("table.csv", b"x\n1.5\n2.5\n")
    job = submitted(
        server,
        "./solve.sh",
        inputs=[program, mesh],
        postProcessScriptCommand="printf 'half\\t%s\\n' 0.75",
        templateTasks=[{"templateFile": {"id": template["id"]}, "processedFilename": "x.txt"}],
        job={
            "paramFile": {"id": table["id"]},
            "outputReading": {"seconds": 60, "variables": [{"name": "Cd", "kind": "regex", "file": "result.txt", "regex": "Cd = (.*)", "take": "last"}]},
        },
    )  # fmt: skip
    runs = ended(server, until, job)
    shown = [{each["name"]: each["displayValue"] for each in run["variables"]} for run in runs]
    assert [(each["x"], each["Cd"], each["half"]) for each in shown] == [
        ("1.5", "1.5", "0.75"),
        ("2.5", "2.5", "0.75"),
    ]
    for run in (1, 2):
        found = outputs_of(server, job, run)
        assert set(found) == {
            "mesh.dat",
            "process_output.log",
            "result.txt",
            "solve.sh",
            "sub/deep.txt",
            "x.txt",
        }
        assert text_of(server, found["sub/deep.txt"]) == "1\n"
        assert found["mesh.dat"]["fileChecksums"] == mesh["fileChecksums"]
    directories = [server.data / "jobs" / job / f"run{run}" / "mesh.dat" for run in (1, 2)]
    assert {each.stat().st_nlink for each in directories} == {3}, "it is stored once"
    assert server.call("DELETE", f"files/{found['sub/deep.txt']['id']}/")[0] == 204
    assert not (server.data / "jobs" / job / "run2/sub/deep.txt").exists()
    assert server.get(f"jobs/{job}/runs/1/tail/result.txt")["lines"] == ["Cd = 1.5\n"]
    assert {each["path"] for each in server.get(f"jobs/{job}/runs/2/directory-contents/")} >= {
        "sub",
        "mesh.dat",
    }


SPY = r"""
for each in {data}/platform.sqlite {data}/platform.sqlite-wal {data}/executor.log {data}/files/*/* {token} {secret} \
  {data}/jobs/*/* {data}/jobs/{other}/run1/result.txt {data}/jobs/{other}/journal; do
  cat $each && echo "READ $each"
  echo spoilt >> $each && echo "WRITTEN $each"
done
for each in {data} {data}/files {data}/jobs {data}/jobs/{other} {data}/jobs/{other}/run1 ..; do
  ls $each && echo "LISTED $each"
  touch $each/planted && echo "MADE $each/planted"
done
mv ../run1 ../elsewhere && echo "MOVED"
for pid in $(ls /proc | grep '^[0-9]*$'); do
  if [ $pid != $$ ] && grep -q doe_compiler /proc/$pid/cmdline; then
    cat /proc/$pid/environ && echo "READ environ of $pid"
    ls -l /proc/$pid/fd && echo "READ fd of $pid"
    kill -0 $pid && echo "SIGNALLED $pid"
  fi
done
true
"""


def test_a_run_reaches_nothing_of_the_server_nor_of_ended_jobs(lab, server, until):
    other = submitted(server, "echo other > result.txt")
    ended(server, until, other)
    names = {"data": server.data, "token": server.token_file, "secret": lab / "secret.txt", "other": other}
    spy = SPY
    for name, value in names.items():
        spy = spy.replace("{" + name + "}", str(value))
    job = submitted(server, spy)
    assert ended(server, until, job)[0]["exitCode"] == 0
    said = text_of(server, outputs_of(server, job)["process_output.log"])
    assert said.count("Permission denied") > 15
    assert not [line for line in said.split("\n") if line.split(" ")[0].isupper()], said
    for secret in (SECRET, server.token):
        assert secret not in said


LINKS = r"""
ln -s {secret} file-link
ln -s {lab} folder-link
mkdir real && echo mine > real/secret.txt
mkdir -p swapped && cp mesh.dat swapped/mesh.dat
rm mesh.dat && ln -s {secret} mesh.dat
rm process_output.log && ln -s {secret} process_output.log
ln {secret} hard-link
mkfifo pipe
true
"""


def test_links_that_a_run_lays_lead_nobody_to_what_is_not_the_user_s(lab, server, until):
    mesh = server.upload("mesh.dat", os.urandom(200_000))
    job = submitted(
        server,
        LINKS.replace("{secret}", str(lab / "secret.txt")).replace("{lab}", str(lab)) + "sleep 3",
        inputs=[mesh],
        job={"outputReading": {"seconds": 60, "variables": [{"name": "S", "kind": "regex", "file": "file-link", "regex": "(.*)", "take": "last"}]}},
    )  # fmt: skip
    until(lambda: server.get(f"jobs/{job}/runs/1/")["dateStarted"])
    until((server.data / "jobs" / job / "run1/pipe").exists)
    server.call("POST", f"jobs/{job}/runs/1/snapshot/")
    for name in ("file-link", "folder-link/secret.txt", "mesh.dat", "process_output.log"):
        status, body, _ = server.call("GET", f"jobs/{job}/runs/1/tail/{name}")
        assert SECRET.encode() not in body, (name, status)
    server.call("POST", f"jobs/{job}/runs/1/stop/")
    (run,) = ended(server, until, job)
    assert SECRET not in json.dumps(run)
    found = outputs_of(server, job)
    (server.data / "jobs" / job / "run1/real").rename(server.data / "jobs" / job / "run1/moved")
    (server.data / "jobs" / job / "run1/real").symlink_to(lab)
    for output in found.values():
        status, body, _ = server.call("GET", f"files/{output['id']}/contents/")
        assert SECRET.encode() not in body, output
    assert server.call("GET", f"files/{found['real/secret.txt']['id']}/contents/")[0] == 404
    assert server.call("GET", f"files/{found['real/secret.txt']['id']}/lines/")[0] == 404
    server.call("DELETE", f"files/{found['real/secret.txt']['id']}/")
    assert (lab / "secret.txt").read_text() == SECRET
    assert (lab / "secret.txt").stat().st_mode & 0o777 == 0o600
    assert server.call("DELETE", f"jobs/{job}/")[0] == 204


def test_a_killed_executor_s_runs_begin_anew_and_none_is_lost(lab, until):
    server = Served(lab / "data", "--run-as", USER)
    table = server.upload("table.csv", b"x\n" + b"".join(b"%d\n" % each for each in range(12)))
    template = server.upload("x.template", b"${x}")
    job = submitted(
        server,
        "sleep 0.3; cat x.txt >> result.txt; id -un >> result.txt",
        templateTasks=[{"templateFile": {"id": template["id"]}, "processedFilename": "x.txt"}],
        job={"paramFile": {"id": table["id"]}},
    )
    until(lambda: [run for run in server.get(f"jobs/{job}/runs/")["results"] if run["dateCompleted"]])
    server.kill()
    server = Served(lab / "data")  # it is kept with the data
    try:
        runs = ended(server, until, job)
        assert [run["exitCode"] for run in runs] == [0] * 12
        for run in range(1, 13):
            assert text_of(server, outputs_of(server, job, run)["result.txt"]) == f"{run - 1}{USER}\n"
    finally:
        server.end()
    assert oct((lab / "data/jobs" / job).stat().st_mode & 0o777) == oct(0o700)


def refused(*words, before=(), **more):
    answer = subprocess.run(
        [*before, sys.executable, "-m", "doe_compiler", "serve", "--port", "0", *map(str, words)],
        capture_output=True, text=True, check=False, timeout=60, **more,
    )  # fmt: skip
    return answer.returncode, answer.stderr


def test_users_that_cannot_be_meant_are_refused(lab, tmp_path):
    (lab / "home").mkdir()
    where = {"cwd": lab, "env": {**os.environ, "HOME": str(lab / "home")}}
    data = lab / "data"
    assert refused("--data", data, "--run-as", "nobody-at-all", **where)[0] == 64
    assert "root" in refused("--data", data, "--run-as", "root", **where)[1]
    assert "Slurm" in refused("--data", data, "--run-as", USER, "--executor", "slurm", **where)[1]
    code, said = refused("--data", tmp_path / "data", "--run-as", USER, **where)
    assert code == 4
    assert "chmod o+x" in said
    assert list(tmp_path.iterdir()) == [], "nothing is half made"
    (lab / "home").chmod(0o777)
    code, said = refused("--data", lab / "home/data", "--run-as", "daemon", before=as_nobody(), **where)
    assert code == 64
    assert "only root" in said
    assert list((lab / "home").iterdir()) == []


@pytest.fixture
def sleeping(lab):
    """A process of root's whose directory is closed to others: `/proc/PID/cwd` is a way into it that has no rights to pass."""
    closed = lab / "closed" / "project"
    closed.mkdir(parents=True)
    (lab / "closed").chmod(0o700)
    (closed / "notes.txt").write_text(SECRET)
    with subprocess.Popen(["sleep", "600"], cwd=closed) as process:
        yield process
        process.kill()


def test_magic_links_lead_nobody_to_what_is_not_the_user_s(server, sleeping, until):
    """Root may pass `/proc/PID/cwd`, also with the file system rights of another user."""
    job = submitted(
        server,
        f"mkdir d; echo mine > d/notes.txt; touch ready; while [ ! -e d/go ]; do sleep 0.05; done; "
        f"mv d d0; ln -s /proc/{sleeping.pid}/cwd d; touch swapped; sleep 60",
    )
    directory = server.data / "jobs" / job / "run1"
    until((directory / "ready").exists)
    assert server.call("POST", f"jobs/{job}/runs/1/snapshot/")[0] == 202
    notes = outputs_of(server, job)["d/notes.txt"]
    assert text_of(server, notes) == "mine\n"
    (directory / "d" / "go").touch()
    until((directory / "swapped").exists)
    for address in (
        f"files/{notes['id']}/contents/",
        f"files/{notes['id']}/lines/",
        f"jobs/{job}/runs/1/tail/d/notes.txt",
    ):
        assert server.call("GET", address)[0] == 404, address
    assert "d/notes.txt" not in {
        each["path"] for each in server.get(f"jobs/{job}/runs/1/directory-contents/")
    }
    server.call("POST", f"jobs/{job}/runs/1/snapshot/")
    assert "d/notes.txt" not in outputs_of(server, job)
    server.call("POST", f"jobs/{job}/stop/")
    ended(server, until, job)
    for output in outputs_of(server, job).values():
        assert text_of(server, output) in ("mine\n", "")
        assert server.call("DELETE", f"files/{output['id']}/")[0] == 204
    assert (Path(f"/proc/{sleeping.pid}/cwd") / "notes.txt").read_text() == SECRET


INTRUDER = """
for each in /proc/[0-9]*/cwd; do
  case $(readlink $each) in {victim}) cd $each && ln result.txt {mine}/linked && break ;; esac
done
touch {mine}/inside
while ! [ -e {mine}/over ]; do sleep 0.05; done
cat result.txt; cat {mine}/linked
echo FORGED > result.txt; echo FORGED > {mine}/linked
touch made; mv result.txt moved; ls
true
"""


def test_a_run_that_is_in_another_job_s_directory_is_shut_out_at_its_end(server, until):
    victim = submitted(
        server,
        "echo victim-secret > result.txt; while ! [ -e /tmp/over-$RESCALE_JOB_ID ]; do sleep 0.05; done",
    )
    theirs = server.data / "jobs" / victim / "run1"
    until((theirs / "result.txt").exists)
    job = submitted(server, "pwd > here; while ! [ -e script ]; do sleep 0.05; done; . ./script")
    mine = server.data / "jobs" / job / "run1"
    until((mine / "here").exists)
    (mine / "new").write_text(INTRUDER.replace("{victim}", str(theirs)).replace("{mine}", str(mine)))
    (mine / "new").chmod(0o644)
    (mine / "new").rename(mine / "script")
    until((mine / "inside").exists)
    assert (mine / "linked").exists(), "it was inside while the other ran"
    over = Path(f"/tmp/over-{victim}")
    over.touch()
    try:
        ended(server, until, victim)
    finally:
        over.unlink()
    (mine / "over").touch()
    ended(server, until, job)
    said = text_of(server, outputs_of(server, job)["process_output.log"])
    assert said.count("Permission denied") >= 6, said
    assert "victim-secret" not in said
    assert text_of(server, outputs_of(server, victim)["result.txt"]) == "victim-secret\n"
    assert sorted(each.name for each in theirs.iterdir()) == ["process_output.log", "result.txt"]
