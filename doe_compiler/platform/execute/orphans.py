"""Ending the processes that runs or a killed executor left behind."""

import contextlib
import os
import signal
import time
from pathlib import Path

PATIENCE_S = 10.0
PROC = Path("/proc")


def end_orphans(folder: Path) -> None:
    """Kill every process whose RESCALE_WORK_PATH is or lies below the folder, and wait until they are gone.

    The environment is the proof that a process is ours: ids are given again to strangers. Where there is
    no /proc nothing is killed.
    """
    mark = b"RESCALE_WORK_PATH=" + os.fsencode(folder)
    give_up = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up:
        orphans = [pid for pid in _processes() if _has_mark(pid, mark)]
        if not orphans:
            return
        for pid in orphans:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if os.getpgid(pid) == pid:
                    os.killpg(pid, signal.SIGKILL)
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def _processes() -> list[int]:
    try:
        return [int(name) for name in os.listdir(PROC) if name.isdigit()]  # noqa: PTH208 (names are all)
    except OSError:
        return []


def _has_mark(pid: int, mark: bytes) -> bool:
    """Whether the live process has the setting; a zombie has no environment any more."""
    try:
        return any(
            entry == mark or entry.startswith(mark + b"/")
            for entry in (PROC / str(pid) / "environ").read_bytes().split(b"\0")
        )
    except OSError:
        return False
