"""`jobs/`: lists, drafts, what happens to them, and what is known beside them."""

import hashlib
from collections.abc import Callable, Collection
from dataclasses import replace as replaced
from typing import Any

from doe_compiler.kernel.wire import Request, Response
from doe_compiler.platform.api.answers import (
    detail,
    empty_response,
    json_body,
    json_response,
    not_found,
    paged,
    whole_list,
)
from doe_compiler.platform.api.bodies import CUSTOM_FIELDS, RENAMED, SHARE, TAG, TAG_CHOICE
from doe_compiler.platform.api.call import Call
from doe_compiler.platform.api.forms import Invalid
from doe_compiler.platform.api.jobform import PROJECT_NAMES
from doe_compiler.platform.api.jobs import (
    changed_job,
    created_job,
    job_item_json,
    job_json,
    sent_again,
)
from doe_compiler.platform.api.runs import output_json, page_with_sums
from doe_compiler.platform.execute.outputs import wipe_job
from doe_compiler.platform.store.database import login_name
from doe_compiler.platform.store.form import form_of
from doe_compiler.platform.store.freeing import free_if_unheld
from doe_compiler.platform.store.records import Job, iso_date, now_us
from doe_compiler.platform.store.states import JOB_STATUSES, JobState, words_at
from doe_compiler.platform.store.store import ORDERINGS, STATES, JobFilter

DRAFT_TAG = '"draft"'
STATUS_NAMES = ("jobStatus.content", "job_status", "jobStatus")
OF_DRAFTS = ""
KINDS = {"": "all", "1": "active"}
THIS_MACHINE = "127.0.0.1"
SSH_PORT = 22
LENGTH_OF_TAG_ID = 12


def listed(call: Call) -> Response:
    """The jobs that the viewer owns or was shown, newest first."""
    request = call.request
    wanted = JobFilter(
        status=_wanted_status(request),
        search=request.first("search") or "",
        states=(_known("state", request.first("state") or "all", STATES), _wanted_kind(request)),
        ordering=_known("ordering", request.first("ordering") or "-dateInserted", ORDERINGS),
        before_us=now_us() - int(call.list_delay_s * 1e6) if call.list_delay_s else None,
    )

    def load(offset: int, limit: int) -> tuple[int, list[object]]:
        count, jobs = call.store.job_page(call.viewer, wanted, offset, limit)
        shares = call.store.shared_with(job.key for job in jobs)
        return count, [job_item_json(job, call.view, shares.get(job.key, [])) for job in jobs]

    return paged(request, load)


def _known(name: str, word: str, words: Collection[str]) -> str:
    if (word.removeprefix("-") if name == "ordering" else word) not in words:
        offered = ", ".join(filter(None, words))
        raise Invalid({name: [f'"{word[:80]}" is not a valid choice; choose from {offered}.']})
    return word


def _wanted_status(request: Request) -> str | None:
    """The status that is asked for, whatever its case, also with underscores; None if none is."""
    given = [(name, value) for name in STATUS_NAMES if (value := request.first(name)) is not None]
    if not given:
        return None
    name, word = given[0]
    asked = word.lower().replace("_", " ")
    status = next((each for each in JOB_STATUSES if each.lower() == asked), word)
    return _known(name, status, (OF_DRAFTS, *JOB_STATUSES))


def _wanted_kind(request: Request) -> str:
    """The state that `t` stands for."""
    return KINDS[_known("t", request.first("t") or "", KINDS)]


def create(call: Call) -> Response:
    """Store a draft."""
    job = created_job(call.store, call.folder, call.viewer, json_body(call.request))
    return json_response(201, job_json(call.store, job, call.view))


def get(call: Call) -> Response:
    """A whole job."""
    return json_response(200, job_json(call.store, call.job(), call.view))


def replace(call: Call) -> Response:
    """Change a draft into what is sent; of a job that was submitted only the name."""
    return _changed(call, lambda _, sent: sent)


def change(call: Call) -> Response:
    """Change what is sent of a draft; of a job that was submitted only the name."""
    return _changed(call, _merged)


def _merged(job: Job, sent: dict[str, Any]) -> dict[str, Any]:
    """The whole form; variables that came from the header of a file go with the file."""
    form = sent_again(job)
    if set(PROJECT_NAMES) & set(sent):
        form = {name: value for name, value in form.items() if name not in PROJECT_NAMES}
    if {"paramFile", "caseFile"} & set(sent):
        form["jobvariables"] = [each for each in form["jobvariables"] if each["valueGeneratorType"]]
    return {**form, **sent}


def _changed(call: Call, whole: Callable[[Job, dict[str, Any]], dict[str, Any]]) -> Response:
    job = call.own_job()
    sent = json_body(call.request)
    if not isinstance(sent, dict):
        raise Invalid({"non_field_errors": ["Invalid data. Expected a dictionary."]})
    if job.state is JobState.DRAFT:
        job = changed_job(call.store, call.folder, call.viewer, job, whole(job, sent))
    elif sent.get("name") is not None:
        read = RENAMED(sent)
        assert isinstance(read, dict)
        call.store.rename(job.key, read["name"])
        job = call.job()
    return json_response(200, job_json(call.store, job, call.view))


def delete(call: Call) -> Response:
    """Delete a draft or a job that has ended, with its outputs; with `If-Match: "draft"` a draft only."""
    job = call.own_job()
    tags = call.request.headers.get("if-match")
    only_draft = tags is not None and tags.strip() != "*"
    if only_draft and DRAFT_TAG not in {tag.strip() for tag in (tags or "").split(",")}:
        raise detail(412, "The job is no draft.")
    state = call.store.delete_job(job.id, only_draft=only_draft)
    if state is None:
        raise not_found()
    if only_draft and state is not JobState.DRAFT:
        raise detail(412, "The job is no draft.")
    if state in (JobState.QUEUED, JobState.RUNNING):
        raise detail(400, "The job is still running: stop it before it is deleted.")
    wipe_job(call.folder.jobs / job.id)
    if job.table_sha512 is not None:
        free_if_unheld(call.store, call.folder.blobs, [job.table_sha512])
    return empty_response(204)


def submit(call: Call) -> Response:
    """Queue a draft."""
    job = call.own_job()
    if job.state is JobState.DRAFT:
        call.room()
    state = call.store.submit(job.id, now_us())
    if state is None:
        raise not_found()
    if state is not JobState.DRAFT:
        raise detail(400, "The job has been submitted before.")
    call.submitted()
    return empty_response(200)


def stop(call: Call) -> Response:
    """Ask for the end of a job; asking again, or after the end, changes nothing."""
    state = call.store.request_stop(call.own_job().id, now_us())
    if state is None:
        raise not_found()
    if state is JobState.DRAFT:
        raise detail(400, "The job has not been submitted.")
    return empty_response(202)


def share(call: Call) -> Response:
    """Let another user see the job, its files and its outputs."""
    job = call.own_job()
    read = SHARE(json_body(call.request))
    assert isinstance(read, dict)
    call.store.share(job.key, read["email"], read["message"], form_of(job.body).file_ids, now_us())
    return json_response(200, {"recipient": read["email"], "supportDesk": None})


def statuses(call: Call) -> Response:
    """The job's history, newest first; empty before the submit, with an `ETag` by which a DELETE can ask for that."""
    return _history(call, of_cluster=False)


def cluster_statuses(call: Call) -> Response:
    """The history of the job's cluster, newest first; empty before the submit."""
    return _history(call, of_cluster=True)


def _history(call: Call, *, of_cluster: bool) -> Response:
    found = call.store.statuses(call.job(), of_cluster=of_cluster)
    response = whole_list(
        call.request,
        [
            {"status": each.status, "statusDate": iso_date(each.date_us), "statusReason": each.reason}
            for each in found
        ],
    )
    if found or of_cluster:
        return response
    return replaced(response, headers=(*response.headers, ("etag", DRAFT_TAG)))


def outputs(call: Call) -> Response:
    """The output files of all runs."""
    job = call.job()
    search = call.request.first("search") or ""

    def load(offset: int, limit: int) -> tuple[int, list[object]]:
        count, found = call.store.output_page(job, None, search, offset, limit)
        summed = page_with_sums(call.store, call.folder, found)
        return count, [output_json(output, job.owner, call.view) for output in summed]

    return paged(call.request, load)


def instances(call: Call) -> Response:
    """The machine that a submitted job runs on: this one."""
    job = call.job()
    if job.state is JobState.DRAFT:
        return whole_list(call.request, [])
    hardware = form_of(job.body).analyses[0].hardware
    started = [each for each in call.store.statuses(job, of_cluster=True) if each.status == "Started"]
    user = call.folder.run_user()
    return whole_list(
        call.request,
        [
            {
                "id": f"{job.id}1",
                "status": words_at(job.state),
                "coreType": hardware.core_type,
                "cores": hardware.cores_per_slot * hardware.slots,
                "dateStarted": iso_date(started[0].date_us) if started else None,
                "clusterId": job.id,
                "publicIp": THIS_MACHINE,
                "sshPort": SSH_PORT,
                "username": user.name if user else login_name(),
                "role": "head",
            }
        ],
    )


def logs(call: Call) -> Response:
    """What happened to the job and its cluster, oldest first."""
    job = call.job()
    entries = [
        (each.date_us, f"{kind}: {each.status}" + (f" ({each.reason})" if each.reason else ""))
        for kind, of_cluster in (("job", False), ("cluster", True))
        for each in reversed(call.store.statuses(job, of_cluster=of_cluster))
    ]
    entries.sort(key=lambda entry: entry[0])
    return whole_list(call.request, [{"date": iso_date(us), "message": message} for us, message in entries])


def tags(call: Call) -> Response:
    """The job's tags."""
    return whole_list(call.request, [_tag_json(name) for name in _tags(call.job())])


def add_tag(call: Call) -> Response:
    """Tag the job, also after its submit."""
    job = call.own_job()
    read = TAG(json_body(call.request))
    assert isinstance(read, dict)
    names = _tags(job)
    if read["name"] not in names:
        call.store.change_labels(job.key, "tags", [*names, read["name"]])
    return json_response(201, _tag_json(read["name"]))


def remove_tag(call: Call) -> Response:
    """Take the tag that the body names, by its name or id, from the job."""
    job = call.own_job()
    read = TAG_CHOICE(json_body(call.request))
    assert isinstance(read, dict)
    return _without_tag(call, job, read["id"] or tag_id(read["name"]))


def remove_tag_of_id(call: Call) -> Response:
    """Take a tag from the job."""
    return _without_tag(call, call.own_job(), call.ids[1])


def _without_tag(call: Call, job: Job, unwanted: str) -> Response:
    names = _tags(job)
    kept = [name for name in names if tag_id(name) != unwanted]
    if kept == names:
        raise not_found()
    call.store.change_labels(job.key, "tags", kept)
    return empty_response(204)


def _tag_json(name: str) -> dict[str, object]:
    return {"id": tag_id(name), "name": name}


def tag_id(name: str) -> str:
    """The id of a tag, which follows from its name."""
    return hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:LENGTH_OF_TAG_ID]


def _tags(job: Job) -> list[str]:
    listed = sent_again(job).get("tags") or []
    if not isinstance(listed, list):
        return [str(listed)]
    return [str(each.get("name", "")) if isinstance(each, dict) else str(each) for each in listed]


def custom_fields(call: Call) -> Response:
    """The job's custom fields, values by names."""
    return json_response(200, _fields(call.job()))


def set_custom_fields(call: Call) -> Response:
    """Set custom fields, also after the submit: a map of values, or one field as its name and value; all of them then."""
    job = call.own_job()
    read = CUSTOM_FIELDS(json_body(call.request))
    assert isinstance(read, dict)
    fields = {**_fields(job), **read}
    call.store.change_labels(job.key, "customFields", fields)
    return json_response(201, fields)


def _fields(job: Job) -> dict[str, Any]:
    fields = sent_again(job).get("customFields")
    return fields if isinstance(fields, dict) else {}
