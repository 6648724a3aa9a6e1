"""A job that doe has made comes back as a study of the same recipe and rows, whatever the study used."""

import json

import pytest

from doe_compiler.bundle.mark import read_mark
from doe_compiler.pipeline.compiling import checked_spec, compiled

PRE = "    preProcess: {script: pre.sh, command: 'sh pre.sh > pre.log'}"
POST = "    postProcess: {script: post.sh, command: '. ./post.sh'}"
SECOND = """  - analysis: {{code: user_included, version: "2"}}
    command: '{command}'
    hardware: {{coreType: standard-plus}}
    templates: [{{source: second.template, target: second.txt}}]
{more}"""
ODD = "['CH4:1, O2:2', \"it's\", plain]"
STUDIES = {
    "cases": {"deck": "${x} ${k}\n", "rest": "job: {caseFile: cases.csv}"},
    "cases with texts": {"deck": "${x} ${t}\n", "rest": "job: {caseFile: odd.csv}"},
    "x bits": {"analysis": "    inputFiles: [tool, {path: data.bin, decompress: false}]"},
    "shell": {"command": "'./tool $x ${x} > y.txt'", "analysis": "    inputFiles: [tool]\n    envVars: {A: '$x:$PATH', B: '$$5', C: plain}"},
    "texts": {"variables": f"  x: {{levels: {ODD}}}", "design": "{}"},
    "texts in the shell": {"variables": f"  x: {{levels: {ODD}}}", "design": "{}", "command": "'echo \"$x\" > y.txt'"},
    "texts and scripts": {"variables": f"  x: {{levels: {ODD}}}", "design": "{}", "analysis": f"{PRE}\n{POST}"},
    "time-out": {"analysis": "    runTimeout: 90s"},
    "time-out and shell": {"analysis": "    runTimeout: 90s\n    envVars: {A: '$x'}", "command": "'echo $x $A > y.txt'"},
    "literals": {"deck": "$${HOME} ${x} $${doe} {x} $ $$ \n"},
    "scripts": {"analysis": f"{PRE}\n{POST}", "responses": "  y: {file: y.txt, regex: '(\\S+)'}\n  p: {}"},
    "two analyses": {"analysis": SECOND.format(command="cat y.txt", more="    runTimeout: 5s")},
    "two analyses with all": {
        "variables": f"  x: {{levels: {ODD}}}", "design": "{}",
        "analysis": f"    inputFiles: [tool]\n    runTimeout: 7s\n{PRE}\n" + SECOND.format(command='echo "$x" $A', more=f"    envVars: {{A: '${{x}}'}}\n{PRE}\n{POST}"),
    },
    "texts of the second only": {
        "variables": f"  x: {{levels: [1, 2]}}\n  t: {{levels: {ODD}}}", "design": "{}",
        "analysis": SECOND.format(command='echo "$t"', more=""),
    },
    "replicates": {"design": "{method: monte-carlo, runs: 4, replicates: 3}"},
    "formats": {"variables": "  x: {generator: Uniform, min: 0, max: 1, format: '0.000'}"},
    "large numbers": {"variables": "  x: {levels: [9007199254740993, 12345678901234567890]}", "design": "{}"},
    "command responses": {"responses": "  y: {command: \"printf '%s' 1\"}\n  z: {file: a.json, json: 'a[0].b'}\n  w: {file: a.csv, csv: 'a b', take: mean}"},
    "mpi and raw": {"analysis": "    useMpi: true\n    raw: {flags: {igCv: true}}"},
    "job": {"rest": "job: {isLowPriority: true, isTemplateDryRun: true, resourceFilters: [{a: 1}], raw: {projectId: p}}"},
    "roles": {"variables": "  x: {levels: [1, 2], role: design}", "design": "{}"},
}  # fmt: skip


@pytest.fixture
def study(study_at):
    def write(name):
        path = study_at(**STUDIES[name])
        folder = path.parent
        for script in ("tool", "pre.sh", "post.sh"):
            (folder / script).write_text("#!/bin/sh\ntrue\n" if script == "tool" else "true\n")
        (folder / "tool").chmod(0o755)
        (folder / "data.bin").write_bytes(b"\0\1\2")
        (folder / "cases.csv").write_text("k\ncoarse\nfine\n")
        (folder / "odd.csv").write_text('t\n"a, b"\nc\n')
        (folder / "second.template").write_text("${x} again\n")
        return path

    return write


def recipe_and_rows(workshop, job):
    mark = read_mark(workshop.client.job(job).name)
    return mark.recipe, mark.rows


@pytest.mark.parametrize("plain", [False, True], ids=["others", "ours"])
@pytest.mark.parametrize("name", STUDIES)
def test_a_study_comes_back_with_its_recipe_and_its_rows(workshop, study, name, plain):
    path = study(name)
    (job,) = workshop.made(path, plain=plain)
    written = workshop.there_and_back(job, plain=plain)
    (again,) = workshop.made(written.study, plain=plain)
    assert recipe_and_rows(workshop, again) == recipe_and_rows(workshop, job)
    assert not [file for file in written.files if "doe_" in file]
    first, second = (checked_spec(each)[0] for each in (path, written.study))
    for one, other in zip(first.analyses, second.analyses, strict=True):
        assert (other.command, other.run_timeout_s) == (one.command, one.run_timeout_s)


@pytest.mark.parametrize("name", STUDIES)
def test_importing_twice_writes_the_same_study(workshop, study, name):
    (job,) = workshop.made(study(name), plain=False)
    written = [workshop.imported(job, folder) for folder in ("one", "two")]
    texts = [each.study.read_text() for each in written]
    assert texts[0] == texts[1]
    assert written[0].files == written[1].files


@pytest.mark.parametrize("name", STUDIES)
def test_what_is_sent_is_json_that_is_read_back_the_same(study, name):
    bundle, _ = compiled(study(name))
    for job in bundle.jobs():
        payload = job.payload(bundle, name="n", parameters=None)
        assert json.loads(json.dumps(payload)) == payload
