"""The platform's API as one typed client, the same over a network and in this process."""

import http.cookiejar
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Self

import httpx2

from doe_compiler.client import answers
from doe_compiler.client.answers import Analysis, CoreType, FileEntry, Job, JobEntry, RunEntry, Status
from doe_compiler.client.calls import PAGE_SIZE, Calls, path_of
from doe_compiler.client.errors import Ambiguous, NotFound, TooLarge
from doe_compiler.client.exchange import Exchange
from doe_compiler.client.measured import Measured, opened
from doe_compiler.client.pacing import Bucket, buckets
from doe_compiler.client.patience import Patience
from doe_compiler.client.settings import Account, api_url
from doe_compiler.client.transport import EMBEDDED_URL, EmbeddedTransport
from doe_compiler.kernel import wire
from doe_compiler.kernel.canonical import canonical_json
from doe_compiler.kernel.errors import DoeError, WrongUsage

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


class Client(Calls):
    """One account on one platform; opened by `connect` or `embedded`, closed by `close` or `with`.

    Every method raises the errors of `doe_compiler.client.errors` and, of the kernel, NotAllowedIn and
    TryAgain. Reads are repeated within the client's patience. A write is never repeated after it may have
    happened: it raises Ambiguous, and the caller looks.
    """

    @classmethod
    def connect(
        cls,
        account: Account,
        patience: Patience | None = None,
        tls: ssl.SSLContext | None = None,
        rps: float | None = None,
    ) -> Self:
        """A client of the platform at the account's address.

        The certificate is always verified, against `tls` if it is given; raises ValueError for a context
        that does not verify. The certificates of the environment (SSL_CERT_FILE, SSL_CERT_DIR) count everywhere, its
        proxies (HTTPS_PROXY, NO_PROXY) never for this machine; neither `.netrc` nor cookies are used. Calls are paced below the throttles of the cloud, but not on this machine, and at most `rps`
        of them are made a second.
        """
        if tls is not None and not (tls.verify_mode is ssl.CERT_REQUIRED and tls.check_hostname):
            raise ValueError("a context that does not verify the certificate and the host")
        url = api_url(account.url)
        patience = patience or Patience()
        try:
            http_client = httpx2.Client(
                base_url=url,
                verify=tls or (httpx2.create_ssl_context() if url.startswith("https:") else True),
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
        steady = None if rps is None else Bucket(rps, 1.0, patience.monotonic)
        return cls(Exchange(http_client, account.key, patience, pace, steady))

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
        return answers.job(self._exchange.read(path_of("jobs", job_id)))

    def find_jobs(self, query: Mapping[str, str], page_size: int = PAGE_SIZE) -> Iterator[JobEntry]:
        """The jobs that pass a filter: `state`, `job_status`, `search`, in the `ordering` that is asked for."""
        return self._rows("jobs/", answers.job_entry, page_size, query)

    def create_job(self, payload: Mapping[str, object] | Callable[[], Mapping[str, object]]) -> Job:
        """Create a draft from a payload as the API has it.

        A function gives the payload of each sending: a call that the throttle has refused is sent again with another.
        """

        def anew() -> Mapping[str, object]:
            return {"content": canonical_json(payload() if callable(payload) else payload)}

        body = self._exchange.write("POST", "jobs/", anew=anew, headers={"Content-Type": "application/json"})
        return self._created(answers.job, body, "POST jobs/")

    def change_job(self, job_id: str, change: Mapping[str, object]) -> None:
        """Change a draft; of a job that was submitted the name only."""
        self._json("PATCH", path_of("jobs", job_id), change)

    def replace_job(self, job_id: str, payload: Mapping[str, object]) -> None:
        """Make a draft anew from a payload; of a job that was submitted only the name changes."""
        self._json("PUT", path_of("jobs", job_id), payload)

    def share_job(self, job_id: str, email: str, message: str = "") -> None:
        """Let another user see the job."""
        self._json("POST", path_of("jobs", job_id, "share"), {"email": email, "message": message})

    def tag_job(self, job_id: str, tag: str) -> None:
        """Tag the job."""
        self._json("POST", path_of("jobs", job_id, "tags"), {"name": tag})

    def tags(self, job_id: str) -> tuple[str, ...]:
        """The job's tags."""
        return tuple(str(row.get("name")) for row in self.rows("jobs", job_id, "tags"))

    def custom_fields(self, job_id: str) -> Iterator[Mapping[str, object]]:
        """The job's custom fields, a `name` and a `value` each."""
        answer = self._exchange.read(path_of("jobs", job_id, "custom-fields"))
        for name, value in answers.custom_fields(answer).items():
            yield {"name": name, "value": value}

    def set_custom_field(self, job_id: str, name: str, value: str) -> None:
        """Set one of the job's custom fields."""
        self._json("POST", path_of("jobs", job_id, "custom-fields"), {"name": name, "value": value})

    def submit(self, job_id: str, check: Callable[[], None] | None = None) -> None:
        """Start a draft: from here on it costs money. `check` is called right before every sending, and may raise."""

        def anew() -> Mapping[str, object]:
            if check is not None:
                check()
            return {}

        self._do("POST", path_of("jobs", job_id, "submit"), anew=anew)

    def stop(self, job_id: str) -> None:
        """Ask a running job to stop."""
        self._do("POST", path_of("jobs", job_id, "stop"))

    def delete(self, job_id: str, tag: str | None = None) -> None:
        """Delete a job that does not run; with a `draft_tag` only a draft, and Changed is raised for another."""
        self._do("DELETE", path_of("jobs", job_id), headers=None if tag is None else {"If-Match": tag})

    def draft_tag(self, job_id: str) -> tuple[bool, str | None]:
        """Whether a job has been submitted, and if not, what `delete` takes, where the platform has such a tag."""
        page, headers = self._exchange.read_with_headers(path_of("jobs", job_id, "statuses"))
        was_submitted = answers.page(page).count > 0
        return was_submitted, None if was_submitted else headers.get("etag")

    def server_time(self) -> datetime | None:
        """The platform's time as its last answer told it, in whole seconds; None if it tells none."""
        return self._exchange.server_time

    def submits_left(self) -> int | None:
        """How many submits can be sent without waiting for the throttle; None: as many as wanted."""
        return self._exchange.submits_left()

    def seconds_to_submit(self) -> float:
        """How long the throttle keeps the next submit waiting."""
        return self._exchange.seconds_to_submit()

    def statuses(self, job_id: str) -> tuple[Status, ...]:
        """The job's history as the platform orders it, newest first; empty for a draft."""
        return tuple(self._rows(path_of("jobs", job_id, "statuses"), answers.status, PAGE_SIZE))

    def cluster_statuses(self, job_id: str) -> tuple[Status, ...]:
        """The history of the job's machines, newest first."""
        return tuple(self._rows(path_of("jobs", job_id, "cluster_statuses"), answers.status, PAGE_SIZE))

    # Runs

    def runs(self, job_id: str, page_size: int = PAGE_SIZE) -> Iterator[RunEntry]:
        """The job's runs, page by page."""
        return self._rows(path_of("jobs", job_id, "runs"), answers.run_entry, page_size)

    def all_runs(self, job_id: str, page_size: int = PAGE_SIZE) -> tuple[RunEntry, ...]:
        """All runs of the job, none lost and none twice, by number."""
        path = path_of("jobs", job_id, "runs")
        runs = self._all(path, answers.run_entry, lambda entry: str(entry.number), page_size)
        return tuple(sorted(runs, key=lambda entry: entry.number))

    def stop_run(self, job_id: str, number: int) -> None:
        """Ask one run of a running job to stop."""
        self._do("POST", path_of("jobs", job_id, "runs", str(number), "stop"))

    def snapshot(self, job_id: str, number: int) -> None:
        """Let the platform list what a running run has written so far."""
        self._do("POST", path_of("jobs", job_id, "runs", str(number), "snapshot"))

    def tail(self, job_id: str, number: int, file: str, lines: int) -> tuple[str, ...]:
        """The last lines of a file in the work directory of a run, each with its end."""
        words = ("jobs", job_id, "runs", str(number), "tail", *file.split("/"))
        return answers.lines(self._exchange.read(path_of(*words), {"lines": str(lines)}))

    def directory(self, job_id: str, number: int) -> Iterator[Mapping[str, object]]:
        """What lies in the work directory of a run: `name`, `path`, `size` in bytes, `isDirectory`."""
        return self.rows("jobs", job_id, "runs", str(number), "directory-contents")

    def run_files(self, job_id: str, number: int, page_size: int = PAGE_SIZE) -> Iterator[FileEntry]:
        """The output files of one run."""
        return self._rows(
            path_of("jobs", job_id, "runs", str(number), "files"), answers.file_entry, page_size
        )

    # Files

    def job_files(self, job_id: str, page_size: int = PAGE_SIZE) -> Iterator[FileEntry]:
        """The output files of all runs of a job."""
        return self._rows(path_of("jobs", job_id, "files"), answers.file_entry, page_size)

    def find_files(self, name: str, page_size: int = PAGE_SIZE) -> Iterator[FileEntry]:
        """The account's files whose name is `name`, as the platform orders them, newest first."""
        found = self._rows("files/", answers.file_entry, page_size, {"search": name})
        return (entry for entry in found if entry.name == name)

    def file(self, file_id: str) -> FileEntry:
        """What is known of a file."""
        return answers.file_entry(self._exchange.read(path_of("files", file_id)))

    def change_file(self, file_id: str, change: Mapping[str, object]) -> FileEntry:
        """Give an upload another `name` or `typeId`."""
        path = path_of("files", file_id)
        return self._created(answers.file_entry, self._json("PATCH", path, change), f"PATCH {path}")

    def delete_file(self, file_id: str) -> None:
        """Delete a file."""
        self._do("DELETE", path_of("files", file_id))

    def lines(self, file_id: str) -> tuple[str, ...]:
        """The lines of a text file, each with its end."""
        return answers.lines(self._exchange.read(path_of("files", file_id, "lines")))

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
            measured = Measured(opened(content, name, stack), name)
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
        return self._exchange.download(path_of("files", file_id, "contents"), sink)

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

    def understands(self, extension: str) -> bool:
        """Whether the platform says, at its root address, that it knows an addition to the API."""
        try:
            answer = self._exchange.read("")
        except NotFound:
            return False
        return isinstance(answer, Mapping) and extension in answer

    def core_types(self) -> tuple[CoreType, ...]:
        """The kinds of machines, with their prices."""
        return self._all("coretypes/", answers.core_type, lambda entry: entry.code, PAGE_SIZE)

    def analyses(self) -> tuple[Analysis, ...]:
        """The software that the platform offers."""
        return self._all("analyses/", answers.analysis, lambda entry: entry.code, PAGE_SIZE)

    def prices(self) -> Iterator[Mapping[str, object]]:
        """The price of a core-hour of each core type."""
        return self.rows("billing", "computeprices")

    def projects(self) -> Iterator[Mapping[str, object]]:
        """The projects of the account."""
        return self.rows("users", "me", "projects")

    def me(self) -> str:
        """The e-mail address of the account."""
        return answers.email(self._exchange.read("users/me/"))

    def my_id(self) -> str:
        """The opaque id of the account; that of an embedded platform is its data's own."""
        return answers.user_id(self._exchange.read("users/me/"))


def _time_limits(patience: Patience) -> httpx2.Timeout:
    return httpx2.Timeout(
        connect=patience.connect_s, read=patience.read_s, write=patience.write_s, pool=patience.read_s
    )


def _no_cookies() -> http.cookiejar.CookieJar:
    return http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
