"""Uploaded contents by their SHA-512: written aside, synced, then renamed into place, so never half a file."""

import contextlib
import fcntl
import hashlib
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

LOCK = "lock"


@dataclass(frozen=True, slots=True)
class Blob:
    """A stored content: its size in bytes and its digests as hexadecimal text."""

    size: int
    md5: str
    sha512: str


class BlobWriter:
    """A content that is being written; it exists for others only after `commit`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        incoming = root / "incoming"
        incoming.mkdir(parents=True, exist_ok=True)
        self._path = incoming / secrets.token_hex(12)
        self._file = self._path.open("xb", buffering=0)
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha512 = hashlib.sha512()
        self._size = 0

    def write(self, chunk: bytes) -> None:
        """Append the bytes."""
        view = memoryview(chunk)
        while view:
            view = view[self._file.write(view) :]
        self._md5.update(chunk)
        self._sha512.update(chunk)
        self._size += len(chunk)

    def commit(self) -> Blob:
        """Make the content durable and visible; the same content twice is kept once."""
        blob = Blob(self._size, self._md5.hexdigest(), self._sha512.hexdigest())
        target = blob_path(self._root, blob.sha512)
        if target.exists() and not _is_changed(target, blob.sha512):
            self.discard()
            return blob
        os.fsync(self._file.fileno())
        self._file.close()
        target.parent.mkdir(parents=True, exist_ok=True)
        self._path.rename(target)
        _sync_directory(target.parent)
        return blob

    def discard(self) -> None:
        """Drop what was written; does nothing after a commit."""
        self._file.close()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()


def _is_changed(path: Path, sha512: str) -> bool:
    """Whether somebody has changed the content through a link of an ended run."""
    if path.stat().st_nlink == 1:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha512").hexdigest() != sha512


@contextlib.contextmanager
def in_use(root: Path) -> Iterator[None]:
    """While contents are stored and named: what is not named yet is not freed."""
    with _locked(root) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield


@contextlib.contextmanager
def exclusively(root: Path, *, is_patient: bool) -> Iterator[bool]:
    """While contents are freed; False if others use them and it is not waited for them."""
    with _locked(root) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if is_patient else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True


@contextlib.contextmanager
def _locked(root: Path) -> Iterator[int]:
    """The open lock of the contents, which vanishes with its holder."""
    descriptor = os.open(root / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def drop_abandoned(root: Path, older_than_s: float) -> None:
    """Remove what writers that were killed have left, when nothing was written to it for so long."""
    oldest = time.time() - older_than_s
    for path in (root / "incoming").glob("*"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < oldest:
                path.unlink()


def blob_path(root: Path, sha512: str) -> Path:
    """Where the content lies."""
    return root / sha512[:2] / sha512


def stored_blob(root: Path, chunks: Iterable[bytes]) -> Blob:
    """Store the chunks as one content."""
    writer = BlobWriter(root)
    try:
        for chunk in chunks:
            writer.write(chunk)
        return writer.commit()
    finally:
        writer.discard()


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
