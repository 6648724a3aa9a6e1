"""Unpacking a user's archive into a folder; what is refused, `archives` decides."""

import os
import shutil
import stat
from pathlib import Path
from typing import IO

from doe_compiler.archives.entries import CHUNK, Kind
from doe_compiler.archives.reading import read_archive
from doe_compiler.archives.tree import Step

PLAIN = 0o644
EXECUTABLE = 0o755


def unpack(archive: Path, name: str, target: Path) -> None:
    """Unpack the archive, whose kind `name` tells, into the folder, which is empty; raises ArchiveError.

    Of the modes only the execute bit is kept: folders can be filled and cleaned up, files replaced.
    """
    root = str(target)

    def take(step: Step) -> None:
        place = f"{root}/{step.path}"
        try:
            _make(step, place, root)
        except FileExistsError:
            _clear(place)
            _make(step, place, root)

    read_archive(archive, name, take)


def _make(step: Step, place: str, root: str) -> None:
    if step.kind is Kind.FOLDER:
        os.mkdir(place)  # noqa: PTH102 - two hundred thousand times
    elif step.kind is Kind.LINK:
        os.symlink(step.target, place)  # noqa: PTH211 - as it is written
    else:
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            with _content(step, root) as source:
                shutil.copyfileobj(source, file, CHUNK)
            os.fchmod(descriptor, EXECUTABLE if step.is_executable else PLAIN)


def _content(step: Step, root: str) -> IO[bytes]:
    return step.content() if step.content is not None else Path(root, step.target).open("rb")


def _clear(place: str) -> None:
    if stat.S_ISDIR(os.lstat(place).st_mode):
        Path(place).rmdir()
    else:
        Path(place).unlink()
