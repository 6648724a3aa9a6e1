"""The published OpenAPI document: it is valid, complete, and true of what a real server answers."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from doe_compiler.platform.api.endpoints.table import TABLE

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
JOB = {
    "name": "n",
    "jobanalyses": [
        {
            "analysis": {"code": "user_included"},
            "command": "echo 1 > out",
            "hardware": {"coreType": "emerald", "coresPerSlot": 1},
        }
    ],
}


@pytest.fixture
def cloud(serving):
    found = serving()
    session = requests.Session()
    session.headers["Authorization"] = f"Token {found['RESCALE_API_KEY']}"
    yield found["RESCALE_API_URL"], found["RESCALE_API_KEY"], session
    session.close()


def test_every_address_and_method_is_in_the_document(cloud):
    url, _, session = cloud
    document = session.get(f"{url}openapi.json").json()
    methods = {
        (path, method)
        for path, item in document["paths"].items()
        for method in item
        if method != "parameters"
    }
    assert len(methods) == sum(map(len, TABLE.values()))
    assert requests.get(f"{url}openapi.json").status_code == 401
    identifiers = [
        operation["operationId"]
        for item in document["paths"].values()
        for key, operation in item.items()
        if key != "parameters"
    ]
    assert len(identifiers) == len(set(identifiers))


def test_the_condition_of_a_delete_is_in_the_document(cloud):
    url, _, session = cloud
    delete = session.get(f"{url}openapi.json").json()["paths"]["/jobs/{job_id}/"]["delete"]
    assert [(each["in"], each["name"]) for each in delete["parameters"]] == [("header", "If-Match")]
    assert "412" in delete["responses"]


def test_schemathesis_finds_nothing(cloud, tmp_path, until):
    """Also with ids that exist, so that more is reached than the 404."""
    url, key, session = cloud
    document = session.get(f"{url}openapi.json").json()
    jobs = [session.post(f"{url}jobs/", json=JOB).json()["id"] for _ in range(6)]
    for job in jobs[:4]:
        assert session.post(f"{url}jobs/{job}/submit/").status_code == 200
    until(lambda: session.get(f"{url}jobs/", params={"state": "complete"}).json()["count"] == 4)
    files = [
        session.post(f"{url}files/contents/", files={"file": ("a", b"1")}).json()["id"] for _ in range(6)
    ]
    output = session.get(f"{url}jobs/{jobs[0]}/files/").json()["results"][0]["id"]
    tag = session.post(f"{url}jobs/{jobs[0]}/tags/", json={"name": "wing"}).json()["id"]
    known = {
        "job_id": [*jobs, "none"],
        "file_id": [*files, output, "none"],
        "run_number": ["1", "2"],
        "path": ["out"],
        "tag_id": [tag, "none"],
    }
    for item in document["paths"].values():
        for parameter in item.get("parameters", []):
            parameter["schema"] = {"type": "string", "enum": known[parameter["name"]]}
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    done = subprocess.run(
        [
            Path(sys.executable).parent / "schemathesis", "run", "openapi.json", "--url", url.rstrip("/"),
            "-H", f"Authorization: Token {key}", "--checks", CHECKS, "--phases", "examples,coverage,fuzzing",
            "--max-examples", "5", "--seed", "7", "--workers", "1", "--no-color",
            "--generation-database", "none",
        ],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=400,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:]
