"""The platform over HTTP: the same answers as in process, carried by uvicorn, within limits."""

import asyncio
import contextlib
import resource
import signal
import socket
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address
from pathlib import Path

import anyio.from_thread
import anyio.to_thread
import uvicorn
from starlette.concurrency import iterate_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from doe_compiler.kernel import wire
from doe_compiler.kernel.errors import DoeError, PreconditionFailed
from doe_compiler.platform.api.service import Platform, open_platform
from doe_compiler.platform.execute.settings import DEFAULTS, Settings
from doe_compiler.platform.serve.access import GONE, AccessLog, reason_of
from doe_compiler.platform.serve.connections import Connection, Limits, close_slow, connection_class
from doe_compiler.platform.serve.weather import Weather
from doe_compiler.platform.store.database import StoreError
from doe_compiler.platform.store.locks import taken_lock
from doe_compiler.platform.store.records import DataFolder

WATCH_S = 1.0
MOST_FILES = 8192
PROXIES = ("127.0.0.1", "::1")


@dataclass(slots=True)
class _Told:
    """What the access log tells of one request."""

    status: int = GONE
    size: int = 0
    reason: str = ""
    user: str = ""


def application(
    platform: Platform, weather: Weather | None, limits: Limits, log: AccessLog | None = None
) -> ASGIApp:
    """The ASGI application that hands every request, of whatever method, to the platform."""
    calls = anyio.CapacityLimiter(limits.calls)
    uploads = anyio.CapacityLimiter(limits.uploads)

    async def respond(scope: Scope, receive: Receive, send: Send, told: _Told) -> None:
        request = Request(scope, receive)
        if _connection(request).is_one_too_many:
            answering = _refusal(503, "Too many connections.", told)
        else:
            answering = _answered(platform, weather, request, calls, uploads, limits.early_bytes, told)
        try:
            response = await answering
        except ClientDisconnect:
            told.reason = "The client went away."
        except wire.Dropped:
            told.reason = "The connection was closed, as --faults asks."
            await _connection(request).hang_up()
        else:
            await response(scope, receive, send)

    async def respond_untold(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(scope, receive, send, _Told())

    async def respond_and_log(scope: Scope, receive: Receive, send: Send) -> None:
        assert log is not None
        began = time.monotonic()
        request = Request(scope)
        told = _Told()

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                told.status = message["status"]
            told.size += len(message.get("body", b""))
            await send(message)

        try:
            await respond(scope, receive, noted, told)
        except BaseException:
            told.status, told.reason = 500, "The server failed."
            raise
        finally:
            log.write(
                _client(request),
                told.user,
                f"{request.method} {scope['raw_path'].decode('latin-1')} HTTP/{scope['http_version']}",
                told.status,
                told.size,
                time.monotonic() - began,
                _connection(request).reason or told.reason,
            )

    return respond_untold if log is None else respond_and_log


async def _refusal(status: int, reason: str, told: _Told) -> Response:
    told.reason = reason
    return JSONResponse({"detail": reason}, status, {"connection": "close"})


async def _answered(
    platform: Platform,
    weather: Weather | None,
    request: Request,
    calls: anyio.CapacityLimiter,
    uploads: anyio.CapacityLimiter,
    early_bytes: int,
    told: _Told,
) -> Response:
    if "transfer-encoding" in request.headers and "content-length" in request.headers:
        return await _refusal(400, "A body has either a Content-Length or a Transfer-Encoding.", told)
    begun, rest = await _begun_body(request, early_bytes)
    wired = wire.Request(
        request.method,
        request.scope["path"],
        tuple(request.query_params.multi_items()),
        _headers(request),
        begun if rest is None else _chunks(begun, rest),
    )
    carried_out: Callable[[], wire.Response] = partial(platform.answer, wired)
    if weather is not None:
        forecast = weather.forecast(wired)
        await anyio.sleep(forecast.delay_s)
        carried_out = partial(weather.carried_out, wired, forecast, platform)
    answered = await anyio.to_thread.run_sync(carried_out, limiter=calls if rest is None else uploads)
    told.user = answered.user
    if answered.status >= 400:
        told.reason = reason_of(answered.body)
    if isinstance(answered.body, tuple):
        response = Response(b"".join(answered.body), answered.status)
    else:
        response = StreamingResponse(_pieces(answered.body, request), answered.status)
    response.raw_headers = [
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in answered.headers
    ]
    return response


async def _begun_body(
    request: Request, early_bytes: int
) -> tuple[tuple[bytes, ...], AsyncGenerator[bytes, None] | None]:
    """The body, or its beginning and the rest: a slow client costs a thread only once it has sent a part."""
    if request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers:
        return (), None
    stream = request.stream()
    begun: list[bytes] = []
    size = 0
    async for chunk in stream:
        begun.append(chunk)
        size += len(chunk)
        if size >= early_bytes:
            return tuple(begun), stream
    return tuple(begun), None


def _chunks(begun: Iterable[bytes], rest: AsyncGenerator[bytes, None]) -> Iterator[bytes]:
    """The body as a thread reads it; a client that goes away ends it."""
    yield from begun
    with contextlib.suppress(ClientDisconnect, StopAsyncIteration):
        while True:
            yield anyio.from_thread.run(rest.__anext__)


async def _pieces(body: Iterable[bytes], request: Request) -> AsyncIterator[bytes]:
    try:
        async for piece in iterate_in_threadpool(body):
            yield piece
    except wire.Dropped:
        await _connection(request).hang_up()
    finally:
        close = getattr(body, "close", None)
        if close is not None:
            close()


def _connection(request: Request) -> Connection:
    found = request.scope["state"]["connection"]
    assert isinstance(found, Connection)
    return found


def _client(request: Request) -> str:
    """The client's address, which a proxy may tell; what it tells that is none does not count."""
    told = request.client.host if request.client else ""
    try:
        return str(ip_address(told))
    except ValueError:
        return _connection(request).peer


def _headers(request: Request) -> dict[str, str]:
    """The headers by lower-case name; of a repeated one the first counts.

    The address of the server as a proxy tells it is believed from this machine only, as uvicorn believes the rest.
    """
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        headers.setdefault(name, value)
    host = headers.pop("x-forwarded-host", "").partition(",")[0].strip()
    if host and _connection(request).peer in PROXIES:
        headers["host"] = host
    headers["x-forwarded-proto"] = str(request.scope["scheme"])
    return headers


@dataclass(frozen=True, slots=True)
class Tokens:
    """The owner's token, and the others' by e-mail address."""

    owner: str
    others: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return "Tokens(...)"


def serve(
    data: Path,
    host: str,
    port: int,
    tokens: Tokens,
    *,
    on_ready: Callable[[int], None],
    weather: Weather | None = None,
    limits: Limits | None = None,
    settings: Settings = DEFAULTS,
    quota: int | None = None,
    log: AccessLog | None = None,
    tls: tuple[Path, Path] | None = None,
) -> None:
    """Serve the platform in `data` until SIGTERM or SIGINT; `on_ready` gets the port when it answers.

    `quota` is what may be stored, in bytes; `log` gets a line a request; `tls` are the files of
    certificate (with those that it needs) and key, in PEM. Runs are executed by a child process that ends with this one. Raises
    PreconditionFailed if another server serves the same data, DoeError if the address cannot be used.
    """
    if not tokens.owner:
        raise DoeError("the platform is not served without a token")
    folder = DataFolder(data.absolute())
    folder.root.mkdir(parents=True, exist_ok=True)
    lock = taken_lock(folder.server_lock)
    if lock is None:
        raise PreconditionFailed(
            f"{data} is already served", hint="stop that server, or choose another --data"
        )
    try:
        platform = open_platform(
            data, token=tokens.owner, others=tokens.others, settings=settings, quota=quota
        )
        try:
            _run(platform, host, port, on_ready, weather, limits or Limits(), log, tls)
        finally:
            platform.close()
    finally:
        lock.release()


class _Server(uvicorn.Server):
    """Tells its address when it answers, and closes the connections of clients that are too slow."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started
        self._watch: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets=sockets)  # type: ignore[arg-type]
        if self.started:
            self._watch = asyncio.create_task(close_slow(self.server_state.connections))
            self._on_started()

    async def shutdown(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().shutdown(sockets=sockets)  # type: ignore[arg-type]
        if self._watch is not None:
            self._watch.cancel()


def _run(
    platform: Platform,
    host: str,
    port: int,
    on_ready: Callable[[int], None],
    weather: Weather | None,
    limits: Limits,
    log: AccessLog | None,
    tls: tuple[Path, Path] | None,
) -> None:
    if weather is not None:
        platform.list_delay_s = weather.list_delay_s
    config = uvicorn.Config(
        application(platform, weather, limits, log),
        host=host,
        port=port,
        http=connection_class(limits, None if log is None else log.refused),
        ws="none",
        log_level="error",
        access_log=False,
        server_header=False,
        date_header=False,
        h11_max_incomplete_event_size=limits.head_bytes,
        timeout_keep_alive=int(limits.idle_s),
        timeout_graceful_shutdown=int(limits.stop_s),
        lifespan="off",
        forwarded_allow_ips=list(PROXIES),
        ssl_certfile=tls and tls[0],
        ssl_keyfile=tls and tls[1],
    )
    _allow_many_files()
    listening = _listening(host, port)
    bound_port: int = listening.getsockname()[1]
    server = _Server(config, lambda: on_ready(bound_port))
    ended = threading.Event()
    watch = threading.Thread(target=_keep_executor, args=(platform, ended), daemon=True)
    watch.start()
    # uvicorn raises the signal again after its clean stop; as an interrupt it lets the rest end cleanly, too.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listening])
    finally:
        signal.signal(signal.SIGTERM, before)
        ended.set()
        watch.join()
        listening.close()


def _listening(host: str, port: int) -> socket.socket:
    """A socket bound to the address.

    Its protocol is named: only then does asyncio turn Nagle's algorithm off, which else keeps every answer
    back for the 40 ms in which the client waits with its acknowledgement.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, socket.IPPROTO_TCP)
    except OSError as error:
        raise _unusable(host, port, error) from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        listening.close()
        raise _unusable(host, port, error) from error
    return listening


def _unusable(host: str, port: int, error: OSError) -> DoeError:
    return DoeError(
        f"the address {host}:{port} cannot be used: {error.strerror}", hint="choose another --port or --host"
    )


def _allow_many_files() -> None:
    """Raise the soft limit of open files: every connection, download and thread has some."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(MOST_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _keep_executor(platform: Platform, ended: threading.Event) -> None:
    """See that there is an executor while there is work, also after one has died."""
    while not ended.is_set():
        with contextlib.suppress(StoreError, OSError):
            platform.ensure_executor(detached=False)
        ended.wait(WATCH_S)
