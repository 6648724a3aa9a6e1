"""The files that a run begins with: inputs, scripts and templates of a job, made ready once, placed per run."""

import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from doe_compiler.archives.entries import ArchiveError
from doe_compiler.archives.names import is_archive
from doe_compiler.archives.programs import HEAD, is_program
from doe_compiler.archives.tree import followed, leaving_link
from doe_compiler.platform.execute.outputs import wipe
from doe_compiler.platform.execute.unpacking import EXECUTABLE, PLAIN, unpack
from doe_compiler.platform.store.form import JobForm
from doe_compiler.platform.store.records import StoredFile
from doe_compiler.templates.parser import platform_template
from doe_compiler.templates.substitution import renderer
from doe_compiler.templates.template import TemplateError

KEPT_IN_MEMORY = 64 << 20
LARGEST_TEMPLATE = 64 << 20


class InputError(Exception):
    """The job's files cannot be used; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Content:
    """A file that is the same in every run; `content` is its bytes, or where they lie if they are many.

    `original` is where it is stored.
    """

    content: bytes | Path
    mode: int
    original: Path


@dataclass(frozen=True, slots=True)
class Rendered:
    """A file that is substituted for every run."""

    render: Callable[[Sequence[str]], str]
    mode: int


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link of an archive."""

    target: str


Entry = Content | Rendered | Link


@dataclass(frozen=True, slots=True)
class RunFiles:
    """All that a run begins with: directories in the order of making, then files and links by path."""

    directories: tuple[str, ...]
    entries: tuple[tuple[str, Entry], ...]

    def paths(self, *, rendered: bool) -> frozenset[str]:
        """The paths of the templates' results, or of all other files."""
        return frozenset(path for path, entry in self.entries if isinstance(entry, Rendered) == rendered)

    def originals(self) -> dict[str, Path]:
        """Where the files that are the same in every run are stored, by their paths in a run."""
        return {path: entry.original for path, entry in self.entries if isinstance(entry, Content)}

    def place(self, cells: Sequence[str]) -> None:
        """Write everything into the current directory, which is empty.

        Raises TemplateError for a cell that cannot be formatted, OSError when the disk refuses.
        """
        for directory in self.directories:
            os.mkdir(directory)  # noqa: PTH102 (a thousand times a second)
        for path, entry in self.entries:
            if isinstance(entry, Rendered):
                _write(path, entry.render(cells).encode("utf-8", "surrogateescape"), entry.mode)
            elif isinstance(entry, Link):
                Path(path).symlink_to(entry.target)
            elif isinstance(entry.content, bytes):
                _write(path, entry.content, entry.mode)
            else:
                shutil.copyfile(entry.content, path)
                Path(path).chmod(entry.mode)


def _write(path: str, content: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        written = os.write(descriptor, content)
        while written < len(content):
            written += os.write(descriptor, memoryview(content)[written:])
    finally:
        os.close(descriptor)


def run_files(
    form: JobForm,
    files: Mapping[str, StoredFile],
    path_of: Callable[[StoredFile], Path],
    names: Sequence[str],
    cache: Path,
) -> RunFiles:
    """What the runs of a job begin with; archives are unpacked under `cache`. Raises InputError.

    The analyses' files are placed together before the first command; where two have one path the later
    counts: inputs, then scripts, then templates, in the order of the analyses.
    """
    is_dry = form.is_template_dry_run
    plan: dict[str, Entry] = {}
    folders: set[str] = set()
    for number, analysis in enumerate(form.analyses):
        for position, reference in enumerate(analysis.input_files):
            file = _found(files, reference.id)
            if reference.decompress and is_archive(file.name):
                unpacked = _unpacked(file, _intact(file, path_of(file)), cache / f"{number}-{position}")
                _add_tree(unpacked, plan, folders)
            else:
                plan[file.name] = _content(_intact(file, path_of(file)), None)
        for script in analysis.scripts:
            file = _found(files, script)
            plan[file.name] = _content(_intact(file, path_of(file)), None)
    templates = _templates(form, files, path_of, names, plan)
    entries = templates if is_dry else {**plan, **templates}
    if is_dry:
        folders = set()
    entries, links = _behind_links(entries)
    for path in entries:
        folders.update(path[:at] for at, char in enumerate(path) if char == "/")
    folders -= links.keys()
    torn = min(folders & entries.keys(), default=None)
    if torn is not None:
        raise InputError(f"{torn} is a file of one input and a folder of another")
    in_order = sorted(entries.items(), key=lambda each: not isinstance(each[1], Link))
    return RunFiles(tuple(sorted(folders)), tuple(in_order))


def _behind_links(entries: Mapping[str, Entry]) -> tuple[dict[str, Entry], dict[str, str]]:
    """The entries by where they lie when the links of all inputs are there; and these links.

    The links of one archive stay inside; those of two may leave together.
    """
    links = {path: entry.target for path, entry in entries.items() if isinstance(entry, Link)}
    if not links:
        return dict(entries), links
    try:
        leaving = leaving_link(links)
    except ArchiveError as error:
        raise InputError(f"the inputs do not fit together: {error}") from error
    if leaving is not None:
        raise InputError(f"the link {leaving} leads outside of the work directory")
    placed: dict[str, Entry] = {}
    for path, entry in entries.items():
        folder, slash, name = path.rpartition("/")
        place = folder if not folder else followed(folder, links)
        if place is None:
            raise InputError(f"{path} leads outside of the work directory")
        placed[f"{place}{slash}{name}" if place else name] = entry
    return placed, {path: entry.target for path, entry in placed.items() if isinstance(entry, Link)}


def _found(files: Mapping[str, StoredFile], file_id: str) -> StoredFile:
    if file_id not in files:
        raise InputError(f"the file {file_id} is not there any more")
    return files[file_id]


def _intact(file: StoredFile, path: Path) -> Path:
    """The path; what is linked to by ended runs is read once more: somebody may have changed it there."""
    if path.stat().st_nlink > 1 and _sha512(path) != file.sha512:
        raise InputError(
            f"the stored content of {file.name} is not what was uploaded: a file of an ended run that is linked to "
            f"it was changed in place; delete the file {file.id}, and upload it again"
        )
    return path


def _sha512(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha512").hexdigest()


def _content(path: Path, mode: int | None) -> Content:
    """The file's bytes, or its path if it is large; the mode follows from how it begins if it is not given."""
    with path.open("rb") as file:
        head = file.read(HEAD)
        mode = mode if mode is not None else EXECUTABLE if is_program(head) else PLAIN
        if path.stat().st_size > KEPT_IN_MEMORY // 64:
            return Content(path, mode, path)
        return Content(head + file.read(), mode, path)


def _unpacked(file: StoredFile, path: Path, target: Path) -> Path:
    wipe(str(target))
    target.mkdir(parents=True)
    try:
        unpack(path, file.name, target)
    except ArchiveError as error:
        raise InputError(f"{file.name} cannot be unpacked: {error}") from error
    return target


def _add_tree(root: Path, plan: dict[str, Entry], folders: set[str]) -> None:
    in_memory = 0
    for folder, directories, names in os.walk(root):
        relative = os.path.relpath(folder, root)
        prefix = "" if relative == "." else relative + "/"
        for name in directories + names:
            path = Path(folder) / name
            status = path.lstat()
            if stat.S_ISLNK(status.st_mode):
                plan[prefix + name] = Link(os.readlink(path))  # noqa: PTH115 - a Path drops `./`
            elif stat.S_ISDIR(status.st_mode):
                folders.add(prefix + name)
            else:
                mode = stat.S_IMODE(status.st_mode)
                in_memory += status.st_size
                is_small = in_memory <= KEPT_IN_MEMORY
                plan[prefix + name] = _content(path, mode) if is_small else Content(path, mode, path)


def _templates(
    form: JobForm,
    files: Mapping[str, StoredFile],
    path_of: Callable[[StoredFile], Path],
    names: Sequence[str],
    plan: Mapping[str, Entry],
) -> dict[str, Rendered]:
    rendered: dict[str, Rendered] = {}
    for analysis in form.analyses:
        for task in analysis.template_tasks:
            file = _found(files, task.template_id)
            if file.size > LARGEST_TEMPLATE:
                raise InputError(f"the template {file.name} is larger than {LARGEST_TEMPLATE >> 20} MiB")
            content = path_of(file).read_bytes()
            before = plan.get(task.target)
            mode = EXECUTABLE if content.startswith(b"#!") else PLAIN
            if isinstance(before, Content) and before.mode != PLAIN:
                mode = before.mode
            try:
                template = platform_template(content.decode("utf-8", "surrogateescape"))
                rendered[task.target] = Rendered(renderer(template, names), mode)
            except TemplateError as error:
                place = f"line {error.line}, column {error.column}"
                raise InputError(f"the template {file.name}, {place}: {error}") from error
    return rendered
