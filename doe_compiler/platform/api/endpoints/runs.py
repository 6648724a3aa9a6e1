"""`jobs/ID/runs/`: the runs of a job, their outputs, and a look into their work directories."""

import os
import stat
from collections import deque
from collections.abc import Iterator

from doe_compiler.kernel.wire import Response
from doe_compiler.platform.api.answers import (
    detail,
    json_response,
    not_found,
    paged,
)
from doe_compiler.platform.api.call import Call
from doe_compiler.platform.api.runs import output_json, page_with_sums, run_count, runs_json
from doe_compiler.platform.execute.outputs import stored_outputs
from doe_compiler.platform.store.records import Job
from doe_compiler.platform.store.runuser import RunFolder
from doe_compiler.platform.store.states import RunCall

DEFAULT_TAIL = 100
MOST_TAIL = 10_000
MOST_TAIL_BYTES = 1 << 20


def listed(call: Call) -> Response:
    """The job's runs by number; none before the submit."""
    job = call.job()
    return paged(
        call.request,
        lambda offset, limit: (
            run_count(job),
            runs_json(call.store, call.folder, job, offset + 1, offset + limit, is_idle=call.view.is_idle),
        ),
    )


def get(call: Call) -> Response:
    """One run."""
    job = call.job()
    return _run_response(call, 200, job, call.run_number(job))


def _run_response(call: Call, status: int, job: Job, number: int) -> Response:
    shown = runs_json(call.store, call.folder, job, number, number, is_idle=call.view.is_idle)
    return json_response(status, shown[0])


def stop(call: Call) -> Response:
    """Ask for the end of one run: it fails, the others go on."""
    job = call.own_job()
    number = call.run_for(RunCall.STOP, job)
    call.store.request_run_stop(job.key, number)
    return _run_response(call, 202, job, number)


def snapshot(call: Call) -> Response:
    """List what a run has written so far among its outputs."""
    job = call.own_job()
    number = call.run_for(RunCall.SNAPSHOT, job)
    with call.folder.reached(job.id, number) as run:
        found = stored_outputs(run)
    if not call.store.record_snapshot(job.key, number, found):
        raise detail(400, RunCall.SNAPSHOT.refusal)
    return _run_response(call, 202, job, number)


def outputs(call: Call) -> Response:
    """The output files of one run."""
    job = call.job()
    number = call.run_number(job)
    search = call.request.first("search") or ""

    def load(offset: int, limit: int) -> tuple[int, list[object]]:
        count, found = call.store.output_page(job, number, search, offset, limit)
        summed = page_with_sums(call.store, call.folder, found)
        return count, [output_json(output, job.owner, call.view) for output in summed]

    return paged(call.request, load)


def directory_contents(call: Call) -> Response:
    """What lies in the work directory of a run that has started, folders included; links are left out."""
    with call.folder.reached(*_started_run(call)) as run:
        return json_response(200, list(_entries(run)))


def _entries(run: RunFolder) -> Iterator[dict[str, object]]:
    for prefix, _, entries in run.folders():
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            is_directory = stat.S_ISDIR(status.st_mode)
            if is_directory or stat.S_ISREG(status.st_mode):
                yield {
                    "name": entry.name,
                    "path": f"{prefix}{entry.name}",
                    "size": 0 if is_directory else status.st_size,
                    "isDirectory": is_directory,
                }


def tail(call: Call) -> Response:
    """The last lines of a file in the work directory of a run that has started, of its last MiB."""
    started = _started_run(call)
    asked = call.request.first("lines") or str(DEFAULT_TAIL)
    if not (asked.isascii() and asked.isdigit() and len(asked) < 9):
        raise detail(400, "lines: A valid integer is required.")
    with call.folder.reached(*started) as run:
        text = _last_bytes(run, call.ids[2]).decode("utf-8", "replace")
    count = min(int(asked), MOST_TAIL)
    return json_response(200, {"lines": list(deque(text.splitlines(keepends=True), count))})


def _started_run(call: Call) -> tuple[str, int]:
    """The ids of the job and its run that the call is about; raises the 400 if it has not started."""
    job = call.job()
    return job.id, call.run_for(RunCall.LOOK, job)


def _last_bytes(run: RunFolder, relative: str) -> bytes:
    """The end of a regular file in the directory, links that stay in it followed; raises the 404."""
    try:
        descriptor = run.opened(run.within(relative))
    except (OSError, ValueError):
        raise not_found() from None
    try:
        size = os.fstat(descriptor).st_size
        return os.pread(descriptor, MOST_TAIL_BYTES, max(0, size - MOST_TAIL_BYTES))
    finally:
        os.close(descriptor)
