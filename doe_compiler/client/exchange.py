"""One call and its answer: pacing, time limits, repeats where they are safe, and every fault mapped once."""

import enum
import socket
import ssl
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import httpx2
import orjson

from doe_compiler.client.errors import (
    Ambiguous,
    Changed,
    Garbled,
    NotFound,
    Refused,
    TooLarge,
    Untrusted,
    printable,
    reasons,
)
from doe_compiler.client.pacing import Bucket, Scope, scope_of
from doe_compiler.client.patience import Patience, date_of
from doe_compiler.client.settings import Secret, is_loopback
from doe_compiler.kernel.errors import DoeError, NotAllowedIn, TryAgain

LARGEST_ANSWER = 256 << 20
"""Bytes of a JSON answer that are read at most; a page of 5,000 jobs has some 5 MB."""

_LARGEST_ERROR = 64 << 10
_MOST_REDIRECTS = 5

_KINDS: Mapping[int, type[Refused]] = {404: NotFound, 412: Changed}
_Result = TypeVar("_Result")


class KeyForOrigin(httpx2.Auth):
    """Adds the key to requests to its own origin and to no other, whatever redirected them."""

    def __init__(self, origin: httpx2.Origin, key: Secret | None) -> None:
        self._origin = origin
        self._key = key

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """The request, with the key if it goes to the key's origin."""
        request.headers.pop("Authorization", None)
        if self._key is not None and request.url.origin == self._origin:
            request.headers["Authorization"] = f"Token {self._key.reveal()}"
        yield request


class Reach(enum.Enum):
    """How far a call came that got no answer."""

    NEVER_SENT = "never sent"
    UNTRUSTED = "untrusted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a call got no answer, in words without addresses, headers or keys."""

    reach: Reach
    words: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: status, headers by any case, decoded body; a host may have put the key into both."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Again:
    """A call that changed nothing and may be repeated, after `asked_s` seconds if the platform said so.

    `came_further` means that a part of the answer is in hand, so that the patience starts anew.
    """

    error: DoeError
    asked_s: float | None = None
    came_further: bool = False


class Exchange:
    """Calls to one host over one pool of connections; safe to share between threads.

    Reads are repeated after faults. Writes are repeated after a 429 only: it is the one answer that says
    that nothing was done and that the same call is welcome later.
    """

    def __init__(
        self,
        http: httpx2.Client,
        key: Secret | None,
        patience: Patience,
        buckets: Mapping[Scope, Bucket],
        steady: Bucket | None = None,
    ) -> None:
        self._http = http
        self._key = key
        self._auth = KeyForOrigin(http.base_url.origin, key)
        self._patience = patience
        self._buckets = buckets
        self._steady = steady
        self._date: datetime | None = None
        self.host = http.base_url.netloc.decode("ascii")

    @property
    def server_time(self) -> datetime | None:
        """The platform's time in whole seconds, as its last answer told it; None if none has."""
        return self._date

    def submits_left(self) -> int | None:
        """How many submits can be sent without waiting for the throttle; None: as many as wanted."""
        bucket = self._buckets.get(Scope.SUBMITS)
        return None if bucket is None else bucket.left()

    def seconds_to_submit(self) -> float:
        """How long the throttle keeps the next submit waiting."""
        bucket = self._buckets.get(Scope.SUBMITS)
        return 0.0 if bucket is None else bucket.seconds_until(1)

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def read(self, path: str, query: Mapping[str, str] | None = None) -> object:
        """The JSON of a GET of `path` below the API's address."""
        return self.read_with_headers(path, query)[0]

    def read_with_headers(
        self, path: str, query: Mapping[str, str] | None = None
    ) -> tuple[object, Mapping[str, str]]:
        """The JSON of a GET and the headers that came with it."""
        what = f"GET {path}"

        def once() -> tuple[object, Mapping[str, str]] | Again:
            answer = self._get(path, query)
            if isinstance(answer, Again):
                return answer
            refusal = self._verdict(answer, what, is_write=False)
            if refusal is not None:
                return refusal
            try:
                return orjson.loads(answer.body), answer.headers
            except ValueError:
                return Again(Garbled(f"garbled answer from {self.host} to {what}: not JSON"))

        return self._persistently(once)

    def write(
        self,
        method: str,
        path: str,
        *,
        anew: Callable[[], Mapping[str, object]] | None = None,
        **content: object,
    ) -> bytes:
        """The body of the answer to a write; `content` is what httpx2 builds a request from.

        `anew` is called right before every sending, after all waiting: it gives more of that content, and may raise.
        Raises Ambiguous when the write may have happened without a proper answer, TryAgain when it did not
        reach the host, and what the platform refuses as NotAllowedIn, NotFound or Refused.
        """
        what = f"{method} {path}"

        def once() -> bytes | Again:
            self._pace(method, path)
            answer = self._sent(method, path, what, content if anew is None else {**content, **anew()})
            refusal = self._verdict(answer, what, is_write=True)
            return answer.body if refusal is None else refusal

        return self._persistently(once)

    def download(self, path: str, sink: Callable[[bytes], object]) -> int:
        """Stream the bytes at `path` into `sink` and return how many they are.

        A broken stream goes on where it stopped; `sink` gets every byte once and in order.
        """
        what = f"GET {path}"
        size = 0

        def once() -> int | Again:
            nonlocal size
            start = size
            asked = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
            fault = answer = None
            try:
                with self._opened(path, None, asked) as response:
                    if response.status_code in {200, 206}:
                        for chunk in self._from(response, start, what):
                            sink(chunk)
                            size += len(chunk)
                        return size
                    if response.status_code == 416 and _is_all(response, start):
                        return size
                    answer = self._whole(response)
            except httpx2.HTTPError as error:
                fault = fault_of(error)
            if fault is not None:
                return self._unanswered(fault, came_further=size - start >= 1 << 20)
            assert answer is not None
            return self._verdict(answer, what, is_write=False) or Again(
                Garbled(f"garbled answer from {self.host} to {what}: status {answer.status}")
            )

        return self._persistently(once)

    def _persistently(self, once: Callable[[], _Result | Again]) -> _Result:
        failures = 0
        while True:
            outcome = once()
            if not isinstance(outcome, Again):
                return outcome
            failures = 1 if outcome.came_further else failures + 1
            if failures >= self._patience.tries:
                raise outcome.error
            self._patience.sleep(self._patience.rest_s(failures, outcome.asked_s))

    def settled(self, once: Callable[[], _Result | None], trouble: str) -> _Result:
        """The first result of `once` that is not None, tried as often as a call; then TryAgain."""

        def again() -> _Result | Again:
            result = once()
            return Again(TryAgain(trouble)) if result is None else result

        return self._persistently(again)

    def _pace(self, method: str, path: str) -> None:
        limits = (self._buckets.get(scope_of(method, path)), self._steady)
        delay_s = max((limit.take() for limit in limits if limit is not None), default=0.0)
        if delay_s > 0:
            self._patience.sleep(delay_s)

    def _get(self, path: str, query: Mapping[str, str] | None) -> Answer | Again:
        # The room's errors are raised outside of `except`, so that no traceback leads into the frames
        # that hold the key.
        try:
            with self._opened(path, query, {}) as response:
                return self._whole(response)
        except httpx2.HTTPError as error:
            fault = fault_of(error)
        return self._unanswered(fault)

    def _sent(self, method: str, path: str, what: str, content: Mapping[str, object]) -> Answer:
        failure: DoeError
        try:
            request = self._http.build_request(method, path, **content)  # type: ignore[arg-type]
            response = self._response(request)
            try:
                return self._whole(response)
            finally:
                response.close()
        except httpx2.HTTPError as error:
            fault = fault_of(error)
            failure = self._lost(what, fault) if fault.reach is Reach.UNKNOWN else self._unreached(fault)
        except TooLarge:
            failure = self._lost(what, Fault(Reach.UNKNOWN, "the answer is too large"))
        except DoeError as error:
            failure = error
        raise failure.with_traceback(None)

    def _lost(self, what: str, fault: Fault) -> DoeError:
        return Ambiguous(
            f"{self.host} gave no proper answer to {what} ({fault.words}): it may or may not have happened"
        )

    @contextmanager
    def _opened(
        self, path: str, query: Mapping[str, str] | None, headers: Mapping[str, str]
    ) -> Iterator[httpx2.Response]:
        self._pace("GET", path)
        request = self._http.build_request("GET", path, params=query, headers=headers)
        for _ in range(_MOST_REDIRECTS + 1):
            response = self._response(request)
            try:
                if response.next_request is None:
                    yield response
                    return
                _check_redirect(request.url, response.next_request.url)
                request = response.next_request
            finally:
                response.close()
        raise httpx2.TooManyRedirects("redirected in a circle", request=request)

    def _response(self, request: httpx2.Request) -> httpx2.Response:
        response = self._http.send(request, stream=True, auth=self._auth, follow_redirects=False)
        self._date = date_of(response.headers.get("date", "")) or self._date
        return response

    def _whole(self, response: httpx2.Response) -> Answer:
        until = self._patience.monotonic() + self._patience.answer_s
        limit = LARGEST_ANSWER if response.is_success else _LARGEST_ERROR
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_bytes():
            chunks.append(chunk)
            size += len(chunk)
            if size > limit:
                if response.is_success:
                    raise TooLarge(f"the answer from {self.host} is larger than {limit >> 20} MiB")
                break
            if self._patience.monotonic() > until:
                raise httpx2.ReadTimeout("the answer took too long", request=response.request)
        return Answer(response.status_code, response.headers, b"".join(chunks))

    def _from(self, response: httpx2.Response, start: int, what: str) -> Iterator[bytes]:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise Garbled(f"garbled answer from {self.host} to {what}: encoded, although asked not to be")
        skip = start
        if response.status_code == 206:
            if not (start and _is_rest(response, start)):
                raise Garbled(f"garbled answer from {self.host} to {what}: another range than asked for")
            skip = 0
        for chunk in response.iter_raw():
            rest = chunk[skip:]
            skip = max(0, skip - len(chunk))
            if rest:
                yield rest

    def _unanswered(self, fault: Fault, *, came_further: bool = False) -> Again:
        error = self._unreached(fault)
        if fault.reach is Reach.UNTRUSTED:
            raise error
        return Again(error, came_further=came_further)

    def _unreached(self, fault: Fault) -> DoeError:
        if fault.reach is Reach.UNTRUSTED:
            return Untrusted(
                f"{self.host} is not trusted: {fault.words}",
                hint="if your company has its own certificates, name their file in SSL_CERT_FILE",
            )
        return TryAgain(
            f"{self.host} does not answer: {fault.words}", hint="is it running, is the network up?"
        )

    def _verdict(self, answer: Answer, what: str, *, is_write: bool) -> Again | None:
        status = answer.status
        if 200 <= status < 300:
            return None
        hidden = self._key.hidden_in if self._key else str
        lines = reasons(answer.body, hidden)
        said = "; ".join(lines) or f"status {status}"
        if status in {401, 403}:
            verb = "refuses the key" if status == 401 else "does not allow this key"
            raise NotAllowedIn(
                f"{self.host} {verb} ({what}): {said}", hint="check RESCALE_API_KEY and RESCALE_API_URL"
            )
        if status == 429:
            asked_s = self._patience.asked_s(answer.headers)
            return Again(TryAgain(f"{self.host} is throttling ({what}): {said}"), asked_s)
        if status in {302, 303, 408} or status >= 500:
            if is_write:
                raise self._lost(what, Fault(Reach.UNKNOWN, f"status {status}"))
            error = TryAgain(f"{self.host} cannot answer {what} now: {said} (status {status})")
            return Again(error, self._patience.asked_s(answer.headers))
        if 300 <= status < 400:
            said = f"status {status}: it is somewhere else: {printable(hidden(answer.headers.get('location', '')))}"
        kind = _KINDS.get(status, Refused)
        raise kind(f"{self.host} refused {what}: {said}", status=status, lines=lines)


def _check_redirect(here: httpx2.URL, there: httpx2.URL) -> None:
    is_safe = there.scheme == "https" or (here.scheme == there.scheme == "http" and is_loopback(there.host))
    if not is_safe:
        raise Untrusted(f"{here.host} redirects to an unencrypted address of {printable(there.host)}")


def _is_rest(response: httpx2.Response, start: int) -> bool:
    span, _, total = response.headers.get("content-range", "").partition("/")
    return total.isascii() and total.isdigit() and span == f"bytes {start}-{int(total[:18]) - 1}"


def _is_all(response: httpx2.Response, size: int) -> bool:
    return size > 0 and response.headers.get("content-range", "") == f"bytes */{size}"


def fault_of(error: httpx2.HTTPError) -> Fault:
    """What a foreign error means; a call is `NEVER_SENT` only if no byte of it can have left."""
    causes = tuple(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Fault(Reach.UNTRUSTED, f"its certificate cannot be verified ({cause.verify_message})")
    words = _WORDS.get(type(error), "the connection broke")
    if isinstance(error, httpx2.ConnectError):
        system = next((cause for cause in reversed(causes) if isinstance(cause, OSError)), None)
        if isinstance(system, ssl.SSLError):
            words = "it does not speak TLS"
        elif isinstance(system, socket.gaierror):
            words = "its name is not known"
        elif system is not None and system.strerror:
            words = system.strerror
    never_sent = httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout | httpx2.ProxyError
    return Fault(Reach.NEVER_SENT if isinstance(error, never_sent) else Reach.UNKNOWN, words)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


_WORDS: Mapping[type[httpx2.HTTPError], str] = {
    httpx2.ConnectError: "no connection",
    httpx2.ConnectTimeout: "no connection in time",
    httpx2.PoolTimeout: "all connections are busy",
    httpx2.ProxyError: "the proxy refuses",
    httpx2.ReadTimeout: "no answer in time",
    httpx2.WriteTimeout: "it stopped reading",
    httpx2.RemoteProtocolError: "the answer broke off or is not HTTP",
    httpx2.DecodingError: "the answer's encoding is broken",
    httpx2.TooManyRedirects: "it redirects in a circle",
}
