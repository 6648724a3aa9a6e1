"""Ctrl-C and SIGTERM while something is written: no new write, the one under way may end; twice: at once."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from doe_compiler.kernel.errors import Terminated

_PATIENCE_S = 5.0


class Halt:
    """Whether the user wants an end; `go_on` raises then, and `sleep` ends early."""

    def __init__(self) -> None:
        self._wanted = threading.Event()
        self._signal = 0

    def go_on(self) -> None:
        """Raise KeyboardInterrupt or Terminated if an end is wanted."""
        if self._wanted.is_set():
            self._raise()

    def sleep(self, seconds: float) -> None:
        """Sleep, unless an end is wanted, which is raised."""
        if self._wanted.wait(seconds):
            self._raise()

    def _raise(self) -> None:
        raise Terminated if self._signal == signal.SIGTERM else KeyboardInterrupt

    def ask(self, number: int, _frame: FrameType | None) -> None:
        """A signal: the first asks for an end within five seconds, the second ends at once."""
        if self._wanted.is_set():
            self._raise()
        self._signal = number
        self._wanted.set()
        signal.setitimer(signal.ITIMER_REAL, _PATIENCE_S)

    def expire(self, _number: int, _frame: FrameType | None) -> None:
        """The patience is at its end."""
        self._raise()


@contextmanager
def halting() -> Iterator[Halt]:
    """Take the signals over while writes are made; only in the main thread."""
    halt = Halt()
    handlers = {number: signal.signal(number, halt.ask) for number in (signal.SIGINT, signal.SIGTERM)}
    handlers[signal.SIGALRM] = signal.signal(signal.SIGALRM, halt.expire)
    try:
        yield halt
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in handlers.items():
            signal.signal(number, handler)
