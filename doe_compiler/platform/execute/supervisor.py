"""The process beside the executor that starts the runs of one seat, one after the other, and ends what they leave.

On Linux it is a subreaper: whatever a run's processes do (sessions of their own, daemons), they stay among its
descendants, and when the run's first process has ended, all of them are killed before its end is told. Elsewhere only
the run's process group is. When the executor dies it kills its run and goes; so long it holds the executor's lock.
"""

import contextlib
import ctypes
import errno
import marshal
import os
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from doe_compiler.platform.execute.workplace import Workplace
from doe_compiler.platform.store.records import now_us
from doe_compiler.platform.store.runuser import RunUser, touch_files_as

END = struct.Struct("iiq")
NOT_STARTED = 1 << 16
SIZE = struct.Struct("I")
DEFAULT_SIGNALS = (signal.SIGPIPE, signal.SIGXFSZ)
PATIENCE_S = 10.0
UMASK = 0o022
PROC = "/proc"
_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class Request:
    """A run to be started; `fallback` does the same through a shell."""

    directory: str
    arguments: tuple[str, ...]
    fallback: tuple[str, ...]
    environment: Mapping[str, str]

    def sent(self) -> bytes:
        """The request on the wire."""
        return _framed((self.directory, self.arguments, self.fallback, dict(self.environment)))


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal for the group of the run that is running, and what its log is told before."""

    number: int
    text: str = ""

    def sent(self) -> bytes:
        """The request on the wire."""
        return _framed((int(self.number), self.text))


def _framed(content: tuple[object, ...]) -> bytes:
    body = marshal.dumps(content)  # type: ignore[arg-type]
    return SIZE.pack(len(body)) + body


def supervise(seat: int, requests: int, ends: int, user: RunUser | None = None) -> NoReturn:
    """Be the supervisor of the seat until the requests end; for a process that was just forked.

    With a `user`, whom runs execute as, it stays root and touches files as that user.
    """
    try:
        if user is not None:
            touch_files_as(user.uid, user.gid)
        os.setsid()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, _awake)  # a run may signal its parent
        wakeup, writing = os.pipe()
        os.set_blocking(wakeup, False)
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _awake)
        _become_subreaper()
        _serve(seat, requests, ends, wakeup, user)
    finally:
        os._exit(0)


def _awake(*_: object) -> None:
    """Do nothing: a signal's number in the wakeup pipe ends the wait."""


def _become_subreaper() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _serve(seat: int, requests: int, ends: int, wakeup: int, user: RunUser | None) -> None:
    while (request := _request(requests)) is not None:
        if isinstance(request, Signal):
            continue  # the run that it was for has ended
        try:
            workplace = Workplace.opened(request.directory)
            pid = _started(request, workplace, user)
        except OSError as error:
            os.write(ends, END.pack(seat, NOT_STARTED | (error.errno or errno.EIO), now_us()))
            continue
        status = _watched(pid, workplace, requests, wakeup)
        if status is None:
            return
        ended_us = now_us()
        end_descendants()
        workplace.restore()
        workplace.close()
        os.write(ends, END.pack(seat, status, ended_us))


def _request(requests: int) -> Request | Signal | None:
    """The next request; None when there are no more."""
    head = os.read(requests, SIZE.size)
    if not head:
        return None
    (left,) = SIZE.unpack(head)
    body = b""
    while len(body) < left:
        chunk = os.read(requests, left - len(body))
        if not chunk:
            return None
        body += chunk
    content = marshal.loads(body)  # noqa: S302 (from the executor, through a pipe of its own)
    return Signal(*content) if len(content) == 2 else Request(*content)


def _started(run: Request, workplace: Workplace, user: RunUser | None) -> int:
    os.fchdir(workplace.folder)
    try:
        return _spawned(run.arguments, run.environment, workplace.log, user)
    except OSError:
        return _spawned(run.fallback, run.environment, workplace.log, user)
    finally:
        os.chdir("/")


def _spawned(
    arguments: tuple[str, ...], environment: Mapping[str, str], log: int, user: RunUser | None
) -> int:
    if user is not None:
        process = subprocess.Popen(
            arguments,
            stdout=log,
            stderr=log,
            env=environment,
            user=user.uid,
            group=user.gid,
            extra_groups=user.groups,
            start_new_session=True,
            umask=UMASK,
        )
        process.returncode = 0  # `_ended` waits for it
        return process.pid
    return os.posix_spawn(
        arguments[0],
        arguments,
        environment,
        file_actions=((os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)),
        setsid=True,
        setsigdef=DEFAULT_SIGNALS,
    )


def _watched(pid: int, workplace: Workplace, requests: int, wakeup: int) -> int | None:
    """Wait for the end of the run's first process; its status, or None after the executor's death."""
    poll = select.poll()
    poll.register(requests, select.POLLIN)
    poll.register(wakeup, select.POLLIN)
    while (status := _ended(pid)) is None:
        for descriptor, _ in poll.poll():
            if descriptor == wakeup:
                os.read(wakeup, 4096)
                continue
            request = _request(requests)
            if request is None:
                signal_group(pid, signal.SIGKILL)
                end_descendants()
                return None
            if isinstance(request, Signal):
                if request.text:
                    workplace.tell(request.text)
                signal_group(pid, request.number)
    return status


def _ended(pid: int) -> int | None:
    """The status of the child if it has ended, the rest of its group killed; orphans that have ended are reaped.

    Where the system can tell of an end before the id is free again, the group is killed in between, so that the
    id cannot have become a stranger's.
    """
    if not hasattr(os, "waitid"):
        ended, status = os.waitpid(pid, os.WNOHANG)
        signal_group(ended or os.getpid(), signal.SIGKILL if ended else 0)
        return os.waitstatus_to_exitcode(status) if ended else None
    while (info := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
        if info.si_pid == pid:
            signal_group(pid, signal.SIGKILL)
        _, status = os.waitpid(info.si_pid, 0)
        if info.si_pid == pid:
            return os.waitstatus_to_exitcode(status)
    return None


def signal_group(pid: int, number: int) -> None:
    """Signal the process group that the process leads, if there is one."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def end_descendants() -> None:
    """Kill all that descends from this process and wait until it is gone; returns at once if nothing does."""
    give_up = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        for pid in _descendants(os.getpid()):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.001)


def _descendants(ancestor: int) -> list[int]:
    """All processes below the ancestor, each after its parent; none where there is no /proc."""
    children: dict[int, list[int]] = {}
    with contextlib.suppress(OSError):
        for name in os.listdir(PROC):  # noqa: PTH208 (names are all)
            if name.isdigit():
                with contextlib.suppress(OSError, ValueError, IndexError):
                    children.setdefault(_parent(name), []).append(int(name))
    found = [ancestor]
    for pid in found:
        found += children.get(pid, ())
    return found[1:]


def _parent(name: str) -> int:
    with open(f"{PROC}/{name}/stat", "rb") as file:  # noqa: PTH123 (for every process of the machine)
        return int(file.read().rpartition(b")")[2].split()[1])
