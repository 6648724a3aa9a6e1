"""Files from the platform to this machine: whole or not at all, several at a time."""

import hashlib
import os
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from doe_compiler.client.client import Client, FileEntry
from doe_compiler.kernel.errors import DoeError, TryAgain

_AT_A_TIME = 4
_AHEAD = 16
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file of the platform and where it is to lie here."""

    entry: FileEntry
    path: Path


def outputs_of_job(
    client: Client, job_id: str, run: int | None, search: str, folder: Path
) -> Iterator[Wanted]:
    """The output files of a job, or of one run, as `folder/runN/RELATIVE`.

    Raises DoeError for a path that would lead out of the folder.
    """
    numbers = [run] if run is not None else [each.number for each in client.runs(job_id)]
    for number in numbers:
        for entry in client.run_files(job_id, number):
            relative = PurePosixPath(entry.relative_path)
            if relative.is_absolute() or ".." in relative.parts or not relative.parts:
                raise DoeError(
                    f"the platform has a file at {entry.relative_path!r}, which leads out of its run"
                )
            if search.lower() in entry.relative_path.lower():
                yield Wanted(entry, folder / f"run{number}" / relative)


def downloaded(client: Client, wanted: Iterable[Wanted]) -> Iterator[Path]:
    """Download the files and tell where each lies, in order; one that is there with its MD5 is left alone."""
    pool = ThreadPoolExecutor(_AT_A_TIME)
    ahead: deque[Future[Path]] = deque()
    try:
        for each in wanted:
            ahead.append(pool.submit(_downloaded, client, each))
            if len(ahead) > _AHEAD:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _downloaded(client: Client, wanted: Wanted) -> Path:
    entry, path = wanted.entry, wanted.path
    try:
        if path.is_dir():
            raise DoeError(f"'{path}' is a folder")
        if entry.md5 and path.is_file() and _md5(path) == entry.md5:
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, half_made = tempfile.mkstemp(prefix=".doe-", dir=path.parent)
        try:
            digest = hashlib.md5(usedforsecurity=False)
            with os.fdopen(descriptor, "wb") as out:

                def take(chunk: bytes) -> None:
                    digest.update(chunk)
                    out.write(chunk)

                size = client.download(entry.id, take)
            if size != entry.size or entry.md5 not in {None, "", digest.hexdigest()}:
                raise TryAgain(
                    f"{entry.name} did not arrive as it is: {size} of {entry.size} bytes, or other ones"
                )
            Path(half_made).chmod(0o644)
            Path(half_made).replace(path)
        finally:
            Path(half_made).unlink(missing_ok=True)
    except OSError as error:
        raise DoeError(f"'{path}' cannot be written: {error.strerror or error}") from error
    return path


def _md5(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
