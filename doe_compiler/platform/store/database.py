"""The database file: its connections and its transactions."""

import getpass
import os
import secrets
import sqlite3
import string
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from doe_compiler.kernel.errors import PreconditionFailed
from doe_compiler.platform.store.private_copy import copied, has_journals
from doe_compiler.platform.store.schema import STEPS

BUSY_MS = 60_000
DatabaseError = sqlite3.DatabaseError
Connection = sqlite3.Connection
_NOT_BROKEN = frozenset(
    {
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    }
)


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who uses the platform; the id is opaque."""

    id: str
    email: str


class StoreError(PreconditionFailed):
    """The database cannot be used; the message says why."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(
            message, hint=hint or "move the whole data folder away to begin anew, or set DOE_DATA"
        )


class Database:
    """The SQLite file of one platform, for any number of threads; each has its own connection.

    `durable` makes a commit survive a power cut (an fsync each); otherwise it survives the death of
    the process, and a power cut may take the last few. With `reads_only` nothing is written beside the file
    either: where SQLite could not keep to that, and for an older version, a private copy is read.
    """

    def __init__(self, path: Path, *, durable: bool, reads_only: bool = False) -> None:
        self._path = path
        self._synchronous = "FULL" if durable else "NORMAL"
        self._reads_only = reads_only
        self._mode = "rwc"
        self._private: tempfile.TemporaryDirectory[str] | None = None
        self._own = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._opening = threading.Lock()
        self._turn = threading.Lock()
        try:
            if not reads_only:
                self._prepare()
            elif not self._is_open_for_reading():
                self._make_private()
            self.user_id()
        except sqlite3.DatabaseError as error:
            self.close()
            raise unusable(path, error) from error
        except BaseException:
            self.close()
            raise

    def _is_open_for_reading(self) -> bool:
        """Whether the file itself can be read, leaving no trace: it is this user's own, and of this version."""
        path = self._path
        if not path.exists() or path.stat().st_uid != os.geteuid():
            return False
        if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
            return False
        # A read-only connection would leave the side files behind that it makes; another one takes them away,
        # but would write down what a killed user has left in them.
        self._mode = "ro" if has_journals(path) else "rw"
        try:
            if self._version() == len(STEPS):
                return True
        except sqlite3.OperationalError:
            pass
        self._close_connections()
        return False

    def _make_private(self) -> None:
        """Go on with a private copy; with an empty database if there is none."""
        self._private = tempfile.TemporaryDirectory(prefix="doe-read-", ignore_cleanup_errors=True)
        folder, original = Path(self._private.name), self._path
        self._path = copied(original, folder) if original.exists() else folder / original.name
        self._mode, self._synchronous, self._reads_only = "rwc", "OFF", False
        self._prepare()
        self._reads_only = True
        self._database().execute("PRAGMA query_only = 1")

    def _version(self) -> int:
        version = int(self._database().execute("PRAGMA user_version").fetchone()[0])
        if version > len(STEPS):
            raise StoreError(
                f"{self._path} was written by a newer version of doe", "use that version, or set DOE_DATA"
            )
        return version

    def _prepare(self) -> None:
        if self._version() == len(STEPS):
            return
        with self._writing() as writing:
            version = writing.execute("PRAGMA user_version").fetchone()[0]
            for number, step in enumerate(STEPS[version:], version + 1):
                for statement in step.split(";\n"):
                    writing.execute(statement)
                if number == 1:
                    writing.execute("INSERT INTO meta VALUES ('user', ?)", (new_id(5),))
                writing.execute(f"PRAGMA user_version = {number}")

    def _database(self) -> sqlite3.Connection:
        database: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if database is None:
            database = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode={self._mode}", uri=True, timeout=BUSY_MS / 1000,
                isolation_level=None, check_same_thread=False, cached_statements=256,
            )  # fmt: skip
            with self._opening:
                self._opened.append(database)
            if self._reads_only:
                database.execute("PRAGMA query_only = 1")
            else:
                database.execute("PRAGMA journal_mode = WAL")
                database.execute(f"PRAGMA synchronous = {self._synchronous}")
            self._own.connection = database
        return database

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        # Waiting for a lock wakes at once; SQLite itself sleeps and looks again.
        with self._turn:
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
        self._close_connections()
        if self._private is not None:
            self._private.cleanup()

    def _close_connections(self) -> None:
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


def unusable(path: Path, error: sqlite3.DatabaseError) -> StoreError:
    """What to tell of a database that cannot be used: only a broken one is to be moved away."""
    if error.sqlite_errorcode & 0xFF in _NOT_BROKEN:
        return StoreError(
            f"{path} cannot be used: {error}",
            f"nothing is broken: see that you may read and write '{path.parent}', and that its disk has room; "
            "DOE_DATA names another folder, with jobs of its own",
        )
    return StoreError(f"{path} is not a usable database of this platform: {error}")


def login_name() -> str:
    """Who this process runs as; `user` where the system has no name for them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "user"


def new_id(length: int) -> str:
    """A random id of letters."""
    return "".join(secrets.choice(string.ascii_letters) for _ in range(length))
