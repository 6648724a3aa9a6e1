r"""Reads a zip as `unzip` does; `\` divides folders too, as archives made on Windows have it."""

import io
import stat
import zipfile
import zlib
from functools import partial
from typing import IO, cast

from doe_compiler.archives.entries import (
    LONGEST_HEADER,
    MOST_ENTRIES,
    ArchiveError,
    Budget,
    Entry,
    Kind,
    Take,
    shown,
)

LONGEST_DIRECTORY = 64 << 20
LONGEST_TARGET = 4096
DIRECTORY_ENTRY = b"PK\x01\x02"
ENCRYPTED = 0x1 | 0x40 | 0x2000
NAME_IS_UTF8 = 0x800
MADE_ON_UNIX = (3, 19)
DOS_FOLDER = 0x10
KINDS = {
    0: Kind.FILE,
    stat.S_IFREG: Kind.FILE,
    stat.S_IFDIR: Kind.FOLDER,
    stat.S_IFLNK: Kind.LINK,
}  # fmt: skip


def read_zip(stream: IO[bytes], _budget: Budget, take: Take) -> None:
    """Hand every entry to `take`, in the order of the directory; the contents are checked as they are read."""
    with zipfile.ZipFile(cast("IO[bytes]", _BoundedDirectory(stream))) as archive:
        for info in archive.infolist():
            take(_entry(archive, info))


def _entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Entry:
    name = _name(info)
    mode = info.external_attr >> 16
    if info.flag_bits & ENCRYPTED:
        raise ArchiveError("it is encrypted", "pack it without a password")
    kind = KINDS.get(stat.S_IFMT(mode), Kind.SPECIAL)
    if name.endswith("/") or (info.external_attr & DOS_FOLDER and not info.file_size):
        kind = Kind.FOLDER
    if kind is Kind.LINK:
        return Entry(name, kind, target=_target(archive, info, name))
    if kind is not Kind.FILE:
        return Entry(name, kind)
    archive.open(info).close()  # its own header must fit, and its compression be known
    is_executable = bool(mode & 0o111)
    return Entry(name, kind, info.file_size, is_executable, content=partial(archive.open, info))


def _name(info: zipfile.ZipInfo) -> str:
    """The name as it was meant: UTF-8 where it says so or was made on Unix, the DOS code page elsewhere."""
    name = info.orig_filename
    if not info.flag_bits & NAME_IS_UTF8:
        raw = name.encode("cp437")
        said = _unicode_path(info.extra, raw)
        if said is not None:
            name = said
        elif info.create_system in MADE_ON_UNIX:
            name = raw.decode("utf-8", "surrogateescape")
    return name.replace("\\", "/")


def _unicode_path(extra: bytes, raw: bytes) -> str | None:
    """Info-ZIP's extra field 0x7075: version, the CRC of the name that it stands for, the name in UTF-8."""
    while len(extra) >= 4:
        kind, size = int.from_bytes(extra[:2], "little"), int.from_bytes(extra[2:4], "little")
        content, extra = extra[4 : 4 + size], extra[4 + size :]
        crc = int.from_bytes(content[1:5], "little")
        if kind == 0x7075 and len(content) > 5 and content[0] == 1 and crc == zlib.crc32(raw):
            return content[5:].decode("utf-8", "surrogateescape")
    return None


def _target(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> str:
    if info.file_size > LONGEST_TARGET:
        raise ArchiveError(f"its link {shown(name)} is too long")
    with archive.open(info) as stream:
        return stream.read().decode("utf-8", "surrogateescape")


class _BoundedDirectory:
    """A zip file that refuses a directory of too many entries before an object is made for each.

    Only the directory is read in pieces as large as that.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.seek = stream.seek
        self.tell = stream.tell
        self.seekable = stream.seekable
        self.close = lambda: None

    def read(self, size: int = -1, /) -> bytes:
        if size < 0:
            here = self.tell()
            size = self.seek(0, io.SEEK_END) - here
            self.seek(here)
        if size > LONGEST_DIRECTORY:
            raise ArchiveError("its directory is too long")
        content = self._stream.read(size)
        if size > LONGEST_HEADER and content.count(DIRECTORY_ENTRY) > MOST_ENTRIES:
            raise ArchiveError(f"it has more than {MOST_ENTRIES} entries")
        return content
