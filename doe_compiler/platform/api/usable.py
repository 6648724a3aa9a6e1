"""The files that a job may name: uploads, and outputs of ended runs, whose content is kept for it."""

from doe_compiler.platform.api.answers import Refusal
from doe_compiler.platform.api.contents import contents_of, opened_output
from doe_compiler.platform.api.forms import Invalid
from doe_compiler.platform.api.runs import OUTPUT_TYPE, output_of_id
from doe_compiler.platform.store.blobs import stored_blob
from doe_compiler.platform.store.database import User
from doe_compiler.platform.store.records import DataFolder, Job, Output, StoredFile
from doe_compiler.platform.store.states import RunState
from doe_compiler.platform.store.store import Store


def usable_file(store: Store, folder: DataFolder, viewer: User, file_id: str) -> StoredFile | None:
    """The file with the id, if the viewer may see it; an output of a run is kept, whatever becomes of its job.

    Raises Invalid for an output of a run that has not ended.
    """
    file = store.files_by_id([file_id]).get(file_id)
    if file is not None and store.may_see_file(viewer, file):
        return file
    found = output_of_id(store, file_id)
    if found is None or not store.may_see_job(viewer, found[0]):
        return None
    job, output = found
    if store.runs(job, output.run, output.run)[output.run].state(job.state) is RunState.RUNNING:
        raise Invalid(
            {"id": [f"{file_id} is an output of a run that has not ended; wait for its end, or stop it."]}
        )
    return _kept(store, folder, viewer, job, output)


def _kept(store: Store, folder: DataFolder, viewer: User, job: Job, output: Output) -> StoredFile | None:
    try:
        chunks = contents_of(opened_output(folder, output))
    except Refusal:
        return None
    blob = stored_blob(folder.blobs, chunks)
    file = StoredFile(
        id=output.id,
        name=output.relative.rpartition("/")[2].encode("utf-8", "replace").decode(),
        size=blob.size,
        md5=blob.md5,
        sha512=blob.sha512,
        type_id=OUTPUT_TYPE,
        uploaded_us=output.stored_us,
        owner=job.owner,
    )
    store.keep_output(file, viewer)
    return file
