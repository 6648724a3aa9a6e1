"""Which rows a job holds: recognised by its mark as a range of the design, or else from its CSV."""

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from doe_compiler.bundle.observation import NO_KEYS
from doe_compiler.bundle.rows import Keys, RowSet, text_keys
from doe_compiler.client.client import Client, FileEntry, Job
from doe_compiler.client.errors import NotFound
from doe_compiler.kernel.errors import DoeError, TryAgain

_LARGEST_CSV = 1 << 30
_READINGS = 3
_NO_TEXTS: Mapping[str, str] = MappingProxyType({})


class Ranges:
    """Finds contiguous ranges of a design by their count and sum: a job is recognised unread.

    For every count that is asked for, the sums of all its ranges are sorted once.
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(keys, dtype=np.uint64)])
        self._by_count: dict[int, tuple[Keys, np.ndarray[tuple[int], np.dtype[np.intp]]]] = {}

    def find(self, rows: RowSet) -> Keys | None:
        """The keys of the first range that has this digest, or None."""
        count = rows.count
        if not 0 < count <= len(self._keys):
            return None
        if count not in self._by_count:
            totals = self._sums[count:] - self._sums[: len(self._sums) - count]
            order = np.argsort(totals, kind="stable")
            self._by_count[count] = totals[order], order
        totals, order = self._by_count[count]
        place = int(np.searchsorted(totals, np.uint64(rows.total)))
        if place == len(totals) or totals[place] != np.uint64(rows.total):
            return None
        start = int(order[place])
        return self._keys[start : start + count]


def job_keys(client: Client, job: Job, varied: Sequence[str], texts: Mapping[str, str] = _NO_TEXTS) -> Keys:
    """The keys of the rows in a job's CSV, which is believed only if it has the platform's checksum.

    A page of a proxy that comes in its place would otherwise be a job without rows, which would be paid for
    again.
    """
    if job.param_file is None and job.case_file is None:
        return NO_KEYS if varied else text_keys({}, 1)
    where = f"the parameter CSV of job {job.id}"
    parameters = None if job.param_file is None else _content(client, job.param_file, where)
    if job.case_file is None:
        return parameter_keys(parameters or b"", varied, texts, where=where)
    cases = _content(client, job.case_file, f"the case file of job {job.id}")
    return parameter_keys(crossed(cases, parameters, where=where), varied, texts, where=where)


def parameter_names(client: Client, job: Job) -> list[str]:
    """The names of the columns of a job's parameter CSV, in their order."""
    if job.param_file is None:
        return []
    where = f"the parameter CSV of job {job.id}"
    return [name.strip() for name in _read_csv(_content(client, job.param_file, where), where)[0]]


def _content(client: Client, file_id: str, where: str) -> bytes:
    for _ in range(_READINGS):
        try:
            content = client.read_file(file_id, _LARGEST_CSV)
            stored = client.file(file_id)
        except NotFound:
            raise DoeError(f"{where} is gone") from None  # the file is, not the job
        if _is_as_stored(content, stored):
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
        rows = list(csv.reader(io.StringIO(content.decode(), newline=""), skipinitialspace=True))
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
