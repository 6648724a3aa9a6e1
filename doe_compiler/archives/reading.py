"""An archive from its first entry to its last: checked, and handed on step by step to whoever makes something of it."""

import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeVar

from doe_compiler.archives.entries import ArchiveError, Budget, Entry
from doe_compiler.archives.names import is_archive, is_zip
from doe_compiler.archives.packing import Packed
from doe_compiler.archives.tar_reader import BLOCK, read_tar
from doe_compiler.archives.tree import Step, Tree
from doe_compiler.archives.zip_reader import read_zip

S = TypeVar("S")
DAMAGED = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, ArithmeticError,
    LookupError, RuntimeError, ValueError,
)  # fmt: skip
PACKINGS = (b"\x1f\x8b", b"\x1f\x9d", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")


def read_archive(archive: Path | bytes | Packed, name: str, take: Callable[[Step], None]) -> None:
    """Hand every step that unpacks the archive to `take`; `name` tells its kind, or else its content does.

    Raises ArchiveError. Refused: absolute paths, `..`, links that lead outside, devices and pipes, what is
    encrypted or damaged, more than 200,000 entries or 20 GiB, and from 64 MiB on what grows to more than
    250 times its size.
    """
    with _read_errors():
        if isinstance(archive, Packed):
            _read_steps(read_tar, _Chunks(archive.chunks()), Budget(archive.size), take)
            return
        with _opened(archive) as stream:
            budget = Budget(stream.seek(0, io.SEEK_END))
            stream.seek(0)
            if is_zip(name) if is_archive(name) else _looks_like_zip(stream):
                _read_steps(read_zip, stream, budget, take)
            else:
                _read_steps(read_tar, stream, budget, take)


def _read_steps(
    read: Callable[[S, Budget, Callable[[Entry], None]], None],
    stream: S,
    budget: Budget,
    take: Callable[[Step], None],
) -> None:
    tree = Tree(budget)

    def entry_taken(entry: Entry) -> None:
        for step in tree.steps(entry):
            take(step)

    read(stream, budget, entry_taken)
    for step in tree.last_steps():
        take(step)


class _Chunks:
    """A stream of chunks."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def read(self, size: int, /) -> bytes:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._rest = chunk
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece


@contextmanager
def _read_errors() -> Iterator[None]:
    try:
        yield
    except NotImplementedError as error:
        raise ArchiveError(f"it is packed in a way that is not supported ({_reason(error)})") from error
    except DAMAGED as error:
        raise ArchiveError(f"it is damaged or of another kind ({_reason(error)})") from error
    except OSError as error:
        if error.errno is None:
            raise ArchiveError(f"it is damaged or of another kind ({_reason(error)})") from error
        raise ArchiveError(error.strerror or str(error)) from error


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _opened(archive: Path | bytes) -> IO[bytes]:
    return io.BytesIO(archive) if isinstance(archive, bytes) else archive.open("rb")


def _looks_like_zip(stream: IO[bytes]) -> bool:
    """Whether an archive without a name is a zip, which may have data before it: it is none if a tar begins it."""
    head = stream.read(BLOCK)
    is_zip_at_its_end = zipfile.is_zipfile(stream)
    stream.seek(0)
    if head.startswith(PACKINGS):
        return False
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return is_zip_at_its_end
    return False
