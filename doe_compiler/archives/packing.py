"""A folder as an uncompressed tar: the same bytes on every machine, whoever owns the files and whenever they changed.

case/           case/        folder, 0755, time 0, owner 0
  run.sh   ->   case/run.sh  file, 0755 with an execute bit, else 0644
  0/U           case/0/      folder
                case/0/U     file
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from doe_compiler.archives.tree import LONGEST_PATH, leaving_link

BLOCK = 512
CHUNK = 1 << 20
LEFT_OUT = (".git", ".doe")
LONGEST_PLAIN = 99
LARGEST_PLAIN = 0o77777777777
FILE, LINK, FOLDER, EXTENDED = b"0", b"2", b"5", b"x"


class PackingError(Exception):
    """The folder cannot be packed: `path`, below it, and what is wrong with it."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"'{path}' {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Item:
    source: str
    path: str
    header: bytes
    size: int = 0
    is_file: bool = False


@dataclass(frozen=True, slots=True)
class Packed:
    """A folder that was looked through; its files are read when their bytes are asked for."""

    name: str
    size: int
    _items: tuple[_Item, ...]

    def chunks(self) -> Iterator[bytes]:
        """The tar, a piece at a time; raises PackingError for a file that is not what it was."""
        for item in self._items:
            yield item.header
            if item.is_file:
                yield from _content(item)
        yield bytes(2 * BLOCK)

    def sha256(self) -> str:
        """The digest of the tar; reads all files."""
        digest = hashlib.sha256()
        for chunk in self.chunks():
            digest.update(chunk)
        return digest.hexdigest()


def packed(folder: Path, name: str | None = None) -> Packed:
    """The folder under its own name or another, in sorted order, without what is called `.git` or `.doe`.

    Raises PackingError for a link that leaves the folder, for what is neither file, link nor folder, and for
    what cannot be read.
    """
    name = name or folder.name or Path(os.path.realpath(folder)).name
    items = [_Item("", "", _header(name + "/", FOLDER, 0o755))]
    links: dict[str, str] = {}
    for path, status in _found(str(folder)):
        source, inside = str(Path(folder, path)), f"{name}/{path}"
        if stat.S_ISLNK(status.st_mode):
            links[path] = _link(source, path)
            items.append(_Item(source, path, _header(inside, LINK, 0o777, target=links[path])))
        elif stat.S_ISDIR(status.st_mode):
            items.append(_Item(source, path, _header(inside + "/", FOLDER, 0o755)))
        elif stat.S_ISREG(status.st_mode):
            mode = 0o755 if status.st_mode & 0o111 else 0o644
            header = _header(inside, FILE, mode, status.st_size)
            items.append(_Item(source, path, header, status.st_size, is_file=True))
        else:
            raise PackingError(path, "is neither a file nor a folder nor a link")
    leaving = leaving_link(links)
    if leaving is not None:
        raise PackingError(leaving, f"is a link that leaves the folder: {links[leaving]}")
    size = sum(len(item.header) + _padded(item.size) for item in items) + 2 * BLOCK
    return Packed(name, size, tuple(items))


def sent_chunks(path: Path) -> Iterator[bytes]:
    """The bytes that an input is sent as: a file's own, a folder's packed ones; raises PackingError or OSError."""
    if path.is_dir():
        yield from packed(path).chunks()
        return
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _found(root: str) -> Iterator[tuple[str, os.stat_result]]:
    """Everything below, a folder before what it holds, in the order of the names' bytes."""
    ahead = _listed(root, "")
    while ahead:
        path = ahead.pop()
        if len(os.fsencode(path)) > LONGEST_PATH:
            raise PackingError(path, "has too long a path")
        try:
            status = Path(root, path).lstat()
        except OSError as error:
            raise PackingError(path, f"cannot be read: {error.strerror}") from error
        yield path, status
        if stat.S_ISDIR(status.st_mode):
            ahead += _listed(root, path)


def _listed(root: str, below: str) -> list[str]:
    """What a folder holds, last first."""
    try:
        names = sorted(os.listdir(Path(root, below)), key=os.fsencode, reverse=True)  # noqa: PTH208 - names only
    except OSError as error:
        raise PackingError(below or ".", f"cannot be read: {error.strerror}") from error
    return [f"{below}/{name}" if below else name for name in names if name not in LEFT_OUT]


def _link(source: str, path: str) -> str:
    try:
        return os.readlink(source)  # noqa: PTH115 - a Path drops `./`
    except OSError as error:
        raise PackingError(path, f"cannot be read: {error.strerror}") from error


def _content(item: _Item) -> Iterator[bytes]:
    left = item.size
    try:
        with open(item.source, "rb") as file:  # noqa: PTH123 - a path may be no text
            while left and (chunk := file.read(min(CHUNK, left))):
                left -= len(chunk)
                yield chunk
            if left or file.read(1):
                raise PackingError(item.path, "changed while it was read")
    except OSError as error:
        raise PackingError(item.path, f"cannot be read: {error.strerror}") from error
    yield bytes(_padded(item.size) - item.size)


def _header(path: str, kind: bytes, mode: int, size: int = 0, target: str = "") -> bytes:
    """The blocks before the content: POSIX ustar, and before it a pax header for what does not fit there.

    Written here and not by `tarfile`, whose bytes differ from version to version.
    """
    name, link = os.fsencode(path), os.fsencode(target)
    records = b""
    for key, text in ((b"path", name), (b"linkpath", link)):
        if len(text) > LONGEST_PLAIN or not text.isascii():
            records += _record(key, text)
    if size > LARGEST_PLAIN:
        records += _record(b"size", b"%d" % size)
    plain = _block(name, kind, mode, size, link)
    if not records:
        return plain
    if not _is_utf8(records):
        records = _record(b"hdrcharset", b"BINARY") + records
    padding = bytes(_padded(len(records)) - len(records))
    return _block(b"pax", EXTENDED, 0o644, len(records), b"") + records + padding + plain


def _block(name: bytes, kind: bytes, mode: int, size: int, link: bytes) -> bytes:
    octal_size = b"%011o" % (size if size <= LARGEST_PLAIN else 0)
    fields = (
        name[:LONGEST_PLAIN].ljust(100, b"\0"), b"%07o\0" % mode, b"0000000\0", b"0000000\0",
        octal_size + b"\0", b"00000000000\0", b" " * 8, kind, link[:LONGEST_PLAIN].ljust(100, b"\0"),
        b"ustar\0" + b"00", bytes(64), b"0000000\0", b"0000000\0", bytes(167),
    )  # fmt: skip
    block = b"".join(fields)
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def _record(key: bytes, content: bytes) -> bytes:
    """A record of a pax header, which begins with its own length."""
    length = len(key) + len(content) + 3
    while length != len(key) + len(content) + 3 + len(str(length)):
        length = len(key) + len(content) + 3 + len(str(length))
    return b"%d %s=%s\n" % (length, key, content)


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK
