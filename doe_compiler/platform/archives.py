"""Unpacking a user's archive into a folder, and refusing whatever would reach outside of it or fill the disk."""

import bz2
import gzip
import io
import lzma
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import IO, cast

MOST_ENTRIES = 200_000
MOST_BYTES = 20 << 30
HARMLESS_BYTES = 64 << 20
MOST_EXPANSION = 250
LONGEST_HEADER = 1 << 20
LONGEST_DIRECTORY = 64 << 20
DIRECTORY_ENTRY = b"PK\x01\x02"
CHUNK = 1 << 18
ZIP_KINDS = (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK)
TAR_SUFFIXES = {
    ".tar": "",
    ".tar.gz": "gz",
    ".tgz": "gz",
    ".tar.bz2": "bz2",
    ".tbz2": "bz2",
    ".tar.xz": "xz",
    ".txz": "xz",
}


class ArchiveError(Exception):
    """The archive cannot be unpacked; the message says why."""


def is_archive(name: str) -> bool:
    """Whether a file of this name is unpacked."""
    return name.lower().endswith((".zip", *TAR_SUFFIXES))


def unpack(archive: Path, name: str, target: Path) -> None:
    """Unpack the archive, whose kind `name` tells, into the folder; raises ArchiveError.

    Refused: absolute paths, `..`, links that lead outside, paths through links, devices and pipes, more
    than 200,000 entries or 20 GiB, and from 64 MiB on what grows to more than 250 times its size.
    """
    budget = _Budget(archive.stat().st_size)
    try:
        if name.lower().endswith(".zip"):
            _unpack_zip(archive, _Tree(target, budget))
        else:
            suffix = next(each for each in TAR_SUFFIXES if name.lower().endswith(each))
            with _opened(archive, TAR_SUFFIXES[suffix]) as stream:
                _unpack_tar(stream, _Tree(target, budget))
                while rest := stream.read(CHUNK):  # to the end, where the checksum is
                    budget.take_bytes(len(rest))
    except (
        tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError,
        UnicodeError, ValueError,
    ) as error:  # fmt: skip
        raise ArchiveError(f"it is damaged or of another kind ({error})") from error
    except OSError as error:
        raise ArchiveError(error.strerror or str(error)) from error


def _opened(archive: Path, packing: str) -> IO[bytes]:
    if packing == "gz":
        return cast("IO[bytes]", gzip.GzipFile(archive))
    if packing == "bz2":
        return cast("IO[bytes]", bz2.BZ2File(archive))
    if packing == "xz":
        return cast("IO[bytes]", lzma.LZMAFile(archive))
    return archive.open("rb")


class _Budget:
    """How much an archive may still unfold to."""

    def __init__(self, packed: int) -> None:
        self._entries = 0
        self._bytes = 0
        self._most = min(MOST_BYTES, max(HARMLESS_BYTES, packed * MOST_EXPANSION))

    def take_entry(self) -> None:
        self._entries += 1
        if self._entries > MOST_ENTRIES:
            raise ArchiveError(f"it has more than {MOST_ENTRIES} entries")

    def take_bytes(self, count: int) -> None:
        self._bytes += count
        if self._bytes > self._most:
            raise ArchiveError(f"it unfolds to more than {self._most >> 20} MiB")


class _Tree:
    """The folder that is filled; every path is checked before it is touched."""

    def __init__(self, root: Path, budget: _Budget) -> None:
        self._root = root
        self.budget = budget

    def place(self, name: str) -> Path | None:
        """Where the entry goes; None for the folder itself."""
        self.budget.take_entry()
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if name.startswith("/") or ".." in parts or "\x00" in name:
            raise ArchiveError(f"its entry {_shown(name)} leads outside of the work directory")
        place = self._root
        for part in parts[:-1]:
            place /= part
            if place.is_symlink():
                raise ArchiveError(f"its entry {_shown(name)} goes through a link")
            if not place.is_dir():
                place.mkdir()
        return place / parts[-1] if parts else None

    def directory(self, name: str) -> None:
        place = self.place(name)
        if place is not None and (place.is_symlink() or not place.is_dir()):
            place.mkdir()

    def file(self, name: str, content: IO[bytes], mode: int) -> None:
        place = self.place(name)
        if place is None:
            raise ArchiveError("one of its files has no name")
        place.unlink(missing_ok=True)
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            while chunk := content.read(CHUNK):
                self.budget.take_bytes(len(chunk))
                file.write(chunk)
        place.chmod((mode & 0o755) | 0o600)

    def link(self, name: str, target: str) -> None:
        place = self.place(name)
        if place is None or not _stays_inside(place.relative_to(self._root).parts[:-1], target):
            raise ArchiveError(f"its link {_shown(name)} leads outside of the work directory")
        place.unlink(missing_ok=True)
        place.symlink_to(target)

    def same_file(self, name: str, target: str) -> None:
        place, source = self.place(name), self.place(target)
        if place is None or source is None or source.is_symlink() or not source.is_file():
            raise ArchiveError(f"its link {_shown(name)} leads to no file of it")
        self.budget.take_bytes(source.stat().st_size)
        if place != source:
            place.unlink(missing_ok=True)
            shutil.copy(source, place)


def _stays_inside(folder: tuple[str, ...], target: str) -> bool:
    """Whether a link in `folder` stays inside: as many `..` in front as folders at most, none after."""
    parts = [part for part in target.split("/") if part not in ("", ".")]
    ups = next((at for at, part in enumerate(parts) if part != ".."), len(parts))
    return not target.startswith("/") and bool(target) and ups <= len(folder) and ".." not in parts[ups:]


def _shown(name: str) -> str:
    return repr(name if len(name) <= 80 else name[:80] + "…")


class _BoundedReads:
    """A stream that refuses the huge reads by which a crafted header would fill the memory."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.tell = stream.tell
        self.seek = stream.seek

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= LONGEST_HEADER:
            raise ArchiveError("one of its headers is too long")
        return self._stream.read(size)


def _unpack_tar(stream: IO[bytes], tree: _Tree) -> None:
    with tarfile.open(fileobj=cast("IO[bytes]", _BoundedReads(stream)), mode="r:") as archive:
        for member in archive:
            archive.members = []  # type: ignore[attr-defined]  # else the list of headers grows with the archive
            if member.isdir():
                tree.directory(member.name)
            elif member.issym():
                tree.link(member.name, member.linkname)
            elif member.islnk():
                tree.same_file(member.name, member.linkname)
            elif member.isreg():
                content = archive.extractfile(member)
                assert content is not None
                with content:
                    tree.file(member.name, content, member.mode)
            else:
                raise ArchiveError(f"its entry {_shown(member.name)} is a device or a pipe")


class _BoundedDirectory(io.BufferedReader):
    """A zip file that refuses a directory of too many entries before an object is made for each.

    Only the directory is read in pieces as large as that.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            size = os.fstat(self.fileno()).st_size - self.tell()
        if size > LONGEST_DIRECTORY:
            raise ArchiveError("its directory is too long")
        content = super().read(size)
        if size > LONGEST_HEADER and content.count(DIRECTORY_ENTRY) > MOST_ENTRIES:
            raise ArchiveError(f"it has more than {MOST_ENTRIES} entries")
        return content


def _unpack_zip(path: Path, tree: _Tree) -> None:
    with _BoundedDirectory(io.FileIO(path)) as stream, zipfile.ZipFile(stream) as archive:
        for entry in archive.infolist():
            mode = entry.external_attr >> 16
            if stat.S_IFMT(mode) not in ZIP_KINDS:
                raise ArchiveError(f"its entry {_shown(entry.filename)} is a device or a pipe")
            if entry.is_dir():
                tree.directory(entry.filename)
                continue
            with archive.open(entry) as content:
                if stat.S_ISLNK(mode):
                    tree.link(entry.filename, content.read(4096).decode())
                else:
                    tree.file(entry.filename, content, mode or 0o644)
