"""A study in the form for platforms of others, wrapper and generated steps and all, run for real on ours."""

import time

import pytest

from doe_compiler.apply.upload import Uploads
from doe_compiler.bundle.pack import parameter_file
from doe_compiler.bundle.payload import with_ids
from doe_compiler.client.client import Client
from doe_compiler.pipeline.compiling import compiled
from doe_compiler.platform.api.service import open_platform


@pytest.fixture
def run_on_a_cloud(tmp_path):
    """Create and submit the job of a study as it is compiled for any platform; its runs' printed variables."""
    platform = open_platform(tmp_path / "data")
    client = Client.embedded(platform.answer)

    def run(study):
        bundle, _ = compiled(study)
        (job,) = bundle.jobs()
        parameters = parameter_file(job)
        ids = Uploads(client, lambda: None).ids([*bundle.files, *job.own_files, parameters])
        payload = job.payload(bundle, name="cloud", parameters=parameters.reference)
        job_id = client.create_job(with_ids(payload, ids)).id
        client.submit(job_id)
        platform.ensure_executor(detached=False)
        give_up = time.monotonic() + 60
        while not (statuses := client.statuses(job_id)) or statuses[0].status != "Completed":
            assert time.monotonic() < give_up
            time.sleep(0.05)
        return [{v.name: v.display_value for v in one.variables} for one in client.all_runs(job_id)]

    yield run
    platform.close()


ANALYSIS = """\
    inputFiles: [tool, data]
    runTimeout: 1m
    envVars: {A: "v${c}", PATH: "$PWD:$PATH"}
    preProcess: {script: pre.sh, command: sh pre.sh}
    postProcess: {script: post.sh, command: sh post.sh "$mix"}
"""


def test_all_that_goes_around_a_run_works_without_our_platform_s_help(run_on_a_cloud, study_at):
    study = study_at(
        variables="  x: {levels: [1, 2]}\n  mix: {levels: ['CH4:1, O2:2', \"it's\"]}\n"
        "  c: {value: 2.567, format: '0.0'}",
        design="{}",
        command='"tool $x > y.txt; ./data; rm -f doe_*.sh *.template"',
        deck="x ${x} mix ${mix} c ${c}\n",
        analysis=ANALYSIS,
        responses="  y: {file: y.txt, regex: 'y=(\\S+)'}\n  d: {file: deck.txt, regex: 'mix (.*) c'}\n"
        "  p: {}\n  k: {command: 'echo $c'}",
    )
    (study.parent / "tool").write_text('#!/bin/sh\necho "y=$1$A"; cat pre.txt\n')
    (study.parent / "data").write_text("true\n")
    for name in ("tool", "data"):
        (study.parent / name).chmod(0o755)
    (study.parent / "pre.sh").write_text('echo "pre $x" > pre.txt\n')
    (study.parent / "post.sh").write_text('printf "p\\t%s\\n" "$1|$mix|$x"\n')
    rows = run_on_a_cloud(study)
    assert [(row["x"], row["y"], row["d"], row["p"], row["k"], row["doe_exit"]) for row in rows] == [
        (x, f"{x}v2.6", mix, f"{mix}|{mix}|{x}", "2.6", "0")
        for x in ("1", "2")
        for mix in ("CH4:1, O2:2", "it's")
    ]


def test_a_failure_leaves_its_exit_code_and_a_time_out_its_mark(run_on_a_cloud, study_at, tmp_path):
    run_on_a_cloud(study_at(command='"exit 3"'))
    assert {path.read_text() for path in tmp_path.rglob("run*/doe_exit.txt")} == {"3\n"}
    run_on_a_cloud(study_at("late", command='"sleep 30"', analysis="    runTimeout: 1s"))
    assert len(list(tmp_path.rglob("run*/doe_timeout.txt"))) == 5


def test_an_input_that_a_run_has_not_written_is_no_result(run_on_a_cloud, study_at):
    study = study_at(
        variables="  x: {levels: [1, 2, 3]}",
        design="{}",
        deck="${x}",
        # As OpenFOAM's runApplication: where there is a log, nothing is run.
        command='"sh case/run.sh; [ $(cat deck.txt) = 3 ] || rm -f case/log; sh case/run.sh"',
        analysis="    inputFiles: [case]\n    preProcess: {script: pre.sh, command: sh pre.sh}",
        responses="  y: {file: case/log, regex: 'y = (\\S+)'}\n  z: {file: ./made.txt, regex: '(\\d)'}",
    )
    case = study.parent / "case"
    case.mkdir()
    (case / "log").write_text("y = 500\n")
    (case / "run.sh").write_text("[ -f case/log ] || echo y = $(cat deck.txt) > case/log\n")
    (study.parent / "pre.sh").write_text("echo 7 > made.txt\n")
    rows = run_on_a_cloud(study)
    assert [(row.get("y"), row["z"]) for row in rows] == [("1", "7"), ("2", "7"), (None, "7")]
    assert "an input that the run has not written" in rows[2]["doe_reading"]
