"""`files/`: uploads, and the outputs of runs by their ids."""

import os
from collections.abc import Iterator
from contextlib import suppress

from doe_compiler.kernel.wire import Response
from doe_compiler.platform.api.answers import (
    detail,
    empty_response,
    json_body,
    json_response,
    not_found,
    paged,
)
from doe_compiler.platform.api.bodies import FILE_CHANGE
from doe_compiler.platform.api.call import Call
from doe_compiler.platform.api.contents import contents_of, contents_response, opened_output, opened_upload
from doe_compiler.platform.api.jobs import file_json
from doe_compiler.platform.api.runs import output_json, output_of_id, with_sums
from doe_compiler.platform.api.uploads import received_upload
from doe_compiler.platform.store.freeing import free_if_unheld
from doe_compiler.platform.store.records import Job, Output, StoredFile, now_us
from doe_compiler.platform.store.states import RunCall

MOST_LINES_BYTES = 8 << 20


def upload(call: Call) -> Response:
    """Store a file that comes as multipart."""
    with received_upload(call.request, call.folder.blobs, call.room()) as (name, type_id, blob):
        file = call.store.add_file(call.viewer.id, name, blob.size, blob.md5, blob.sha512, type_id, now_us())
    return json_response(201, file_json(file, call.view))


def listed(call: Call) -> Response:
    """The viewer's uploads, newest first."""
    search = call.request.first("search") or ""

    def load(offset: int, limit: int) -> tuple[int, list[object]]:
        count, files = call.store.file_page(call.viewer, search, offset, limit)
        return count, [file_json(file, call.view) for file in files]

    return paged(call.request, load)


def metadata(call: Call) -> Response:
    """What is known of a file."""
    found = _found(call)
    if isinstance(found, StoredFile):
        return json_response(200, file_json(found, call.view))
    job, output = found
    (summed,) = with_sums(call.store, call.folder, [output])
    return json_response(200, output_json(summed, job.owner, call.view))


def change(call: Call) -> Response:
    """Give an upload another name or type; other keys are ignored."""
    file = _own_upload(call)
    read = FILE_CHANGE(json_body(call.request))
    assert isinstance(read, dict)
    call.store.change_file(file.id, read["name"] or file.name, read["typeId"] or file.type_id)
    changed = call.store.files_by_id([file.id]).get(file.id)
    if changed is None:
        raise not_found()
    return json_response(200, file_json(changed, call.view))


def delete(call: Call) -> Response:
    """Delete an upload that no unfinished job needs, or an output of a job that has ended."""
    found = _found(call)
    if isinstance(found, StoredFile):
        file = _own_upload(call)
        job_id = call.store.unfinished_job_with_file(file.id)
        if job_id is not None:
            raise detail(400, f"The file is used by the job {job_id}, which has not ended.")
        call.store.delete_file(file.id)
        free_if_unheld(call.store, call.folder.blobs, [file.sha512])
        return empty_response(204)
    job, output = found
    if job.owner != call.viewer.id:
        raise detail(403, "You do not have permission to perform this action.")
    call.check_run(RunCall.DELETE_OUTPUT, job, output.run)
    call.store.delete_output(output)
    with (
        suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError),  # it is not there any more
        call.folder.reached(job.id, output.run) as run,
        run.folder_of(output.relative) as (folder, name),
    ):
        os.unlink(name, dir_fd=folder)
    return empty_response(204)


def contents(call: Call) -> Response:
    """The bytes, whole or a range of them."""
    found = _found(call)
    if isinstance(found, StoredFile):
        return contents_response(call.request, opened_upload(call.folder, found), found.name)
    _, output = found
    name = output.relative.rpartition("/")[2]
    return contents_response(call.request, opened_output(call.folder, output), name)


def lines(call: Call) -> Response:
    """The lines of a text, each with its end; of a large file the first 8 MiB."""
    found = _found(call)
    opened = (
        opened_upload(call.folder, found)
        if isinstance(found, StoredFile)
        else opened_output(call.folder, found[1])
    )
    body = b"".join(_head(contents_of(opened)))
    return json_response(200, {"lines": body.decode("utf-8", "replace").splitlines(keepends=True)})


def _head(body: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for chunk in body:
        yield chunk[: MOST_LINES_BYTES - size]
        size += len(chunk)
        if size >= MOST_LINES_BYTES:
            return


def _found(call: Call) -> StoredFile | tuple[Job, Output]:
    output = output_of_id(call.store, call.ids[0])
    if output is not None and call.may_see(output[0]):
        return output
    file = call.store.files_by_id(call.ids[:1]).get(call.ids[0])
    if file is None or not call.store.may_see_file(call.viewer, file):
        raise not_found()
    return file


def _own_upload(call: Call) -> StoredFile:
    found = _found(call)
    if not isinstance(found, StoredFile) or found.owner != call.viewer.id:
        raise detail(403, "You do not have permission to perform this action.")
    return found
