"""The embedded platform as a transport: calls become function calls, bodies stay streams."""

from collections.abc import Callable, Iterable, Iterator
from typing import cast

import httpx2

from doe_compiler.kernel import wire

EMBEDDED_URL = "http://embedded/api/v2/"
"""The address under which the embedded platform answers; no network knows it."""

_EMBEDDED_HOST = httpx2.URL(EMBEDDED_URL).host
_HUNG_UP = "the embedded platform closed the connection"


class EmbeddedTransport(httpx2.BaseTransport):
    """Hands every request to `answer` in this process; other hosts than the embedded one do not exist."""

    def __init__(self, answer: Callable[[wire.Request], wire.Response]) -> None:
        self._answer = answer

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The platform's response to the request, with its body as a stream."""
        if request.url.host != _EMBEDDED_HOST:
            raise httpx2.ConnectError("the embedded platform has no network", request=request)
        try:
            response = self._answer(wire_request(request))
        except wire.Dropped:
            raise httpx2.RemoteProtocolError(_HUNG_UP, request=request) from None
        headers = [(name.lower(), value) for name, value in response.headers]
        return httpx2.Response(
            response.status, headers=headers, stream=_Body(response.body, _declared_length(headers))
        )


def wire_request(request: httpx2.Request) -> wire.Request:
    """The request as the wire has it: decoded path, split query, lower header names, a streamed body."""
    headers: dict[str, str] = {}
    for name, value in request.headers.multi_items():
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return wire.Request(
        method=request.method,
        path=request.url.path,
        query=tuple(request.url.params.multi_items()),
        headers=headers,
        body=cast("httpx2.SyncByteStream", request.stream),
    )


def _declared_length(headers: list[tuple[str, str]]) -> int | None:
    text = next((value for name, value in headers if name == "content-length"), "")
    return int(text) if text.isascii() and text.isdigit() else None


class _Body(httpx2.SyncByteStream):
    """A body that must be as long as its header says, as one over a socket must."""

    def __init__(self, chunks: Iterable[bytes], length: int | None) -> None:
        self._chunks = chunks
        self._length = length

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        try:
            for chunk in self._chunks:
                size += len(chunk)
                yield chunk
        except wire.Dropped:
            raise httpx2.RemoteProtocolError(_HUNG_UP) from None
        if self._length is not None and size != self._length:
            raise httpx2.RemoteProtocolError(f"{size} bytes instead of {self._length}")

    def close(self) -> None:
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()
