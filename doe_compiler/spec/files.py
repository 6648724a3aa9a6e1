"""The files that a study names: found inside the project, digested, small ones read."""

import hashlib
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from doe_compiler.archives.pointers import is_lfs_pointer
from doe_compiler.archives.programs import HEAD, is_program
from doe_compiler.kernel.findings import near_miss
from doe_compiler.spec.model import LocalFile
from doe_compiler.spec.nodes import Scalar
from doe_compiler.spec.report import Report

LARGEST_KEPT = 8 * 1024 * 1024
LARGEST_SMALL = 64 * 1024
LARGEST_TABLE = 64 * 1024 * 1024
_CHUNK = 1 << 20
_ABSOLUTE = re.compile(r"[/\\]|[A-Za-z]:|~")


@dataclass(frozen=True)
class Project:
    """Where a study's paths start (`folder`, as the user came there) and what they must not leave (`root`)."""

    folder: Path
    root: Path


def project_of(study: Path, root: Path | None) -> Project:
    """The project of a study's file: the git work tree that holds it, or else its folder."""
    folder = study.parent
    if root is not None:
        return Project(folder, Path(os.path.realpath(root)))
    real = Path(os.path.realpath(folder))
    holders = (parent for parent in (real, *real.parents) if (parent / ".git").exists())
    return Project(folder, next(holders, real))


def shown_path(project: Project, named: str) -> str:
    """The path of a named file as the user would write it from where he stands."""
    return os.path.normpath(project.folder / named)


def local_file(
    node: Scalar, project: Project, report: Report, *, keep: bool = False, limit: int = LARGEST_KEPT
) -> LocalFile | None:
    """The file that a scalar names, with its content if it is small or `keep`; None after a finding."""
    path = path_inside(node, project, report)
    if path is None:
        return None
    try:
        # What it is comes before opening it: a FIFO must not block.
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            hint = f"pack it: tar -czf {path.name}.tar.gz -C {project.folder} {node.text}"
            report.error("E302", f"'{node.text}' is a directory", node.place, hint)
            return None
        if not stat.S_ISREG(status.st_mode):
            report.error("E303", f"'{node.text}' is not a regular file", node.place)
            return None
        if keep and status.st_size > limit:
            report.error(
                "E305", f"'{node.text}' is larger than {limit >> 20} MiB", node.place, "make it an input file"
            )
            return None
        head, content, sha256, size = _read(path, keep=keep)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        report.error("E303", f"cannot read '{node.text}': {reason}", node.place)
        return None
    if content is not None and is_lfs_pointer(content):
        message = f"'{node.text}' is a pointer of Git LFS: the file itself is not here"
        report.error("E318", message, node.place, f"get it: git lfs pull --include='*{path.name}'")
        return None
    is_executable = bool(status.st_mode & 0o111)
    return LocalFile(str(path), path.name, sha256, size, is_executable, content, is_program(head))


def _read(path: Path, *, keep: bool) -> tuple[bytes, bytes | None, str, int]:
    digest = hashlib.sha256()
    head = b""
    size = 0
    chunks: list[bytes] = []
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            head = head or chunk[:HEAD]
            digest.update(chunk)
            size += len(chunk)
            if keep or size <= LARGEST_SMALL:
                chunks.append(chunk)
    is_kept = keep or size <= LARGEST_SMALL
    return head, b"".join(chunks) if is_kept else None, digest.hexdigest(), size


def path_inside(node: Scalar, project: Project, report: Report) -> Path | None:
    """Where a named file or folder lies; None after a finding."""
    named = node.text
    if any(ord(char) < 32 for char in named) or not named.strip():
        report.error("E303", f"{named!r} is not a path", node.place)
        return None
    if _ABSOLUTE.match(named):
        report.error(
            "E304", f"'{named}' is an absolute path", node.place, "give a path relative to the study"
        )
        return None
    path = project.folder / named
    try:
        real = Path(os.path.realpath(path))
        is_there = path.exists()
    except OSError as error:
        report.error("E303", f"cannot read '{named}': {error.strerror}", node.place)
        return None
    if not real.is_relative_to(project.root):
        hint = f"a study names files below {project.root} only: copy it there"
        report.error("E304", f"'{named}' is outside of the project", node.place, hint)
        return None
    if not is_there:
        report.error("E301", f"'{named}' does not exist", node.place, _nearby(path, project))
        return None
    return path


def _nearby(path: Path, project: Project) -> str:
    try:
        known = sorted(entry.name for entry in os.scandir(path.parent))
    except OSError:
        return f"there is no folder '{os.path.relpath(path.parent, project.folder)}'"
    meant = near_miss(path.name, known)
    if meant is None:
        return "paths are relative to the study"
    return f"did you mean '{os.path.relpath(path.parent / meant, project.folder)}'?"


def target_problem(path: str) -> str:
    """Why a path is not one inside of a run's directory, or nothing."""
    if any(ord(char) < 32 for char in path) or not path.strip():
        return "is not a path"
    if _ABSOLUTE.match(path):
        return "is an absolute path"
    parts = path.split("/")
    if ".." in parts:
        return "leaves the run's directory"
    if path.endswith("/") or parts[-1] == ".":
        return "is a directory"
    if "\\" in path:
        return "holds a backslash"
    return ""


def deck_reader(project: Project, encoding: str) -> Callable[[str], str]:
    """A function that gives the texts of files of the study's folder, for templates that name them; each is read once.

    It raises LookupError with why it cannot and a hint, for whatever lies outside of that folder too.
    """
    known: dict[str, str] = {}

    def read(named: str) -> str:
        if named not in known:
            known[named] = _deck_text(project, named, encoding)
        return known[named]

    return read


def _deck_text(project: Project, named: str, encoding: str) -> str:
    if any(ord(char) < 32 for char in named) or not named.strip() or _ABSOLUTE.match(named):
        raise LookupError("is no path in the study's folder", "give a path relative to the study")
    root = Path(os.path.realpath(project.folder))
    path = root / named
    try:
        if not Path(os.path.realpath(path)).is_relative_to(root):
            raise LookupError("is outside of the study's folder", "copy it there")
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise LookupError("is not a regular file")
        if status.st_size > LARGEST_KEPT:
            raise LookupError(f"is larger than {LARGEST_KEPT >> 20} MiB")
        content = path.read_bytes()
    except FileNotFoundError:
        hint = "paths are relative to the study's folder"
        raise LookupError("does not exist", _nearby(path, Project(root, root)) or hint) from None
    except OSError as error:
        raise LookupError(f"cannot be read: {error.strerror}") from error
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise LookupError(f"is not text in {encoding}", "say the template's `encoding`") from None
