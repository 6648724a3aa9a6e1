"""What the API shows of a job's runs and of the files that they left."""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from doe_compiler.platform.execute.outputs import sha512_of
from doe_compiler.platform.store.blobs import blob_path
from doe_compiler.platform.store.records import DataFolder, Job, Output, Run, iso_date
from doe_compiler.platform.store.states import JobState, RunState
from doe_compiler.platform.store.store import Store
from doe_compiler.platform.store.tables import rows_from
from doe_compiler.platform.store.view import View

NUMBER = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,5})?\s*", re.ASCII)
OUTPUT_ID = re.compile(r"([A-Za-z]{6})([0-9]{1,9})x([0-9]{1,9})", re.ASCII)
OUTPUT_TYPE = 5
MOST_SUMMED_AT_ONCE = 50
MOST_SUMMED_BYTES = 64 << 20


def run_count(job: Job) -> int:
    """How many runs there are to list: none before the submit."""
    return 0 if job.state is JobState.DRAFT else job.expected_runs


def runs_json(
    store: Store, folder: DataFolder, job: Job, first: int, last: int, *, is_idle: bool = False
) -> list[object]:
    """The runs with the numbers from `first` to `last`; those that have not started yet are shown, too.

    With `is_idle` nothing runs: what was interrupted will be started again.
    """
    last = min(last, run_count(job))
    if last < first:
        return []
    started = store.runs(job, first, last)
    if is_idle:
        started = {
            number: run for number, run in started.items() if run.state(job.state) is not RunState.RUNNING
        }
    names: Sequence[str] = ()
    rows: list[Sequence[str]] = [()] * (last - first + 1)
    index = store.table(job.table_sha512) if job.table_sha512 else None
    if index is not None and job.table_sha512:
        names = index.names
        path = blob_path(folder.blobs, job.table_sha512)
        rows = list(islice(rows_from(path, index, first), last - first + 1))
    return [_run_json(number, started.get(number), names, row) for number, row in enumerate(rows, first)]


def _run_json(number: int, run: Run | None, names: Sequence[str], row: Sequence[str]) -> dict[str, object]:
    variables = [_variable_json(name, cell) for name, cell in zip(names, row, strict=True)]
    if run is not None:
        variables += [_variable_json(name, value) for name, value in run.variables]
    return {
        "id": str(number),
        "displayOrder": number,
        "type": 3,
        "isOptimal": False,
        "parent": None,
        "dateStarted": iso_date(run.started_us) if run else None,
        "dateCompleted": iso_date(run.completed_us) if run else None,
        "exitCode": run.exit_status if run and run.completed_us is not None else None,
        "outputFileCount": run.file_count if run else 0,
        "outputFileSize": run.file_size if run else 0,
        "variables": variables,
    }


def _variable_json(name: str, shown: str) -> dict[str, object]:
    number = float(shown) if NUMBER.fullmatch(shown) else None
    if number is not None and abs(number) == float("inf"):
        number = None
    return {"name": name, "value": number, "displayValue": shown, "isRelative": False}


def output_json(output: Output, owner: str, view: View) -> dict[str, object]:
    """An output file of a job of the user `owner` as the API shows it."""
    return {
        "id": output.id,
        "name": output.relative.rpartition("/")[2],
        "relativePath": output.relative,
        "path": f"user/user_{owner}/output/job_{output.job_id}/run{output.run}/{output.relative}",
        "typeId": OUTPUT_TYPE,
        "decryptedSize": output.size,
        "md5": output.md5,
        "fileChecksums": [] if output.sha512 is None else checksums_json(output.sha512),
        "dateUploaded": iso_date(output.stored_us),
        "downloadUrl": f"{view.base}files/{output.id}/contents/",
        "encodedEncryptionKey": "",
        "isUploaded": True,
        "isDeleted": False,
        "owner": view.email(owner),
        "sharedWith": [],
        "viewInBrowser": False,
    }


def checksums_json(sha512: str) -> list[dict[str, str]]:
    """The checksums of a file as the API shows them."""
    return [{"hashFunction": "sha512", "fileHash": sha512}]


def page_with_sums(store: Store, folder: DataFolder, outputs: Sequence[Output]) -> Sequence[Output]:
    """A page of outputs; a small one with the sums that were not made yet."""
    wanted_bytes = sum(output.size for output in outputs if output.sha512 is None)
    is_small = len(outputs) <= MOST_SUMMED_AT_ONCE and wanted_bytes <= MOST_SUMMED_BYTES
    return with_sums(store, folder, outputs) if is_small else outputs


def with_sums(store: Store, folder: DataFolder, outputs: Sequence[Output]) -> list[Output]:
    """The outputs with their SHA-512, made where nobody has asked before, and kept."""
    found = [output if output.sha512 else _summed(folder, output) for output in outputs]
    made = [each for each, before in zip(found, outputs, strict=True) if each.sha512 != before.sha512]
    if made:
        store.keep_sums(made)
    return found


def _summed(folder: DataFolder, output: Output) -> Output:
    try:
        with folder.reached(output.job_id, output.run) as run:
            descriptor = run.opened(output.relative)
    except OSError:
        return output
    return replace(output, sha512=sha512_of(descriptor, output.md5))


def output_of_id(store: Store, output_id: str) -> tuple[Job, Output] | None:
    """The output file with the id and its job, if there is one."""
    match = OUTPUT_ID.fullmatch(output_id)
    job = store.job(match[1]) if match else None
    output = store.output(job, int(match[2]), int(match[3])) if match and job else None
    return (job, output) if job and output else None
