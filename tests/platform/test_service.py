"""The API without any run: files, drafts, lists, errors, tokens."""

import hashlib

import pytest

from doe_compiler.kernel.errors import PreconditionFailed
from doe_compiler.platform.api.service import open_platform

OPEN = ["jobs", "files", "coretypes", "analyses", "users/me"]


@pytest.mark.parametrize("path", OPEN)
@pytest.mark.parametrize("version", ["v2", "v3"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_both_versions_answer_with_and_without_slash(api, path, version, slash):
    assert api.call("GET", path + slash, version=version)[0] == 200


def test_upload_comes_back_with_its_checksums(api):
    content = bytes(range(256)) * 5000
    file = api.upload("a.bin", content)
    assert file["decryptedSize"] == len(content)
    assert file["md5"] == hashlib.md5(content).hexdigest()
    assert file["fileChecksums"][0]["fileHash"] == hashlib.sha512(content).hexdigest()
    assert api.get(f"files/{file['id']}/") == file
    status, got, headers = api.call("GET", f"files/{file['id']}/contents")
    assert (status, got, headers["content-length"]) == (200, content, str(len(content)))


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-3", 206, slice(0, 4)),
        ("bytes=5-", 206, slice(5, None)),
        ("bytes=-3", 206, slice(-3, None)),
        ("bytes=8-100", 206, slice(8, None)),
        ("bytes=-100", 206, slice(None)),
        ("lines=1-2", 200, slice(None)),
        ("bytes=3-1", 200, slice(None)),
    ],
)
def test_range_gives_that_part(api, asked, status, part):
    file = api.upload("a", b"0123456789")
    got = api.call("GET", f"files/{file['id']}/contents/", headers={"range": asked})
    assert got[:2] == (status, b"0123456789"[part])


def test_range_past_the_end_is_416_with_the_size(api):
    file = api.upload("a", b"0123456789")
    status, _, headers = api.call("GET", f"files/{file['id']}/contents/", headers={"range": "bytes=10-"})
    assert (status, headers["content-range"]) == (416, "bytes */10")


def test_files_are_listed_newest_first_and_searched_by_part_of_the_name(api):
    for name in ("first.csv", "second.csv", "third.txt"):
        api.upload(name, b"x")
    assert [file["name"] for file in api.get("files/")["results"]] == ["third.txt", "second.csv", "first.csv"]
    assert [file["name"] for file in api.get("files/", search="CSV")["results"]] == [
        "second.csv",
        "first.csv",
    ]


@pytest.mark.parametrize(
    ("sent", "stored"),
    [("../../etc/passwd", "passwd"), ("C:\\x\\a.txt", "a.txt"), ("a\x01b", "a_b"), ("ü" * 200, "ü" * 127)],
)
def test_a_file_name_is_never_a_path(api, sent, stored):
    assert api.upload(sent, b"")["name"] == stored


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("text/plain", b"x", 415),
        ("multipart/form-data", b"x", 400),
        ("multipart/form-data; boundary=B", b"", 400),
        ("multipart/form-data; boundary=B", b"garbage", 400),
        ("multipart/form-data; boundary=B", b'--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhalf', 400),
        ("multipart/form-data; boundary=B", b'--B\r\nContent-Disposition: form-data; name="other"\r\n\r\nx\r\n--B--\r\n', 400),
        ("multipart/form-data; boundary=B", b'--B\r\nContent-Disposition: form-data; name="file"; filename=".."\r\n\r\nx\r\n--B--\r\n', 400),
        ("multipart/form-data; boundary=B", b"--B\r\nX: " + b"y" * 100_000 + b"\r\n\r\nx\r\n--B--\r\n", 400),
    ],
)  # fmt: skip
def test_a_broken_upload_is_refused_and_not_listed(api, kind, body, status):
    assert api.call("POST", "files/contents/", body, headers={"content-type": kind})[0] == status
    assert api.get("files/")["count"] == 0
    assert list((api.data / "files" / "incoming").glob("*")) == []


def test_a_type_as_second_part_is_kept(api):
    body = (
        b'--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n'
        b'--B\r\nContent-Disposition: form-data; name="typeId"\r\n\r\n3\r\n--B--\r\n'
    )
    headers = {"content-type": "multipart/form-data; boundary=B"}
    assert api.call("PUT", "files/contents", body, headers=headers)[1]["typeId"] == 3


def test_a_created_job_is_a_draft_that_shows_what_was_sent(api):
    analysis = api.analysis("true", envVars={"A": 1}, onDemandLicenseSeller=None)
    analysis["hardware"] = {"coreType": {"code": "mine"}, "coresPerSlot": "3", "slots": "2", "walltime": 2}
    status, job, _ = api.call(
        "POST",
        "jobs/",
        {"name": "n", "jobanalyses": [analysis], "projectId": "p", "unknown": 1, "id": "mine"},
    )
    assert status == 201
    assert (job["name"], job["projectId"], job["expectedRuns"]) == ("n", "p", 1)
    assert job["id"] != "mine"
    shown = job["jobanalyses"][0]
    assert shown["envVars"] == {"A": "1"}
    assert shown["analysis"]["name"] == "Custom User-Defined Software"
    assert (shown["hardware"]["coreType"], shown["hardware"]["coresPerSlot"]) == ("mine", 3)
    assert api.get(f"jobs/{job['id']}") == job
    assert api.get(f"jobs/{job['id']}/statuses/")["results"] == []
    assert api.get("jobs/")["results"][0]["jobStatus"]["content"] == ""


def test_a_job_that_was_read_can_be_posted_back(api):
    job_id = api.create(api.analysis("true", inputs=[("a", b"x")]), table="x,y\n1, 2\n")
    job = api.get(f"jobs/{job_id}/")
    status, copy, _ = api.call("POST", "jobs/", job)
    assert status == 201
    assert {**copy, "id": 0, "dateInserted": 0} == {**job, "id": 0, "dateInserted": 0}


def test_variables_follow_from_the_header_of_the_parameter_file(api):
    job_id = api.create(api.analysis("true"), table="u, v\n1, 2\n3, 4\n")
    job = api.get(f"jobs/{job_id}/")
    assert [(each["name"], each["valueGeneratorType"]) for each in job["jobvariables"]] == [
        ("u", ""),
        ("v", ""),
    ]
    assert job["expectedRuns"] == 2


def test_generators_make_the_rows_on_the_platform(api):
    variables = [
        {"name": "n", "variableType": "Param", "displayOrder": 0, "valueGeneratorType": "FixedRange",
         "valueGeneratorSettings": {"minvalue": 1, "maxvalue": 3, "increment": 1}},
        {"name": "u", "variableType": "Param", "displayOrder": 1, "variableGeneratorType": "Uniform",
         "valueGeneratorSettings": {"minvalue": 0, "maxvalue": 1}},
    ]  # fmt: skip
    job, reason = api.ran(api.analysis("true"), jobvariables=variables, monteCarloIterations=2)
    assert reason == "Completed successfully"
    values = [[each["value"] for each in run["variables"]] for run in api.runs(job)]
    assert [value[0] for value in values] == [1, 1, 2, 2, 3, 3]
    assert all(0 <= value[1] < 1 for value in values)
    assert len({value[1] for value in values}) == 6


GOOD = {
    "analysis": {"code": "user_included"},
    "command": "true",
    "hardware": {"coreType": "emerald", "coresPerSlot": 1},
}


def _with(**changes):
    return {"name": "n", "jobanalyses": [{**GOOD, **changes}]}


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"name": ["This field is required."], "jobanalyses": ["This field is required."]}),
        ({"name": "", "jobanalyses": []}, {"name": ["This field may not be blank."], "jobanalyses": ["This list may not be empty."]}),
        ({"name": None, "jobanalyses": [GOOD]}, {"name": ["This field may not be null."]}),
        ({"name": "n", "jobanalyses": {}}, {"jobanalyses": ['Expected a list of items but got type "dict".']}),
        ({"name": "n", "jobanalyses": [GOOD, {**GOOD, "command": []}]}, {"jobanalyses": [{}, {"command": ["Not a valid string."]}]}),
        (_with(hardware={"coreType": "emerald", "coresPerSlot": 0}), {"jobanalyses": [{"hardware": {"coresPerSlot": ["Ensure this value is greater than or equal to 1."]}}]}),
        (_with(inputFiles=[{"id": "nope"}]), {"jobanalyses": [{"inputFiles": [{"id": ['Invalid pk "nope" - object does not exist.']}]}]}),
        ([], {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}),
    ],
)  # fmt: skip
def test_a_refused_job_says_where_it_is_wrong(api, body, errors):
    assert api.call("POST", "jobs/", body)[:2] == (400, errors)
    assert api.get("jobs/")["count"] == 0


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", "a/", ".", ""])
def test_a_template_target_stays_in_the_work_directory(api, path):
    task = {"processedFilename": path, "templateFile": {"id": api.upload("t", b"")["id"]}}
    status, errors, _ = api.call("POST", "jobs/", _with(templateTasks=[task]))
    assert status == 400
    assert "processedFilename" in errors["jobanalyses"][0]["templateTasks"][0]


def test_cores_are_checked_for_published_core_types_only(api):
    assert api.call("POST", "jobs/", _with(hardware={"coreType": "emerald", "coresPerSlot": 7}))[0] == 400
    assert api.call("POST", "jobs/", _with(hardware={"coreType": "unheard-of", "coresPerSlot": 7}))[0] == 201


@pytest.mark.parametrize(
    "table",
    [b"", b"a,b\n", b"a,a\n1,2\n", b"a,b\n1\n", b"a\n\xff\n", b"a\n\x00\n", b",b\n1,2\n", b"\x89PNG\r\n"],
)
def test_a_parameter_file_that_is_no_table_is_refused(api, table):
    status, errors, _ = api.call(
        "POST", "jobs/", {**_with(), "paramFile": {"id": api.upload("p", table)["id"]}}
    )
    assert (status, list(errors)) == (400, ["paramFile"])


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b"[" * 100_000, b'{"a":' * 100 + b"1" + b"}" * 100, b'"\\ud800"']
)
def test_malformed_json_is_a_parse_error(api, body):
    status, error, _ = api.call("POST", "jobs/", body)
    assert status == 400
    assert "detail" in error or "non_field_errors" in error


def test_a_huge_body_is_refused(api):
    assert api.call("POST", "jobs/", b" " * (33 << 20))[0] == 413


def test_a_second_submit_is_refused_and_harms_nothing(api):
    job, _ = api.ran(api.analysis("true"))
    before = api.get(f"jobs/{job}/statuses/")
    assert api.call("POST", f"jobs/{job}/submit/")[0] == 400
    assert api.get(f"jobs/{job}/statuses/") == before


def test_a_deleted_draft_is_gone(api):
    job = api.create(api.analysis("true"))
    assert api.call("DELETE", f"jobs/{job}")[:2] == (204, b"")
    for method, path in [
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "submit/"),
        ("POST", "stop/"),
        ("GET", "statuses/"),
    ]:
        assert api.call(method, f"jobs/{job}/{path}")[:2] == (404, {"detail": "Not found."})


def test_pages_cover_the_list_once_newest_first(api):
    jobs = [api.create(api.analysis("true"), name=f"job {n}") for n in range(7)]
    seen, page = [], 1
    while True:
        body = api.get("jobs/", page=page, page_size=3)
        assert body["count"] == 7
        seen += [job["id"] for job in body["results"]]
        if body["next"] is None:
            break
        assert f"page={page + 1}" in body["next"]
        page += 1
    assert seen == jobs[::-1]
    assert api.call("GET", "jobs/", query=[("page", "9")])[:2] == (404, {"detail": "Invalid page."})


def test_lists_are_filtered_by_status(api):
    draft = api.create(api.analysis("true"))
    done, _ = api.ran(api.analysis("true"))
    by = {
        each: [job["id"] for job in api.get("jobs/", **{"jobStatus.content": each})["results"]]
        for each in ("", "Completed", "Queued")
    }
    assert by == {"": [draft], "Completed": [done], "Queued": []}


@pytest.mark.parametrize(
    "path",
    ["nothing/", "jobs/x/y/", "jobs/a%2Fb/", "jobs/\x00/", "jobs/\ud800/", "files/x/", "jobs//runs/"],
)
def test_an_unknown_address_is_not_found(api, path):
    assert api.call("GET", path)[:2] == (404, {"detail": "Not found."})


def test_a_method_that_is_not_there_says_which_are(api):
    status, body, headers = api.call("PUT", "jobs/")
    assert (status, body) == (405, {"detail": 'Method "PUT" not allowed.'})
    assert headers["allow"] == "GET, POST"


@pytest.mark.parametrize(
    ("given", "detail"),
    [
        ({}, "Authentication credentials were not provided."),
        ({"authorization": "Basic abc"}, "Authentication credentials were not provided."),
        ({"authorization": "Token wrong"}, "Invalid token."),
    ],
)
@pytest.mark.parametrize("path", [*OPEN, "nothing/"])
def test_without_the_token_nothing_is_answered(api, another, given, detail, path):
    guarded = another(api.data, token="right")
    status, body, headers = guarded.call("GET", path, headers=given)
    assert (status, body, headers["www-authenticate"]) == (401, {"detail": detail}, "Token")
    assert guarded.call("GET", "jobs/", headers={"authorization": "Token right"})[0] == 200


def test_two_platforms_on_one_folder_see_the_same(api, another):
    other = another(api.data)
    job = api.create(api.analysis("true"))
    assert other.get(f"jobs/{job}/")["id"] == job
    other.submit(job)
    assert api.call("POST", f"jobs/{job}/submit/")[0] == 400
    assert api.finished(job) == "Completed successfully"
    assert other.last_status(job) == ("Completed", "Completed successfully")


@pytest.mark.parametrize("kept", [0, 20])
def test_a_damaged_database_is_told_of_in_one_line(tmp_path, kept):
    open_platform(tmp_path).close()
    database = tmp_path / "platform.sqlite"
    head = database.read_bytes()[: kept * 200]
    database.write_bytes(head + b"\xff" * 30_000)
    with pytest.raises(PreconditionFailed, match=r"platform\.sqlite is not a usable database"):
        open_platform(tmp_path)


def test_the_data_are_kept_out_of_git(api):
    assert (api.data.parent / ".gitignore").read_text() == "*\n"
