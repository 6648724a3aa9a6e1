"""Write a study from a job that exists: fetch its files, write all of it to a folder, or nothing."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from doe_compiler.archives.programs import HEAD, is_program
from doe_compiler.bundle.importing.document import STUDY_FILE, Imported, imported, references, study_name
from doe_compiler.bundle.importing.files import ImportedFile, Reference
from doe_compiler.client.client import Client
from doe_compiler.kernel.errors import DoeError, TryAgain, WrongUsage
from doe_compiler.spec.schemas import schema_text

_SCHEMA_FILE = "study.schema.json"
_STEP_NAMES = "study", "fetched"


@dataclass(frozen=True, slots=True)
class WrittenStudy:
    """Where the study lies, its files relative to that folder, and what the language could not say."""

    folder: Path
    files: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def study(self) -> Path:
        """The study's own file."""
        return self.folder / STUDY_FILE


def imported_study(client: Client, job_id: str, folder: Path | None) -> WrittenStudy:
    """Write the study of a job to a folder that is new or empty; by default one with the study's name here.

    Raises WrongUsage for a folder that holds something, TryAgain for a file that did not arrive as it should.
    """
    job = client.job(job_id)
    folder = Path(study_name(job.raw)) if folder is None else folder
    _require_free(folder)
    place = Path(os.path.realpath(folder))
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        half_made = Path(tempfile.mkdtemp(prefix=f".{place.name[:100]}.", dir=place.parent))
        try:
            written, fetched = (half_made / name for name in _STEP_NAMES)
            paths, contents = _fetched(client, references(job.raw), fetched)
            result = imported(job.raw, contents, f"job {job.id} ({job.name}) of {client.host}")
            names = _fill(result, paths, written)
            _move(written, place)
        finally:
            shutil.rmtree(half_made, ignore_errors=True)
    except RecursionError:
        raise DoeError(f"job {job_id} is nested too deeply to be a study") from None
    except OSError as error:
        raise DoeError(f"cannot write '{folder}': {error.strerror or error}") from error
    return WrittenStudy(folder, names, result.warnings)


def _require_free(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise WrongUsage(f"'{folder}' is a file", hint="name a folder to write to")
    found = next(iter(sorted(folder.iterdir())), None) if folder.is_dir() else None
    if found is not None:
        raise WrongUsage(
            f"'{folder}' is not empty: it holds '{found.name}'", hint="name a new or an empty folder"
        )


def _fetched(
    client: Client, files: Sequence[Reference], folder: Path
) -> tuple[dict[str, Path], dict[str, bytes]]:
    """Where every file of the job lies, by id, and the contents of those that are read."""
    folder.mkdir()
    paths: dict[str, Path] = {}
    contents: dict[str, bytes] = {}
    for number, file in enumerate(files):
        path = folder / str(number)
        size = _fetch(client, file, path)
        paths[file.id] = path
        if size <= file.read_limit:
            contents[file.id] = path.read_bytes()
    return paths, contents


def _fetch(client: Client, file: Reference, path: Path) -> int:
    md5 = hashlib.md5(usedforsecurity=False)
    with path.open("wb") as out:

        def take(chunk: bytes) -> None:
            md5.update(chunk)
            out.write(chunk)

        size = client.download(file.id, take)
    if file.size not in {None, size} or file.md5 not in {None, md5.hexdigest()}:
        raise TryAgain(
            f"the file {file.name!r} ({file.id}) did not arrive as the platform describes it",
            hint="run the same command again",
        )
    return size


def _fill(result: Imported, paths: dict[str, Path], folder: Path) -> tuple[str, ...]:
    folder.mkdir()
    texts = {STUDY_FILE: result.text, _SCHEMA_FILE: schema_text("study")}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    for file in result.files:
        _put(file, paths, folder / file.path)
        _set_execute_bit(folder / file.path, result.executables)
    folder.chmod(0o755)
    return (*texts, *(file.path for file in result.files))


def _put(file: ImportedFile, paths: dict[str, Path], target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    if file.content is not None:
        target.write_bytes(file.content)
        return
    source = paths[file.id]
    if source.parent.name == _STEP_NAMES[1]:
        source.replace(target)
        paths[file.id] = target
    else:
        shutil.copyfile(source, target)


def _set_execute_bit(path: Path, executables: frozenset[str]) -> None:
    """An upload carries none: what begins as a program does, or was made executable in the runs, is."""
    if path.parent.name.startswith(("inputs", "scripts")):
        with path.open("rb") as file:
            if path.name in executables or is_program(file.read(HEAD)):
                path.chmod(0o755)


def _move(written: Path, place: Path) -> None:
    """Put the finished folder into its place; into an empty one that a shell may stand in, file by file."""
    if not place.exists():
        written.rename(place)
        return
    for entry in sorted(written.iterdir(), key=lambda path: path.name == STUDY_FILE):
        entry.rename(place / entry.name)
