"""Reads a tar, packed or not, once from front to end: whatever `tar -x` takes, and nothing damaged."""

import bz2
import gzip
import importlib
import lzma
import tarfile
from typing import IO, Protocol, cast

from doe_compiler.archives.entries import (
    CHUNK,
    LONGEST_HEADER,
    ArchiveError,
    Budget,
    Entry,
    Kind,
    Take,
    shown,
)

BLOCK = tarfile.BLOCKSIZE
OLD_GNU = b"ustar  \0"
VOLUME_LABEL, DUMPED_FOLDER = b"V", b"D"
NO_FILES = {b"M": "a piece of a file of another volume", b"N": "a name in an old form of GNU tar"}


class Readable(Protocol):
    """All that is needed of a stream."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes, none at the end."""


def read_tar(stream: Readable, budget: Budget, take: Take) -> None:
    """Hand every entry to `take`, in order; what its packing is, the first bytes tell."""
    forward = _ForwardReads(_unpacked(stream))
    with tarfile.open(
        fileobj=cast("IO[bytes]", forward),
        mode="r:",
        tarinfo=_Header,
        encoding="utf-8",
        errors="surrogateescape",
    ) as archive:
        for member in archive:
            archive.members = []  # type: ignore[attr-defined]  # else the list of headers grows with the archive
            entry = _entry(archive, member)
            if entry is not None:
                take(entry)
    while rest := forward.read(CHUNK):  # to the end, where the checksum of the packing is
        budget.take_bytes(len(rest))


def _entry(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Entry | None:
    if member.type == VOLUME_LABEL:
        return None
    ends_as_folder = member.isreg() and member.name.endswith("/")
    if ends_as_folder and member.size:
        raise ArchiveError(f"its entry {shown(member.name)} is a file with the name of a folder")
    if member.isdir() or member.type == DUMPED_FOLDER or ends_as_folder:
        return Entry(member.name, Kind.FOLDER)
    if member.issym():
        return Entry(member.name, Kind.LINK, target=member.linkname)
    if member.islnk():
        return Entry(member.name, Kind.SAME_FILE, target=member.linkname)
    if member.isdev():
        return Entry(member.name, Kind.SPECIAL)
    if member.type in NO_FILES:
        raise ArchiveError(f"its entry {shown(member.name)} is {NO_FILES[member.type]}")

    def content() -> IO[bytes]:
        opened = archive.extractfile(member)
        assert opened is not None
        return opened

    # A type that nobody knows is a file, as POSIX has it.
    return Entry(member.name, Kind.FILE, member.size, bool(member.mode & 0o111), content=content)


class _Header(tarfile.TarInfo):
    """A header, where its parent is wrong.

    A damaged one in the middle is not the end of the archive; and where POSIX has the first part of a long
    name, the old GNU form has times.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_Header":
        header = super().frombuf(buf, encoding, errors)
        if buf[257:265] == OLD_GNU and header.type not in tarfile.GNU_TYPES:
            times = buf[345:500].partition(b"\0")[0].decode(encoding, errors)
            header.name = header.name.removeprefix(f"{times}/") if times else header.name
        return header

    @classmethod
    def fromtarfile(cls, tarfile: tarfile.TarFile) -> "_Header":
        return _read_header(cls, tarfile)


def _read_header(cls: type[_Header], archive: tarfile.TarFile) -> _Header:
    block = cast("_ForwardReads", archive.fileobj)
    try:
        return super(_Header, cls).fromtarfile(archive)
    except tarfile.HeaderError as error:
        if block.last == b"" or (len(block.last) == BLOCK and not block.last.strip(b"\0")):
            raise
        raise tarfile.ReadError(str(error)) from error


class _ForwardReads:
    """A stream read forwards in bounded pieces, which can go back by what it read last.

    `tarfile` goes back by one byte before every header, which rewinds a packed stream to its start; and
    it reads as much at a time as a crafted header says.
    """

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._position = 0
        self._ahead = b""
        self.last = b""

    def tell(self) -> int:
        return self._position

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= LONGEST_HEADER:
            raise ArchiveError("one of its headers is too long")
        pieces = [self._ahead[:size]]
        self._ahead = self._ahead[size:]
        missing = size - len(pieces[0])
        while missing and (piece := self._stream.read(missing)):
            pieces.append(piece)
            missing -= len(piece)
        content = b"".join(pieces)
        self._position += len(content)
        if content or size:
            self.last = content
        return content

    def seek(self, position: int, whence: int = 0) -> int:
        back = self._position - position
        if whence or back > len(self.last):
            raise tarfile.ReadError("its headers lead backwards")
        if back > 0:
            self._ahead = self.last[-back:] + self._ahead
            self.last = self.last[:-back]
            self._position = position
        while self._position < position:
            if not self.read(min(CHUNK, position - self._position)):
                raise tarfile.ReadError("unexpected end of data")
        return position


class _Begun:
    """A stream whose first bytes were read already; a packing's reader takes it as a file."""

    def __init__(self, head: bytes, stream: Readable) -> None:
        self._head = head
        self._stream = stream

    def read(self, size: int = -1, /) -> bytes:
        if self._head:
            size = size if size >= 0 else len(self._head)
            piece, self._head = self._head[:size], self._head[size:]
            return piece
        return self._stream.read(size if size >= 0 else CHUNK)


def _unpacked(stream: Readable) -> Readable:
    head = stream.read(6)
    begun = cast("IO[bytes]", _Begun(head, stream))
    if head.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=begun)
    if head.startswith(b"BZh"):
        return bz2.BZ2File(begun)
    if head.startswith(b"\xfd7zXZ"):
        return lzma.LZMAFile(begun)
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return _zstd(begun)
    if head.startswith(b"\x1f\x9d"):
        raise ArchiveError("it is packed with compress", "pack it with gzip")
    return begun


def _zstd(stream: IO[bytes]) -> Readable:
    try:
        zstd = importlib.import_module("compression.zstd")
    except ModuleNotFoundError:
        hint = "pack it with gzip, or use Python 3.14; decompress: false leaves a file as it is"
        raise ArchiveError("it is packed with zstd, which this Python cannot read", hint) from None
    return cast("Readable", zstd.ZstdFile(stream))
