"""A limit of time that ends a running regular expression too, where the caller is a process' main thread."""

import signal
import threading
import time
from typing import Any, Callable

LONGEST_READING_S = 600.0
LONGEST_STEP_S = 10.0
_SHORTEST_S = 0.02


class OutOfTime(Exception):
    """The time for one step, or for all of them, is over."""


class Watch:
    """Some seconds for the reading of one run's outputs; a context that holds the process' alarm meanwhile.

    In another thread than the main one a step is not interrupted: what is over is seen after it.
    """

    def __init__(self, seconds: float = LONGEST_READING_S) -> None:
        self.seconds = min(seconds, LONGEST_READING_S)
        self._left = self.seconds
        self._limit = 0.0
        self._is_armed = False
        self._before: Any = None
        self._interrupts = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> "Watch":  # noqa: PYI034 (`Self` is younger than the Pythons that run this)
        if self._interrupts:
            self._before = signal.signal(signal.SIGALRM, self._ring)
        return self

    def __exit__(self, *_: object) -> None:
        if self._interrupts:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL if self._before is None else self._before)

    def step(self, work: "Callable[[], object]", step_s: "float | None" = None) -> None:
        """Do a step of the work; OutOfTime if it takes longer than `step_s`, or no time is left.

        By default a step has 10 s, and a quarter of what is left: what is endless leaves time for the others.
        """
        if self._left < _SHORTEST_S:
            raise OutOfTime(f"all readings of the run took longer than {self.seconds:g} s")
        self._limit = limit = min(
            self._left, min(LONGEST_STEP_S, self._left / 4) if step_s is None else step_s
        )
        began = time.monotonic()
        try:
            self._is_armed = True
            if self._interrupts:
                signal.setitimer(signal.ITIMER_REAL, limit)
            work()
        finally:
            self._is_armed = False
            if self._interrupts:
                signal.setitimer(signal.ITIMER_REAL, 0)
            self._left -= time.monotonic() - began

    def _ring(self, *_: object) -> None:
        if self._is_armed:
            raise OutOfTime(f"it did not end within {self._limit:.3g} s")
