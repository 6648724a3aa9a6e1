"""A consistent copy of a database that others may be writing, made with the right to read only."""

import os
import shutil
import time
from pathlib import Path

from doe_compiler.kernel.errors import TryAgain

_WAL_HEADER_BYTES = 32
_SIDES = ("-wal", "-journal")
_TRIES = 100
_PAUSE_S = 0.05


def copied(database: Path, folder: Path) -> Path:
    """Copy a database and its journals into a folder; the copy's path. Raises TryAgain if it is never at rest.

    The database is copied before its write-ahead log. Pages that a checkpoint writes meanwhile are in the log
    too, so the copies fit as long as the log is not begun anew in between: then its header has another salt.
    """
    for _ in range(_TRIES):
        before = _generation(database)
        if before is not None:
            shutil.copyfile(database, folder / database.name)
            for side in _SIDES:
                _copy_if_there(_beside(database, side), folder / f"{database.name}{side}")
            if _generation(database) == before:
                return folder / database.name
        time.sleep(_PAUSE_S)
    raise TryAgain(f"'{database}' is being written all the time", hint="try again in a moment")


def has_journals(database: Path) -> bool:
    """Whether the database is in use, or was when its users were killed."""
    return any(_beside(database, side).exists() for side in (*_SIDES, "-shm"))


def _generation(database: Path) -> tuple[object, ...] | None:
    """What stays the same while a copy is made; None if a change just now could not be told from the next one."""
    log = _beside(database, "-wal")
    try:
        with log.open("rb") as file:
            header = file.read(_WAL_HEADER_BYTES)
            number = os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        header, number = b"", 0
    found = database.stat()
    if header:
        return (found.st_ino, number, header)
    if abs(time.time_ns() - found.st_mtime_ns) < _PAUSE_S * 1e9:
        return None
    return (found.st_ino, found.st_size, found.st_mtime_ns, _beside(database, "-journal").exists())


def _copy_if_there(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    try:
        shutil.copyfile(source, target)
    except FileNotFoundError:
        return


def _beside(database: Path, side: str) -> Path:
    return database.with_name(database.name + side)
