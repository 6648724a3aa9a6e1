"""The connections of the server: how many, how slow a client may be, and closing those that hold others up."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.server import ServerState

WATCH_S = 0.5


@dataclass(frozen=True, slots=True)
class Limits:
    """What the server bears from its clients; the defaults are those of `doe serve`, see README.md here."""

    connections: int = 1000
    """Open connections; beyond, the one that is idle for longest is closed, or the new one gets a 503."""
    calls: int = 40
    """Calls that are carried out at a time; more wait."""
    uploads: int = 64
    """Bodies larger than `early_bytes` that are received at a time; more wait."""
    head_bytes: int = 64 << 10
    """The request line with all headers."""
    early_bytes: int = 256 << 10
    """What is received of a body before a thread is spent on it."""
    head_s: float = 20.0
    """From the connection, or the first byte of a later request, to the end of the headers."""
    idle_s: float = 75.0
    """A kept connection between two requests."""
    body_window_s: float = 30.0
    body_window_bytes: int = 30 << 10
    """In every window that the server waits for a body, so many bytes of it must come."""
    linger_s: float = 10.0
    """How long the rest of a body is still taken after it was answered."""
    stall_s: float = 60.0
    """How long a client may leave an answer unread while the server waits."""
    stop_s: float = 3.0
    """How long calls may take to end once the server is told to stop."""


@dataclass(frozen=True, slots=True)
class Refused:
    """What a client sent, or did not send in time, and that came to be no request: the status, and since when."""

    status: int
    reason: str
    seconds: float


class Connection(H11Protocol):
    """An HTTP/1.1 connection that can be hung up, and that knows when its client is too slow."""

    limits = Limits()
    on_refused: Callable[[str, Refused], None] | None = None

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, {**app_state, "connection": self}, _loop)
        self.reason = ""
        self._lost = asyncio.Event()
        self._active_at = self.loop.time()
        self._head_at: float | None = self._active_at
        self._window_at = self._active_at
        self._window_bytes = 0
        self._answered_at: float | None = None
        self._stalled_at: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection in, and close an idle one if there are too many."""
        super().connection_made(transport)
        if self.is_one_too_many:
            idle = [each for each in self.connections if isinstance(each, Connection) and each.is_idle]
            longest = min((each for each in idle if each is not self), key=_active_at, default=None)
            if longest is not None:
                longest.transport.abort()
                self.connections.discard(longest)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP; a head that is longer than it may be, too."""
        self.refuse(400, msg)
        super().send_400_response(msg)

    def refuse(self, status: int, reason: str) -> None:
        """Tell whoever keeps a log of a refusal that no request is behind."""
        since = self._active_at if self._head_at is None else self._head_at
        if self.on_refused is not None:
            self.on_refused(self.peer, Refused(status, reason, self.loop.time() - since))

    @property
    def peer(self) -> str:
        """The address of who has connected, which may be a proxy."""
        return self.client[0] if self.client else ""

    @property
    def is_one_too_many(self) -> bool:
        """Whether more connections are open than may be."""
        return len(self.connections) > self.limits.connections

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever hung up that it is done."""
        super().connection_lost(exc)
        self._lost.set()

    def data_received(self, data: bytes) -> None:
        """Note when the client sent how much."""
        self._active_at = self.loop.time()
        self._window_bytes += len(data)
        if self._head_at is None and self.is_idle:
            self._head_at = self._active_at
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._head_at = None

    def on_response_complete(self) -> None:
        """Note when the answer was complete."""
        self._active_at = self._answered_at = self.loop.time()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Note since when the client does not read."""
        self._stalled_at = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        """The client reads again."""
        self._stalled_at = None
        super().resume_writing()

    @property
    def is_idle(self) -> bool:
        """Whether no request is being received or answered."""
        return self.conn.their_state is h11.IDLE and not self._is_answering

    @property
    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def too_slow(self, now: float) -> str:
        """Which limit of time is exceeded; empty if none is. Asked regularly."""
        if self._stalled_at is not None and now - self._stalled_at > self.limits.stall_s:
            return f"The answer was not read for {self.limits.stall_s:g} s."
        if self._head_at is not None:
            is_late = now - self._head_at > self.limits.head_s
            return f"The headers were not there after {self.limits.head_s:g} s." if is_late else ""
        if self.conn.their_state is not h11.SEND_BODY:
            return ""
        if not self._is_answering and self._answered_at is not None:
            is_late = now - self._answered_at > self.limits.linger_s
            return f"The rest of the body came no more for {self.limits.linger_s:g} s." if is_late else ""
        if self.flow.read_paused or self._window_bytes >= self.limits.body_window_bytes:
            self._window_at, self._window_bytes = now, 0
        is_late = now - self._window_at > self.limits.body_window_s
        return f"The body came too slowly for {self.limits.body_window_s:g} s." if is_late else ""

    def close_for(self, reason: str) -> None:
        """Close the connection of a client that is too slow; a request in progress learns why."""
        self.reason = reason
        if not self._is_answering:
            self.refuse(408, reason)
        with contextlib.suppress(OSError):
            self.transport.abort()

    async def hang_up(self) -> None:
        """Send what is written already, close the connection, and wait until it is closed."""
        self.transport.close()
        await self._lost.wait()

    def shutdown(self) -> None:
        """Let the call in progress end, but not for long."""
        super().shutdown()
        self.loop.call_later(self.limits.stop_s / 2, self.transport.abort)


def _active_at(connection: Connection) -> float:
    return connection._active_at  # noqa: SLF001 (its own class)


def connection_class(
    limits: Limits, on_refused: Callable[[str, Refused], None] | None = None
) -> type[Connection]:
    """Connections with these limits; `on_refused` gets client and refusal of what came to be no request."""
    told = None if on_refused is None else staticmethod(on_refused)
    return type("LimitedConnection", (Connection,), {"limits": limits, "on_refused": told})


async def close_slow(connections: Iterable[object]) -> None:
    """Close the connections of clients that are too slow, for ever."""
    while True:
        await asyncio.sleep(WATCH_S)
        now = asyncio.get_running_loop().time()
        for each in list(connections):
            if isinstance(each, Connection) and (reason := each.too_slow(now)):
                each.close_for(reason)
