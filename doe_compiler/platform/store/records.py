"""What the platform remembers, as plain values: files, jobs, runs, outputs and statuses."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from doe_compiler.platform.store.runuser import RunFolder, RunUser, kept_run_user, reached
from doe_compiler.platform.store.states import JobState, RunState, run_state


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An uploaded file; its content lies in the blobs under its SHA-512."""

    id: str
    name: str
    size: int
    md5: str
    sha512: str
    type_id: int
    uploaded_us: int
    owner: str


@dataclass(frozen=True, slots=True)
class Output:
    """A file that a run left in its work directory; `relative` is as the file system spells it.

    `sha512` is None until somebody has asked for it.
    """

    job_id: str
    run: int
    number: int
    relative: str
    size: int
    md5: str
    stored_us: int
    sha512: str | None

    @property
    def id(self) -> str:
        """The file's id in the API: it names job, run and file."""
        return f"{self.job_id}{self.run}x{self.number}"


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it was created, and how far it is; its runs are counted when it has ended."""

    key: int
    id: str
    name: str
    inserted_us: int
    body: str
    analysis_names: str
    state: JobState
    table_sha512: str | None
    expected_runs: int
    stop_requested: bool
    status: str
    cluster_status: str
    storage: int
    owner: str
    status_reason: str | None
    runs_completed: int | None
    runs_failed: int | None


@dataclass(frozen=True, slots=True)
class Status:
    """One entry of a job's or its cluster's history."""

    status: str
    date_us: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class Run:
    """A run that has started; `completed_us` is None while it runs and if it was stopped.

    `exit_status` is 0 or that of the first step that failed, 128 + n for a step ended by signal n.
    """

    number: int
    started_us: int
    completed_us: int | None
    exit_status: int
    file_count: int
    file_size: int
    variables: tuple[tuple[str, str], ...]

    def state(self, job: JobState) -> RunState:
        """Where it stands in a job that stands there."""
        return run_state(job, has_started=True, has_ended=self.completed_us is not None)


@dataclass(frozen=True, slots=True)
class RunEnd:
    """What is recorded when a run ends: its outputs as (relative path, size, md5), its variables."""

    run: Run
    outputs: tuple[tuple[str, int, str], ...]


def now_us() -> int:
    """Microseconds since 1970, UTC."""
    return time.time_ns() // 1000


def iso_date(us: int | None) -> str | None:
    """The date as the API writes it: ISO 8601 in UTC with microseconds and `Z`; None stays None."""
    if us is None:
        return None
    whole = datetime.fromtimestamp(us // 1_000_000, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{us % 1_000_000:06d}Z"


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Where everything of one platform lies."""

    root: Path

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.root / "platform.sqlite"

    @property
    def blobs(self) -> Path:
        """Uploaded contents, by SHA-512."""
        return self.root / "files"

    @property
    def jobs(self) -> Path:
        """A folder a job, a work directory a run."""
        return self.root / "jobs"

    @property
    def executor_lock(self) -> Path:
        """Held by the one executor."""
        return self.root / "executor.lock"

    @property
    def server_lock(self) -> Path:
        """Held by the one HTTP server."""
        return self.root / "server.lock"

    @property
    def executor_log(self) -> Path:
        """What the executor says."""
        return self.root / "executor.log"

    def run_directory(self, job_id: str, run: int) -> Path:
        """The work directory of a run, which is where its outputs stay."""
        return self.jobs / job_id / f"run{run}"

    def run_user(self) -> RunUser | None:
        """As whom runs execute, if not as this process' user."""
        return kept_run_user(self.root)

    @contextmanager
    def reached(self, job_id: str, run: int) -> Iterator[RunFolder]:
        """The work directory of a run, open."""
        with reached(str(self.run_directory(job_id, run)), self.run_user()) as folder:
            yield folder
