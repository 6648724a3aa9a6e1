"""Jobs, runs and outputs in the database, shared by several processes."""

# ruff: noqa: S608
# Only fixed names of columns and conditions are put into queries; values are always bound.

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from doe_compiler.platform.store.database import Connection, User
from doe_compiler.platform.store.filestore import FileStore
from doe_compiler.platform.store.records import Job, Output, Run, RunEnd, Status
from doe_compiler.platform.store.states import MOVES, Event, JobState, Move

JOB_COLUMNS = (
    "key, id, name, inserted_us, body, analysis_names, state, table_sha512, expected_runs, stop_requested, "
    "status, cluster_status, storage, owner, status_reason, runs_completed, runs_failed"
)
RUN_COLUMNS = "run, started_us, completed_us, exit_status, file_count, file_size, variables"
OUTPUTS = (
    "SELECT outputs.run, outputs.number, relative, size, outputs.md5, coalesce(completed_us, started_us), sha512 "
    "FROM outputs JOIN runs USING (job, run) LEFT JOIN output_sums USING (job, run, number, md5)"
)
GOES_ON = "goes_on"


STATES = {
    "draft": "state = 'draft'",
    "active": "state IN ('queued', 'running')",
    "queued": "state = 'queued'",
    "running": "state = 'running'",
    "complete": "state = 'finished'",
    "completed": "state = 'finished'",
    "not_completed": "state != 'finished'",
    "all": "1",
}
ORDERINGS = {
    "dateInserted": "key",
    "date_inserted": "key",
    "name": "name",
    "jobStatus": "status",
    "job_status": "status",
    "storage": "storage",
    "id": "id",
}


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs a list shows: each of `states` is a key of STATES, `ordering` one of ORDERINGS, with `-` downwards.

    Jobs that were made after `before_us` are not shown.
    """

    status: str | None = None
    search: str = ""
    states: tuple[str, ...] = ()
    ordering: str = "-dateInserted"
    before_us: int | None = None

    def order(self) -> str:
        """The order as SQL."""
        direction = "DESC" if self.ordering.startswith("-") else "ASC"
        column = ORDERINGS[self.ordering.removeprefix("-")]
        return f"key {direction}" if column == "key" else f"{column} {direction}, key DESC"


class Store(FileStore):
    """All that one platform remembers."""

    # Jobs

    def add_job(
        self,
        job_id: str,
        owner: str,
        name: str,
        body: str,
        analysis_names: str,
        table_sha512: str | None,
        expected_runs: int,
        storage: int,
        clock_us: Callable[[], int],
    ) -> bool:
        """Create a draft; False if the id is taken.

        Its stamp is taken inside the transaction that inserts it, and is later than every one before, also than those
        of jobs that were deleted: creation times are unique and rise in the order of commits.
        """
        with self._writing() as database:
            stamp = max(clock_us(), _newest_us(database) + 1)
            added = database.execute(
                "INSERT OR IGNORE INTO jobs(id, owner, name, inserted_us, body, analysis_names, state, "
                "table_sha512, expected_runs, storage) VALUES (?, ?, ?, ?, ?, ?, 'draft', ?, ?, ?)",
                (job_id, owner, name, stamp, body, analysis_names, table_sha512, expected_runs, storage),
            )
            database.execute("UPDATE meta SET value = ? WHERE key = 'newest_us'", (stamp,))
            return added.rowcount == 1

    def clock_us(self, now_us: int) -> int:
        """The time by the clock of the stamps: never before the newest one, even if the clock was set back."""
        return max(now_us, _newest_us(self._database()))

    def change_draft(
        self,
        key: int,
        name: str,
        body: str,
        analysis_names: str,
        table_sha512: str | None,
        expected_runs: int,
        storage: int,
    ) -> bool:
        """Change a draft; False if the job was submitted or deleted meanwhile."""
        with self._writing() as database:
            changed = database.execute(
                "UPDATE jobs SET name = ?, body = ?, analysis_names = ?, table_sha512 = ?, expected_runs = ?, "
                "storage = ? WHERE key = ? AND state = 'draft'",
                (name, body, analysis_names, table_sha512, expected_runs, storage, key),
            )
            return changed.rowcount == 1

    def rename(self, key: int, name: str) -> None:
        """Give a job another name."""
        with self._writing() as database:
            database.execute("UPDATE jobs SET name = ? WHERE key = ?", (name, key))

    def change_labels(self, key: int, name: str, value: object) -> None:
        """Set one top-level entry of the job's body that says nothing about what is run."""
        with self._writing() as database:
            database.execute(
                "UPDATE jobs SET body = json_set(body, '$.' || ?, json(?)) WHERE key = ?",
                (name, json.dumps(value), key),
            )

    def job(self, job_id: str) -> Job | None:
        """The job, if it exists."""
        row = self._database().execute(f"SELECT {JOB_COLUMNS} FROM jobs WHERE id = ?", (job_id,)).fetchone()
        return _job(row) if row else None

    def job_page(self, viewer: User, wanted: JobFilter, offset: int, limit: int) -> tuple[int, list[Job]]:
        """How many jobs that the viewer may see pass the filter, and a page of them."""
        conditions = [STATES[state] for state in wanted.states]
        values: list[object] = []
        if self._sees_shared(viewer):
            conditions.append("(owner = ? OR key IN (SELECT job FROM shares WHERE email = ?))")
            values += [viewer.id, viewer.email]
        else:
            conditions.append("owner = ?")
            values.append(viewer.id)
        if wanted.status is not None:
            conditions.append("status = ?")
            values.append(wanted.status)
        if wanted.before_us is not None:
            conditions.append("inserted_us <= ?")
            values.append(wanted.before_us)
        if wanted.search:
            conditions.append("instr(lower(name), lower(?)) > 0")
            values.append(wanted.search)
        where = " AND ".join(conditions)
        database = self._database()
        database.execute("BEGIN")
        try:
            count = database.execute(f"SELECT count(*) FROM jobs WHERE {where}", values).fetchone()[0]
            rows = database.execute(
                f"SELECT {JOB_COLUMNS} FROM jobs WHERE {where} ORDER BY {wanted.order()} LIMIT ? OFFSET ?",
                [*values, limit, offset],
            ).fetchall()
        finally:
            database.execute("COMMIT")
        return count, [_job(row) for row in rows]

    def unfinished_job_with_file(self, file_id: str) -> str | None:
        """The id of a job that still needs the file."""
        row = self._database().execute(
            "SELECT id FROM jobs WHERE state != 'finished' AND instr(body, ?) LIMIT 1", (json.dumps(file_id),)
        ).fetchone()  # fmt: skip
        return str(row[0]) if row else None

    # Sharing

    def share(self, key: int, email: str, message: str, files: Iterable[str], now_us: int) -> None:
        """Let the user with the e-mail address see the job and its files."""
        with self._writing() as database:
            database.execute(
                "INSERT OR REPLACE INTO shares VALUES (?, ?, ?, ?)", (key, email, message, now_us)
            )
            database.executemany(
                "INSERT OR IGNORE INTO file_shares VALUES (?, ?)", [(file, email) for file in files]
            )

    def shared_with(self, keys: Iterable[int]) -> dict[int, list[str]]:
        """The e-mail addresses that each job is shared with, in the order of sharing."""
        database = self._database()
        if database.execute("SELECT 1 FROM shares LIMIT 1").fetchone() is None:
            return {}
        found: dict[int, list[str]] = {}
        for key in keys:
            rows = database.execute("SELECT email FROM shares WHERE job = ? ORDER BY date_us", (key,))
            found[key] = [row[0] for row in rows]
        return found

    def may_see_job(self, viewer: User, job: Job) -> bool:
        """Whether the viewer owns the job or was shown it."""
        return job.owner == viewer.id or viewer.email in self.shared_with([job.key]).get(job.key, [])

    def _sees_shared(self, viewer: User) -> bool:
        rows = self._database().execute("SELECT 1 FROM shares WHERE email = ? LIMIT 1", (viewer.email,))
        return rows.fetchone() is not None

    # The life of a job

    def submit(self, job_id: str, now_us: int) -> JobState | None:
        """Queue a draft; the state that was found, None if there is no job. Only a draft is changed."""
        with self._writing() as database:
            found = _found(database, job_id)
            if found is None:
                return None
            if _moved(database, found, Event.SUBMIT, now_us):
                database.execute(
                    "UPDATE jobs SET turn = (SELECT coalesce(max(turn), 0) + 1 FROM jobs) WHERE key = ?",
                    (found.key,),
                )
            return found.state

    def request_stop(self, job_id: str, now_us: int) -> JobState | None:
        """Ask for a running job's end and end a queued one; the state that was found."""
        with self._writing() as database:
            found = _found(database, job_id)
            if found is None:
                return None
            move = _moved(database, found, Event.STOP, now_us)
            if move is not None and move.to is JobState.FINISHED:
                _count_runs(database, found.key)
            return found.state

    def delete_job(self, job_id: str, *, only_draft: bool = False) -> JobState | None:
        """Delete a draft or a finished job with its runs, or only a draft; the state that was found."""
        with self._writing() as database:
            found = _found(database, job_id)
            if found is None:
                return None
            is_meant = found.state is JobState.DRAFT or not only_draft
            if is_meant and (found.place, Event.DELETE) in MOVES:
                database.execute("DELETE FROM jobs WHERE key = ?", (found.key,))
                for table in ("statuses", "runs", "outputs", "output_sums", "shares", "run_stops"):
                    database.execute(f"DELETE FROM {table} WHERE job = ?", (found.key,))
            return found.state

    def statuses(self, job: Job, *, of_cluster: bool) -> list[Status]:
        """The history, newest first; what happened at once, or while the clock was set back, is a microsecond apart."""
        rows = self._database().execute(
            "SELECT status, date_us, reason FROM statuses WHERE job = ? AND of_cluster = ? ORDER BY seq",
            (job.key, int(of_cluster)),
        )
        history: list[Status] = []
        for status, date_us, reason in rows:
            earliest_us = history[-1].date_us + 1 if history else date_us
            history.append(Status(status, max(date_us, earliest_us), reason))
        return history[::-1]

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
            f"{OUTPUTS} WHERE {where} ORDER BY outputs.run, outputs.number LIMIT ? OFFSET ?",
            [*values, limit, offset],
        )
        return count, [_output(job.id, row) for row in rows]

    def output(self, job: Job, run: int, number: int) -> Output | None:
        """One output file, if it exists."""
        row = self._database().execute(
            f"{OUTPUTS} WHERE outputs.job = ? AND outputs.run = ? AND outputs.number = ?",
            (job.key, run, number),
        ).fetchone()  # fmt: skip
        return _output(job.id, row) if row else None

    def record_snapshot(self, key: int, run: int, outputs: Sequence[tuple[str, int, str]]) -> bool:
        """Record what a run has written so far; False if it does not run."""
        with self._writing() as database:
            changed = database.execute(
                "UPDATE runs SET file_count = ?, file_size = ? WHERE job = ? AND run = ? AND completed_us IS NULL",
                (len(outputs), sum(size for _, size, _ in outputs), key, run),
            )
            if changed.rowcount:
                database.execute("DELETE FROM outputs WHERE job = ? AND run = ?", (key, run))
                _add_outputs(database, key, run, outputs)
            return changed.rowcount == 1

    def keep_sums(self, outputs: Iterable[Output]) -> None:
        """Remember the SHA-512 of output files; who only reads remembers nothing."""
        if self._reads_only:
            return
        with self._writing() as database:
            database.executemany(
                "INSERT OR IGNORE INTO output_sums SELECT key, ?, ?, ?, ? FROM jobs WHERE id = ?",
                [(each.run, each.number, each.md5, each.sha512, each.job_id) for each in outputs],
            )

    def delete_output(self, output: Output) -> None:
        """Forget one output file."""
        with self._writing() as database:
            database.execute(
                "DELETE FROM outputs WHERE job = (SELECT key FROM jobs WHERE id = ?) AND run = ? AND number = ?",
                (output.job_id, output.run, output.number),
            )

    def request_run_stop(self, key: int, run: int) -> None:
        """Ask for the end of one run."""
        with self._writing() as database:
            database.execute("INSERT OR IGNORE INTO run_stops VALUES (?, ?)", (key, run))

    def run_stops(self, key: int) -> set[int]:
        """The runs of the job that are to end."""
        return {row[0] for row in self._database().execute("SELECT run FROM run_stops WHERE job = ?", (key,))}

    def stored_size(self) -> int:
        """The bytes of all uploads and kept outputs, the same content once, and of the outputs of all runs."""
        contents = "SELECT coalesce(sum(size), 0) FROM (SELECT DISTINCT sha512, size FROM files)"
        outputs = "SELECT coalesce(sum(size), 0) FROM outputs"
        return int(self._database().execute(f"SELECT ({contents}) + ({outputs})").fetchone()[0])

    # The executor's side

    def live_jobs(self, limit: int) -> list[Job]:
        """The jobs that are queued or running, in the order of their submits."""
        rows = self._database().execute(
            f"SELECT {JOB_COLUMNS} FROM jobs WHERE state IN ('queued', 'running') ORDER BY turn LIMIT ?",
            (limit,),
        )
        return [_job(row) for row in rows]

    def go_on(self) -> None:
        """Let the jobs that are live now go on until none is left, whoever has started their executor ends."""
        if not self.is_to_go_on():
            with self._writing() as database:
                database.execute("INSERT OR IGNORE INTO meta VALUES (?, '')", (GOES_ON,))

    def is_to_go_on(self) -> bool:
        """Whether `go_on` was asked for and jobs have been live ever since."""
        found = self._database().execute("SELECT 1 FROM meta WHERE key = ?", (GOES_ON,)).fetchone()
        return found is not None

    def is_at_rest(self) -> bool:
        """Whether no job is live; what `go_on` asked for is done then."""
        with self._writing() as database:
            if _has_live_jobs(database):
                return False
            database.execute("DELETE FROM meta WHERE key = ?", (GOES_ON,))
            return True

    def stopping_jobs(self) -> list[Job]:
        """The running jobs whose stop was asked for, in the order of their submits."""
        rows = self._database().execute(
            f"SELECT {JOB_COLUMNS} FROM jobs WHERE state IN ('queued', 'running') AND stop_requested ORDER BY turn"
        )
        return [_job(row) for row in rows]

    def start_job(self, key: int, now_us: int) -> bool:
        """Mark a queued job as running; True if it was queued, so that this is its first start."""
        with self._writing() as database:
            found = _found_by_key(database, key)
            return found is not None and _moved(database, found, Event.START, now_us) is not None

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
                for end in ends:
                    _add_outputs(database, key, end.run.number, end.outputs)
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
            found = _found_by_key(database, key)
            if found is not None and _moved(database, found, Event.FINISH, now_us, reason):
                _count_runs(database, key)

    def job_ids(self) -> set[str]:
        """The ids of all jobs."""
        return {row[0] for row in self._database().execute("SELECT id FROM jobs")}


def _newest_us(database: Connection) -> int:
    return int(database.execute("SELECT value FROM meta WHERE key = 'newest_us'").fetchone()[0])


@dataclass(frozen=True, slots=True)
class _Found:
    """Where a job stands that is to be moved, in the transaction that moves it."""

    key: int
    state: JobState
    is_stop_asked_for: bool

    @property
    def place(self) -> tuple[JobState, bool]:
        return self.state, self.is_stop_asked_for


def _found(database: Connection, job_id: str) -> _Found | None:
    row = database.execute("SELECT key, state, stop_requested FROM jobs WHERE id = ?", (job_id,)).fetchone()
    return None if row is None else _Found(row[0], JobState(row[1]), bool(row[2]))


def _found_by_key(database: Connection, key: int) -> _Found | None:
    row = database.execute("SELECT key, state, stop_requested FROM jobs WHERE key = ?", (key,)).fetchone()
    return None if row is None else _Found(row[0], JobState(row[1]), bool(row[2]))


def _moved(
    database: Connection, found: _Found, event: Event, now_us: int, reason: str | None = None
) -> Move | None:
    """Move a job on as the table of states says, with the words of both histories; None if the event is none there."""
    move = MOVES.get((found.place, event))
    if move is None or move.to is None:
        return None
    reason = reason or move.reason
    insert = "INSERT INTO statuses(job, of_cluster, status, date_us, reason) VALUES (?, ?, ?, ?, ?)"
    last = len(move.words) - 1
    for place, word in enumerate(move.words):
        database.execute(insert, (found.key, 0, word, now_us, reason if place == last else None))
    for word in move.cluster:
        database.execute(insert, (found.key, 1, word, now_us, None))
    database.execute(
        "UPDATE jobs SET state = ?, stop_requested = ?, status = ?, status_reason = ?, cluster_status = ? WHERE key = ?",
        (
            move.to.value,
            found.is_stop_asked_for or move.asks_for_stop,
            move.words[-1],
            reason,
            move.cluster[-1],
            found.key,
        ),
    )
    return move


def _count_runs(database: Connection, key: int) -> None:
    """Note how many runs of an ended job have completed, and how many of them failed."""
    completed = "SELECT count(*) FROM runs WHERE job = jobs.key AND completed_us IS NOT NULL"
    database.execute(
        f"UPDATE jobs SET runs_completed = ({completed}), runs_failed = ({completed} AND exit_status) WHERE key = ?",
        (key,),
    )


def _add_outputs(database: Connection, key: int, run: int, outputs: Sequence[tuple[str, int, str]]) -> None:
    database.executemany(
        "INSERT OR REPLACE INTO outputs VALUES (?, ?, ?, ?, ?, ?)",
        [
            (key, run, number, _stored_path(relative), size, md5)
            for number, (relative, size, md5) in enumerate(outputs, 1)
        ],
    )


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
    run, number, relative, size, md5, stored_us, sha512 = row
    path = os.fsdecode(relative) if isinstance(relative, bytes) else relative
    return Output(job_id, run, number, path, size, md5, stored_us, sha512)  # type: ignore[arg-type]  # as above


def _has_live_jobs(database: Connection) -> bool:
    live = database.execute("SELECT 1 FROM jobs WHERE state IN ('queued', 'running') LIMIT 1")
    return live.fetchone() is not None
