"""What belongs to one project, account and host: the audit trail, and what was found out and submitted before."""

import json
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path

from doe_compiler.apply.conduct import Receipt
from doe_compiler.observe.known import KnownJobs
from doe_compiler.pipeline.connection import Connection, hidden_folder
from doe_compiler.pipeline.kept import kept_facts
from doe_compiler.pipeline.makers import Makers
from doe_compiler.pipeline.receipts import Receipts

_SUBMITTED, _FORGOTTEN = "submitted ", ""


@dataclass(frozen=True, slots=True)
class Desk:
    """The audit trail of a project, and what this checkout knows of one account's jobs on one platform."""

    receipts: Receipts
    account: str
    kept: MutableMapping[str, str]
    makers: Makers

    @property
    def known(self) -> KnownJobs:
        """What was found out about jobs and never changes."""
        return KnownJobs(self.kept)

    def add(self, receipt: Receipt) -> None:
        """Put a receipt into the audit trail, and remember what was submitted; raises OSError if it cannot be written."""
        if receipt.what == "submit" and receipt.answer == "done":
            self.kept[_SUBMITTED + receipt.job_id] = json.dumps([receipt.study, receipt.name])
        elif receipt.what == "delete" and receipt.answer in {"done", "gone"}:
            self.forget(receipt.job_id)
        self.receipts.add(receipt)

    def forget(self, job_id: str) -> None:
        """From now on a job does not count, here: it is not missed, and its rows do not stand."""
        self.kept[_SUBMITTED + job_id] = _FORGOTTEN

    @property
    def forgotten(self) -> frozenset[str]:
        """The jobs that do not count."""
        return frozenset(
            name.removeprefix(_SUBMITTED)
            for name, value in self.kept.items()
            if name.startswith(_SUBMITTED) and value == _FORGOTTEN
        )

    def submitted(self, study: str | None = None) -> Mapping[str, str]:
        """The jobs that were submitted from here and not deleted from here since: their names by id."""
        found = {}
        for name, value in self.kept.items():
            if name.startswith(_SUBMITTED) and value != _FORGOTTEN:
                of_study, job_name = json.loads(value)
                if study in {None, of_study}:
                    found[name.removeprefix(_SUBMITTED)] = job_name
        return found


def desk(connection: Connection, folder: Path) -> Desk:
    """The desk of the project that a folder belongs to, for the account of a connection."""
    account = connection.client.me()
    hidden = hidden_folder(folder)
    # Data of the embedded platform that were begun anew, or lie elsewhere, are another platform.
    host = f"{connection.host} {connection.client.my_id()}" if connection.is_embedded else connection.host
    kept = kept_facts(hidden / "client", host, account, reads_only=connection.reads_only)
    makers = Makers(hidden / "client" / "makers", reads_only=connection.reads_only)
    return Desk(Receipts(hidden, connection.host, account), account, kept, makers)


def kept_readings(
    connection: Connection, folder: Path, *, reads_only: bool = True
) -> MutableMapping[str, str]:
    """The responses that were read later than their runs, by job, run and extractor."""
    where = hidden_folder(folder) / "client" / "readings"
    return kept_facts(where, connection.host, "", reads_only=reads_only)
