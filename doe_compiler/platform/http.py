"""The platform over HTTP: the same answers as in process, carried by Starlette and uvicorn."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio.from_thread
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from doe_compiler.kernel import wire
from doe_compiler.kernel.errors import DoeError, PreconditionFailed
from doe_compiler.platform.database import StoreError
from doe_compiler.platform.locks import taken_lock
from doe_compiler.platform.records import DataFolder
from doe_compiler.platform.service import Platform, open_platform

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
WATCH_S = 1.0
PATIENCE_S = 3
KEEP_ALIVE_S = 75
MOST_CONNECTIONS = 1000


def application(platform: Platform) -> Starlette:
    """The ASGI application that hands every request to the platform."""

    async def answer(request: Request) -> Response:
        return await _answered(platform, request)

    return Starlette(routes=[Route("/{path:path}", answer, methods=METHODS)])


async def _answered(platform: Platform, request: Request) -> Response:
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
    answered = await run_in_threadpool(platform.answer, wired)
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


def serve(
    data: Path,
    host: str,
    port: int,
    token: str,
    *,
    on_ready: Callable[[int], None],
) -> None:
    """Serve the platform in `data` until SIGTERM or SIGINT; `on_ready` gets the port when it answers.

    Runs are executed by a child process that ends with this one. Raises PreconditionFailed if another
    server serves the same data, DoeError if the address cannot be used.
    """
    if not token:
        raise DoeError("the platform is not served without a token")
    folder = DataFolder(data.absolute())
    folder.root.mkdir(parents=True, exist_ok=True)
    lock = taken_lock(folder.server_lock)
    if lock is None:
        raise PreconditionFailed(
            f"{data} is already served", hint="stop that server, or choose another --data"
        )
    try:
        platform = open_platform(data, token=token)
        try:
            _run(platform, host, port, on_ready)
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


def _run(platform: Platform, host: str, port: int, on_ready: Callable[[int], None]) -> None:
    config = uvicorn.Config(
        application(platform),
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
    try:
        socket = config.bind_socket()
    except SystemExit:
        raise DoeError(f"the address {host}:{port} cannot be used", hint="choose another --port") from None
    bound_port: int = socket.getsockname()[1]
    server = _Server(config, lambda: on_ready(bound_port))
    ended = threading.Event()
    watch = threading.Thread(target=_keep_executor, args=(platform, ended), daemon=True)
    watch.start()
    # uvicorn raises the signal again after its clean stop; as an interrupt it lets the rest end cleanly, too.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[socket])
    finally:
        signal.signal(signal.SIGTERM, before)
        ended.set()
        watch.join()
        socket.close()


def _keep_executor(platform: Platform, ended: threading.Event) -> None:
    """See that there is an executor while there is work, also after one has died."""
    while not ended.wait(WATCH_S):
        with contextlib.suppress(StoreError, OSError):
            platform.ensure_executor(detached=False)
