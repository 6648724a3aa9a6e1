"""Every endpoint of the reference: what it answers, for whom, and what it refuses."""

import hashlib
import json
import time

import pytest

from doe_compiler.kernel.wire import Request
from doe_compiler.platform.api.endpoints.table import TABLE
from doe_compiler.platform.api.service import open_platform, open_platform_for_reading
from doe_compiler.platform.store.database import login_name

OWNER, OTHER = "a" * 40, "b" * 40


def names(listed):
    return [each["name"] for each in listed["results"]]


def test_a_list_of_jobs_is_filtered_searched_and_ordered(api):
    draft = api.create(api.analysis("true"), name="beta")
    done, _ = api.ran(api.analysis("true"), name="alpha")

    def listed(**query):
        return [job["id"] for job in api.get("jobs/", **query)["results"]]

    assert listed() == [done, draft]
    assert listed(ordering="dateInserted") == [draft, done]
    assert listed(ordering="name") == [done, draft]
    assert listed(ordering="-name") == [draft, done]
    assert listed(state="draft") == [draft]
    assert listed(state="completed") == [done]
    assert listed(state="active") == []
    assert listed(state="not_completed") == [draft]
    for word in ("Completed", "completed", "COMPLETED"):
        assert listed(job_status=word) == [done]
    assert listed(job_status="Executing") == listed(job_status="FORCE_STOP") == []
    assert listed(search="ALPH") == [done]
    for query in (
        {"state": "gone"}, {"ordering": "colour"}, {"state": "-draft"}, {"job_status": "done"}, {"t": "7"},
    ):  # fmt: skip
        status, body, _ = api.call("GET", "jobs/", query=list(query.items()))
        assert (status, list(body)) == (400, list(query))
    assert "Waiting for Queue" in api.call("GET", "jobs/", query=[("job_status", "done")])[1]["job_status"][0]


def test_a_list_of_active_jobs_leaves_drafts_and_ended_ones_out(api, until, tmp_path):
    api.create(api.analysis("true"))
    api.ran(api.analysis("true"))
    active = api.create(api.analysis(f"while [ ! -e {tmp_path}/go ]; do sleep 0.01; done"))
    api.submit(active)
    assert [job["id"] for job in api.get("jobs/", t=1)["results"]] == [active]
    assert api.get("jobs/", t=1, state="completed")["count"] == 0
    assert api.get("jobs/", state="not_completed")["count"] == 2
    (tmp_path / "go").touch()
    api.finished(active)
    assert api.get("jobs/", t=1)["count"] == 0


def test_the_entries_of_a_history_have_distinct_times_in_their_order(api):
    done, _ = api.ran(api.analysis("true"))
    waiting = api.create(api.analysis("true"))
    api.submit(waiting)
    api.call("POST", f"jobs/{waiting}/stop/")
    for job in (done, waiting):
        for history in ("statuses", "cluster_statuses"):
            dates = [each["statusDate"] for each in api.get(f"jobs/{job}/{history}/")["results"]]
            assert len(dates) >= 3
            assert dates == sorted(set(dates), reverse=True), (history, dates)


def test_a_draft_is_changed_by_put_and_patch(api):
    job = api.create(api.analysis("true"), name="first", isLowPriority=True)
    status, body, _ = api.call("PATCH", f"jobs/{job}", {"name": "Jobster"})
    assert (status, body["id"], body["name"], body["isLowPriority"]) == (200, job, "Jobster", True)
    status, body, _ = api.call(
        "PUT", f"jobs/{job}/", {"name": "other", "jobanalyses": [api.analysis("false")]}
    )
    assert (status, body["isLowPriority"]) == (200, False)
    assert body["jobanalyses"][0]["command"] == "false"
    table = {"paramFile": {"id": api.upload("p.csv", b"x\n1\n2\n")["id"]}}
    assert api.call("PATCH", f"jobs/{job}/", table)[1]["expectedRuns"] == 2
    assert api.call("PATCH", f"jobs/{job}/", {"paramFile": None})[1]["expectedRuns"] == 1
    status, body, _ = api.call("PUT", f"jobs/{job}/", {"name": "x"})
    assert (status, body) == (400, {"jobanalyses": ["This field is required."]})
    assert api.get(f"jobs/{job}/")["name"] == "other"


def test_what_get_gives_can_be_posted_back_as_a_clone(api):
    job = api.create(api.analysis("true", inputs=[("a", b"1")]), table="x\n1\n2\n", name="first")
    status, clone, _ = api.call("POST", "jobs/", api.get(f"jobs/{job}/"))
    assert status == 201
    assert clone["id"] != job
    same = ("name", "jobanalyses", "jobvariables", "expectedRuns", "paramFile")
    assert {key: clone[key] for key in same} == {key: api.get(f"jobs/{job}/")[key] for key in same}


def test_a_submitted_job_is_only_renamed(api):
    job, _ = api.ran(api.analysis("true"))
    for method, change in (
        ("PATCH", {"name": "new", "isLowPriority": True, "jobanalyses": "nonsense"}),
        ("PUT", {"name": "newer", "jobanalyses": [api.analysis("false")]}),
    ):
        status, body, _ = api.call(method, f"jobs/{job}/", change)
        assert (status, body["name"], body["isLowPriority"]) == (200, change["name"], False)
        assert body["jobanalyses"][0]["command"] == "true"
    assert api.call("PATCH", f"jobs/{job}/", {"name": ""})[:2] == (
        400, {"name": ["This field may not be blank."]},
    )  # fmt: skip


def test_the_nominal_run_comes_first(api):
    def first(variables, **more):
        job, _ = api.ran(
            api.analysis("cat n", templates=[("n", b"${x} ${y}")]),
            jobvariables=variables, includeNominalRun=True, **more,
        )  # fmt: skip
        runs = api.runs(job)
        return len(runs), api.content(job, "n", 1).decode()

    uniform = {
        "name": "x", "variableType": "Param", "displayOrder": 0, "valueGeneratorType": "Uniform",
        "valueGeneratorSettings": {"minvalue": 1, "maxvalue": 3},
    }  # fmt: skip
    steps = {
        "name": "y", "variableType": "Design", "displayOrder": 1, "variableGeneratorType": "FixedRange",
        "valueGeneratorSettings": {"minvalue": 1, "maxvalue": 10, "increment": 1},
    }  # fmt: skip
    assert first([uniform, steps]) == (11, "2 5")
    given = {**steps, "valueGeneratorSettings": {**steps["valueGeneratorSettings"], "nominal": 7.5}}
    assert first([uniform, given], monteCarloIterations=2) == (21, "2 7.5")
    columns = [
        {"name": name, "variableType": "Param", "valueGeneratorSettings": {"nominal": value}}
        for name, value in (("y", "a b"), ("x", 4))
    ]
    assert first(columns, table="x,y\n1,2\n") == (2, "4 a b")
    status, body, _ = api.call(
        "POST", "jobs/", {"name": "n", "jobanalyses": [api.analysis("true")], "includeNominalRun": True,
                          "paramFile": {"id": api.upload("p.csv", b"x\n1\n")["id"]}},
    )  # fmt: skip
    assert (status, list(body)) == (400, ["includeNominalRun"])


def test_every_case_is_run_with_every_row(api):
    cases = {"id": api.upload("c.csv", b"mesh,model\ncoarse,a\nfine,b\n")["id"]}
    analysis = api.analysis("true", templates=[("n", b"${mesh} ${model} ${x}")])
    job, _ = api.ran(analysis, table="x\n1\n2\n", caseFile=cases)
    assert [api.content(job, "n", run).decode() for run in (1, 2, 3, 4)] == [
        "coarse a 1", "coarse a 2", "fine b 1", "fine b 2",
    ]  # fmt: skip
    variables = api.get(f"jobs/{job}/")["jobvariables"]
    assert [(each["name"], each["variableType"]) for each in variables] == [
        ("mesh", "Case"), ("model", "Case"), ("x", "Param"),
    ]  # fmt: skip
    alone = api.create(api.analysis("true"), caseFile=cases)
    assert api.get(f"jobs/{alone}/")["expectedRuns"] == 2
    body = {"name": "n", "jobanalyses": [api.analysis("true")], "caseFile": cases, "paramFile": cases}
    assert api.call("POST", "jobs/", body)[1] == {"caseFile": ['"mesh" is a parameter, too.']}


@pytest.mark.parametrize(
    ("rules", "left"),
    [
        ([], {"deck", "in.txt", "out.txt", "big.tmp", "d/big.tmp"}),
        ([{"action": "drop", "pattern": "*.tmp"}], {"deck", "in.txt", "out.txt"}),
        ([{"action": "drop", "pattern": "d/*"}], {"deck", "in.txt", "out.txt", "big.tmp"}),
        ([{"action": "keep", "source": "analysis"}], {"out.txt", "big.tmp", "d/big.tmp"}),
        ([{"pattern": "out.*"}, {"action": "drop"}], {"out.txt"}),
        ([{"action": "drop", "source": "template"}, {"action": "drop", "source": "input"}],
         {"out.txt", "big.tmp", "d/big.tmp"}),
        ([{"fileType": "of another service"}], {"deck", "in.txt", "out.txt", "big.tmp", "d/big.tmp"}),
    ],
)  # fmt: skip
def test_resource_filters_say_which_outputs_are_kept(api, rules, left):
    command = "mkdir d; echo 1 > d/big.tmp; cp d/big.tmp .; echo 2 > out.txt"
    analysis = api.analysis(command, inputs=[("in.txt", b"i")], templates=[("deck", b"t")])
    job, _ = api.ran(analysis, resourceFilters=rules)
    assert set(api.outputs(job)) == left | {"process_output.log"}
    home = api.data / "jobs" / job / "run1"
    assert {path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()} == set(
        api.outputs(job)
    )


def test_one_run_is_stopped_and_the_others_go_on(api, until):
    job = api.create(api.analysis("[ $(cat n) = 2 ] || sleep 60", templates=[("n", b"${n}")], slots=2),
                     table="n\n1\n2\n3\n")  # fmt: skip
    api.submit(job)
    until(lambda: api.ended_runs(job) == {2})
    until(lambda: api.get(f"jobs/{job}/runs/3/")["dateStarted"])
    assert api.call("POST", f"jobs/{job}/runs/2/stop/")[0] == 400
    for run in (1, 3):
        status, body, _ = api.call("POST", f"jobs/{job}/runs/{run}/stop/")
        assert (status, body["id"]) == (202, str(run))
    assert api.finished(job) == "A run failed"
    assert [run["exitCode"] for run in api.runs(job)] == [143, 0, 143]
    assert b"stopped by the user" in api.content(job, "process_output.log", 1)


def test_a_run_that_waits_and_is_stopped_never_starts(api, until, tmp_path):
    job = api.create(api.analysis(f"echo $(cat n) >> {tmp_path}/ran; while [ ! -e {tmp_path}/go ]; do sleep 0.01; done",
                                  templates=[("n", b"${n}")]), table="n\n1\n2\n3\n4\n5\n6\n")  # fmt: skip
    api.submit(job)
    until((tmp_path / "ran").exists)
    assert api.call("POST", f"jobs/{job}/runs/5/stop/")[0] == 202
    (tmp_path / "go").touch()
    assert api.finished(job) == "A run failed"
    assert "5" not in (tmp_path / "ran").read_text().split()
    assert [run["id"] for run in api.runs(job) if run["exitCode"]] == ["5"]


def test_a_look_into_a_running_run(api, until, tmp_path):
    command = (
        f"mkdir d; seq 200 > d/log; ln -s /etc/passwd l; mkfifo p; touch ready;"
        f" while [ ! -e {tmp_path}/go ]; do sleep 0.01; done; rm -r d"
    )
    job = api.create(api.analysis(command))
    api.submit(job)
    run = f"jobs/{job}/runs/1/"
    until(lambda: api.ended(job) or "ready" in [each["name"] for each in api.entries(run)])
    entries = {each["path"]: each for each in api.get(f"{run}directory-contents/")}
    assert entries["d/log"] == {"name": "log", "path": "d/log", "size": 692, "isDirectory": False}
    assert entries["d"]["isDirectory"]
    assert "l" not in entries
    assert api.get(f"{run}tail/d/log", lines=2) == {"lines": ["199\n", "200\n"]}
    assert len(api.get(f"{run}tail/d/log/")["lines"]) == 100
    for path in ("l", "p", "d", "nothing", "../../../platform.sqlite", "..", "%2e%2e"):
        assert api.call("GET", f"{run}tail/{path}")[0] == 404, path
    assert api.call("GET", f"{run}tail/d/log", query=[("lines", "x")])[0] == 400
    status, body, _ = api.call("POST", f"{run}snapshot/")
    assert (status, body["id"]) == (202, "1")
    assert body["outputFileCount"] == len(api.outputs(job))
    assert "d/log" in api.outputs(job)
    assert api.content(job, "d/log").startswith(b"1\n2\n")
    (tmp_path / "go").touch()
    api.finished(job)
    assert "d/log" not in api.outputs(job)
    assert api.call("POST", f"{run}snapshot/")[0] == 400


def test_files_are_renamed_read_by_lines_and_deleted(api):
    file = api.upload("a.txt", b"one\ntwo\r\nthree")
    path = f"files/{file['id']}/"
    assert api.get(f"{path}lines/") == {"lines": ["one\n", "two\r\n", "three"]}
    status, body, _ = api.call("PATCH", path, {"name": "b.txt", "typeId": "2", "md5": "ignored"})
    assert (status, body["name"], body["typeId"], body["md5"]) == (200, "b.txt", 2, file["md5"])
    assert api.call("PATCH", path, {"name": "../b"})[:2] == (400, {"name": ["Not a name of a file."]})
    assert api.call("DELETE", path)[:2] == (204, b"")
    assert api.call("GET", path)[0] == 404
    used = api.upload("u", b"1")["id"]
    job = api.create({**api.analysis("true"), "inputFiles": [{"id": used}]})
    assert api.call("DELETE", f"files/{used}/")[0] == 400
    api.submit(job)
    api.finished(job)
    assert api.call("DELETE", f"files/{used}/")[0] == 204


def test_an_output_is_deleted_from_the_list_and_the_disk(api):
    job, _ = api.ran(api.analysis("echo 1 > out; echo 2 > out2"))
    output = api.outputs(job)["out"]
    assert api.call("DELETE", f"files/{output['id']}/")[0] == 204
    assert "out" not in api.outputs(job)
    assert not (api.data / "jobs" / job / "run1" / "out").exists()
    assert api.content(job, "out2") == b"2\n"


def test_an_output_of_one_job_is_an_input_of_the_next(api):
    command = (
        "echo model > mesh; printf 'x = ${x}' > deck.t; printf 'x\\n7\\n8\\n' > p.csv; echo 'echo ran' > s.sh"
    )
    first, _ = api.ran(api.analysis(f"mkdir d; cd d; {command}"))
    ids = {name.rpartition("/")[2]: file["id"] for name, file in api.outputs(first).items()}
    body = {
        **api.analysis("cat mesh deck"),
        "inputFiles": [{"id": ids["mesh"]}],
        "templateTasks": [{"processedFilename": "deck", "templateFile": {"id": ids["deck.t"]}}],
        "preProcessScript": {"id": ids["s.sh"]},
        "preProcessScriptCommand": "sh s.sh",
    }
    job = api.create(body, paramFile={"id": ids["p.csv"]})
    shown = api.get(f"jobs/{job}/")
    assert shown["expectedRuns"] == 2
    assert sums(shown["jobanalyses"][0]["inputFiles"][0]) == sha512(b"model\n")
    assert api.call("DELETE", f"files/{ids['mesh']}/")[0] == 204
    assert api.call("DELETE", f"files/{ids['mesh']}/")[0] == 400
    api.submit(job)
    assert api.call("DELETE", f"jobs/{first}/")[0] == 204
    assert api.finished(job) == "Completed successfully"
    assert [api.content(job, "process_output.log", run) for run in (1, 2)] == [
        b"ran\nmodel\nx = 7", b"ran\nmodel\nx = 8",
    ]  # fmt: skip
    clone = api.call("POST", "jobs/", api.get(f"jobs/{job}/"))[1]["id"]
    api.submit(clone)
    assert api.finished(clone) == "Completed successfully"
    assert ids["mesh"] not in [each["id"] for each in api.get("files/", page_size=100)["results"]]
    assert api.call("GET", f"files/{ids['mesh']}/contents/")[1] == b"model\n"
    assert api.call("DELETE", f"files/{ids['mesh']}/")[0] == 204
    assert api.call("GET", f"files/{ids['mesh']}/")[0] == 404


def test_an_output_of_a_run_that_goes_on_or_is_gone_is_no_input(api, until, tmp_path):
    job = api.create(api.analysis(f"echo 1 > out; while [ ! -e {tmp_path}/go ]; do sleep 0.01; done"))
    api.submit(job)
    until(lambda: api.ended(job) or "out" in [each["name"] for each in api.entries(f"jobs/{job}/runs/1/")])
    assert api.call("POST", f"jobs/{job}/runs/1/snapshot/")[0] == 202
    output = api.outputs(job)["out"]["id"]
    body = {"name": "n", "jobanalyses": [{**api.analysis("true"), "inputFiles": [{"id": output}]}]}
    status, told, _ = api.call("POST", "jobs/", body)
    assert (status, told["jobanalyses"][0]["inputFiles"][0]["id"]) == (
        400, [f"{output} is an output of a run that has not ended; wait for its end, or stop it."],
    )  # fmt: skip
    (tmp_path / "go").touch()
    api.finished(job)
    place = api.data / "jobs" / job / "run1" / "out"
    place.unlink()
    for make in (lambda: None, place.mkdir):
        make()
        assert api.call("GET", f"files/{output}/contents/")[0] == 404
        status, told, _ = api.call("POST", "jobs/", body)
        assert (status, told["jobanalyses"][0]["inputFiles"][0]) == (
            400, {"id": [f'Invalid pk "{output}" - object does not exist.']},
        )  # fmt: skip


def sums(file):
    return [(each["hashFunction"], each["fileHash"]) for each in file["fileChecksums"]]


def sha512(content):
    return [("sha512", hashlib.sha512(content).hexdigest())]


def test_files_and_outputs_have_their_sha512(api):
    assert sums(api.upload("a", b"1")) == sha512(b"1")
    job, _ = api.ran(api.analysis("echo 1 > out; head -c 3000000 /dev/zero > big; : > empty"))
    listed = api.outputs(job)
    assert sums(listed["out"]) == sums(api.get(f"files/{listed['out']['id']}/")) == sha512(b"1\n")
    assert sums(listed["big"]) == sha512(bytes(3_000_000))
    assert sums(listed["empty"]) == sha512(b"")


def test_a_sum_is_made_when_it_is_asked_for_and_kept(api):
    job, _ = api.ran(api.analysis("for i in $(seq 60); do echo $i > $i; done"))
    home = api.data / "jobs" / job / "run1"
    listed = api.outputs(job)
    assert len(listed) == 61
    assert not any(sums(file) for file in listed.values())
    one = f"files/{listed['1']['id']}/"
    assert sums(api.get(one)) == sha512(b"1\n")
    (home / "1").write_text("gone")
    (home / "2").write_text("another")
    (home / "3").unlink()
    (home / "3").mkdir()
    assert sums(api.get(one)) == sums(api.outputs(job)["1"]) == sha512(b"1\n")
    assert sums(api.get(f"files/{listed['2']['id']}/")) == []
    small = api.get(f"jobs/{job}/files/", page_size=50)["results"]
    assert [bool(sums(file)) for file in small] == [file["name"] not in ("2", "3") for file in small]


def test_no_list_reads_files_that_are_large_together(api):
    job, _ = api.ran(api.analysis("truncate -s 65M one"))
    listed = api.outputs(job)
    assert sums(listed["one"]) == sums(listed["process_output.log"]) == []
    assert sums(api.get(f"files/{listed['one']['id']}/")) == sha512(bytes(65 << 20))


def test_a_snapshot_of_a_changed_file_has_the_sum_of_the_new_content(api, until, tmp_path):
    job = api.create(
        api.analysis(f"echo 1 > out; while [ ! -e {tmp_path}/go ]; do sleep 0.01; done; echo 2 > out")
    )
    api.submit(job)
    run = f"jobs/{job}/runs/1/"
    until(lambda: api.ended(job) or "out" in [each["name"] for each in api.entries(run)])
    until(
        lambda: (
            api.call("POST", f"{run}snapshot/")[0] == 202 and sums(api.outputs(job)["out"]) == sha512(b"1\n")
        )
    )
    (tmp_path / "go").touch()
    api.finished(job)
    assert sums(api.outputs(job)["out"]) == sha512(b"2\n")


def test_who_only_reads_makes_sums_and_keeps_none(api):
    job, _ = api.ran(api.analysis("echo 1 > out"))
    reading = type(api)(open_platform_for_reading(api.data), api.data)
    assert sums(reading.outputs(job)["out"]) == sha512(b"1\n")
    reading.platform.close()


def test_what_is_known_beside_a_job(api):
    job = api.create(api.analysis("true"), tags=["wing", {"name": "flap"}])
    assert api.get(f"jobs/{job}/instances/")["results"] == []
    api.submit(job)
    api.finished(job)
    (instance,) = api.get(f"jobs/{job}/instances/")["results"]
    assert (instance["status"], instance["coreType"], instance["cores"]) == ("Stopped", "emerald", 1)
    assert (instance["clusterId"], instance["publicIp"], instance["sshPort"]) == (job, "127.0.0.1", 22)
    assert (instance["username"], instance["role"]) == (login_name(), "head")
    assert names(api.get(f"jobs/{job}/tags/")) == ["wing", "flap"]
    assert api.call("POST", f"jobs/{job}/tags/", {"name": "cruise"})[0] == 201
    assert names(api.get(f"jobs/{job}/tags/")) == ["wing", "flap", "cruise"]
    messages = [entry["message"] for entry in api.get(f"jobs/{job}/logs/", page_size=50)["results"]]
    assert messages[0] == "job: Pending"
    assert "job: Completed (Completed successfully)" in messages
    assert api.get("users/me/projects/")["count"] == 1
    assert set(api.get("")) >= {"jobs", "files"}


def test_a_tag_is_removed_by_its_name_or_its_id(api):
    job = api.create(api.analysis("true"), tags=["wing", {"name": "flap"}, "cruise", "slat"])
    path = f"jobs/{job}/tags/"
    ids = {each["name"]: each["id"] for each in api.get(path)["results"]}
    assert api.call("POST", path, {"name": "wing"})[:2] == (201, {"id": ids["wing"], "name": "wing"})
    assert api.call("DELETE", path, {"name": "flap"})[:2] == (204, b"")
    assert api.call("DELETE", path, {"id": ids["wing"]})[:2] == (204, b"")
    assert api.call("DELETE", f"{path}{ids['cruise']}/")[:2] == (204, b"")
    assert names(api.get(path)) == ["slat"]
    assert api.call("DELETE", path, {"name": "flap"})[0] == 404
    assert api.call("DELETE", f"{path}{ids['cruise']}/")[0] == 404
    status, body, _ = api.call("DELETE", path)
    assert (status, list(body)) == (400, ["name"])


def test_custom_fields_are_a_map(api):
    job = api.create(api.analysis("true"))
    path = f"jobs/{job}/custom-fields/"
    assert api.get(path) == {}
    assert api.call("POST", path, {"name": "n", "value": "v"})[:2] == (201, {"n": "v"})
    assert api.call("POST", path, {"project": "X", "n": 2})[:2] == (201, {"n": "2", "project": "X"})
    assert api.call("POST", path, {"project": ["X"]})[:2] == (400, {"project": ["Not a valid string."]})
    assert api.call("POST", path, {})[0] == api.call("POST", path, ["n"])[0] == 400
    assert api.get(path) == {"n": "2", "project": "X"}


def test_a_project_has_two_names_and_one_value(api):
    job = api.create(api.analysis("true"), project_id="p1")
    assert api.get(f"jobs/{job}/")["projectId"] == "p1"
    for name in ("projectId", "project_id"):
        body = api.call("PATCH", f"jobs/{job}/", {name: f"by {name}"})[1]
        assert body["projectId"] == f"by {name}"
    assert api.call("PATCH", f"jobs/{job}/", {"name": "n"})[1]["projectId"] == "by project_id"


def test_a_count_of_cores_that_is_not_offered_is_refused_with_those_that_are(api):
    body = {"name": "n", "jobanalyses": [api.analysis("true")]}
    body["jobanalyses"][0]["hardware"] = {"coreType": "onyx", "coresPerSlot": 7}
    status, told, _ = api.call("POST", "jobs/", body)
    assert (status, told) == (400, {"jobanalyses": [{"hardware": {"coresPerSlot": [
        "7 is not offered by onyx; choose from 1, 2, 4, 8, 18, 36, 72, 144, 288."
    ]}}]})  # fmt: skip


def test_a_job_without_filters_shows_those_that_keep_everything(api):
    analysis = api.analysis("echo 1 > out", inputs=[("in.txt", b"i")], templates=[("deck", b"t")])
    job, _ = api.ran(analysis)
    rules = api.get(f"jobs/{job}/")["resourceFilters"]
    assert [(each["action"], each["source"]) for each in rules] == [
        ("keep", "analysis"), ("keep", "template"), ("keep", "input"),
    ]  # fmt: skip
    clone, _ = api.ran(analysis, resourceFilters=rules)
    assert set(api.outputs(clone)) == set(api.outputs(job)) == {"out", "in.txt", "deck", "process_output.log"}
    bare = api.create(analysis, resourceFilters=[])
    assert api.get(f"jobs/{bare}/")["resourceFilters"] == []


def test_what_the_post_processing_prints_is_in_the_log_too(api):
    first = api.analysis("echo one", postProcessScriptCommand="echo noted; echo told >&2; printf 'y\\t1\\n'")
    second = api.analysis("echo two", postProcessScriptCommand="echo last; [ ! -e /proc/self/fd/3 ]")
    job, reason = api.ran(first, second)
    assert reason == "Completed successfully"
    log = api.content(job, "process_output.log").decode()
    assert log == "one\ntold\nnoted\ny\t1\ntwo\nlast\n"
    assert [(each["name"], each["displayValue"]) for each in api.runs(job)[0]["variables"]] == [("y", "1")]
    failing, _ = api.ran(api.analysis("true", postProcessScriptCommand="echo before; exit 3"))
    assert api.content(failing, "process_output.log") == (
        b"before\n[platform] The post-processing ended with status 3\n"
    )


def test_what_the_platform_offers(api):
    types = {each["code"]: each for each in api.get("coretypes/")["results"]}
    assert set(types) >= {"emerald", "onyx"}
    for each in types.values():
        assert each["processorInfo"]
        assert each["categoryCodes"]
        assert len(each["gpuCounts"]) in (0, len(each["cores"]))
    assert api.create({**api.analysis("true"), "hardware": {"coreType": "onyx", "coresPerSlot": 18}})
    prices = api.get("billing/computeprices/")
    assert {(each["coreType"], each["planType"]) for each in prices} == {
        (code, plan) for code in types for plan in ("on-demand", "low-priority")
    }
    for each in prices:
        cheap = each["planType"] == "low-priority"
        assert each["value"]["amount"] == types[each["coreType"]]["lowPriorityPrice" if cheap else "price"]
        assert (each["os"], each["isActive"]) == ("linux", True)
    me = api.get("users/me/")
    assert me["company"]["projects"] == api.get("users/me/projects/")["results"]
    assert me["workspace"]["id"]
    assert api.get("storage-devices/") == {"count": 0, "next": None, "previous": None, "results": []}


@pytest.fixture
def two(tmp_path, another):
    """The platform as its owner and as another user sees it."""
    platform = another(tmp_path / "served", token=OWNER, others={"guest@example.com": OTHER})

    def as_user(token):
        return lambda method, path, body=None: platform.call(
            method, path, body, headers={"authorization": f"Token {token}" if token else ""}
        )

    return platform, as_user


def test_every_endpoint_wants_a_token_and_hides_what_belongs_to_others(two):
    api, as_user = two
    owner = as_user(OWNER)
    api.headers = {"authorization": f"Token {OWNER}"}
    job, _ = api.ran(api.analysis("echo 1 > out", inputs=[("f", b"1")]))
    ids = {"jobs": job, "files": api.upload("f", b"1")["id"], "runs": "1", "tail": "out", "tags": "a"}
    for address, operations in TABLE.items():
        words = [ids[address[i - 1]] if "*" in word else word for i, word in enumerate(address)]
        path = "/".join(words) + "/"
        for method in operations:
            for token, detail in (
                (None, "Authentication credentials were not provided."),
                ("x", "Invalid token."),
            ):
                status, body, headers = as_user(token)(method, path)
                assert (status, body, headers["www-authenticate"]) == (401, {"detail": detail}, "Token")
            if "*" in address:
                assert as_user(OTHER)(method, path, {})[0] == 404, (method, path)
    output = owner("GET", f"jobs/{job}/files/")[1]["results"][0]["id"]
    assert as_user(OTHER)("GET", f"files/{output}/")[0] == 404
    assert as_user(OTHER)("GET", "jobs/")[1]["count"] == 0
    assert as_user(OTHER)("GET", "files/")[1]["count"] == 0


def test_a_shared_job_is_seen_and_not_touched(two):
    api, as_user = two
    api.headers = {"authorization": f"Token {OWNER}"}
    guest = as_user(OTHER)
    job, _ = api.ran(api.analysis("echo 1 > out", inputs=[("f", b"1")]))
    share = {"email": "guest@example.com", "message": "look"}
    status, body, _ = api.call("POST", f"jobs/{job}/share/", share)
    assert (status, body) == (200, {"recipient": "guest@example.com", "supportDesk": None})
    (item,) = guest("GET", "jobs/")[1]["results"]
    assert item["sharedWith"] == ["guest@example.com"]
    shown = guest("GET", f"jobs/{job}/")[1]
    assert shown["owner"].endswith("@localhost")
    assert guest("GET", f"files/{shown['jobanalyses'][0]['inputFiles'][0]['id']}/contents/")[1] == b"1"
    output = next(f for f in guest("GET", f"jobs/{job}/files/")[1]["results"] if f["name"] == "out")
    assert guest("GET", f"files/{output['id']}/contents/")[1] == b"1\n"
    for method, path in (
        ("PATCH", ""), ("PUT", ""), ("DELETE", ""), ("POST", "submit/"), ("POST", "stop/"), ("POST", "share/"),
        ("POST", "tags/"), ("POST", "runs/1/stop/"),
    ):  # fmt: skip
        assert guest(method, f"jobs/{job}/{path}", {})[0] == 403, path
    assert guest("DELETE", f"files/{output['id']}/")[0] == 403
    assert api.call("POST", f"jobs/{job}/share/", {"email": "no address"})[:2] == (
        400, {"email": ["Enter a valid email address."]},
    )  # fmt: skip


def test_an_output_of_a_shared_job_is_an_input_of_its_guest_and_of_nobody_else(two):
    api, as_user = two
    api.headers = {"authorization": f"Token {OWNER}"}
    job, _ = api.ran(api.analysis("echo 1 > out"))
    output = api.outputs(job)["out"]["id"]
    body = {"name": "n", "jobanalyses": [{**api.analysis("true"), "inputFiles": [{"id": output}]}]}
    assert as_user(OTHER)("POST", "jobs/", body)[0] == 400
    api.create(*body["jobanalyses"])
    assert as_user(OTHER)("POST", "jobs/", body)[0] == 400
    api.call("POST", f"jobs/{job}/share/", {"email": "guest@example.com"})
    assert as_user(OTHER)("POST", "jobs/", body)[0] == 201
    assert api.call("DELETE", f"jobs/{job}/")[0] == 204
    assert as_user(OTHER)("POST", "jobs/", body)[0] == 201
    assert as_user(OTHER)("GET", f"files/{output}/contents/")[1] == b"1\n"
    assert as_user(OTHER)("DELETE", f"files/{output}/")[0] == 403


def test_tokens_are_kept_as_hashes_only(two):
    api, _ = two
    content = b"".join(path.read_bytes() for path in api.data.rglob("*") if path.is_file())
    assert OWNER.encode() not in content
    assert OTHER.encode() not in content


def test_a_database_of_the_first_version_is_taken_over(tmp_path):
    import sqlite3

    from doe_compiler.platform.store.schema import STEPS

    (tmp_path / "data").mkdir()
    with sqlite3.connect(tmp_path / "data" / "platform.sqlite") as old:
        old.executescript(STEPS[0])
        old.execute("INSERT INTO meta VALUES ('user', 'abcde')")
        old.execute(
            "INSERT INTO jobs(id, name, inserted_us, body, analysis_names, state, expected_runs, storage) "
            "VALUES ('oldjob', 'n', 1, '{}', '[]', 'draft', 1, 0), "
            "('ended', 'n', 4102444800000000, '{}', '[]', 'finished', 4, 0)"
        )
        old.executemany(
            "INSERT INTO runs VALUES (2, ?, 1, ?, ?, 0, 0, '[]')",
            [(1, 2, 0), (2, 2, 7), (3, 2, 137), (4, None, 0)],
        )
        old.execute("PRAGMA user_version = 1")
    old.close()
    platform = open_platform(tmp_path / "data")
    answer = platform.answer(Request("GET", "/api/v2/jobs/"))
    rows = json.loads(b"".join(answer.body))["results"]
    assert [(row["id"], row["runsCompleted"], row["runsFailed"]) for row in rows] == [
        ("ended", 3, 2),
        ("oldjob", None, None),
    ]
    assert dict(answer.headers)["date"] == "Fri, 01 Jan 2100 00:00:00 GMT"
    platform.close()


def test_a_list_is_fast_while_a_hundred_thousand_runs_wait(api):
    table = api.upload("p.csv", b"x\n" + b"1\n" * 100_000)["id"]
    began = time.perf_counter()
    body = {"name": "many", "jobanalyses": [api.analysis("true")], "paramFile": {"id": table}}
    for _ in range(20):
        assert api.call("POST", "jobs/", body)[0] == 201
    assert api.get("jobs/")["count"] == 20
    assert time.perf_counter() - began < 20
