"""The guardian of an executor: a process that ends the runs at once when the executor is killed.

Without it the runs of a killed executor would go on alone, come to their ends unseen, and be begun anew.
"""

import contextlib
import os
import signal
from pathlib import Path
from typing import NoReturn

from doe_compiler.platform.execute.orphans import end_orphans

DISMISSED = b"d"


class Guardian:
    """Watches this process from now on; keeps its locks until the runs have ended, if it dies.

    It learns of that by the end of `tie`, which no other process may keep open.
    """

    def __init__(self, jobs: Path) -> None:
        reading, self.tie = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            _guard(reading, self.tie, jobs)
        os.close(reading)

    def dismiss(self) -> None:
        """Let the guardian go: the runs have ended."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self.tie, DISMISSED)
        os.close(self.tie)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)


def _guard(reading: int, writing: int, jobs: Path) -> NoReturn:
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        os.close(writing)
        if os.read(reading, 1) != DISMISSED:
            end_orphans(jobs)
    finally:
        os._exit(0)
