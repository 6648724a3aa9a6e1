"""Bring the files of a study to the platform; what is there already is not sent again."""

import hashlib
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from doe_compiler.archives.packing import PackingError, sent_chunks
from doe_compiler.bundle.pack import BundleFile
from doe_compiler.client.client import Client
from doe_compiler.client.errors import Ambiguous
from doe_compiler.kernel.errors import PreconditionFailed, TryAgain

_TRIES = 3


@dataclass(frozen=True)
class Uploads:
    """The uploads of a moment: what the platform has of a file name is asked for once.

    `go_on` is called before every upload and may raise.
    """

    client: Client
    go_on: Callable[[], None]
    _existing: dict[str, dict[tuple[int, str], str]] = field(default_factory=dict)
    _locks: defaultdict[str, Lock] = field(default_factory=lambda: defaultdict(Lock))

    def ids(self, files: Iterable[BundleFile]) -> dict[str, str]:
        """The platform's ids by reference; a file with the same name, size and checksum is taken."""
        return {file.reference: self._id(file) for file in files}

    def _id(self, file: BundleFile) -> str:
        sha512 = _checksum(file)
        content = (file.size, sha512)
        for _ in range(_TRIES):
            with self._locks[file.name]:
                if file.name not in self._existing:
                    self._existing[file.name] = _listed(self.client, file.name)
                existing = self._existing[file.name]
            if content in existing:
                return existing[content]
            self.go_on()
            try:
                with _source(file) as source:
                    existing[content] = self.client.upload(source, file.name, file.type_id).id
            except Ambiguous:
                self._existing.pop(file.name, None)
            else:
                return existing[content]
        raise TryAgain(f"'{file.name}' could not be uploaded", hint="run the same command again")


def _checksum(file: BundleFile) -> str:
    """The SHA-512 of a file that is as it was when the study was read."""
    try:
        sha512, sha256 = _checksums(file)
    except PackingError as error:
        raise PreconditionFailed(
            f"'{file.path}': {error}", hint="mend it, and run the same command again"
        ) from error
    if sha256 != file.sha256:
        raise PreconditionFailed(
            f"'{file.path or file.name}' has changed since the study was read",
            hint="run the same command again",
        )
    return sha512


@contextmanager
def _source(file: BundleFile) -> Iterator[bytes | Path]:
    """What is uploaded; a folder is packed into a temporary file first."""
    path = Path(file.path or "")
    if file.content is not None:
        yield file.content
    elif path.is_dir():
        with tempfile.NamedTemporaryFile(suffix=".tar") as packed:
            for chunk in sent_chunks(path):
                packed.write(chunk)
            packed.flush()
            yield Path(packed.name)
    else:
        yield path


def _listed(client: Client, name: str) -> dict[tuple[int, str], str]:
    """The files of a name, by size and SHA-512: the first of equal ones in the order of the list."""
    found: dict[tuple[int, str], str] = {}
    for entry in client.find_files(name):
        if entry.sha512 is not None:
            found.setdefault((entry.size, entry.sha512), entry.id)
    return found


def _checksums(file: BundleFile) -> tuple[str, str]:
    sha512, sha256 = hashlib.sha512(), hashlib.sha256()
    for chunk in [file.content] if file.content is not None else sent_chunks(Path(file.path or "")):
        sha512.update(chunk)
        sha256.update(chunk)
    return sha512.hexdigest(), sha256.hexdigest()
