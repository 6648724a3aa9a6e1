"""Locks between processes that vanish with their holder: flock on a file of the data folder."""

import errno
import fcntl
import os
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
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return None
        raise
    return HeldLock(descriptor)


def is_locked(path: Path) -> bool:
    """Whether some process holds the lock now."""
    lock = taken_lock(path)
    if lock is None:
        return True
    lock.release()
    return False
