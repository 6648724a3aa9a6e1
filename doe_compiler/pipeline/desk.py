"""What belongs to one project, account and host: the audit trail, and what was found out before."""

from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path

from doe_compiler.actual.jobs import Findings
from doe_compiler.pipeline.connection import Connection, hidden_folder
from doe_compiler.pipeline.findings_file import kept_findings
from doe_compiler.pipeline.receipts import Receipts


@dataclass(frozen=True, slots=True)
class Desk:
    """The audit trail of a project and its findings, for one account on one platform."""

    receipts: Receipts
    findings: Findings
    account: str


def desk(connection: Connection, folder: Path) -> Desk:
    """The desk of the project that a folder belongs to, for the account of a connection."""
    account = connection.client.me()
    hidden = hidden_folder(folder)
    kept: MutableMapping[str, str] = (
        {}
        if connection.is_embedded
        else kept_findings(hidden / "client", connection.host, account, reads_only=connection.reads_only)
    )
    return Desk(Receipts(hidden, connection.host, account), Findings(kept), account)


def kept_readings(
    connection: Connection, folder: Path, *, reads_only: bool = True
) -> MutableMapping[str, str]:
    """The responses that were read later than their runs, by job, run and extractor."""
    where = hidden_folder(folder) / "client" / "readings"
    return kept_findings(where, connection.host, "", reads_only=reads_only)
