"""The one file that knows SQL: files, jobs, runs and outputs in SQLite, shared by several processes."""

# ruff: noqa: S608
# Only fixed names of columns and conditions are put into queries; values are always bound.

import json
import os
import secrets
import sqlite3
import string
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from doe_compiler.kernel.errors import PreconditionFailed
from doe_compiler.platform.records import (
    Job,
    JobState,
    Output,
    Reason,
    Run,
    RunEnd,
    Status,
    StoredFile,
)
from doe_compiler.platform.tables import TableIndex

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files(
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, size INTEGER NOT NULL,
    md5 TEXT NOT NULL, sha512 TEXT NOT NULL, type_id INTEGER NOT NULL, uploaded_us INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS tables(
    sha512 TEXT PRIMARY KEY, names TEXT NOT NULL, count INTEGER NOT NULL, offsets BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS jobs(
    key INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    inserted_us INTEGER NOT NULL, body TEXT NOT NULL, analysis_names TEXT NOT NULL, state TEXT NOT NULL,
    table_sha512 TEXT, expected_runs INTEGER NOT NULL, stop_requested INTEGER NOT NULL DEFAULT 0,
    status TEXT NOT NULL DEFAULT '', cluster_status TEXT NOT NULL DEFAULT '', storage INTEGER NOT NULL,
    turn INTEGER);
CREATE UNIQUE INDEX IF NOT EXISTS jobs_turn ON jobs(turn) WHERE turn IS NOT NULL;
CREATE INDEX IF NOT EXISTS jobs_live ON jobs(turn) WHERE state IN ('queued', 'running');
CREATE INDEX IF NOT EXISTS jobs_status ON jobs(status, key);
CREATE TABLE IF NOT EXISTS statuses(
    seq INTEGER PRIMARY KEY AUTOINCREMENT, job INTEGER NOT NULL, of_cluster INTEGER NOT NULL,
    status TEXT NOT NULL, date_us INTEGER NOT NULL, reason TEXT);
CREATE INDEX IF NOT EXISTS statuses_job ON statuses(job, of_cluster, seq);
CREATE TABLE IF NOT EXISTS runs(
    job INTEGER NOT NULL, run INTEGER NOT NULL, started_us INTEGER NOT NULL, completed_us INTEGER,
    exit_status INTEGER NOT NULL, file_count INTEGER NOT NULL, file_size INTEGER NOT NULL, variables TEXT NOT NULL,
    PRIMARY KEY(job, run)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outputs(
    job INTEGER NOT NULL, run INTEGER NOT NULL, number INTEGER NOT NULL, relative NOT NULL,
    size INTEGER NOT NULL, md5 TEXT NOT NULL, PRIMARY KEY(job, run, number)) WITHOUT ROWID;
"""
VERSION = 1
JOB_COLUMNS = (
    "key, id, name, inserted_us, body, analysis_names, state, table_sha512, expected_runs, stop_requested, "
    "status, cluster_status, storage"
)
FILE_COLUMNS = "id, name, size, md5, sha512, type_id, uploaded_us"
RUN_COLUMNS = "run, started_us, completed_us, exit_status, file_count, file_size, variables"
BUSY_MS = 60_000
DatabaseError = sqlite3.DatabaseError
NEVER_STARTED = ("Stop Requested", "Stopping", "Stopped")


class StoreError(PreconditionFailed):
    """The database cannot be used; the message says why."""

    def __init__(self, message: str) -> None:
        super().__init__(message, hint="move the whole data folder away to begin anew, or set DOE_DATA")


class Store:
    """The database of one platform, for any number of threads; each has its own connection.

    `durable` makes a commit survive a power cut (an fsync each); otherwise it survives the death of
    the process, and a power cut may take the last few.
    """

    def __init__(self, path: Path, *, durable: bool) -> None:
        self._path = path
        self._synchronous = "FULL" if durable else "NORMAL"
        self._own = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._opening = threading.Lock()
        try:
            self._prepare()
        except sqlite3.DatabaseError as error:
            self.close()
            raise StoreError(f"{path} is not a usable database of this platform: {error}") from error

    def _prepare(self) -> None:
        database = self._database()
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise StoreError(f"{self._path} was written by a newer version of doe")
        if version < VERSION:
            with self._writing() as writing:
                for statement in SCHEMA.split(";\n"):
                    writing.execute(statement)
                writing.execute("INSERT OR IGNORE INTO meta VALUES ('user', ?)", (new_id(5),))
                writing.execute(f"PRAGMA user_version = {VERSION}")
        self.user_id()

    def _database(self) -> sqlite3.Connection:
        database: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if database is None:
            database = sqlite3.connect(
                self._path, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False,
                cached_statements=256,
            )  # fmt: skip
            with self._opening:
                self._opened.append(database)
            database.execute("PRAGMA journal_mode = WAL")
            database.execute(f"PRAGMA synchronous = {self._synchronous}")
            self._own.connection = database
        return database

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        database = self._database()
        database.execute("BEGIN IMMEDIATE")
        try:
            yield database
        except BaseException:
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")

    def close(self) -> None:
        """Close every thread's connection."""
        with self._opening:
            for database in self._opened:
                database.close()
            self._opened.clear()
        self._own = threading.local()

    def change_count(self) -> int:
        """A number that differs after another connection has committed."""
        return int(self._database().execute("PRAGMA data_version").fetchone()[0])

    def user_id(self) -> str:
        """The opaque id of the platform's one user."""
        row = self._database().execute("SELECT value FROM meta WHERE key = 'user'").fetchone()
        if row is None:
            raise StoreError(f"{self._path} is not a usable database of this platform: it has no user")
        return str(row[0])

    # Files

    def add_file(self, name: str, size: int, md5: str, sha512: str, type_id: int, now_us: int) -> StoredFile:
        """Record an upload under a new id."""
        with self._writing() as database:
            while True:
                file = StoredFile(new_id(6), name, size, md5, sha512, type_id, now_us)
                added = database.execute(
                    f"INSERT OR IGNORE INTO files({FILE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (file.id, name, size, md5, sha512, type_id, now_us),
                )
                if added.rowcount:
                    return file

    def files_by_id(self, ids: Iterable[str]) -> dict[str, StoredFile]:
        """The uploads that exist among the ids."""
        database = self._database()
        found = {}
        for file_id in set(ids):
            row = database.execute(f"SELECT {FILE_COLUMNS} FROM files WHERE id = ?", (file_id,)).fetchone()
            if row:
                found[file_id] = StoredFile(*row)
        return found

    def file_page(self, search: str, offset: int, limit: int) -> tuple[int, list[StoredFile]]:
        """How many uploads have `search` in their name, and a page of them, newest first."""
        database = self._database()
        where, values = ("WHERE instr(lower(name), lower(?)) > 0", [search]) if search else ("", [])
        count = database.execute(f"SELECT count(*) FROM files {where}", values).fetchone()[0]
        rows = database.execute(
            f"SELECT {FILE_COLUMNS} FROM files {where} ORDER BY seq DESC LIMIT ? OFFSET ?",
            [*values, limit, offset],
        )
        return count, [StoredFile(*row) for row in rows]

    # Parameter tables

    def add_table(self, sha512: str, index: TableIndex) -> None:
        """Keep the index of a parameter table."""
        with self._writing() as database:
            database.execute(
                "INSERT OR IGNORE INTO tables VALUES (?, ?, ?, ?)",
                (sha512, json.dumps(index.names), index.count, index.offsets),
            )

    def table(self, sha512: str) -> TableIndex | None:
        """The index of a parameter table, if it was made."""
        row = self._database().execute(
            "SELECT names, count, offsets FROM tables WHERE sha512 = ?", (sha512,)
        ).fetchone()  # fmt: skip
        return TableIndex(tuple(json.loads(row[0])), row[1], row[2]) if row else None

    # Jobs

    def add_job(
        self,
        job_id: str,
        name: str,
        body: str,
        analysis_names: str,
        table_sha512: str | None,
        expected_runs: int,
        storage: int,
        now_us: int,
    ) -> bool:
        """Create a draft; False if the id is taken."""
        with self._writing() as database:
            added = database.execute(
                "INSERT OR IGNORE INTO jobs(id, name, inserted_us, body, analysis_names, state, table_sha512, "
                "expected_runs, storage) VALUES (?, ?, ?, ?, ?, 'draft', ?, ?, ?)",
                (job_id, name, now_us, body, analysis_names, table_sha512, expected_runs, storage),
            )
            return added.rowcount == 1

    def job(self, job_id: str) -> Job | None:
        """The job, if it exists."""
        row = self._database().execute(f"SELECT {JOB_COLUMNS} FROM jobs WHERE id = ?", (job_id,)).fetchone()
        return _job(row) if row else None

    def job_page(self, status: str | None, search: str, offset: int, limit: int) -> tuple[int, list[Job]]:
        """How many jobs have the status (any if None) and `search` in their name, and a page, newest first."""
        conditions: list[str] = []
        values: list[object] = []
        if status is not None:
            conditions.append("status = ?")
            values.append(status)
        if search:
            conditions.append("instr(lower(name), lower(?)) > 0")
            values.append(search)
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        database = self._database()
        database.execute("BEGIN")
        try:
            count = database.execute(f"SELECT count(*) FROM jobs {where}", values).fetchone()[0]
            rows = database.execute(
                f"SELECT {JOB_COLUMNS} FROM jobs {where} ORDER BY key DESC LIMIT ? OFFSET ?",
                [*values, limit, offset],
            ).fetchall()
        finally:
            database.execute("COMMIT")
        return count, [_job(row) for row in rows]

    def submit(self, job_id: str, now_us: int) -> JobState | None:
        """Queue a draft; the state that was found, None if there is no job. Only a draft is changed."""
        with self._writing() as database:
            row = database.execute("SELECT key, state FROM jobs WHERE id = ?", (job_id,)).fetchone()
            if row is None:
                return None
            state = JobState(row[1])
            if state is JobState.DRAFT:
                database.execute(
                    "UPDATE jobs SET state = 'queued', turn = (SELECT coalesce(max(turn), 0) + 1 FROM jobs) "
                    "WHERE key = ?",
                    (row[0],),
                )
                _add_statuses(database, row[0], now_us, job=(("Pending", None), ("Queued", None)))
                _add_statuses(database, row[0], now_us, cluster=("Not Started",))
            return state

    def request_stop(self, job_id: str, now_us: int) -> JobState | None:
        """Ask for a running job's end and end a queued one; the state that was found."""
        with self._writing() as database:
            row = database.execute(
                "SELECT key, state, stop_requested FROM jobs WHERE id = ?", (job_id,)
            ).fetchone()
            if row is None:
                return None
            state = JobState(row[1])
            if state is JobState.QUEUED:
                database.execute(
                    "UPDATE jobs SET state = 'finished', stop_requested = 1 WHERE key = ?", (row[0],)
                )
                _add_statuses(database, row[0], now_us, job=(("Completed", Reason.STOPPED),))
                _add_statuses(database, row[0], now_us, cluster=NEVER_STARTED)
            elif state is JobState.RUNNING and not row[2]:
                database.execute("UPDATE jobs SET stop_requested = 1 WHERE key = ?", (row[0],))
                _add_statuses(
                    database, row[0], now_us, job=(("Stopping", None),), cluster=("Stop Requested",)
                )
            return state

    def delete_job(self, job_id: str) -> JobState | None:
        """Delete a draft or a finished job with its runs; the state that was found."""
        with self._writing() as database:
            row = database.execute("SELECT key, state FROM jobs WHERE id = ?", (job_id,)).fetchone()
            if row is None:
                return None
            state = JobState(row[1])
            if state in (JobState.DRAFT, JobState.FINISHED):
                database.execute("DELETE FROM jobs WHERE key = ?", (row[0],))
                for table in ("statuses", "runs", "outputs"):
                    database.execute(f"DELETE FROM {table} WHERE job = ?", (row[0],))
            return state

    def statuses(self, job: Job, *, of_cluster: bool) -> list[Status]:
        """The history, newest first."""
        rows = self._database().execute(
            "SELECT status, date_us, reason FROM statuses WHERE job = ? AND of_cluster = ? ORDER BY seq DESC",
            (job.key, int(of_cluster)),
        )
        return [Status(*row) for row in rows]

    # Runs and outputs

    def runs(self, job: Job, first: int, last: int) -> dict[int, Run]:
        """The runs that have started among the numbers from `first` to `last`."""
        rows = self._database().execute(
            f"SELECT {RUN_COLUMNS} FROM runs WHERE job = ? AND run BETWEEN ? AND ?", (job.key, first, last)
        )
        return {row[0]: _run(row) for row in rows}

    def output_page(
        self, job: Job, run: int | None, search: str, offset: int, limit: int
    ) -> tuple[int, list[Output]]:
        """How many outputs the job (or its run) has with `search` in their path, and a page, in order of runs."""
        where, values = "outputs.job = ?", [job.key]  # type: tuple[str, list[object]]
        if run is not None:
            where += " AND outputs.run = ?"
            values.append(run)
        if search:
            where += " AND instr(lower(CAST(relative AS TEXT)), lower(?)) > 0"
            values.append(search)
        database = self._database()
        count = database.execute(f"SELECT count(*) FROM outputs WHERE {where}", values).fetchone()[0]
        rows = database.execute(
            f"SELECT outputs.run, number, relative, size, md5, coalesce(completed_us, started_us) FROM outputs "
            f"JOIN runs USING (job, run) WHERE {where} ORDER BY outputs.run, number LIMIT ? OFFSET ?",
            [*values, limit, offset],
        )
        return count, [_output(job.id, row) for row in rows]

    def output(self, job: Job, run: int, number: int) -> Output | None:
        """One output file, if it exists."""
        row = self._database().execute(
            "SELECT outputs.run, number, relative, size, md5, coalesce(completed_us, started_us) FROM outputs "
            "JOIN runs USING (job, run) WHERE outputs.job = ? AND outputs.run = ? AND number = ?",
            (job.key, run, number),
        ).fetchone()  # fmt: skip
        return _output(job.id, row) if row else None

    # The executor's side

    def live_jobs(self, limit: int) -> list[Job]:
        """The jobs that are queued or running, in the order of their submits."""
        rows = self._database().execute(
            f"SELECT {JOB_COLUMNS} FROM jobs WHERE state IN ('queued', 'running') ORDER BY turn LIMIT ?",
            (limit,),
        )
        return [_job(row) for row in rows]

    def start_job(self, key: int, now_us: int) -> bool:
        """Mark a queued job as running; True if it was queued, so that this is its first start."""
        with self._writing() as database:
            changed = database.execute(
                "UPDATE jobs SET state = 'running' WHERE key = ? AND state = 'queued'", (key,)
            )
            if changed.rowcount:
                _add_statuses(database, key, now_us, cluster=("Starting", "Started"))
                statuses = (("Started", None), ("Validated", None), ("Executing", None))
                _add_statuses(database, key, now_us, job=statuses)
            return changed.rowcount == 1

    def completed_runs(self, key: int) -> list[int]:
        """The numbers of the runs that need not run again."""
        rows = self._database().execute(
            "SELECT run FROM runs WHERE job = ? AND completed_us IS NOT NULL", (key,)
        )
        return [row[0] for row in rows]

    def forget_interrupted_runs(self, key: int) -> None:
        """Drop the records of runs that started and did not complete."""
        with self._writing() as database:
            interrupted = "SELECT run FROM runs WHERE job = ? AND completed_us IS NULL"
            database.execute(f"DELETE FROM outputs WHERE job = ? AND run IN ({interrupted})", (key, key))
            database.execute("DELETE FROM runs WHERE job = ? AND completed_us IS NULL", (key,))

    def record_runs(self, started: Sequence[tuple[int, Run]], ended: Mapping[int, Sequence[RunEnd]]) -> None:
        """Record what began, as (job key, run), and what ended, by job key, in one transaction."""
        with self._writing() as database:
            database.executemany(
                "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(key, *_run_row(run)) for key, run in started],
            )
            for key, ends in ended.items():
                database.executemany(
                    "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    [(key, *_run_row(end.run)) for end in ends],
                )
                database.executemany(
                    "INSERT OR REPLACE INTO outputs VALUES (?, ?, ?, ?, ?, ?)",
                    [
                        (key, end.run.number, number, _stored_path(relative), size, md5)
                        for end in ends
                        for number, (relative, size, md5) in enumerate(end.outputs, 1)
                    ],
                )
                database.execute(
                    "UPDATE jobs SET storage = storage + ? WHERE key = ?",
                    (sum(end.run.file_size for end in ends), key),
                )

    def has_failed_runs(self, key: int) -> bool:
        """Whether a run of the job has failed."""
        found = self._database().execute("SELECT 1 FROM runs WHERE job = ? AND exit_status LIMIT 1", (key,))
        return found.fetchone() is not None

    def finish_job(self, key: int, reason: str, now_us: int) -> None:
        """Complete the job and stop its cluster."""
        with self._writing() as database:
            stop_requested = database.execute(
                "SELECT stop_requested FROM jobs WHERE key = ?", (key,)
            ).fetchone()[0]
            database.execute("UPDATE jobs SET state = 'finished' WHERE key = ?", (key,))
            _add_statuses(database, key, now_us, job=(("Completed", reason),))
            cluster = ("Stopping", "Stopped") if stop_requested else ("Stop Requested", "Stopping", "Stopped")
            _add_statuses(database, key, now_us, cluster=cluster)

    def job_ids(self) -> set[str]:
        """The ids of all jobs."""
        return {row[0] for row in self._database().execute("SELECT id FROM jobs")}


def new_id(length: int) -> str:
    """A random id of letters."""
    return "".join(secrets.choice(string.ascii_letters) for _ in range(length))


def _add_statuses(
    database: sqlite3.Connection,
    key: int,
    now_us: int,
    *,
    job: Sequence[tuple[str, str | None]] = (),
    cluster: Sequence[str] = (),
) -> None:
    insert = "INSERT INTO statuses(job, of_cluster, status, date_us, reason) VALUES (?, ?, ?, ?, ?)"
    for status, reason in job:
        database.execute(insert, (key, 0, status, now_us, reason))
    for word in cluster:
        database.execute(insert, (key, 1, word, now_us, None))
    if job:
        database.execute("UPDATE jobs SET status = ? WHERE key = ?", (job[-1][0], key))
    if cluster:
        database.execute("UPDATE jobs SET cluster_status = ? WHERE key = ?", (cluster[-1], key))


def _job(row: Sequence[object]) -> Job:
    values = list(row)
    values[6] = JobState(values[6])
    values[9] = bool(values[9])
    return Job(*values)  # type: ignore[arg-type]  # the columns are the fields


def _run(row: Sequence[object]) -> Run:
    variables = tuple((name, value) for name, value in json.loads(str(row[6])))
    return Run(*row[:6], variables)  # type: ignore[arg-type,call-arg]  # as above


def _run_row(run: Run) -> tuple[object, ...]:
    return (
        run.number,
        run.started_us,
        run.completed_us,
        run.exit_status,
        run.file_count,
        run.file_size,
        json.dumps(run.variables) if run.variables else "[]",
    )


def _stored_path(relative: str) -> str | bytes:
    return relative if relative.isascii() else _text_or_bytes(relative)


def _text_or_bytes(relative: str) -> str | bytes:
    try:
        relative.encode()
    except UnicodeEncodeError:
        return os.fsencode(relative)
    return relative


def _output(job_id: str, row: Sequence[object]) -> Output:
    run, number, relative, size, md5, stored_us = row
    path = os.fsdecode(relative) if isinstance(relative, bytes) else relative
    return Output(job_id, run, number, path, size, md5, stored_us)  # type: ignore[arg-type]  # as above
