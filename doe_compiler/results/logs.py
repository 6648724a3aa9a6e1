r"""The log of a run: the last words of one that failed, and all of it, as far as it is written.

"Time = 4\rTime = 5\n\x1b[31mFATAL: diverged\x1b[0m\n-----\n"  ->  "FATAL: diverged"
"""

import contextlib
import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from doe_compiler.client.client import Client
from doe_compiler.kernel.errors import DoeError

LOG = "process_output.log"
MOST_LINES = 10_000
_TAIL_BYTES = 1 << 16
_TAIL_LINES = 50
_LONGEST = 160
_CHUNK = 1 << 18
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
# What says no more than the exit code.
_EXIT_CODE = re.compile(
    r"\[platform\] The [a-z-]+ ended with status [0-9]+|(?:\S+: )*(?:Killed|Terminated|Aborted)"
)


def last_words(text: str) -> str:
    """The last line with a letter or digit, without what only terminals understand; of progress the last state."""
    for line in reversed(text.split("\n")):
        for state in reversed(line.split("\r")):
            plain = " ".join(_ESCAPES.sub("", state).split())
            shown = "".join(char for char in plain if char.isprintable())
            if any(map(str.isalnum, shown)) and not _EXIT_CODE.fullmatch(shown):
                return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"
    return ""


def end_of_log(client: Client, job_id: str, number: int, directory: Path | None) -> str:
    """The end of a run's log: of the file where it lies here, else as the platform tells it; empty without one."""
    if directory is not None:
        with contextlib.suppress(OSError), _opened(directory) as descriptor:
            size = os.fstat(descriptor).st_size
            return os.pread(descriptor, _TAIL_BYTES, max(0, size - _TAIL_BYTES)).decode("utf-8", "replace")
        return ""
    with contextlib.suppress(DoeError):
        return "".join(client.tail(job_id, number, LOG, _TAIL_LINES))[-_TAIL_BYTES:]
    with contextlib.suppress(DoeError):
        return client.read_file(_stored(client, job_id, number), _TAIL_BYTES).decode("utf-8", "replace")
    return ""


@contextlib.contextmanager
def _opened(directory: Path) -> Iterator[int]:
    """The log in a run's directory, if it is a regular file."""
    descriptor = os.open(directory / LOG, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FileNotFoundError(directory / LOG)
        yield descriptor
    finally:
        os.close(descriptor)


def _stored(client: Client, job_id: str, number: int) -> str:
    """The file id of the stored log."""
    for file in client.run_files(job_id, number):
        if file.relative_path == LOG:
            return file.id
    raise DoeError(f"run {number} of the job {job_id} has no {LOG}", hint="its outputs may have been deleted")


class LogReader:
    """Gives what a log says beyond what was given before."""

    def __init__(self) -> None:
        self._offset = 0
        self._lines: tuple[str, ...] | None = None

    def more(
        self,
        client: Client,
        job_id: str,
        number: int,
        directory: Path | None,
        sink: Callable[[bytes], object],
        *,
        has_ended: bool,
    ) -> None:
        """Give the sink what is new. Where the file does not lie here: all of a stored log, else its last lines."""
        if directory is not None:
            with contextlib.suppress(FileNotFoundError), _opened(directory) as descriptor:
                while chunk := os.pread(descriptor, _CHUNK, self._offset):
                    self._offset += len(chunk)
                    sink(chunk)
        elif has_ended and self._lines is None:
            client.download(_stored(client, job_id, number), sink)
        else:
            now = client.tail(job_id, number, LOG, MOST_LINES)
            sink("".join(new_lines(self._lines or (), now)).encode())
            self._lines = now


def new_lines(before: tuple[str, ...], now: tuple[str, ...]) -> tuple[str, ...]:
    """What follows in `now` on `before`, both the last lines of one file; of a line that has grown the rest."""
    # After a \r the \n of the same line end may still come.
    grown = before[-1] if before and not before[-1].endswith("\n") else ""
    known = before[:-1] if grown else before
    new = now[_end_of(known, now) :]
    return (new[0].removeprefix(grown), *new[1:]) if new and grown else new


def _end_of(known: tuple[str, ...], now: tuple[str, ...]) -> int:
    """Where the known lines end in the lines of now: from the first on, or wherever they are, or moved out in part."""
    count = len(known)
    if now[:count] == known:
        return count
    for start in range(len(now) - count, 0, -1):
        if now[start : start + count] == known:
            return start + count
    return next((left for left in range(min(count, len(now)), 0, -1) if now[:left] == known[-left:]), 0)
