"""The platform's API as one typed client, the same over a network and in this process."""

import hashlib
import http.cookiejar
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Self, TypeVar
from urllib.parse import parse_qsl, quote, urlsplit

import httpx2
import orjson

from doe_compiler.client import answers
from doe_compiler.client.answers import Analysis, CoreType, FileEntry, Job, JobEntry, RunEntry, Status
from doe_compiler.client.errors import Ambiguous, Garbled, TooLarge
from doe_compiler.client.exchange import Exchange
from doe_compiler.client.pacing import buckets
from doe_compiler.client.patience import Patience
from doe_compiler.client.settings import Account, api_url
from doe_compiler.client.transport import EMBEDDED_URL, EmbeddedTransport
from doe_compiler.kernel import wire
from doe_compiler.kernel.canonical import canonical_json
from doe_compiler.kernel.errors import DoeError, TryAgain, WrongUsage

__all__ = [
    "PAGE_SIZE",
    "Analysis",
    "Client",
    "CoreType",
    "FileEntry",
    "Job",
    "JobEntry",
    "RunEntry",
    "Status",
]

PAGE_SIZE = 100
"""Rows that are asked for at once; the platform may give fewer."""

_Row = TypeVar("_Row")


class Client:
    """One account on one platform; opened by `connect` or `embedded`, closed by `close` or `with`.

    Every method raises the errors of `doe_compiler.client.errors` and, of the kernel, NotAllowedIn and
    TryAgain. Reads are repeated within the client's patience. A write is never repeated after it may have
    happened: it raises Ambiguous, and the caller looks.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    @classmethod
    def connect(
        cls, account: Account, patience: Patience | None = None, tls: ssl.SSLContext | None = None
    ) -> Self:
        """A client of the platform at the account's address.

        The certificate is always verified, against `tls` if it is given; raises ValueError for a context
        that does not verify. The proxies and certificates of the environment (HTTPS_PROXY,
        NO_PROXY, SSL_CERT_FILE) count for other hosts and never for this machine; neither `.netrc` nor cookies
        are used. Calls are paced below the throttles of the cloud, but not on this machine.
        """
        if tls is not None and not (tls.verify_mode is ssl.CERT_REQUIRED and tls.check_hostname):
            raise ValueError("a context that does not verify the certificate and the host")
        url = api_url(account.url)
        patience = patience or Patience()
        try:
            http_client = httpx2.Client(
                base_url=url,
                verify=True if tls is None else tls,
                timeout=_time_limits(patience),
                trust_env=not account.is_on_this_machine,
                follow_redirects=False,
                cookies=_no_cookies(),
            )
        except (ImportError, OSError, ValueError, httpx2.InvalidURL):
            http_client = None
        if http_client is None:
            raise DoeError(
                "the proxy or the certificates of the environment cannot be used",
                hint="check HTTPS_PROXY, ALL_PROXY, NO_PROXY, SSL_CERT_FILE and SSL_CERT_DIR",
            )
        pace = {} if account.is_on_this_machine else buckets(patience.monotonic)
        return cls(Exchange(http_client, account.key, patience, pace))

    @classmethod
    def embedded(
        cls, answer: Callable[[wire.Request], wire.Response], patience: Patience | None = None
    ) -> Self:
        """A client of the platform in this process: no key, no network, no pacing."""
        patience = patience or Patience()
        http_client = httpx2.Client(
            base_url=EMBEDDED_URL,
            transport=EmbeddedTransport(answer),
            timeout=_time_limits(patience),
            trust_env=False,
            cookies=_no_cookies(),
        )
        return cls(Exchange(http_client, None, patience, {}))

    @property
    def host(self) -> str:
        """The host that answers, `embedded` for the platform in this process."""
        return self._exchange.host

    def close(self) -> None:
        """Give the connections back."""
        self._exchange.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Jobs

    def jobs(self, page_size: int = PAGE_SIZE) -> Iterator[JobEntry]:
        """The jobs that the account sees, page by page; one that moves between pages may come twice or not."""
        return self._rows("jobs/", answers.job_entry, page_size)

    def all_jobs(self, page_size: int = PAGE_SIZE) -> tuple[JobEntry, ...]:
        """All jobs that the account sees, read so that paging has lost none; TryAgain if they never hold still."""
        return self._all("jobs/", answers.job_entry, lambda entry: entry.id, page_size)

    def job(self, job_id: str) -> Job:
        """A whole job."""
        return answers.job(self._exchange.read(_path("jobs", job_id)))

    def create_job(self, payload: Mapping[str, object]) -> Job:
        """Create a draft from a payload as the API has it."""
        body = self._json("POST", "jobs/", payload)
        return self._created(answers.job, body, "POST jobs/")

    def submit(self, job_id: str) -> None:
        """Start a draft: from here on it costs money."""
        self._do("POST", _path("jobs", job_id, "submit"))

    def stop(self, job_id: str) -> None:
        """Ask a running job to stop."""
        self._do("POST", _path("jobs", job_id, "stop"))

    def delete(self, job_id: str) -> None:
        """Delete a job that does not run."""
        self._do("DELETE", _path("jobs", job_id))

    def statuses(self, job_id: str) -> tuple[Status, ...]:
        """The job's history as the platform orders it, newest first; empty for a draft."""
        return tuple(self._rows(_path("jobs", job_id, "statuses"), answers.status, PAGE_SIZE))

    def cluster_statuses(self, job_id: str) -> tuple[Status, ...]:
        """The history of the job's machines, newest first."""
        return tuple(self._rows(_path("jobs", job_id, "cluster_statuses"), answers.status, PAGE_SIZE))

    # Runs

    def runs(self, job_id: str, page_size: int = PAGE_SIZE) -> Iterator[RunEntry]:
        """The job's runs, page by page."""
        return self._rows(_path("jobs", job_id, "runs"), answers.run_entry, page_size)

    def all_runs(self, job_id: str, page_size: int = PAGE_SIZE) -> tuple[RunEntry, ...]:
        """All runs of the job, none lost and none twice, by number."""
        path = _path("jobs", job_id, "runs")
        runs = self._all(path, answers.run_entry, lambda entry: str(entry.number), page_size)
        return tuple(sorted(runs, key=lambda entry: entry.number))

    def stop_run(self, job_id: str, number: int) -> None:
        """Ask one run of a running job to stop."""
        self._do("POST", _path("jobs", job_id, "runs", str(number), "stop"))

    def run_files(self, job_id: str, number: int, page_size: int = PAGE_SIZE) -> Iterator[FileEntry]:
        """The output files of one run."""
        return self._rows(_path("jobs", job_id, "runs", str(number), "files"), answers.file_entry, page_size)

    # Files

    def job_files(self, job_id: str, page_size: int = PAGE_SIZE) -> Iterator[FileEntry]:
        """The output files of all runs of a job."""
        return self._rows(_path("jobs", job_id, "files"), answers.file_entry, page_size)

    def find_files(self, name: str, page_size: int = PAGE_SIZE) -> Iterator[FileEntry]:
        """The account's files whose name is `name`, as the platform orders them, newest first."""
        found = self._rows("files/", answers.file_entry, page_size, {"search": name})
        return (entry for entry in found if entry.name == name)

    def upload(self, content: bytes | Path, name: str, type_id: int) -> FileEntry:
        """Store a file under a name, streamed; `type_id` says what it is for (1 input, 2 template, …).

        The answer must tell the name, the size and (if any) the checksum of what was sent; else Ambiguous.
        """
        what = "POST files/contents/"
        # Servers disagree on how a quote is written in a form; a file that is stored under another name
        # than the study's would be missed by its command.
        if not name or not name.isprintable() or '"' in name or "\\" in name:
            raise WrongUsage(
                f"a file cannot be uploaded as {name!r}", hint="rename it without quotes and backslashes"
            )
        with ExitStack() as stack:
            measured = _Measured(_opened(content, name, stack), name)
            body = self._exchange.write(
                "POST",
                "files/contents/",
                files=[
                    ("file", (name, measured, "application/octet-stream")),
                    ("typeId", (None, str(type_id).encode())),
                ],
            )
        entry = self._created(answers.file_entry, body, what)
        if (entry.name, entry.size) != (name, measured.size) or entry.md5 not in {None, measured.md5}:
            raise Ambiguous(f"{self.host} stored something else than {name!r} as it was sent")
        return entry

    def download(self, file_id: str, sink: Callable[[bytes], object]) -> int:
        """Stream a file's bytes into `sink`, each once and in order; returns how many there were."""
        return self._exchange.download(_path("files", file_id, "contents"), sink)

    def read_file(self, file_id: str, limit: int) -> bytes:
        """A file's bytes; TooLarge beyond `limit` of them."""
        content = bytearray()

        def collect(chunk: bytes) -> None:
            if len(content) + len(chunk) > limit:
                raise TooLarge(f"file {file_id} is larger than {limit} bytes")
            content.extend(chunk)

        self.download(file_id, collect)
        return bytes(content)

    # What the platform offers

    def core_types(self) -> tuple[CoreType, ...]:
        """The kinds of machines, with their prices."""
        return self._all("coretypes/", answers.core_type, lambda entry: entry.code, PAGE_SIZE)

    def analyses(self) -> tuple[Analysis, ...]:
        """The software that the platform offers."""
        return self._all("analyses/", answers.analysis, lambda entry: entry.code, PAGE_SIZE)

    def me(self) -> str:
        """The e-mail address of the account."""
        return answers.email(self._exchange.read("users/me/"))

    # How lists are read and writes are done

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

    def _do(self, method: str, path: str) -> None:
        body = self._exchange.write(method, path)
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


def _time_limits(patience: Patience) -> httpx2.Timeout:
    return httpx2.Timeout(
        connect=patience.connect_s, read=patience.read_s, write=patience.write_s, pool=patience.read_s
    )


def _no_cookies() -> http.cookiejar.CookieJar:
    return http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))


def _path(*words: str) -> str:
    """`jobs/ID/submit/` of its words; an id is one word, whatever it holds."""
    for word in words:
        if word in {"", ".", ".."} or not word.isprintable():
            raise WrongUsage(f"{word!r} is not an id")
    return "".join(f"{quote(word, safe='')}/" for word in words)


def _opened(content: bytes | Path, name: str, stack: ExitStack) -> BinaryIO:
    if isinstance(content, bytes):
        return BytesIO(content)
    try:
        return stack.enter_context(content.open("rb"))
    except OSError as error:
        raise DoeError(f"{name} cannot be read for the upload: {error.strerror}") from None


class _Measured:
    """A file that is measured while it is sent, and that must keep its length meanwhile."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name
        self._length = file.seek(0, 2)
        self.seek(0)

    @property
    def md5(self) -> str:
        """The MD5 of what was sent, in hex."""
        return self._md5.hexdigest()

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence == 0 and offset == 0:
            self._md5 = hashlib.md5(usedforsecurity=False)
            self.size = 0
        return self._length if whence == 2 else self._file.seek(offset, whence)

    def read(self, size: int = -1) -> bytes:
        try:
            chunk = self._file.read(size)
        except OSError as error:
            raise DoeError(f"{self._name} cannot be read for the upload: {error.strerror}") from None
        self.size += len(chunk)
        self._md5.update(chunk)
        if self.size > self._length or (not chunk and self.size != self._length):
            raise TryAgain(f"{self._name} changed while it was uploaded")
        return chunk
