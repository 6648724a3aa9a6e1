"""Locks between processes that vanish with their holder: flock on a file of the data folder."""

import errno
import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class HeldLock:
    """A lock this process holds until `release` or its death."""

    descriptor: int

    def release(self) -> None:
        """Let another process have the lock."""
        os.close(self.descriptor)


def taken_lock(path: Path) -> HeldLock | None:
    """The lock, or None while another process (or another holder in this one) has it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return None
        raise
    return HeldLock(descriptor)


def is_locked(path: Path) -> bool:
    """Whether some process holds the lock now; writes nothing. A lock that may not be looked at counts as held."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except PermissionError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return True
        raise
    finally:
        os.close(descriptor)
    return False


def patiently_taken_lock(path: Path) -> HeldLock | None:
    """The lock; somebody who looks whether it is held, and holds it for a moment, is waited out."""
    for _ in range(20):
        lock = taken_lock(path)
        if lock is not None:
            return lock
        time.sleep(0.01)
    return None
