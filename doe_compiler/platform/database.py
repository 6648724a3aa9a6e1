"""The database file: its connections, its transactions, and who its users are."""

import hashlib
import secrets
import sqlite3
import string
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from doe_compiler.kernel.errors import PreconditionFailed
from doe_compiler.platform.schema import STEPS

BUSY_MS = 60_000
DatabaseError = sqlite3.DatabaseError
Connection = sqlite3.Connection


@dataclass(frozen=True, slots=True)
class User:
    """Someone with a token; the id is opaque."""

    id: str
    email: str


class StoreError(PreconditionFailed):
    """The database cannot be used; the message says why."""

    def __init__(self, message: str) -> None:
        super().__init__(message, hint="move the whole data folder away to begin anew, or set DOE_DATA")


class Database:
    """The SQLite file of one platform, for any number of threads; each has its own connection.

    `durable` makes a commit survive a power cut (an fsync each); otherwise it survives the death of
    the process, and a power cut may take the last few.
    """

    def __init__(self, path: Path, *, durable: bool) -> None:
        self._path = path
        self._synchronous = "FULL" if durable else "NORMAL"
        self._own = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._opening = threading.Lock()
        self._turn = threading.Lock()
        try:
            self._prepare()
        except sqlite3.DatabaseError as error:
            self.close()
            raise StoreError(f"{path} is not a usable database of this platform: {error}") from error

    def _prepare(self) -> None:
        database = self._database()
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if version > len(STEPS):
            raise StoreError(f"{self._path} was written by a newer version of doe")
        if version < len(STEPS):
            with self._writing() as writing:
                version = writing.execute("PRAGMA user_version").fetchone()[0]
                for number, step in enumerate(STEPS[version:], version + 1):
                    for statement in step.split(";\n"):
                        writing.execute(statement)
                    if number == 1:
                        writing.execute("INSERT INTO meta VALUES ('user', ?)", (new_id(5),))
                    writing.execute(f"PRAGMA user_version = {number}")
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

    def owner(self, email: str) -> User:
        """The platform's owner, who has this e-mail address from now on."""
        owner = self.user_id()
        known = self.users().get(owner)
        if known is None or known.email != email:
            with self._writing() as database:
                database.execute("UPDATE users SET email = id WHERE email = ?", (email,))
                database.execute("UPDATE users SET email = ? WHERE id = ?", (email, owner))
        return User(owner, email)

    def set_tokens(self, tokens: Mapping[str, str]) -> None:
        """Give users tokens, by e-mail address, kept as hashes only; nobody else has one any more."""
        with self._writing() as database:
            database.execute("UPDATE users SET token_sha256 = NULL")
            for email, token in tokens.items():
                database.execute("INSERT OR IGNORE INTO users(id, email) VALUES (?, ?)", (new_id(5), email))
                database.execute(
                    "UPDATE users SET token_sha256 = ? WHERE email = ?", (token_digest(token), email)
                )

    def users(self) -> dict[str, User]:
        """All users by id."""
        rows = self._database().execute("SELECT id, email FROM users")
        return {row[0]: User(*row) for row in rows}

    def token_digests(self) -> list[tuple[bytes, User]]:
        """The users who have a token, with its SHA-256."""
        rows = self._database().execute(
            "SELECT token_sha256, id, email FROM users WHERE token_sha256 IS NOT NULL"
        )
        return [(row[0], User(row[1], row[2])) for row in rows]


def token_digest(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def new_id(length: int) -> str:
    """A random id of letters."""
    return "".join(secrets.choice(string.ascii_letters) for _ in range(length))
