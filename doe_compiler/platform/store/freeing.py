"""Freeing contents that nothing names any more: no file, and no job as its table."""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from doe_compiler.platform.store.blobs import blob_path, exclusively
from doe_compiler.platform.store.store import Store

_PREFIX = "[0-9a-f]" * 2
_NAME = "[0-9a-f]" * 128


@dataclass(frozen=True, slots=True)
class Freed:
    """How many contents were removed, and the bytes that the disk has back: what runs link to stays theirs."""

    files: int
    size: int


def free_if_unheld(store: Store, root: Path, sha512s: Iterable[str]) -> None:
    """Remove those of the contents that nothing names; while one is stored or named, this is left to `free_all`."""
    with exclusively(root, is_patient=False) as is_alone:
        if is_alone:
            for sha512 in store.unheld(sha512s):
                _removed(blob_path(root, sha512))


def free_all(store: Store, root: Path, *, dry_run: bool) -> Freed:
    """Remove every content that nothing names, or only count them; a prefix at a time, so that uploads wait briefly."""
    found = [
        each for prefix in sorted(root.glob(_PREFIX)) for each in _freed_of(store, root, prefix, dry_run)
    ]
    return Freed(len(found), sum(found))


def _freed_of(store: Store, root: Path, prefix: Path, dry_run: bool) -> Iterator[int]:
    if dry_run:
        names = [path.name for path in prefix.glob(_NAME)]
        yield from (_size(blob_path(root, sha512)) for sha512 in store.unheld(names))
        return
    with exclusively(root, is_patient=True):
        names = [path.name for path in prefix.glob(_NAME)]
        yield from [_removed(blob_path(root, sha512)) for sha512 in store.unheld(names)]
        store.forget_tables(names)


def _size(path: Path) -> int:
    """The bytes that the content alone holds: none where an ended run has a link to it, or it is gone."""
    with contextlib.suppress(FileNotFoundError):
        status = path.stat()
        return status.st_size if status.st_nlink == 1 else 0
    return 0


def _removed(path: Path) -> int:
    size = _size(path)
    path.unlink(missing_ok=True)
    return size
