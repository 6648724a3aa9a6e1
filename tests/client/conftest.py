"""Little servers on this machine that misbehave on purpose, and a patience that never waits."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import orjson
import pytest

from doe_compiler.client.client import Client
from doe_compiler.client.patience import Patience
from doe_compiler.client.settings import Account, Secret

KEY = "5f3a-very-secret-key-77b1"


@dataclass(frozen=True)
class Seen:
    """A request as the server read it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Cut:
    """Send these bytes and close, or reset, the connection."""

    content: bytes = b""
    reset: bool = False


class Hang:
    """Never answer."""


Script = Callable[[Seen, int], "bytes | Cut | Hang"]


def reply(status: int, content: object = b"", **headers: str) -> bytes:
    """A proper HTTP response; what is not bytes is sent as JSON, `_` in header names means `-`."""
    body = content if isinstance(content, bytes) else orjson.dumps(content)
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Server:
    """Answers every request with what its script says; keeps what it saw."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.seen: list[Seen] = []
        self.problems: list[BaseException] = []
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/api/v2/"
        self._threads = [threading.Thread(target=self._accept)]
        self._open: list[socket.socket] = []
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with self._lock:
                self._open.append(connection)
                thread = threading.Thread(target=self._serve, args=(connection,))
                self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb") as stream:
                while (request := _request(stream)) is not None:
                    with self._lock:
                        self.seen.append(request)
                        number = len(self.seen)
                    answer = self._script(request, number)
                    if isinstance(answer, bytes):
                        connection.sendall(answer)
                        continue
                    if isinstance(answer, Hang):
                        self._over.wait()
                    else:
                        connection.sendall(answer.content)
                        if answer.reset:
                            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
        except OSError:
            return
        except BaseException as problem:
            self.problems.append(problem)

    def close(self) -> None:
        self._over.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._threads[0].join()
        for connection in self._open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        for thread in self._threads[1:]:
            thread.join()
        assert not self.problems


def _request(stream) -> Seen | None:
    line = stream.readline().decode()
    if not line:
        return None
    method, target, _ = line.split()
    headers = {}
    while (line := stream.readline().decode().strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = b""
    if headers.get("transfer-encoding") == "chunked":
        while size := int(stream.readline(), 16):
            body += stream.read(size)
            stream.readline()
        stream.readline()
    else:
        body = stream.read(int(headers.get("content-length", "0")))
    return Seen(method, target, headers, body)


@dataclass
class Rests:
    """The seconds that a client would have slept."""

    slept: list[float] = field(default_factory=list)

    def patience(self, **changes: object) -> Patience:
        given = {"read_s": 5.0, "write_s": 5.0, "sleep": self.slept.append, "chance": lambda: 1.0, "tries": 3}
        return Patience(**(given | changes))


@pytest.fixture
def rests() -> Rests:
    return Rests()


@pytest.fixture
def serve() -> Iterator[Callable[[Script], Server]]:
    servers: list[Server] = []

    def start(script: Script) -> Server:
        servers.append(Server(script))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def client_of(rests: Rests) -> Iterator[Callable[..., Client]]:
    clients: list[Client] = []

    def connect(server_or_url: Server | str, **changes: object) -> Client:
        url = server_or_url if isinstance(server_or_url, str) else server_or_url.url
        clients.append(Client.connect(Account(url, Secret(KEY)), rests.patience(**changes)))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()
