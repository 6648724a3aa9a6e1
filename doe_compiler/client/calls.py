"""How lists are read page by page, and how writes are done and their answers judged."""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar
from urllib.parse import parse_qsl, quote, urlsplit

import httpx2
import orjson

from doe_compiler.client import answers
from doe_compiler.client.errors import Ambiguous, Garbled
from doe_compiler.client.exchange import Exchange
from doe_compiler.kernel.canonical import canonical_json
from doe_compiler.kernel.errors import WrongUsage

PAGE_SIZE = 100
"""Rows that are asked for at once; the platform may give fewer."""

_Row = TypeVar("_Row")


class Calls:
    """Reads and writes over one exchange, below the methods of the client."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    @property
    def host(self) -> str:
        """The host that answers, `embedded` for the platform in this process."""
        return self._exchange.host

    def close(self) -> None:
        """Give the connections back."""
        self._exchange.close()

    def rows(
        self, *words: str, query: Mapping[str, str] | None = None, page_size: int = PAGE_SIZE
    ) -> Iterator[Mapping[str, object]]:
        """The rows of a list as the platform sends them, page by page; `words` name its address."""
        return self._rows(path_of(*words), answers.mapping, page_size, query)

    def record(self, *words: str, query: Mapping[str, str] | None = None) -> Mapping[str, object]:
        """One thing as the platform sends it; `words` name its address."""
        return answers.mapping(self._exchange.read(path_of(*words), query))

    def _rows(
        self,
        path: str,
        parse: Callable[[object], _Row],
        page_size: int,
        query: Mapping[str, str] | None = None,
    ) -> Iterator[_Row]:
        for page in self._pages(path, page_size, query or {}):
            yield from map(parse, page.rows)

    def _pages(self, path: str, page_size: int, query: Mapping[str, str]) -> Iterator[answers.Page]:
        wanted: Mapping[str, str] = {**query, "page_size": str(page_size)}
        seen = set()
        while True:
            page = answers.page(self._exchange.read(path, wanted))
            yield page
            if page.next is None:
                return
            wanted = self._next_query(page.next, path)
            mark = tuple(sorted(wanted.items()))
            if mark in seen or not page.rows:
                raise Garbled(f"garbled answer from {self.host} to GET {path}: the pages go in a circle")
            seen.add(mark)

    def _next_query(self, link: str, path: str) -> Mapping[str, str]:
        # Only the query of the link is used: the scheme behind a proxy is often wrong, and nothing that a
        # list says may send the key to another place.
        try:
            parts = urlsplit(link)
            host = parts.hostname
        except ValueError:
            parts, host = urlsplit(""), "?"
        if host not in {None, httpx2.URL(f"http://{self.host}").host}:
            raise Garbled(f"garbled answer from {self.host} to GET {path}: the next page is on another host")
        return dict(parse_qsl(parts.query, keep_blank_values=True))

    def _all(
        self, path: str, parse: Callable[[object], _Row], key: Callable[[_Row], str], page_size: int
    ) -> tuple[_Row, ...]:
        """Every row of a list that rows may join and leave while it is read.

        A row that leaves moves the later ones up by one, over the edge of a page that was read already; one
        that joins moves them down, and one row comes twice. So a reading counts only if all its pages tell
        one count, as many rows came, and none came twice; otherwise the list is read again.
        """

        def once() -> tuple[_Row, ...] | None:
            pages = list(self._pages(path, page_size, {}))
            rows = tuple(parse(row) for page in pages for row in page.rows)
            counts = {page.count for page in pages}
            holds = counts == {len(rows)} and len({key(row) for row in rows}) == len(rows)
            return rows if holds else None

        return self._exchange.settled(once, f"the list {path} of {self.host} changes while it is read")

    def _json(self, method: str, path: str, payload: Mapping[str, object]) -> bytes:
        return self._exchange.write(
            method, path, content=canonical_json(payload), headers={"Content-Type": "application/json"}
        )

    def _do(
        self,
        method: str,
        path: str,
        *,
        anew: Callable[[], Mapping[str, object]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        body = self._exchange.write(method, path, anew=anew, **({"headers": headers} if headers else {}))
        if body.strip():
            self._created(_anything, body, f"{method} {path}")

    def _created(self, parse: Callable[[object], _Row], body: bytes, what: str) -> _Row:
        try:
            return parse(orjson.loads(body))
        except (ValueError, Garbled) as error:
            words = str(error) if isinstance(error, Garbled) else "not JSON"
        raise Ambiguous(
            f"{self.host} gave no proper answer to {what} ({words}): it may or may not have happened"
        )


def _anything(value: object) -> object:
    return value


def path_of(*words: str) -> str:
    """`jobs/ID/submit/` of its words; an id is one word, whatever it holds."""
    for word in words:
        if word in {"", ".", ".."} or not word.isprintable():
            raise WrongUsage(f"{word!r} is not an id")
    return "".join(f"{quote(word, safe='')}/" for word in words)
