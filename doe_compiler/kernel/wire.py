"""The request and the response that cross between client and platform, whatever carries them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field


class Dropped(Exception):
    """The connection is closed without an answer, or in the middle of one."""


@dataclass(frozen=True)
class Request:
    """One call of the API: `path` is decoded and without the query, header names are lower case."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Iterable[bytes] = ()

    def first(self, name: str) -> str | None:
        """The first value of a query argument, or None."""
        return next((value for key, value in self.query if key == name), None)

    def read(self, limit: int) -> bytes:
        """The whole body; raises ValueError beyond `limit` bytes."""
        chunks: list[bytes] = []
        size = 0
        for chunk in self.body:
            size += len(chunk)
            if size > limit:
                raise ValueError(f"the body is larger than {limit} bytes")
            chunks.append(chunk)
        return b"".join(chunks)


@dataclass(frozen=True)
class Response:
    """The answer to one call; the body is read once. `user`, for logs only, is the e-mail address of who called."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: Iterable[bytes] = ()
    user: str = ""

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.body)
