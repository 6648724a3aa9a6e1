"""Starting the executor as a process of its own, tied to this one or free of it."""

import contextlib
import errno
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import doe_compiler
from doe_compiler.kernel.errors import DoeError
from doe_compiler.platform.execute.concealed import conceal_process
from doe_compiler.platform.execute.settings import Settings
from doe_compiler.platform.store.locks import patiently_taken_lock, taken_lock
from doe_compiler.platform.store.records import DataFolder

MODULE = "doe_compiler.platform.execute.executor"
UNTIE = b"u"
MOST_FAILURES = 3
_LOOK_S = 0.005
_PAGE = 1 << 16
SECRET = ("RESCALE_API", "DOE_")


class ExecutorLauncher:
    """Starts executors for one data folder and remembers the last one it started."""

    def __init__(self, folder: DataFolder, settings: Settings) -> None:
        self._folder = folder
        self._settings = settings
        self._children: list[int] = []
        self._tie: int | None = None
        self._failures = 0
        self._own = threading.Lock()

    def ensure(self, *, detached: bool) -> None:
        """Start an executor unless one holds the lock; the new one is born holding it."""
        with self._own:
            self._reap()
            take = patiently_taken_lock if detached else taken_lock
            lock = take(self._folder.executor_lock)
            if lock is None:
                return
            try:
                self._cut()
                self._start(lock.descriptor, detached=detached)
            finally:
                lock.release()

    def check(self) -> None:
        """Raise DoeError if the executors that were started here have failed again and again."""
        with self._own:
            self._reap()
        if self._failures >= MOST_FAILURES:
            raise DoeError(
                f"the runs cannot go on: {_last_line(self._folder.executor_log)}",
                hint="nothing that has finished is lost; mend this, and the same command goes on",
            )

    def untie(self) -> None:
        """Let the executor that was started here outlive this process."""
        with self._own:
            if self._tie is not None:
                with contextlib.suppress(BrokenPipeError):
                    os.write(self._tie, UNTIE)
                self._cut()

    def close(self, goes_on: Callable[[], bool]) -> None:
        """End the tied executor and wait for its end, unless it `goes_on` for others; a detached one is left alone."""
        with self._own:
            if self._tie is not None and self._children:
                self._cut()
                tied = self._children[-1]
                while tied in self._children and not goes_on():
                    time.sleep(_LOOK_S)
                    self._reap()
            self._reap()

    def _reap(self) -> None:
        for pid in list(self._children):
            try:
                ended, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                ended, status = pid, 0
            if ended:
                self._children.remove(pid)
                has_failed = os.waitstatus_to_exitcode(status) > 0
                self._failures = self._failures + 1 if has_failed else 0

    def _cut(self) -> None:
        if self._tie is not None:
            os.close(self._tie)
            self._tie = None

    def _start(self, lock: int, *, detached: bool) -> None:
        conceal_process()
        inherited = 3 if lock != 3 else 4
        arguments = [sys.executable, "-P", "-m", MODULE, str(self._folder.root), "--lock", str(inherited)]
        arguments += ["--settings", self._settings.source]
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        rest: list[tuple[object, ...]] = [
            (os.POSIX_SPAWN_OPEN, 2, str(self._folder.executor_log), flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 2, 1),
            (os.POSIX_SPAWN_DUP2, lock, inherited),
        ]
        if detached:
            stdin = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
            self._children.append(_spawned(arguments, [stdin, *rest]))
            return
        reading, self._tie = os.pipe()
        try:
            self._children.append(
                _spawned([*arguments, "--tied"], [(os.POSIX_SPAWN_DUP2, reading, 0), *rest])
            )
        finally:
            os.close(reading)


def _spawned(arguments: list[str], file_actions: list[tuple[object, ...]]) -> int:
    return os.posix_spawn(sys.executable, arguments, _environment(), file_actions=file_actions, setsid=True)


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text("utf-8", "replace").split("\n")
    except OSError:
        lines = []
    told = next((line for line in reversed(lines) if line.strip()), "")
    return told or (f"the disk is full: {log.parent}" if _is_full(log.parent) else f"see {log}")


def _is_full(folder: Path) -> bool:
    """Whether nothing can be written there; then the executor cannot say so in its log."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x" * _PAGE)
    except OSError as error:
        return error.errno == errno.ENOSPC
    return False


def _environment() -> dict[str, str]:
    """This process' environment without keys and tokens, able to import what this process has imported."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(SECRET)}
    root = Path(doe_compiler.__file__).absolute().parent.parent
    if root.name not in ("site-packages", "dist-packages"):
        given = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = f"{root}{os.pathsep}{given}" if given else str(root)
    return environment
