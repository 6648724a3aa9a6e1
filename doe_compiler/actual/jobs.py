"""The jobs of a study as the platform lists them, and which rows of a design they hold."""

import csv
import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from doe_compiler.bundle.mark import RECIPE_DIGITS, Mark, read_mark
from doe_compiler.bundle.rows import Keys, contiguous_ranges, text_keys
from doe_compiler.client.client import Client
from doe_compiler.kernel.errors import DoeError

_LARGEST_CSV = 1 << 30
_RAN_TO_THE_END = ("Completed successfully", "A run failed")


class Phase(enum.Enum):
    """How far a job is: an unknown status word counts as submitted."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class ActualJob:
    """A job with a mark, as the list shows it; `created` is the platform's time."""

    id: str
    name: str
    mark: Mark
    phase: Phase
    status: str
    created: datetime

    @property
    def is_draft(self) -> bool:
        """Whether it has not been submitted, so that it costs nothing."""
        return self.phase is Phase.DRAFT


def study_jobs(client: Client, study: str) -> tuple[ActualJob, ...]:
    """All jobs with the study's mark, oldest first."""
    found = []
    for entry in client.all_jobs():
        mark = read_mark(entry.name)
        if mark is None or mark.study != study:
            continue
        found.append(
            ActualJob(entry.id, entry.name, mark, _phase(entry.status), entry.status, entry.date_inserted)
        )
    return tuple(sorted(found, key=lambda job: (job.created, job.id)))


def _phase(status: str) -> Phase:
    if not status:
        return Phase.DRAFT
    return Phase.FINISHED if status == "Completed" else Phase.SUBMITTED


def of_recipe(jobs: Sequence[ActualJob], recipe: str) -> tuple[ActualJob, ...]:
    """The jobs that were made by a recipe, given in full."""
    return tuple(job for job in jobs if job.mark.recipe == recipe[:RECIPE_DIGITS])


@dataclass(frozen=True, slots=True)
class HeldRows:
    """A job and the keys of the rows that it holds, in the order of its runs."""

    job: ActualJob
    keys: Keys

    def standing(self, client: Client) -> Keys:
        """The rows that were run or will be: a finished job may have been stopped before some of them."""
        if self.job.phase is not Phase.FINISHED or not _was_cut_short(client, self.job.id):
            return self.keys
        completed = [run.number - 1 for run in client.all_runs(self.job.id) if run.completed is not None]
        return self.keys[[index for index in completed if index < len(self.keys)]]


def _was_cut_short(client: Client, job_id: str) -> bool:
    latest = next(iter(client.statuses(job_id)), None)
    return latest is None or not latest.reason.startswith(_RAN_TO_THE_END)


def held_rows(client: Client, job: ActualJob, varied: Sequence[str], desired: Keys) -> HeldRows:
    """Which rows a job holds: recognised by its mark as a range of the design, or else read from its CSV."""
    if job.mark.rows is None:
        return HeldRows(job, np.zeros(0, np.uint64))
    starts = contiguous_ranges(desired, job.mark.rows)
    if starts:
        return HeldRows(job, desired[starts[0] : starts[0] + job.mark.rows.count])
    parameter_file = client.job(job.id).param_file
    if parameter_file is None:
        return HeldRows(job, np.zeros(0, np.uint64) if varied else text_keys({}, 1))
    content = client.read_file(parameter_file, _LARGEST_CSV)
    return HeldRows(job, parameter_keys(content, varied, where=f"the parameter CSV of job {job.id}"))


def parameter_keys(content: bytes, varied: Sequence[str], *, where: str) -> Keys:
    """The keys of the rows of a parameter CSV, shape (n,); none if it lacks one of the varied variables."""
    try:
        rows = list(csv.reader(content.decode().splitlines(), skipinitialspace=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DoeError(f"{where} cannot be read: {error}") from error
    if not rows:
        return np.zeros(0, np.uint64)
    header, body = [name.strip() for name in rows[0]], [row for row in rows[1:] if row]
    if any(name not in header for name in varied) or not body:
        return np.zeros(0, np.uint64)
    if any(len(row) != len(header) for row in body):
        raise DoeError(f"{where} has rows that are shorter or longer than its header")
    wanted = {*varied, "doe_replicate"}
    columns = {
        name: [row[index].strip() for row in body] for index, name in enumerate(header) if name in wanted
    }
    return text_keys(columns, len(body))
