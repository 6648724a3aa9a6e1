"""The tie of an executor to the process that started it: a pipe whose end means that the other is gone."""

import os
import select
import signal
from collections.abc import Callable

UNTIE = b"u"


class Tie:
    """Watches standard input, if told to, and sleeps until a child ends, the tie is cut or time is up.

    `outlives` is asked when standard input ends: whether somebody else relies on this process by then.
    """

    def __init__(self, *, reads_stdin: bool) -> None:
        self.is_cut = False
        self.outlives: Callable[[], bool] = lambda: False
        self._stdin: int | None = None
        self._poll = select.poll()
        self._watched: set[int] = set()
        if reads_stdin:
            self._stdin = os.dup(0)
            self._poll.register(self._stdin, select.POLLIN | select.POLLHUP)
        devnull = os.open(os.devnull, os.O_RDONLY)
        os.dup2(devnull, 0)
        os.close(devnull)
        self._wakeup, writing = os.pipe()
        os.set_blocking(self._wakeup, False)
        os.set_blocking(writing, False)
        self._poll.register(self._wakeup, select.POLLIN)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _awake)

    def cut_by_signal(self, *_: object) -> None:
        """End as if the other process were gone."""
        self.is_cut = True

    def watch(self, descriptor: int) -> None:
        """End sleeps when there is something to read."""
        self._watched.add(descriptor)
        self._poll.register(descriptor, select.POLLIN)

    def unwatch(self, descriptor: int) -> None:
        """Sleep on, whatever there is to read."""
        self._watched.discard(descriptor)
        self._poll.unregister(descriptor)

    def sleep(self, seconds: float) -> None:
        """Wait for a child, a signal or the tie; at most so long."""
        for descriptor, _ in self._poll.poll(max(0.0, seconds) * 1000):
            if descriptor == self._wakeup:
                os.read(self._wakeup, 4096)
            elif descriptor not in self._watched:
                self._read_stdin(descriptor)

    def _read_stdin(self, descriptor: int) -> None:
        if os.read(descriptor, 1) == UNTIE or self.outlives():
            self._poll.unregister(descriptor)
            os.close(descriptor)
        else:
            self.is_cut = True


def _awake(*_: object) -> None:
    """Do nothing: the signal's number in the wakeup pipe ends the sleep."""
