"""The seats of an executor: as many runs at a time, each started by a supervisor that lives on."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass

from doe_compiler.platform.execute.launcher import End, Kind
from doe_compiler.platform.execute.supervisor import END, NOT_STARTED, PATIENCE_S, Request, Signal, supervise
from doe_compiler.platform.execute.tie import Tie
from doe_compiler.platform.store.records import now_us
from doe_compiler.platform.store.runuser import RunUser


@dataclass(slots=True)
class _Seat:
    pid: int
    requests: int
    is_busy: bool = False


class Seats:
    """Starts runs, each in a seat of its own, and tells how they ended.

    `foreign` are descriptors whose closing means something to others; supervisors do not keep them open. `user` is as
    whom the runs execute, if not as this process' user.
    """

    def __init__(self, tie: Tie, foreign: tuple[int, ...], user: RunUser | None = None) -> None:
        self._foreign = foreign
        self._user = user
        self._seats: dict[int, _Seat] = {}
        self._ends, self._writing = os.pipe()
        os.set_blocking(self._ends, False)
        self._tie = tie
        tie.watch(self._ends)

    def start(self, run: Request) -> int:
        """Start the run; its seat."""
        number = next((number for number, seat in self._seats.items() if not seat.is_busy), None)
        if number is None:
            number = max(self._seats, default=0) + 1
            self._seats[number] = self._made(number)
        self._seats[number].is_busy = True
        self._send(number, run)
        return number

    def signal(self, number: int, which: Signal) -> None:
        """Signal the run of the seat."""
        self._send(number, which)

    def _send(self, number: int, request: Request | Signal) -> None:
        view = memoryview(request.sent())
        with contextlib.suppress(BrokenPipeError):  # `lost` tells of it
            while view:
                view = view[os.write(self._seats[number].requests, view) :]

    def ends(self) -> Iterator[End]:
        """The runs that have ended since the last call."""
        try:
            content = os.read(self._ends, END.size * 128)
        except BlockingIOError:
            return
        for number, status, ended_us in END.iter_unpack(content):
            self._seats[number].is_busy = False
            if status & NOT_STARTED and status > 0:
                yield End(number, 0, ended_us, Kind.NOT_STARTED, os.strerror(status & ~NOT_STARTED))
            else:
                yield End(number, status, ended_us)

    def lost(self) -> Iterator[End]:
        """The runs whose supervisor was killed; what is left of them is the caller's to end."""
        dead = _reaped_children()
        for number, seat in list(self._seats.items()):
            if seat.pid not in dead:
                continue
            yield from self.ends()
            os.close(seat.requests)
            del self._seats[number]
            if seat.is_busy:
                problem = "The process that watched the run was killed."
                yield End(number, -signal.SIGKILL, now_us(), Kind.ENDED, problem)

    def close(self) -> Iterator[End]:
        """Kill what is running, tell how it ended, and let the supervisors go."""
        for number, seat in self._seats.items():
            if seat.is_busy:
                self._send(number, Signal(signal.SIGKILL))
        give_up = time.monotonic() + 2 * PATIENCE_S
        while any(seat.is_busy for seat in self._seats.values()) and time.monotonic() < give_up:
            self._tie.sleep(0.05)
            yield from self.ends()
            yield from self.lost()
        for seat in self._seats.values():
            os.close(seat.requests)
        for seat in self._seats.values():
            with contextlib.suppress(ChildProcessError):
                os.waitpid(seat.pid, 0)
        self._tie.unwatch(self._ends)
        os.close(self._ends)
        os.close(self._writing)

    def _made(self, number: int) -> _Seat:
        requests, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            for descriptor in (
                writing,
                self._ends,
                *self._foreign,
                *(s.requests for s in self._seats.values()),
            ):
                os.close(descriptor)
            supervise(number, requests, self._writing, self._user)
        os.close(requests)
        return _Seat(pid, writing)


def _reaped_children() -> set[int]:
    """The children of the executor that have ended: supervisors that were killed, readers."""
    dead: set[int] = set()
    with contextlib.suppress(ChildProcessError):
        while pid := os.waitpid(-1, os.WNOHANG)[0]:
            dead.add(pid)
    return dead
