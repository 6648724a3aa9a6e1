"""The reading of output variables when runs have ended: by a few processes that live on, not one a run.

They are started when they are first needed. One that takes too long is killed and replaced, and its run is told of;
a run whose reader dies twice, too. All end with the executor (`reader.py`).
"""

import contextlib
import json
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from doe_compiler.extraction.reading import Outcome
from doe_compiler.extraction.run import BEFORE_RUN_S
from doe_compiler.extraction.told import printed_lines
from doe_compiler.platform.execute.outputs import variables_in
from doe_compiler.platform.execute.reader import ENDS, LENGTH_DIGITS
from doe_compiler.platform.execute.tie import Tie
from doe_compiler.platform.store.form import JobForm
from doe_compiler.platform.store.runuser import RunUser

MODULE = "doe_compiler.platform.execute.reader"
MOST_READERS = 4
MOST_WAITING = 64
PATIENCE_S = 0.2
GRACE_S = 10.0
CHUNK = 1 << 18

Variables = tuple[tuple[str, str], ...]
Ticket = TypeVar("Ticket")


@dataclass(frozen=True, slots=True)
class ReadFrom:
    """What a job wants read of each run: variables as `extraction` takes them, in so many seconds."""

    variables: Sequence[Mapping[str, str]]
    seconds: float

    def untouched(self, inputs: frozenset[str]) -> tuple[str, ...]:
        """The files to read that a run begins with: what it does not write is no result."""
        named = dict.fromkeys(os.path.normpath(each["file"]) for each in self.variables)
        return tuple(file for file in named if file in inputs)

    def nothing(self, reason: str) -> bytes:
        """What is printed where nothing could be read."""
        return printed_lines((each["name"], Outcome(None, reason)) for each in self.variables)


def mark_untouched(files: Sequence[str]) -> None:
    """Give files of the current directory the time by which `extraction` knows what a run has not written."""
    for file in files:
        with contextlib.suppress(OSError):
            os.utime(file, (BEFORE_RUN_S, BEFORE_RUN_S))


def read_from(form: JobForm) -> ReadFrom | None:
    """What the form of a job asks to be read, None where it asks for nothing."""
    asked = form.output_reading
    return ReadFrom(asked["variables"], asked["seconds"]) if asked and asked["variables"] else None


@dataclass(slots=True)
class _Request(Generic[Ticket]):
    ticket: Ticket
    directory: str
    wanted: ReadFrom
    is_repeated: bool = False


@dataclass(slots=True)
class _Reader(Generic[Ticket]):
    """A process, its two pipes, and the request that it is at; `known` are the variables that it has."""

    pid: int
    requests: int
    answers: int
    request: _Request[Ticket] | None = None
    known: ReadFrom | None = None
    began: float = 0.0
    received: bytearray = field(default_factory=bytearray)

    def ask(self, request: _Request[Ticket]) -> None:
        sent: dict[str, object] = {"directory": request.directory, "seconds": request.wanted.seconds}
        if self.known is not request.wanted:
            sent["variables"] = [dict(each) for each in request.wanted.variables]
            self.known = request.wanted
        self.request, self.began = request, time.monotonic()
        content = memoryview(json.dumps(sent).encode() + b"\n")
        with contextlib.suppress(BrokenPipeError):
            while content:
                content = content[os.write(self.requests, content) :]

    def has_answered(self) -> bool:
        """Take what has come; whether the answer is whole. Raises EOFError if the process has ended."""
        with contextlib.suppress(BlockingIOError):
            while True:
                piece = os.read(self.answers, CHUNK)
                if not piece:
                    raise EOFError
                self.received += piece
        return (
            len(self.received) > LENGTH_DIGITS
            and len(self.received) > int(self.received[:LENGTH_DIGITS]) + LENGTH_DIGITS
        )

    def taken(self) -> tuple[bytes, bool]:
        """The answer, and whether it was the last one."""
        content, is_last = (
            bytes(self.received[LENGTH_DIGITS + 1 :]),
            self.received[LENGTH_DIGITS:][:1] == ENDS,
        )
        self.received.clear()
        self.request = None
        return content, is_last


class Readings(Generic[Ticket]):
    """The readings that are asked for and not answered yet, and the processes that do them."""

    def __init__(self, tie: Tie, cores: int, user: RunUser | None = None) -> None:
        self._tie = tie
        self._as = () if user is None else (str(user.uid), str(user.gid), *map(str, user.groups))
        self._most = min(MOST_READERS, max(1, cores))
        self._waiting: deque[_Request[Ticket]] = deque()
        self._readers: list[_Reader[Ticket]] = []

    @property
    def are_behind(self) -> bool:
        """Whether so many readings wait that no more runs should begin."""
        return len(self._waiting) >= MOST_WAITING

    def ask(self, ticket: Ticket, directory: str, wanted: ReadFrom) -> None:
        """Read the outputs in the directory; the answer comes with the ticket."""
        self._waiting.append(_Request(ticket, directory, wanted))
        self._hand_out()

    def answers(self) -> Iterator[tuple[Ticket, Variables]]:
        """What has been read since the last call, by ticket."""
        for reader in [each for each in self._readers if each.request is not None]:
            request = reader.request
            assert request is not None
            try:
                if reader.has_answered():
                    content, is_last = reader.taken()
                    if is_last:
                        self._drop(reader)
                    self._hand_out()
                    yield request.ticket, variables_in(content)
                elif time.monotonic() > reader.began + request.wanted.seconds + GRACE_S:
                    self._drop(reader, kill=True)
                    reason = f"the reading was stopped: it did not end within {request.wanted.seconds:g} s"
                    yield request.ticket, variables_in(request.wanted.nothing(reason))
            except EOFError:
                self._drop(reader)
                if request.is_repeated:
                    reason = "the process that reads it was ended twice"
                    yield request.ticket, variables_in(request.wanted.nothing(reason))
                else:
                    request.is_repeated = True
                    self._waiting.appendleft(request)
        self._hand_out()

    def _hand_out(self) -> None:
        while self._waiting:
            reader = next((each for each in self._readers if each.request is None), None) or self._started()
            if reader is None:
                return
            reader.ask(self._waiting.popleft())

    def _started(self) -> _Reader[Ticket] | None:
        """Another reader, if there is none or those that there are take long."""
        if len(self._readers) >= self._most:
            return None
        if any(time.monotonic() < each.began + PATIENCE_S for each in self._readers):
            return None
        theirs, requests = os.pipe()
        answers, their_answers = os.pipe()
        try:
            pid = os.posix_spawn(
                sys.executable,
                [sys.executable, "-P", "-m", MODULE, str(os.getpid()), *self._as],
                os.environ,
                file_actions=((os.POSIX_SPAWN_DUP2, theirs, 0), (os.POSIX_SPAWN_DUP2, their_answers, 1)),
                setsigdef=(signal.SIGPIPE, signal.SIGTERM, signal.SIGINT, signal.SIGHUP),
            )
        except OSError:
            os.close(requests)
            os.close(answers)
            if self._readers:
                return None
            raise
        finally:
            os.close(theirs)
            os.close(their_answers)
        os.set_blocking(answers, False)
        self._tie.watch(answers)
        self._readers.append(_Reader(pid, requests, answers))
        return self._readers[-1]

    def _drop(self, reader: _Reader[Ticket], *, kill: bool = False) -> None:
        """Let the process end, and end it if it lives; the executor's loop takes note of it as of any child's."""
        self._readers.remove(reader)
        self._tie.unwatch(reader.answers)
        if kill:
            with contextlib.suppress(ProcessLookupError):
                os.kill(reader.pid, signal.SIGKILL)
        os.close(reader.requests)
        os.close(reader.answers)

    def close(self) -> None:
        """End all processes; what was not read is left."""
        for reader in list(self._readers):
            self._drop(reader, kill=True)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(reader.pid, 0)
        self._waiting.clear()
