"""Who uses the platform, and with which tokens; of a token only a hash is kept."""

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from doe_compiler.platform.store.database import Database, User, new_id
from doe_compiler.platform.store.records import now_us

EMAIL = re.compile(r"[!-?A-~]{1,64}@[!-?A-~]{1,255}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token. `is_of_file`: the token file of the server gives it, and it ends with its line there."""

    id: str
    email: str
    only_reads: bool
    is_of_file: bool
    added_us: int


@dataclass(frozen=True, slots=True)
class Holder:
    """Who came with a token, and whether it only reads."""

    user: User
    only_reads: bool = False


class Users(Database):
    """The users of a platform and their tokens; what one process changes, another sees at once."""

    def owner(self, email: str) -> User:
        """The platform's owner, who has this e-mail address from now on; who only reads leaves the old one."""
        owner = self.user_id()
        known = self.users().get(owner)
        if self._reads_only:
            return known if known is not None and known.email else User(owner, email)
        if known is None or known.email != email:
            with self._writing() as database:
                database.execute("UPDATE users SET email = id WHERE email = ?", (email,))
                database.execute("UPDATE users SET email = ? WHERE id = ?", (email, owner))
        return User(owner, email)

    def users(self) -> dict[str, User]:
        """All users by id."""
        rows = self._database().execute("SELECT id, email FROM users")
        return {row[0]: User(*row) for row in rows}

    def set_file_tokens(self, tokens: Mapping[str, str]) -> None:
        """Let the tokens of a token file in, by e-mail address, and those of an earlier one no more."""
        with self._writing() as database:
            database.execute("DELETE FROM tokens WHERE is_of_file")
            for email, token in tokens.items():
                self._add(email, token, only_reads=False, is_of_file=True)

    def add_token(self, email: str, *, only_reads: bool) -> tuple[str, str]:
        """Make a token for the user of this address, who is made, too, if there is none; its id and itself."""
        token = secrets.token_hex(20)
        with self._writing():
            return self._add(email, token, only_reads=only_reads, is_of_file=False), token

    def _add(self, email: str, token: str, *, only_reads: bool, is_of_file: bool) -> str:
        database = self._database()
        database.execute("INSERT OR IGNORE INTO users(id, email) VALUES (?, ?)", (new_id(5), email))
        (user,) = database.execute("SELECT id FROM users WHERE email = ?", (email,)).fetchone()
        token_id = new_id(6)
        database.execute(
            "INSERT OR REPLACE INTO tokens(sha256, id, user, only_reads, is_of_file, added_us) VALUES (?, ?, ?, ?, ?, ?)",
            (token_digest(token), token_id, user, only_reads, is_of_file, now_us()),
        )
        return token_id

    def tokens(self) -> list[Token]:
        """All tokens, in the order in which they were added."""
        rows = self._database().execute(
            "SELECT t.id, u.email, only_reads, is_of_file, added_us FROM tokens t JOIN users u ON u.id = user "
            "ORDER BY added_us, u.email, t.id"
        )
        return [Token(row[0], row[1], bool(row[2]), bool(row[3]), row[4]) for row in rows]

    def revoke_token(self, token_id: str) -> bool:
        """Let a token in no more; whether there was one. One of the token file stays."""
        with self._writing() as database:
            return bool(
                database.execute("DELETE FROM tokens WHERE id = ? AND NOT is_of_file", (token_id,)).rowcount
            )

    def holder(self, token: str) -> Holder | None:
        """Whose token it is; None for one that is not let in.

        It is looked up by its SHA-256, of which the time that this takes tells nothing about a token.
        """
        row = (
            self._database()
            .execute(
                "SELECT u.id, u.email, only_reads FROM tokens JOIN users u ON u.id = user WHERE sha256 = ?",
                (token_digest(token),),
            )
            .fetchone()
        )
        return None if row is None else Holder(User(row[0], row[1]), bool(row[2]))


def token_digest(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
