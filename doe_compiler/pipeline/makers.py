"""The applies of one machine that make drafts: whose drafts another one need not wait for, because their maker is dead.

An apply writes the nonce of every create into a file of its own, on which it holds a lock for as long as it lives. A file
whose lock is free names drafts that nobody submits any more. What is not certain counts as living: a file of another
machine or of before its last start, a copied file, and one whose process is still there without its lock.
"""

import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

_KEPT_S = 86_400.0
_TRIES, _PAUSE_S = 20, 0.01


@dataclass(frozen=True, slots=True)
class Makers:
    """The makers of one project on this machine, each with a file in a folder that may vanish at any time."""

    folder: Path
    reads_only: bool = False

    @contextlib.contextmanager
    def at_work(self) -> Iterator[Callable[[str], None]]:
        """One maker: what it yields hears of every nonce before its create is sent.

        Its file goes when it ends well; after a failure a draft may be left, which the file then tells to be abandoned.
        """
        maker = _Maker(self.folder)
        try:
            yield maker.sign
            maker.leave()
        finally:
            maker.close()

    def dead(self) -> frozenset[str]:
        """The nonces of makers that are known to be dead."""
        found: set[str] = set()
        with contextlib.suppress(OSError):
            for path in list(self.folder.iterdir()):
                found |= self._dead(path)
        return frozenset(found)

    def _dead(self, path: Path) -> frozenset[str]:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:
            return frozenset()
        with os.fdopen(descriptor, encoding="ascii", errors="replace") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                head, *nonces = file.read().split("\n")[:-1] or [""]
            except OSError:
                return frozenset()
            of_file, _, of_process = head.partition(" process ")
            if of_file != _identity(descriptor) or _is_running(of_process):
                return frozenset()
            if not self.reads_only and os.fstat(descriptor).st_mtime < time.time() - _KEPT_S:
                with contextlib.suppress(OSError):
                    path.unlink()
        return frozenset(nonces)


class _Maker:
    """The file of this maker, made with its first create; without one it is not known whether the maker lives."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / secrets.token_hex(8)
        self._descriptor: int | None = None
        self._failed = False
        self._lock = Lock()

    def sign(self, nonce: str) -> None:
        with self._lock, contextlib.suppress(OSError):
            if self._failed:
                return
            self._failed = True
            if self._descriptor is None:
                self._descriptor = self._opened()
            os.write(self._descriptor, f"{nonce}\n".encode())
            self._failed = False

    def _opened(self) -> int:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        for left in range(_TRIES, -1, -1):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:  # somebody who looks at the file holds its lock for a moment
                if not left:
                    os.close(descriptor)
                    raise
                time.sleep(_PAUSE_S)
        os.write(descriptor, f"{_identity(descriptor)} process {_process(os.getpid())}\n".encode())
        return descriptor

    def leave(self) -> None:
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                self._path.unlink()

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)


def _identity(descriptor: int) -> str:
    """The start of the machine that a file is on, and the file: a copy of it, or a view of it from elsewhere, is another."""
    about = os.fstat(descriptor)
    return f"{_boot()} {about.st_dev}:{about.st_ino}"


def _boot() -> str:
    """What tells this start of this machine from all others, as far as the system knows it."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        up = time.time() - time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
        return f"{os.uname().nodename.replace(' ', '_')}-{round(up / 60)}"


def _process(pid: int) -> str:
    """A process by number and start, as far as the system tells it; empty if there is none."""
    try:
        about = (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        )
        return "" if about[0] in "ZX" else f"{pid} {about[19]}"
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return ""
    except (OSError, IndexError):
        return f"{pid} ?"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except OSError:
        pass
    return f"{pid} ?"


def _is_running(process: str) -> bool:
    pid = process.partition(" ")[0]
    return not pid.isdigit() or _process(int(pid)) == process
