"""Programs that were not written for this project: curl as the reference has it, and scripts with requests."""

import json
import re
import shutil
import subprocess
import time

import pytest
import requests

pytestmark = pytest.mark.skipif(
    shutil.which("curl") is None, reason="curl is not installed: apt-get install curl"
)

HELLO = """
{
    "name": "Example Job",
    "jobanalyses": [
        {
            "analysis": {
                "code": "user_included",
                "version": "0"
            },
            "command": "echo \\"Hello world\\"",
            "hardware": {
                "coreType": "standard-plus",
                "coresPerSlot": 1
            }
        }
    ]
}
"""
LISTED = {
    "analysisNames", "clusterStatusDisplay", "dateInserted", "id", "isVisible", "jobStatus", "name", "owner",
    "sharedWith", "storage",
}  # fmt: skip
WHOLE = {
    "archiveFilters", "caseFile", "expectedRuns", "id", "includeNominalRun", "isLowPriority", "isTemplateDryRun",
    "jobanalyses", "jobvariables", "monteCarloIterations", "name", "optimizer", "owner", "paramFile",
    "remoteVizConfig", "resourceFilters",
}  # fmt: skip
ANALYSIS = {
    "analysis", "command", "envVars", "flags", "hardware", "inputFiles", "postProcessScript",
    "postProcessScriptCommand", "preProcessScript", "preProcessScriptCommand", "templateTasks",
    "useRescaleLicense",
}  # fmt: skip
FILE = {
    "dateUploaded", "decryptedSize", "downloadUrl", "encodedEncryptionKey", "id", "isDeleted", "isUploaded",
    "md5", "name", "owner", "path", "relativePath", "sharedWith", "typeId", "viewInBrowser",
}  # fmt: skip
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


@pytest.fixture
def cloud(serving):
    found = serving()
    return found["RESCALE_API_URL"], found["RESCALE_API_KEY"]


@pytest.fixture
def curl(cloud):
    """Runs curl as the reference's examples do; gives the status and the JSON or the text."""
    url, key = cloud

    def run(path, *arguments, token=key, header="Authorization: Token {}"):
        done = subprocess.run(
            ["curl", "-s", "-w", "\n%{http_code}", "-H", header.format(token), *arguments, url + path],
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        body, _, status = done.stdout.rpartition("\n")
        return int(status), json.loads(body) if body[:1] in ("{", "[") else body

    return run


JSON = ("-H", "Content-Type: application/json")


def reached(curl, job, history, status):
    for _ in range(600):
        listed = curl(f"jobs/{job}/{history}/")[1]["results"]
        if listed and listed[0]["status"] == status:
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def test_every_example_of_the_reference(curl):
    status, job = curl("jobs/", *JSON, "-d", HELLO)
    assert status == 201
    assert set(job) >= WHOLE
    assert set(job["jobanalyses"][0]) >= ANALYSIS
    assert job["jobanalyses"][0]["analysis"] == {
        "code": "user_included", "name": "Custom User-Defined Software", "version": "0", "versionName": "",
    }  # fmt: skip
    assert job["jobanalyses"][0]["hardware"] == {
        "coreSummary": {"memoryPerNode": 3750, "numberOfNodes": 1.0, "storagePerNode": 4000},
        "coreType": "standard-plus", "coresPerSlot": 1, "slots": 1, "walltime": None,
    }  # fmt: skip
    name = job["id"]
    status, listed = curl("jobs/")
    assert (status, listed["count"], listed["next"], listed["previous"]) == (200, 1, None, None)
    assert set(listed["results"][0]) == LISTED | {"statusReason", "runsCompleted", "runsFailed"}
    assert listed["results"][0]["jobStatus"] == {"content": "", "labelClass": "", "useLabel": False}
    assert set(curl(f"jobs/{name}/")[1]) >= WHOLE
    status, renamed = curl(f"jobs/{name}/", *JSON, "-X", "PATCH", "-d", '\n{\n    "name": "Jobster"\n}\n')
    assert (status, renamed["id"], renamed["isLowPriority"], renamed["name"]) == (200, name, False, "Jobster")
    share = '{"email": "support@rescale.com", "message": "This job is not converging as quickly as expected"}'
    assert curl(f"jobs/{name}/share/", *JSON, "-X", "POST", "-d", share) == (
        200, {"recipient": "support@rescale.com", "supportDesk": None},
    )  # fmt: skip
    assert curl(f"jobs/{name}/statuses/")[1]["results"] == []
    assert curl(f"jobs/{name}/submit/", "-X", "POST") == (200, "")
    reached(curl, name, "cluster_statuses", "Stopped")
    statuses = curl(f"jobs/{name}/statuses/")[1]
    assert [each["status"] for each in statuses["results"]] == [
        "Completed", "Executing", "Validated", "Started", "Queued", "Pending",
    ]  # fmt: skip
    assert statuses["results"][0]["statusReason"] == "Completed successfully"
    assert all(DATE.fullmatch(each["statusDate"]) for each in statuses["results"])
    assert [each["status"] for each in curl(f"jobs/{name}/cluster_statuses/")[1]["results"]] == [
        "Stopped", "Stopping", "Stop Requested", "Started", "Starting", "Not Started",
    ]  # fmt: skip
    files = curl(f"jobs/{name}/files/?search=output&page=1&page_size=10")[1]
    assert [each["name"] for each in files["results"]] == ["process_output.log"]
    assert set(files["results"][0]) >= FILE
    assert files["results"][0]["path"].endswith(f"/output/job_{name}/run1/process_output.log")
    assert curl(f"files/{files['results'][0]['id']}/contents/")[1] == "Hello world\n"
    assert curl(f"jobs/{name}/stop/", *JSON, "-X", "POST") == (202, "")
    assert curl(f"jobs/{name}/", *JSON, "-X", "DELETE") == (204, "")
    assert curl(f"jobs/{name}/") == (404, {"detail": "Not found."})


def test_a_running_job_is_not_deleted_and_can_be_stopped(curl):
    _, job = curl("jobs/", *JSON, "-d", HELLO.replace('echo \\"Hello world\\"', "sleep 60"))
    assert curl(f"jobs/{job['id']}/submit/", "-X", "POST")[0] == 200
    assert curl(f"jobs/{job['id']}/submit/", "-X", "POST")[0] == 400
    assert curl(f"jobs/{job['id']}/", "-X", "DELETE")[0] == 400
    reached(curl, job["id"], "statuses", "Executing")
    assert curl(f"jobs/{job['id']}/stop/", "-X", "POST") == (202, "")
    reached(curl, job["id"], "cluster_statuses", "Stopped")
    assert "Stopping" in [each["status"] for each in curl(f"jobs/{job['id']}/statuses/")[1]["results"]]


@pytest.mark.parametrize(
    "path", ["jobs", "coretypes?page=1", "jobs/?page_size=1848", "../v3/jobs/", "users/me"]
)
def test_addresses_as_clients_spell_them(curl, path):
    assert curl(path, "--path-as-is" if ".." not in path else "-s")[0] == 200


def test_the_shape_of_refusals(curl):
    assert curl("jobs/", header="X-None: {}") == (
        401,
        {"detail": "Authentication credentials were not provided."},
    )
    assert curl("jobs/", token="x") == (401, {"detail": "Invalid token."})
    assert curl("nothing/") == (404, {"detail": "Not found."})
    assert curl("jobs/", "-X", "PUT") == (405, {"detail": 'Method "PUT" not allowed.'})
    assert curl("jobs/", "-d", "a=b")[0] == 415
    wrong = {
        "jobanalyses": [
            {
                "analysis": {"code": "x"},
                "command": "c",
                "hardware": {"coreType": "emerald", "coresPerSlot": "x"},
            }
        ]
    }
    assert curl("jobs/", *JSON, "-d", json.dumps(wrong)) == (
        400,
        {
            "name": ["This field is required."],
            "jobanalyses": [{"hardware": {"coresPerSlot": ["A valid integer is required."]}}],
        },
    )
    assert curl("jobs/", *JSON, "-d", "[" * 10_000)[0] == 400
    assert curl("jobs/a%2Fb/")[0] == curl("jobs/a%00b/")[0] == 404


def test_a_script_that_uploads_runs_polls_and_downloads(cloud, tmp_path):
    url, key = cloud
    headers = {"Authorization": f"Token {key}"}
    sent = {}
    for name, content, kind in (
        ("deck.txt", b"x = ${x}\ny = ${y?string(\"0.00\")}\n", 2), ("p.csv", b"x, y\n1, 0.125\n2, 2.5\n", None),
    ):  # fmt: skip
        extra = {"data": {"typeId": kind}} if kind else {}
        files = {"file": (name, content)}
        response = requests.put(f"{url}files/contents", headers=headers, files=files, timeout=30, **extra)
        assert response.status_code == 201
        sent[name] = response.json()["id"]
    job = requests.post(
        f"{url}jobs/",
        headers=headers,
        json={
            "name": "script",
            "unknown": {"deep": [1]},
            "id": "read-only",
            "owner": "nobody",
            "paramFile": {"id": sent["p.csv"], "name": "p.csv"},
            "jobvariables": [],
            "jobanalyses": [
                {
                    "analysis": {"code": "user_included", "version": "0"},
                    "command": "cp deck.in result.txt",
                    "hardware": {
                        "coreType": {"code": "emerald"},
                        "coresPerSlot": "1",
                        "slots": "2",
                        "walltime": "1",
                    },
                    "templateTasks": [
                        {"processedFilename": "deck.in", "templateFile": {"id": sent["deck.txt"]}}
                    ],
                    "postProcessScriptCommand": "printf 'out\\t3.5\\n'",
                }
            ],
        },
        timeout=30,
    ).json()
    assert job["expectedRuns"] == 2
    assert [(each["name"], each["valueGeneratorType"]) for each in job["jobvariables"]] == [
        ("x", ""),
        ("y", ""),
    ]
    submitted = requests.post(f"{url}jobs/{job['id']}/submit/", headers=headers, timeout=30)
    assert (submitted.status_code, submitted.content) == (200, b"")
    give_up = time.monotonic() + 60
    while True:
        statuses = requests.get(f"{url}jobs/{job['id']}/statuses", headers=headers, timeout=30).json()[
            "results"
        ]
        if "Completed" in [each["status"] for each in statuses]:
            break
        assert time.monotonic() < give_up
        time.sleep(0.1)
    page, names = f"{url}jobs/{job['id']}/files/?page_size=1", []
    while page:
        body = requests.get(page, headers=headers, timeout=30).json()
        names += [each["relativePath"] for each in body["results"]]
        page = body["next"]
    assert sorted(names) == sorted(["deck.in", "process_output.log", "result.txt"] * 2)
    runs = requests.get(f"{url}jobs/{job['id']}/runs/", headers=headers, timeout=30).json()["results"]
    assert [[each["displayValue"] for each in run["variables"]] for run in runs] == [
        ["1", "0.125", "3.5"], ["2", "2.5", "3.5"],
    ]  # fmt: skip
    files = requests.get(
        f"{url}jobs/{job['id']}/runs/1/files/?search=result", headers=headers, timeout=30
    ).json()
    with requests.get(
        files["results"][0]["downloadUrl"], headers=headers, stream=True, timeout=30
    ) as response:
        assert b"".join(response.iter_content(7)) == b"x = 1\ny = 0.12\n"
    part = requests.get(
        files["results"][0]["downloadUrl"], headers={**headers, "Range": "bytes=4-"}, timeout=30
    )
    assert (part.status_code, part.content) == (206, b"1\ny = 0.12\n")
