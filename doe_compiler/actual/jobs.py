"""The jobs of a study as the platform lists them, and which rows of a design they hold."""

import base64
import csv
import enum
import hashlib
import io
from collections import defaultdict
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

import numpy as np

from doe_compiler.bundle.mark import RECIPE_DIGITS, Mark, read_mark
from doe_compiler.bundle.rows import Keys, contiguous_ranges, text_keys
from doe_compiler.client.client import Client, FileEntry, Job
from doe_compiler.kernel.canonical import sha256_hex
from doe_compiler.kernel.errors import DoeError, TryAgain

_LARGEST_CSV = 1 << 30
_JOBS_A_PAGE = 1000
_READINGS = 3
_RAN_TO_THE_END = ("Completed successfully", "A run failed")


class Phase(enum.Enum):
    """How far a job is; an UNKNOWN status word counts as submitted."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    STOPPING = "stopping"
    FINISHED = "finished"
    UNKNOWN = "unknown"


_PHASES = {
    "": Phase.DRAFT,
    "Completed": Phase.FINISHED,
    "Stopping": Phase.STOPPING,
    "Force Stop": Phase.STOPPING,
    **dict.fromkeys(
        (
            "Pending",
            "Queued",
            "Started",
            "Validated",
            "Executing",
            "Waiting for Queue",
            "Waiting for Cluster",
        ),
        Phase.SUBMITTED,
    ),
}


@dataclass(frozen=True, slots=True)
class ActualJob:
    """A job with a mark, as the list shows it.

    `created` is the platform's time; `reason` why it ended, where the list tells it (None: it does not).
    """

    id: str
    name: str
    mark: Mark
    phase: Phase
    status: str
    created: datetime
    reason: str | None = None
    shared_with: tuple[str, ...] = ()

    @property
    def is_draft(self) -> bool:
        """Whether it has not been submitted, so that it costs nothing."""
        return self.phase is Phase.DRAFT


def by_age(job: ActualJob) -> tuple[float, str]:
    """The order in which jobs were created, the same for everybody who looks."""
    return (job.created.timestamp(), job.id)


def marked_jobs(client: Client) -> dict[str, tuple[ActualJob, ...]]:
    """All jobs with a mark, by study, oldest first: one reading of the list for any number of studies."""
    found: dict[str, list[ActualJob]] = defaultdict(list)
    for entry in client.all_jobs(_JOBS_A_PAGE):
        mark = read_mark(entry.name)
        if mark is None:
            continue
        phase = _PHASES.get(entry.status, Phase.UNKNOWN)
        found[mark.study].append(
            ActualJob(
                entry.id,
                entry.name,
                mark,
                phase,
                entry.status,
                entry.date_inserted,
                entry.status_reason,
                entry.shared_with,
            )
        )
    return {study: tuple(sorted(jobs, key=by_age)) for study, jobs in found.items()}


def study_jobs(client: Client, study: str) -> tuple[ActualJob, ...]:
    """All jobs with the study's mark, oldest first."""
    return marked_jobs(client).get(study, ())


def of_recipe(jobs: Sequence[ActualJob], recipe: str) -> tuple[ActualJob, ...]:
    """The jobs that were made by a recipe, given in full."""
    return tuple(job for job in jobs if job.mark.recipe == recipe[:RECIPE_DIGITS])


def clones(jobs: Sequence[ActualJob]) -> frozenset[str]:
    """The jobs whose mark was made for an earlier job: a nonce belongs to one POST, so a person copied it."""
    first: dict[str, str] = {}
    for job in sorted(jobs, key=by_age):
        first.setdefault(job.mark.nonce, job.id)
    return frozenset(job.id for job in jobs if first[job.mark.nonce] != job.id)


_NO_KEYS = np.zeros(0, np.uint64)
_NO_TEXTS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Holding:
    """A job with the keys of its rows in the order of its runs, of shape (n,).

    `stands` are those that were run or will be; `failed` those that failed and are to be tried again, which
    do not stand.
    """

    job: ActualJob
    keys: Keys
    stands: Keys
    failed: Keys = field(default_factory=lambda: _NO_KEYS)


class Findings:
    """What was found out about jobs and never changes: the rows they hold, and how those that ended did.

    Shared by the looks of one command so that nothing is read twice; `kept` is where it outlives the command.
    """

    def __init__(self, kept: MutableMapping[str, str] | None = None) -> None:
        self._kept = {} if kept is None else kept

    def keys(
        self,
        client: Client,
        job: ActualJob,
        varied: Sequence[str],
        desired: Keys,
        texts: Mapping[str, str] = _NO_TEXTS,
    ) -> Keys:
        """The rows that a job holds: recognised by its mark as a range of the design, or else from its CSV.

        `texts` are those for which names stand in parameter CSVs, by name.
        """
        if job.mark.rows is None:
            return _NO_KEYS
        starts = contiguous_ranges(desired, job.mark.rows)
        if starts:
            return desired[starts[0] : starts[0] + job.mark.rows.count]
        name = f"rows {job.id} {job.mark} {' '.join(varied)}"
        if texts:
            name += f" {sha256_hex(' '.join(texts).encode())}"
        known = self._kept.get(name)
        if known is None:
            known = base64.b64encode(
                job_keys(client, client.job(job.id), varied, texts).astype("<u8").tobytes()
            ).decode()
            self._kept[name] = known
        return np.frombuffer(base64.b64decode(known), "<u8").astype(np.uint64)

    def standing(self, client: Client, job: ActualJob, keys: Keys) -> Keys:
        """The rows that were run or will be: a finished job may have been stopped before some of them."""
        if job.phase is not Phase.FINISHED or (job.reason or "").startswith(_RAN_TO_THE_END):
            return keys
        name = f"end {job.id}"
        known = self._kept.get(name)
        if known is None:
            known = "all"
            if _was_cut_short(client, job):
                completed = [run.number for run in client.all_runs(job.id) if run.completed is not None]
                known = " ".join(map(str, completed))
            self._kept[name] = known
        if known == "all":
            return keys
        return keys[[number - 1 for number in map(int, known.split()) if number <= len(keys)]]


def _was_cut_short(client: Client, job: ActualJob) -> bool:
    reason = job.reason
    if reason is None:
        latest = next(iter(client.statuses(job.id)), None)
        reason = "" if latest is None else latest.reason
    return not reason.startswith(_RAN_TO_THE_END)


def job_keys(client: Client, job: Job, varied: Sequence[str], texts: Mapping[str, str] = _NO_TEXTS) -> Keys:
    """The keys of the rows in a job's CSV, which is believed only if it has the platform's checksum.

    A page of a proxy that comes in its place would otherwise be a job without rows, which would be paid for
    again.
    """
    if job.param_file is None and job.case_file is None:
        return _NO_KEYS if varied else text_keys({}, 1)
    where = f"the parameter CSV of job {job.id}"
    parameters = None if job.param_file is None else _content(client, job.param_file, where)
    if job.case_file is None:
        return parameter_keys(parameters or b"", varied, texts, where=where)
    cases = _content(client, job.case_file, f"the case file of job {job.id}")
    return parameter_keys(crossed(cases, parameters, where=where), varied, texts, where=where)


def _content(client: Client, file_id: str, where: str) -> bytes:
    for _ in range(_READINGS):
        content = client.read_file(file_id, _LARGEST_CSV)
        if _is_as_stored(content, client.file(file_id)):
            return content
    raise TryAgain(f"{where} comes garbled", hint="something between here and the platform changes answers")


def crossed(cases: bytes, parameters: bytes | None, *, where: str) -> bytes:
    """The rows of a job with a case file, as the platform runs them: the cases in the outer loop."""
    outer = _read_csv(cases, where)
    inner = [[], []] if parameters is None else _read_csv(parameters, where)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*outer[0], *inner[0]])
    writer.writerows([*case, *row] for case in outer[1:] for row in inner[1:])
    return out.getvalue().encode()


def _read_csv(content: bytes, where: str) -> list[list[str]]:
    try:
        rows = list(csv.reader(content.decode().splitlines(), skipinitialspace=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DoeError(f"{where} cannot be read: {error}") from error
    return [row for row in rows if row] or [[]]


def _is_as_stored(content: bytes, stored: FileEntry) -> bool:
    if stored.sha512 is not None:
        return hashlib.sha512(content).hexdigest() == stored.sha512
    if stored.md5 is not None:
        return hashlib.md5(content, usedforsecurity=False).hexdigest() == stored.md5
    return len(content) == stored.size


def parameter_keys(
    content: bytes, varied: Sequence[str], texts: Mapping[str, str] = _NO_TEXTS, *, where: str
) -> Keys:
    """The keys of the rows of a parameter CSV, shape (n,); none if it lacks one of the varied variables."""
    rows = _read_csv(content, where)
    header, body = [name.strip() for name in rows[0]], rows[1:]
    if any(name not in header for name in varied) or not body:
        return np.zeros(0, np.uint64)
    if any(len(row) != len(header) for row in body):
        raise DoeError(f"{where} has rows that are shorter or longer than its header")
    wanted = {*varied, "doe_replicate"}
    columns = {
        name: [texts.get(cell, cell) for cell in (row[index].strip() for row in body)]
        for index, name in enumerate(header)
        if name in wanted
    }
    return text_keys(columns, len(body))
