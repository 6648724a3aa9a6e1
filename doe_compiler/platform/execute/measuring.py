"""The measuring of large outputs, size and md5 of every file, in processes beside the executor, which goes on meanwhile.

Each is a fork that ends with its run's answer, or with the executor.
"""

import contextlib
import ctypes
import marshal
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, NoReturn, TypeVar

from doe_compiler.platform.execute.outputs import Outputs, stored_outputs
from doe_compiler.platform.execute.tie import Tie
from doe_compiler.platform.store.runuser import RunFolder

LARGE = 256 << 20
"""Bytes of a run's outputs, beyond which they are measured in a process of their own."""
MOST_AT_A_TIME = 2
CHUNK = 1 << 18
_STDERR = 2
_PR_SET_PDEATHSIG = 1

Ticket = TypeVar("Ticket")
Reached = Callable[[], "contextlib.AbstractContextManager[RunFolder]"]


@dataclass(slots=True)
class _Measure(Generic[Ticket]):
    ticket: Ticket
    pid: int
    answer: int
    received: bytearray = field(default_factory=bytearray)


class Measures(Generic[Ticket]):
    """What is to be measured, and the processes that are at it."""

    def __init__(self, tie: Tie) -> None:
        self._tie = tie
        self._waiting: deque[tuple[Ticket, Reached]] = deque()
        self._running: list[_Measure[Ticket]] = []

    def ask(self, ticket: Ticket, reached: Reached) -> None:
        """Measure the outputs in the folder; the answer comes with the ticket."""
        self._waiting.append((ticket, reached))
        self._hand_out()

    def answers(self) -> Iterator[tuple[Ticket, Outputs | None]]:
        """What has been measured since the last call, by ticket; None where the process was killed."""
        for measure in list(self._running):
            with contextlib.suppress(BlockingIOError):
                while piece := os.read(measure.answer, CHUNK):
                    measure.received += piece
                self._drop(measure, has_ended=True)
                yield measure.ticket, _outputs_in(bytes(measure.received))
        self._hand_out()

    def cancelled(self, is_meant: Callable[[Ticket], bool]) -> Iterator[Ticket]:
        """Stop those that are meant."""
        for ticket, _ in [each for each in self._waiting if is_meant(each[0])]:
            self._waiting = deque(each for each in self._waiting if each[0] is not ticket)
            yield ticket
        for measure in [each for each in self._running if is_meant(each.ticket)]:
            self._drop(measure)
            yield measure.ticket
        self._hand_out()

    def close(self) -> None:
        """Stop all."""
        self._waiting.clear()
        for measure in list(self._running):
            self._drop(measure)

    def _hand_out(self) -> None:
        while self._waiting and len(self._running) < MOST_AT_A_TIME:
            ticket, reached = self._waiting.popleft()
            answer, writing = os.pipe()
            pid = os.fork()
            if pid == 0:
                _measure(writing, reached)
            os.close(writing)
            os.set_blocking(answer, False)
            self._tie.watch(answer)
            self._running.append(_Measure(ticket, pid, answer))

    def _drop(self, measure: _Measure[Ticket], *, has_ended: bool = False) -> None:
        self._running.remove(measure)
        self._tie.unwatch(measure.answer)
        os.close(measure.answer)
        if not has_ended:
            with contextlib.suppress(ProcessLookupError):
                os.kill(measure.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(measure.pid, 0)


def _measure(writing: int, reached: Reached) -> NoReturn:
    """Be the process; nothing of the executor is kept open, neither its locks nor its pipes."""
    parent = os.getppid()
    try:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(writing, 1)
        for name in os.listdir("/dev/fd"):  # noqa: PTH208 (names are all)
            if int(name) > _STDERR:
                with contextlib.suppress(OSError):
                    os.close(int(name))
        if os.getppid() == parent:
            with reached() as run:
                content = memoryview(marshal.dumps(stored_outputs(run)))
            while content:
                content = content[os.write(1, content) :]
    finally:
        os._exit(0)


def _outputs_in(content: bytes) -> Outputs | None:
    try:
        found = marshal.loads(content)  # noqa: S302 (from a fork of this process)
    except (EOFError, ValueError, TypeError):
        return None
    return found if isinstance(found, tuple) else None
