"""The platform over HTTP: the same answers as in process, carried by Starlette and uvicorn."""

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.from_thread
import uvicorn
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from doe_compiler.kernel import wire
from doe_compiler.kernel.errors import DoeError, PreconditionFailed
from doe_compiler.platform.database import StoreError
from doe_compiler.platform.locks import taken_lock
from doe_compiler.platform.records import DataFolder
from doe_compiler.platform.service import Platform, open_platform
from doe_compiler.platform.weather import Answer, Forecast, Weather

WATCH_S = 1.0
PATIENCE_S = 3
KEEP_ALIVE_S = 75
MOST_CONNECTIONS = 1000


def application(answer: Answer) -> ASGIApp:
    """The ASGI application that hands every request to `answer`."""

    async def handled(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await PlainTextResponse("Not Found", 404)(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            response = await _answered(answer, request)
        except wire.Dropped:
            _abort(request)
            await anyio.sleep(0)  # uvicorn takes note before this returns without an answer
            return
        await response(scope, receive, send)

    return handled


def _abort(request: Request) -> None:
    """Close the connection without an answer: uvicorn keeps it behind the function that receives."""
    cycle = getattr(request.receive, "__self__", None)
    transport = getattr(cycle, "transport", None)
    if transport is not None:
        transport.abort()


async def _answered(answer: Answer, request: Request) -> Response:
    stream = request.stream()

    def chunks() -> Iterator[bytes]:
        with contextlib.suppress(ClientDisconnect, StopAsyncIteration):
            while True:
                yield anyio.from_thread.run(stream.__anext__)

    wired = wire.Request(
        request.method,
        request.url.path if "%" not in request.url.path else request.scope["path"],
        tuple(request.query_params.multi_items()),
        _headers(request),
        chunks(),
    )
    answered = await run_in_threadpool(answer, wired)
    if isinstance(answered.body, tuple):
        response = Response(b"".join(answered.body), answered.status)
    else:
        response = StreamingResponse(answered.body, answered.status)
    response.raw_headers = [
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in answered.headers
    ]
    return response


def _headers(request: Request) -> dict[str, str]:
    """The headers by lower-case name; of a repeated one the first counts."""
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        headers.setdefault(name, value)
    headers.setdefault("x-forwarded-proto", request.url.scheme)
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
    forecast: Forecast | None = None,
) -> None:
    """Serve the platform in `data` until SIGTERM or SIGINT; `on_ready` gets the port when it answers.

    With a forecast the answers come as on a bad day. Runs are executed by a child process that ends with this one. Raises PreconditionFailed if another
    server serves the same data, DoeError if the address cannot be used.
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
        platform = open_platform(data, token=tokens.owner, others=tokens.others)
        try:
            _run(platform, host, port, on_ready, forecast)
        finally:
            platform.close()
    finally:
        lock.release()


class _Server(uvicorn.Server):
    """Tells its address when it answers."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets=sockets)  # type: ignore[arg-type]
        if self.started:
            self._on_started()


def _run(
    platform: Platform, host: str, port: int, on_ready: Callable[[int], None], forecast: Forecast | None
) -> None:
    answer: Answer = platform.answer
    if forecast is not None:
        platform.list_delay_s = forecast.list_delay_s
        answer = Weather(answer, forecast)
    config = uvicorn.Config(
        application(answer),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=PATIENCE_S,
        limit_concurrency=MOST_CONNECTIONS,
        lifespan="off",
    )
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


def _keep_executor(platform: Platform, ended: threading.Event) -> None:
    """See that there is an executor while there is work, also after one has died."""
    while not ended.wait(WATCH_S):
        with contextlib.suppress(StoreError, OSError):
            platform.ensure_executor(detached=False)
