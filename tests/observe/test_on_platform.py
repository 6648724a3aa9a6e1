"""What is read from the jobs of a real platform: rows, what became of them, and what changed since."""

import itertools
import json
import tarfile
import time

import pytest

from doe_compiler.apply.upload import Uploads
from doe_compiler.bundle.mark import RECIPE_DIGITS, Mark, marked_name, nonce_of
from doe_compiler.bundle.observation import Phase
from doe_compiler.bundle.payload import with_ids
from doe_compiler.bundle.wanted import wanted_of
from doe_compiler.client.client import Client
from doe_compiler.kernel.errors import TryAgain
from doe_compiler.kernel.wire import Response
from doe_compiler.observe.drafts import differences
from doe_compiler.observe.known import KnownJobs
from doe_compiler.observe.listing import copies, marked_jobs, of_recipe, study_jobs
from doe_compiler.observe.looking import held_keys, subject_of
from doe_compiler.observe.recipes import recipe_changes
from doe_compiler.observe.rows import job_keys
from doe_compiler.pipeline.compiling import compiled
from doe_compiler.platform.api.service import open_platform

_NONCES = itertools.count()


def drafted(client, study, rows=None):
    """The drafts of a study's rows (all, or those at some indices), as apply would create them."""
    bundle, _ = compiled(study)
    wanted = wanted_of(bundle)
    ids = Uploads(client, lambda: None).ids(wanted.files)
    made = []
    for pack in wanted.packs(range(len(wanted.keys)) if rows is None else rows):
        ready = wanted.job(pack)
        files = ids | Uploads(client, lambda: None).ids(ready.files)
        nonce = nonce_of(time.time(), next(_NONCES))
        mark = Mark(wanted.study, wanted.recipe[:RECIPE_DIGITS], ready.rows, ready.unit, 0, nonce)
        payload = {**with_ids(ready.payload, files), "name": marked_name(ready.title, mark)}
        made.append(client.create_job(payload).id)
    return wanted, made


LEVELS = {"variables": "  x: {levels: [1, 2, 3, 4]}", "design": "{}"}


def test_jobs_are_told_by_their_marks_oldest_first(client, study_at):
    _, (first,) = drafted(client, study_at())
    wanted, (second,) = drafted(client, study_at(command='"true"'))
    drafted(client, study_at("other", name="other"))
    jobs = study_jobs(client, "adder")
    assert [job.id for job in jobs] == [first, second]
    assert [job.id for job in of_recipe(jobs, wanted.recipe)] == [second]
    assert set(marked_jobs(client)) == {"adder", "other"}
    assert all(job.phase is Phase.DRAFT for job in jobs)


def test_a_job_with_the_nonce_of_an_earlier_one_is_a_clone(client, study_at):
    _, (first,) = drafted(client, study_at())
    copied = client.job(first)
    clone = client.create_job({**dict(copied.raw), "name": copied.name}).id
    assert copies(study_jobs(client, "adder")) == {clone}


@pytest.mark.parametrize("rows", [[0, 1, 2, 3], [1, 2], [0, 3], [3, 0]])
def test_the_rows_of_a_job_are_known_in_their_order(client, study_at, rows):
    wanted, _ = drafted(client, study_at(**LEVELS), rows)
    (job,) = study_jobs(client, "adder")
    found = held_keys(client, subject_of(wanted), job, KnownJobs())
    assert found.tolist() == wanted.keys[rows].tolist()


def test_what_was_read_once_is_not_read_again(client, study_at):
    wanted, (job_id,) = drafted(client, study_at(**LEVELS), [0, 3])
    (job,) = study_jobs(client, "adder")
    kept = {}
    first = held_keys(client, subject_of(wanted), job, KnownJobs(kept))
    client.delete(job_id)
    again = held_keys(client, subject_of(wanted), job, KnownJobs(kept))
    assert again.tolist() == first.tolist()


def test_rows_with_texts_that_travel_by_name_are_those_of_the_design(client, study_at):
    study = study_at(variables="  x: {levels: ['a, b', \"it's\", c]}", design="{}")
    wanted, (job_id,) = drafted(client, study, [2, 0])
    found = job_keys(client, client.job(job_id), wanted.varied, wanted.texts)
    assert found.tolist() == wanted.keys[[2, 0]].tolist()


def test_rows_of_runs_and_cases_are_their_product(client, study_at):
    study = study_at(**LEVELS, rest="job: {caseFile: cases.csv}", deck="${x} ${k}\n")
    (study.parent / "cases.csv").write_text('k\n"a, b"\nc\n')
    wanted, (job_id,) = drafted(client, study)
    job = client.job(job_id)
    assert job.case_file is not None
    assert job_keys(client, job, wanted.varied, wanted.texts).tolist() == wanted.keys.tolist()


def test_replicates_are_rows_of_their_own(client, study_at):
    wanted, (job_id,) = drafted(client, study_at(variables="  x: {levels: [1, 2]}", design="{replicates: 3}"))
    found = job_keys(client, client.job(job_id), wanted.varied)
    assert found.tolist() == wanted.keys.tolist()
    assert len(set(found.tolist())) == 6


def test_a_table_that_comes_garbled_again_and_again_is_not_believed(tmp_path, study_at):
    platform = open_platform(tmp_path / "data")

    def proxied(request):
        answer = platform.answer(request)
        if "/contents/" in request.path and request.method == "GET":
            page = b"<html>please log in</html>"
            return Response(200, (("content-length", str(len(page))),), (page,))
        return answer

    plain, client = Client.embedded(platform.answer), Client.embedded(proxied)
    wanted, (job_id,) = drafted(plain, study_at(**LEVELS), [0, 3])
    with pytest.raises(TryAgain, match="garbled"):
        job_keys(client, client.job(job_id), wanted.varied)
    platform.close()


def changes(client, before, after):
    _, (job_id,) = drafted(client, before)
    wanted = wanted_of(compiled(after)[0])
    return recipe_changes(client, client.job(job_id), wanted)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({"command": "./a"}, {"command": "./b"}, "command './a' is now './b'"),
        ({"deck": "${x}\na\n"}, {"deck": "${x}\nb\n"}, "template deck.txt: line 2: 'a' is now 'b'"),
        ({}, {"analysis": "    useMpi: true"}, "useMpi is new: 'True'"),
        ({"analysis": "    envVars: {N: 1}"}, {}, "environment variable N is gone: it was '1'"),
    ],
    ids=["command", "template", "flag", "environment"],
)
def test_what_changed_is_told_from_the_older_job(client, study_at, before, after, told):
    assert changes(client, study_at("one", **before), study_at("two", **after)) == (told,)


def test_lines_of_long_commands_scripts_and_inputs_are_told(client, study_at):
    analysis = "    inputFiles: [solve.py]\n    preProcess: {script: pre.sh, command: sh pre.sh}"

    def study(folder, number):
        made = study_at(folder, command=f'"true {"x" * 200}\\nfalse {number}"', analysis=analysis)
        (made.parent / "solve.py").write_text(f"a = 1\nb = {number}\n")
        (made.parent / "pre.sh").write_text(f"echo {number}\n")
        return made

    assert changes(client, study("one", 1), study("two", 2)) == (
        "command: line 2: 'false 1' is now 'false 2'",
        "input solve.py: line 2: 'b = 1' is now 'b = 2'",
        "script of preProcess: line 1: 'echo 1' is now 'echo 2'",
    )


def test_members_of_folders_and_archives_that_changed_are_told(client, study_at):
    def study(folder, number):
        made = study_at(folder, analysis="    inputFiles: [case, mesh.tar]")
        (made.parent / "case").mkdir()
        (made.parent / "case" / "same").write_text("same")
        (made.parent / "case" / "U").write_text(f"{number}")
        (made.parent / "case" / f"only{number}").write_text("")
        (made.parent / "case" / "run").write_text("")
        (made.parent / "case" / "run").chmod(0o755 if number == 1 else 0o644)
        with tarfile.open(made.parent / "mesh.tar", "w") as archive:
            archive.add(made.parent / "case" / "U", "U")
        return made

    assert changes(client, study("one", 1), study("two", 2)) == (
        "input case.tar: case/U has changed; case/only1 is gone; case/only2 is new; "
        "case/run has another execute bit",
        "input mesh.tar: U has changed",
    )


def test_a_command_with_named_columns_is_compared_as_the_study_says_it(client, study_at):
    assert changes(
        client,
        study_at("one", command=f'"echo $x {"x" * 200}\\n./a"', analysis="    runTimeout: 1m"),
        study_at("two", command=f'"echo $x {"x" * 200}\\n./b"', analysis="    runTimeout: 1m"),
    ) == ("command: line 2: './a' is now './b'",)


def test_a_job_without_its_parts_tells_nothing(client, study_at):
    _, (job_id,) = drafted(client, study_at())
    job = client.job(job_id)
    form = json.loads(json.dumps(dict(job.raw)))
    form["jobanalyses"][0]["envVars"].pop("DOE_PARTS")
    other = client.create_job({**form, "name": "other"}).id
    wanted = wanted_of(compiled(study_at(command='"true"'))[0])
    assert recipe_changes(client, client.job(other), wanted) == ()


def test_a_draft_is_as_the_study_has_it_until_somebody_edits_it(client, study_at):
    wanted, (job_id,) = drafted(client, study_at())
    ready = wanted.job(range(5))
    names = {file.reference: (file.name, file.size) for file in [*wanted.files, *ready.files]}
    assert differences(client.job(job_id).raw, ready.payload, names) == ()
    form = json.loads(json.dumps(dict(client.job(job_id).raw)))
    form["jobanalyses"][0]["command"] = "false"
    form["jobanalyses"][0]["hardware"]["slots"] = 9
    assert differences(form, ready.payload, names) == (
        "jobanalyses[0].command",
        "jobanalyses[0].hardware.slots",
    )
