"""From the body of a create to a stored job, and back to what the API shows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from doe_compiler.generators.laws import Law
from doe_compiler.generators.wire_settings import SettingsError, law_from_wire
from doe_compiler.platform import catalogue
from doe_compiler.platform.blobs import blob_path, stored_blob
from doe_compiler.platform.forms import Invalid
from doe_compiler.platform.jobform import INPUT_TYPES, job_form, variables_of_table
from doe_compiler.platform.records import DataFolder, Job, StoredFile, iso_date, now_us
from doe_compiler.platform.store import Store, new_id
from doe_compiler.platform.tables import TableError, indexed_table, table_text

ShownFile = Callable[[dict[str, Any] | None], dict[str, Any] | None]


def created_job(store: Store, folder: DataFolder, sent: object) -> Job:
    """Check what was sent and store it as a draft; raises Invalid with the body of the 400."""
    files: dict[str, StoredFile] = {}

    def known_file(file_id: str) -> StoredFile | None:
        if file_id not in files:
            files.update(store.files_by_id([file_id]))
        return files.get(file_id)

    form = job_form(known_file)(sent)
    assert isinstance(form, dict)
    job_id = new_id(6)
    table = _table_of(store, folder, form, files, job_id)
    body = orjson.dumps(form).decode()
    names = orjson.dumps(
        [catalogue.analysis_name(each["analysis"]["code"]) for each in form["jobanalyses"]]
    ).decode()
    storage = sum(file.size for file in files.values())
    expected = table[1] if table else 1
    while not store.add_job(
        job_id, form["name"], body, names, table[0] if table else None, expected, storage, now_us()
    ):
        job_id = new_id(6)
    job = store.job(job_id)
    assert job is not None
    return job


def _table_of(
    store: Store, folder: DataFolder, form: dict[str, Any], files: Mapping[str, StoredFile], job_id: str
) -> tuple[str, int] | None:
    """The content id of the job's parameter table and its number of rows; None for a job without one."""
    if form["paramFile"] is not None:
        sha512 = files[form["paramFile"]["id"]].sha512
        try:
            names, count = _indexed(store, folder, sha512)
        except TableError as error:
            raise Invalid({"paramFile": [str(error)]}) from None
        form["jobvariables"] = variables_of_table(names, form["jobvariables"])
        return sha512, count
    laws = _laws(form["jobvariables"])
    if not laws:
        return None
    from doe_compiler.generators.platform_sampling import platform_rows

    try:
        rows: Iterator[Sequence[str]] = platform_rows(laws, form["monteCarloIterations"] or 1, job_id)
        blob = stored_blob(folder.blobs, table_text([name for name, _ in laws], rows))
    except ValueError as error:
        raise Invalid({"jobvariables": [str(error)]}) from None
    return blob.sha512, _indexed(store, folder, blob.sha512)[1]


def _indexed(store: Store, folder: DataFolder, sha512: str) -> tuple[tuple[str, ...], int]:
    index = store.table(sha512)
    if index is None:
        index = indexed_table(blob_path(folder.blobs, sha512))
        store.add_table(sha512, index)
    return index.names, index.count


def _laws(variables: Sequence[Mapping[str, Any]]) -> list[tuple[str, Law]]:
    """The laws of the generators, in display order; raises Invalid with the positions kept."""
    errors: list[object] = []
    laws: list[tuple[int, str, Law]] = []
    seen: set[str] = set()
    for variable in variables:
        problem: dict[str, object] = {}
        if variable["name"] in seen:
            problem = {"name": ["Two variables have this name."]}
        elif variable["valueGeneratorType"]:
            try:
                law = law_from_wire(variable["valueGeneratorType"], variable["valueGeneratorSettings"])
                laws.append((variable["displayOrder"], variable["name"], law))
            except SettingsError as error:
                fields = {key or "non_field_errors": [text] for key, text in error.fields.items()}
                problem = {"valueGeneratorSettings": fields}
        elif variable["variableType"] in INPUT_TYPES:
            problem = {"valueGeneratorType": ["This field is required."]}
        seen.add(variable["name"])
        errors.append(problem)
    if any(errors):
        raise Invalid({"jobvariables": errors})
    return [(name, law) for _, name, law in sorted(laws, key=lambda each: each[0])]


def file_json(file: StoredFile, owner: str, user: str, base: str) -> dict[str, object]:
    """An upload as the API shows it."""
    return {
        "id": file.id,
        "name": file.name,
        "relativePath": file.name,
        "path": f"user/user_{user}/{file.name}-{file.sha512[:32]}",
        "typeId": file.type_id,
        "decryptedSize": file.size,
        "md5": file.md5,
        "fileChecksums": [{"hashFunction": "sha512", "fileHash": file.sha512}],
        "dateUploaded": iso_date(file.uploaded_us),
        "downloadUrl": f"{base}files/{file.id}/contents/",
        "encodedEncryptionKey": "",
        "isUploaded": True,
        "isDeleted": False,
        "owner": owner,
        "sharedWith": [],
        "viewInBrowser": False,
    }


def job_json(store: Store, job: Job, owner: str, user: str, base: str) -> dict[str, object]:
    """A whole job as the API shows it, its files in full."""
    form = orjson.loads(job.body)
    ids = _referenced_files(form)
    found = store.files_by_id(ids)

    def shown(reference: dict[str, Any] | None) -> dict[str, Any] | None:
        if reference is None or reference["id"] not in found:
            return reference
        extra = {key: value for key, value in reference.items() if key != "id"}
        return {**file_json(found[reference["id"]], owner, user, base), **extra}

    return {
        **form,
        "id": job.id,
        "name": job.name,
        "owner": owner,
        "dateInserted": iso_date(job.inserted_us),
        "expectedRuns": job.expected_runs,
        "paramFile": shown(form["paramFile"]),
        "caseFile": shown(form["caseFile"]),
        "jobanalyses": [_analysis_json(each, shown) for each in form["jobanalyses"]],
    }


def _analysis_json(analysis: dict[str, Any], shown: ShownFile) -> dict[str, object]:
    software, hardware = analysis["analysis"], analysis["hardware"]
    code, version = software["code"], software["version"]
    return {
        **analysis,
        "analysis": {
            "code": code,
            "name": catalogue.analysis_name(code),
            "version": version,
            "versionName": catalogue.version_name(code, version),
        },
        "hardware": {
            **hardware,
            "coreSummary": catalogue.core_summary(
                hardware["coreType"], hardware["coresPerSlot"] * hardware["slots"]
            ),
        },
        "inputFiles": [shown(each) for each in analysis["inputFiles"]],
        "templateTasks": [
            {**task, "templateFile": shown(task["templateFile"])} for task in analysis["templateTasks"]
        ],
        "preProcessScript": shown(analysis["preProcessScript"]),
        "postProcessScript": shown(analysis["postProcessScript"]),
    }


def _referenced_files(form: Mapping[str, Any]) -> set[str]:
    references = [form["paramFile"], form["caseFile"]]
    for analysis in form["jobanalyses"]:
        references += analysis["inputFiles"]
        references += [task["templateFile"] for task in analysis["templateTasks"]]
        references += [analysis["preProcessScript"], analysis["postProcessScript"]]
    return {reference["id"] for reference in references if reference is not None}


def job_item_json(job: Job, owner: str) -> dict[str, object]:
    """A job as the list shows it."""
    return {
        "analysisNames": orjson.loads(job.analysis_names),
        "clusterStatusDisplay": {"content": job.cluster_status, "labelClass": "", "useLabel": False},
        "dateInserted": iso_date(job.inserted_us),
        "id": job.id,
        "isVisible": True,
        "jobStatus": {"content": job.status, "labelClass": "", "useLabel": False},
        "name": job.name,
        "owner": owner,
        "sharedWith": [],
        "storage": job.storage,
    }
