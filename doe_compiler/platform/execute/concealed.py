"""Keeping what a process knows from others of the same user."""

import ctypes
import sys

_PR_SET_DUMPABLE = 4


def conceal_process() -> None:
    """Close this process' environment, memory and open files to other processes of its user (Linux; root sees all).

    What runs as the same user can read `/proc/PID/environ` and attach a debugger otherwise. What this process forks is
    closed, too; what it executes is not.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
