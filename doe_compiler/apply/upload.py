"""Bring the files of a study to the platform; what is there already is not sent again."""

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from doe_compiler.archives.packing import PackingError, sent_chunks
from doe_compiler.bundle.pack import BundleFile
from doe_compiler.client.answers import FileEntry
from doe_compiler.client.client import Client
from doe_compiler.client.errors import Ambiguous
from doe_compiler.kernel.errors import PreconditionFailed, TryAgain

_TRIES = 3


def uploaded(client: Client, files: Iterable[BundleFile], go_on: Callable[[], None]) -> dict[str, str]:
    """The platform's ids by reference; a file with the same name, size and checksum is taken.

    `go_on` is called before every upload and may raise.
    """
    return {file.reference: _uploaded(client, file, go_on) for file in files}


def _uploaded(client: Client, file: BundleFile, go_on: Callable[[], None]) -> str:
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
    for _ in range(_TRIES):
        existing = _found(client, file, sha512)
        if existing is not None:
            return existing
        go_on()
        try:
            with _source(file) as source:
                return client.upload(source, file.name, file.type_id).id
        except Ambiguous:
            continue
    raise TryAgain(f"'{file.name}' could not be uploaded", hint="run the same command again")


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


def _found(client: Client, file: BundleFile, sha512: str) -> str | None:
    return next((entry.id for entry in client.find_files(file.name) if _same(entry, file, sha512)), None)


def _same(entry: FileEntry, file: BundleFile, sha512: str) -> bool:
    return entry.name == file.name and entry.size == file.size and entry.sha512 == sha512


def _checksums(file: BundleFile) -> tuple[str, str]:
    sha512, sha256 = hashlib.sha512(), hashlib.sha256()
    for chunk in [file.content] if file.content is not None else sent_chunks(Path(file.path or "")):
        sha512.update(chunk)
        sha256.update(chunk)
    return sha512.hexdigest(), sha256.hexdigest()
