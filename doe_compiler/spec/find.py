"""Finds the studies that a user means by files and folders."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from doe_compiler.kernel.errors import WrongUsage
from doe_compiler.kernel.findings import near_miss

_ENDS = (".yaml", ".yml")
_SKIPPED = frozenset({"node_modules", "__pycache__"})
_MARK = re.compile(rb"^(?:\xef\xbb\xbf)?[\"']?doe[\"']?[ \t]*:", re.MULTILINE)
_LOOKED_AT = 1 << 20


def find_studies(paths: Iterable[str | Path]) -> list[Path]:
    """The studies at the paths: files as they are, folders searched for YAML with a top-level `doe:`.

    Hidden folders are skipped. Raises WrongUsage for a path that does not exist and for a folder without
    a study.
    """
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if not _is_folder(path):
            found[path] = None
            continue
        studies = list(_studies_in(path))
        if not studies:
            hint = "a study is a .yaml file with `doe: 1`; `doe init` writes one"
            raise WrongUsage(f"no study in '{path}'", hint=hint)
        found.update(dict.fromkeys(studies))
    return list(found)


def _is_folder(path: Path) -> bool:
    try:
        if path.is_dir():
            return True
        # A link to nowhere or a pipe exists well enough: reading it tells what is wrong.
        path.lstat()
    except (OSError, ValueError) as error:
        raise WrongUsage(f"'{path}' does not exist", hint=_nearby(path)) from error
    return False


def _nearby(path: Path) -> str:
    try:
        meant = near_miss(path.name, sorted(entry.name for entry in path.parent.iterdir()))
    except (OSError, ValueError):
        meant = None
    return f"did you mean '{path.parent / meant}'?" if meant else "name a study's YAML file, or a folder"


def _studies_in(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED and not name.startswith("."))
        for name in sorted(files):
            if name.endswith(_ENDS) and not name.startswith(".") and _is_study(path := Path(parent, name)):
                yield path


def _is_study(path: Path) -> bool:
    try:
        if not path.is_file():
            return False
        with path.open("rb") as stream:
            return _MARK.search(stream.read(_LOOKED_AT)) is not None
    except OSError:
        return False
