"""How what the platform remembers is shown to one client: addresses and e-mail addresses."""

from collections.abc import Mapping
from dataclasses import dataclass

from doe_compiler.platform.store.database import User


@dataclass(frozen=True, slots=True)
class View:
    """The base URL that the client used, with the version and a slash, and the users by id.

    `is_idle`: no executor is there, so nothing runs, whatever an executor that was ended has left in the database.
    """

    base: str
    users: Mapping[str, User]
    is_idle: bool = False

    def email(self, user_id: str) -> str:
        """The e-mail address of a user."""
        return self.users[user_id].email if user_id in self.users else user_id
