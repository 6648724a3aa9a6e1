"""The process that runs what is queued: one at a time on a data folder, gone when there is nothing to do."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from doe_compiler.platform.execute.concealed import conceal_process
from doe_compiler.platform.execute.launcher import Launcher, LauncherError
from doe_compiler.platform.execute.local import LocalLauncher
from doe_compiler.platform.execute.queue import execute_queue
from doe_compiler.platform.execute.settings import DEFAULTS, Settings, settings_from
from doe_compiler.platform.execute.slurm.launcher import SlurmLauncher
from doe_compiler.platform.execute.tie import Tie
from doe_compiler.platform.store.database import DatabaseError, StoreError
from doe_compiler.platform.store.locks import HeldLock, patiently_taken_lock
from doe_compiler.platform.store.records import DataFolder
from doe_compiler.platform.store.store import Store

EXECUTORS: Mapping[str, Callable[[DataFolder, Tie, Settings], Launcher]] = MappingProxyType(
    {"local": LocalLauncher, "slurm": SlurmLauncher}
)


def execute(folder: DataFolder, lock: HeldLock | None, tie: Tie, settings: Settings) -> int:
    """Run the queue until it is empty or the tie is cut; the exit status.

    A submit may come between the last look and the release of the lock: its service found the lock taken
    and relies on the look after the release.
    """
    try:
        store = Store(folder.database, durable=False)
    except (StoreError, DatabaseError, OSError) as error:
        return _told(folder, error)
    tie.outlives = store.is_to_go_on
    try:
        while True:
            lock = lock or patiently_taken_lock(folder.executor_lock)
            if lock is None:
                return 0
            launcher = EXECUTORS[settings.executor](folder, tie, settings)
            execute_queue(store, folder, tie, launcher, settings)
            lock.release()
            lock = None
            if tie.is_cut or store.is_at_rest():
                return 0
    except (DatabaseError, OSError, LauncherError) as error:
        return _told(folder, error)
    finally:
        store.close()


def _told(folder: DataFolder, error: Exception) -> int:
    """Tell why the executor stops; its exit status."""
    sys.stderr.write(f"the executor of {folder.root} stops: {error}\n")
    return 1


def main(arguments: list[str]) -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="executor", description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--tied", action="store_true", help="end when standard input ends")
    parser.add_argument("--lock", type=int, help="descriptor that holds the executor's lock")
    parser.add_argument("--settings", type=settings_from, default=DEFAULTS, help="as JSON")
    given = parser.parse_args(arguments)
    conceal_process()
    folder = DataFolder(given.data.absolute())
    user = folder.run_user()
    if user is not None:
        user.serve_apart()
    lock = None
    if given.lock is not None:
        os.set_inheritable(given.lock, False)
        lock = HeldLock(given.lock)
    tie = Tie(reads_stdin=given.tied)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, tie.cut_by_signal)
    return execute(folder, lock, tie, given.settings)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
