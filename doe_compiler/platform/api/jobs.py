"""From the body of a create or a change to a stored job, and back to what the API shows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from doe_compiler.platform.api import catalogue
from doe_compiler.platform.api.answers import detail
from doe_compiler.platform.api.jobform import job_form
from doe_compiler.platform.api.jobtable import table_of_job
from doe_compiler.platform.api.runs import checksums_json
from doe_compiler.platform.api.usable import usable_file
from doe_compiler.platform.store.blobs import in_use
from doe_compiler.platform.store.database import User, new_id
from doe_compiler.platform.store.form import form_of
from doe_compiler.platform.store.records import DataFolder, Job, StoredFile, iso_date, now_us
from doe_compiler.platform.store.states import JobState
from doe_compiler.platform.store.store import Store
from doe_compiler.platform.store.view import View

ShownFile = Callable[[dict[str, Any] | None], dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Draft:
    """What is stored of a job: its form and what follows from it."""

    name: str
    body: str
    analysis_names: str
    table_sha512: str | None
    expected_runs: int
    storage: int


def _checked(store: Store, folder: DataFolder, viewer: User, sent: object, job_id: str) -> Draft:
    """Read what was sent; raises Invalid with the body of the 400."""
    files: dict[str, StoredFile] = {}

    def known_file(file_id: str) -> StoredFile | None:
        if file_id not in files:
            found = usable_file(store, folder, viewer, file_id)
            if found is not None:
                files[file_id] = found
        return files.get(file_id)

    form = job_form(known_file)(sent)
    assert isinstance(form, dict)
    table = table_of_job(store, folder, form, files, job_id)
    names = [catalogue.analysis_name(each["analysis"]["code"]) for each in form["jobanalyses"]]
    return Draft(
        name=form["name"],
        body=orjson.dumps(form).decode(),
        analysis_names=orjson.dumps(names).decode(),
        table_sha512=table[0] if table else None,
        expected_runs=table[1] if table else 1,
        storage=sum(file.size for file in files.values()),
    )


def created_job(store: Store, folder: DataFolder, viewer: User, sent: object) -> Job:
    """Check what was sent and store it as a draft; raises Invalid with the body of the 400."""
    with in_use(folder.blobs):
        return _created(store, folder, viewer, sent)


def _created(store: Store, folder: DataFolder, viewer: User, sent: object) -> Job:
    job_id = new_id(6)
    draft = _checked(store, folder, viewer, sent, job_id)
    while not store.add_job(
        job_id,
        viewer.id,
        draft.name,
        draft.body,
        draft.analysis_names,
        draft.table_sha512,
        draft.expected_runs,
        draft.storage,
        now_us,
    ):
        job_id = new_id(6)
    return _reread(store, job_id)


def changed_job(store: Store, folder: DataFolder, viewer: User, job: Job, sent: Mapping[str, object]) -> Job:
    """Change a draft; of a job that was submitted only the name. Raises Invalid, and Refusal if it is gone."""
    with in_use(folder.blobs):
        return _changed(store, folder, viewer, job, sent)


def _changed(store: Store, folder: DataFolder, viewer: User, job: Job, sent: Mapping[str, object]) -> Job:
    draft = _checked(store, folder, viewer, sent, job.id)
    is_changed = store.change_draft(
        job.key,
        draft.name,
        draft.body,
        draft.analysis_names,
        draft.table_sha512,
        draft.expected_runs,
        draft.storage,
    )
    if not is_changed:
        store.rename(job.key, draft.name)
    return _reread(store, job.id)


def _reread(store: Store, job_id: str) -> Job:
    job = store.job(job_id)
    if job is None:
        raise detail(404, "Not found.")
    return job


def sent_again(job: Job) -> dict[str, Any]:
    """The form of a stored job, as a change may send it back."""
    form: dict[str, Any] = orjson.loads(job.body)
    return {**form, "name": job.name}


def file_json(file: StoredFile, view: View) -> dict[str, object]:
    """An upload as the API shows it."""
    return {
        "id": file.id,
        "name": file.name,
        "relativePath": file.name,
        "path": f"user/user_{file.owner}/{file.name}-{file.sha512[:32]}",
        "typeId": file.type_id,
        "decryptedSize": file.size,
        "md5": file.md5,
        "fileChecksums": checksums_json(file.sha512),
        "dateUploaded": iso_date(file.uploaded_us),
        "downloadUrl": f"{view.base}files/{file.id}/contents/",
        "encodedEncryptionKey": "",
        "isUploaded": True,
        "isDeleted": False,
        "owner": view.email(file.owner),
        "sharedWith": [],
        "viewInBrowser": False,
    }


def job_json(store: Store, job: Job, view: View) -> dict[str, object]:
    """A whole job as the API shows it, its files in full."""
    form = orjson.loads(job.body)
    found = store.files_by_id(form_of(job.body).file_ids)

    def shown(reference: dict[str, Any] | None) -> dict[str, Any] | None:
        if reference is None or reference["id"] not in found:
            return reference
        extra = {key: value for key, value in reference.items() if key != "id"}
        return {**file_json(found[reference["id"]], view), **extra}

    return {
        **form,
        "id": job.id,
        "name": job.name,
        "owner": view.email(job.owner),
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


def job_item_json(job: Job, view: View, shared_with: Sequence[str]) -> dict[str, object]:
    """A job as the list shows it; one whose executor is gone waits for the next."""
    is_left = view.is_idle and job.state is JobState.RUNNING
    status, cluster_status = ("Queued", "Not Started") if is_left else (job.status, job.cluster_status)
    return {
        "analysisNames": orjson.loads(job.analysis_names),
        "clusterStatusDisplay": {"content": cluster_status, "labelClass": "", "useLabel": False},
        "dateInserted": iso_date(job.inserted_us),
        "id": job.id,
        "isVisible": True,
        "jobStatus": {"content": status, "labelClass": "", "useLabel": False},
        "name": job.name,
        "owner": view.email(job.owner),
        "runsCompleted": job.runs_completed,
        "runsFailed": job.runs_failed,
        "sharedWith": list(shared_with),
        "statusReason": job.status_reason,
        "storage": job.storage,
    }
