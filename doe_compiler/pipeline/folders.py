"""Folders that are written whole or not at all, and only over what was written before."""

import os
import shutil
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeVar

from doe_compiler.kernel.errors import DoeError, WrongUsage

T = TypeVar("T")


def replaced(
    folder: Path, known: Callable[[Path], Collection[str]], what: str, fill: Callable[[Path], T]
) -> T:
    """What `fill` says of a folder that it filled, which then stands in the place of `folder`.

    That is new, empty, or holds no other files than those `known` to be of an older one; `what` these are.
    """
    if folder.exists() and not folder.is_dir():
        raise WrongUsage(f"'{folder}' is a file", hint="name a folder to write to")
    foreign = _foreign(folder, known(folder))
    if foreign:
        raise WrongUsage(
            f"'{folder}' holds other files than {what}: {foreign}", hint="name a new or an empty folder"
        )
    real = Path(os.path.realpath(folder))
    real.parent.mkdir(parents=True, exist_ok=True)
    half_made = Path(tempfile.mkdtemp(prefix=f".{real.name}.", dir=real.parent))
    try:
        told = fill(half_made)
        half_made.chmod(0o755)
        if real.exists():
            shutil.rmtree(real)
        half_made.rename(real)
    except OSError as error:
        raise DoeError(f"cannot write '{folder}': {error.strerror or error}") from error
    finally:
        shutil.rmtree(half_made, ignore_errors=True)
    return told


def _foreign(folder: Path, known: Collection[str]) -> str:
    """The first file in a folder, links to folders too, that is not among those known; empty if there is none."""
    for parent, folders, files in os.walk(folder):
        links = [name for name in folders if Path(parent, name).is_symlink()]
        for name in sorted(files + links):
            path = Path(parent, name).relative_to(folder).as_posix()
            if path not in known:
                return path
    return ""
