"""The journal of a job's ended runs, written the moment a run ends, so that a killed executor repeats none."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

NAME = "journal"

# A blank spoils what it ends: cut short, an exit status is still a number.
TORN_END = b" \n"


@dataclass(frozen=True, slots=True)
class Entry:
    """A run that ended by itself: when, with which exit status, and the slot that holds what it printed last."""

    run: int
    slot: int
    started_us: int
    ended_us: int
    exit_status: int


class Journal:
    """An open journal; a line an ended run, appended by one write, which the death of the process cannot split."""

    def __init__(self, folder: Path) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(folder / NAME, flags, 0o600)
        size = os.fstat(self._descriptor).st_size
        self._is_torn = size > 0 and os.pread(self._descriptor, 1, size - 1) != b"\n"

    def add(self, entry: Entry) -> None:
        """Write the entry; a full disk is no reason to stop, the database has the run a moment later.

        What a crash or a full disk has left of a line is ended first, or the entry would merge with it.
        """
        line = f"{entry.run} {entry.slot} {entry.started_us} {entry.ended_us} {entry.exit_status}\n"
        content = (TORN_END if self._is_torn else b"") + line.encode()
        with contextlib.suppress(OSError):
            self._is_torn = os.write(self._descriptor, content) < len(content)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def journal_entries(folder: Path) -> list[Entry]:
    """The entries of the folder's journal, none if there is no journal; a torn line does not count."""
    try:
        text = (folder / NAME).read_text("ascii", "replace")
    except FileNotFoundError:
        return []
    entries = []
    for line in text.split("\n")[:-1]:
        words = line.split(" ")
        if len(words) == 5 and all(word.isdigit() for word in words):
            run, slot, started, ended, status = map(int, words)
            entries.append(Entry(run, slot, started, ended, status))
    return entries
