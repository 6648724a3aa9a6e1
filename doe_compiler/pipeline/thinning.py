"""Which outputs of ended runs nothing reads any more: all but logs and the files of responses."""

import posixpath
from collections.abc import Iterator, Mapping

from doe_compiler.client.client import Client, FileEntry
from doe_compiler.kernel.errors import PreconditionFailed

LOG = "process_output.log"


def files_of_responses(client: Client, job_id: str) -> frozenset[str]:
    """The paths in a run that the job's responses are read from.

    Raises PreconditionFailed for a job that does not tell them.
    """
    reading = client.job(job_id).raw.get("outputReading")
    variables = reading.get("variables") if isinstance(reading, Mapping) else None
    if not isinstance(variables, list):
        raise PreconditionFailed(
            f"job {job_id} does not tell which files its responses are read from",
            hint="doe files delete deletes single outputs",
        )
    return frozenset(posixpath.normpath(str(each["file"])) for each in variables)


def spare_outputs(client: Client, job_id: str) -> Iterator[FileEntry]:
    """The outputs of the job's ended runs that are neither logs nor files of responses."""
    kept = files_of_responses(client, job_id)
    for run in client.runs(job_id):
        if run.completed is None:
            continue
        for entry in client.run_files(job_id, run.number):
            path = posixpath.normpath(entry.relative_path)
            if path not in kept and not path.startswith(LOG):
                yield entry
