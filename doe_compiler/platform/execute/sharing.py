"""One stored copy of what many runs begin with: files that a run left as they were become hard links when it has ended.

While it runs, a run has copies of its own, so that whatever it does to them stays its own. What is linked can only be
read: `0444`, programs `0555`.
"""

import contextlib
import errno
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from doe_compiler.platform.execute.outputs import measured
from doe_compiler.platform.store.below import FILE, folder_of

LARGE = 64 << 10
MANY = 1 << 20
SMALLEST = 512
READ, EXECUTE = 0o444, 0o111


@dataclass(frozen=True, slots=True)
class _Signature:
    """What a stored file is, and what tells without reading that it still is."""

    md5: str
    inode: int
    mtime_ns: int


class Sharing:
    """The sharing of one job's inputs; `originals` says where the file at a path of a run comes from.

    Small files are worth no link unless they are much together. `folder` holds what runs brought that the
    stored files are not: the same content with an execute bit.
    """

    def __init__(self, originals: Mapping[str, Path], folder: Path, apart: Collection[str] = ()) -> None:
        sizes = {path: original.stat().st_size for path, original in originals.items() if path not in apart}
        smallest = SMALLEST if sum(sizes.values()) > MANY else LARGE
        self._originals = {path: str(originals[path]) for path, size in sizes.items() if size >= smallest}
        self._sizes = sizes
        self._folder = folder
        self._signatures: dict[str, _Signature] = {}
        self._targets: dict[tuple[str, bool], str] = {}
        self._adopted = 0

    @property
    def is_any(self) -> bool:
        """Whether there is anything to share."""
        return bool(self._originals)

    def apply(self, root: int, outputs: Iterable[tuple[str, int, str]]) -> None:
        """Link what is unchanged; `outputs` are path, size and md5 of the ended run's files below the open folder."""
        for relative, size, md5 in outputs:
            original = self._originals.get(relative)
            if original is not None and size == self._sizes[relative] and md5:
                with contextlib.suppress(OSError):
                    if self._md5(original) == md5:
                        with folder_of(root, relative) as (folder, name):
                            self._link(original, folder, name)

    def _md5(self, original: str) -> str:
        """The md5 of the stored file; empty if it has been changed since it was first looked at."""
        status = os.stat(original)  # noqa: PTH116 (for every file of a run)
        known = self._signatures.get(original)
        if known is None:
            known = _Signature(measured(os.open(original, FILE))[1], status.st_ino, status.st_mtime_ns)
            self._signatures[original] = known
        is_same = (known.inode, known.mtime_ns) == (status.st_ino, status.st_mtime_ns)
        return known.md5 if is_same else ""

    def _link(self, original: str, folder: int, name: str) -> None:
        """Put a link in the place of a file in an open folder, whose way there the run cannot change any more."""
        place = os.stat(name, dir_fd=folder, follow_symlinks=False)
        is_executable = bool(place.st_mode & EXECUTE)
        target = self._target(original, folder, name, is_executable=is_executable)
        if os.path.samestat(os.stat(target), place):  # noqa: PTH116
            return
        linked = f"{self._folder}/linked"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(linked)  # noqa: PTH108
        try:
            os.link(target, linked)
        except OSError as error:
            if error.errno == errno.EMLINK:
                self._adopt(original, folder, name, is_executable=is_executable)
            return
        os.rename(linked, name, dst_dir_fd=folder)

    def _target(self, original: str, folder: int, name: str, *, is_executable: bool) -> str:
        known = self._targets.get((original, is_executable))
        if known is not None:
            return known
        self._folder.mkdir(exist_ok=True)
        status = os.stat(original)  # noqa: PTH116
        if status.st_nlink > 1 and bool(status.st_mode & EXECUTE) != is_executable:
            return self._adopt(original, folder, name, is_executable=is_executable)
        os.chmod(original, _mode(is_executable=is_executable))  # noqa: PTH101
        return self._targets.setdefault((original, is_executable), original)

    def _adopt(self, original: str, folder: int, name: str, *, is_executable: bool) -> str:
        """Make the run's own file what the following ones are linked to."""
        self._adopted += 1
        target = f"{self._folder}/adopted{self._adopted}"
        os.chmod(name, _mode(is_executable=is_executable), dir_fd=folder)
        os.link(name, target, src_dir_fd=folder)
        self._targets[original, is_executable] = target
        return target


def _mode(*, is_executable: bool) -> int:
    return READ | EXECUTE if is_executable else READ
