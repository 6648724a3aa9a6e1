"""The files that a study names: found inside the project, digested, small ones read."""

import hashlib
import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from doe_compiler.archives.entries import ArchiveError, UnsafeArchive
from doe_compiler.archives.members import Member, members
from doe_compiler.archives.names import is_archive
from doe_compiler.archives.packing import PackingError, packed
from doe_compiler.kernel.findings import near_miss
from doe_compiler.spec.model import LocalFile, PlatformFile
from doe_compiler.spec.nodes import Fields, Node, Scalar
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
    path = _path_inside(node, project, report)
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
        content, sha256, size = _read(path, keep=keep)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        report.error("E303", f"cannot read '{node.text}': {reason}", node.place)
        return None
    return LocalFile(str(path), path.name, sha256, size, bool(status.st_mode & 0o111), content)


def _read(path: Path, *, keep: bool) -> tuple[bytes | None, str, int]:
    digest = hashlib.sha256()
    size = 0
    chunks: list[bytes] = []
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            if keep or size <= LARGEST_SMALL:
                chunks.append(chunk)
    is_kept = keep or size <= LARGEST_SMALL
    return b"".join(chunks) if is_kept else None, digest.hexdigest(), size


def _path_inside(node: Scalar, project: Project, report: Report) -> Path | None:
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


def file_or_id(
    node: Node | None, project: Project, report: Report
) -> tuple[LocalFile | PlatformFile, bool] | None:
    """The file that an entry of `inputFiles` or `caseFile` means, and whether it is unpacked."""
    if isinstance(node, Fields) and "id" in node.entries:
        return PlatformFile(node.text("id")), node.flag("decompress", default=True)
    named = node.scalar("path") if isinstance(node, Fields) else node
    if not isinstance(named, Scalar):
        return None
    is_unpacked = node.flag("decompress", default=True) if isinstance(node, Fields) else True
    if os.path.isdir(project.folder / named.text):  # noqa: PTH112 - a text with a NUL is no folder either
        return _packed_folder(named, project, report, is_unpacked=is_unpacked)
    found = local_file(named, project, report)
    if found is None:
        return None
    if is_unpacked and is_archive(found.name):
        try:
            return replace(found, members=members_digest(members(Path(found.path)))), is_unpacked
        except ArchiveError as error:
            _archive_problem(named, error, report)
            return None
    return found, is_unpacked


def _packed_folder(
    node: Scalar, project: Project, report: Report, *, is_unpacked: bool
) -> tuple[LocalFile, bool] | None:
    """A folder as the archive that it is sent as, which unpacks to the folder."""
    path = _path_inside(node, project, report)
    if path is None:
        return None
    if not is_unpacked:
        message = f"'{node.text}' is a folder, which always arrives unpacked"
        report.error("E302", message, node.place, "remove `decompress`, or pack it yourself")
        return None
    if Path(os.path.realpath(project.folder)).is_relative_to(os.path.realpath(path)):
        report.error(
            "E302", f"'{node.text}' holds the study itself", node.place, "put the inputs into a folder below"
        )
        return None
    try:
        folder = packed(path)
        name = f"{folder.name}.tar"
        return LocalFile(
            str(path), name, folder.sha256(), folder.size, members=members_digest(members(folder))
        ), True
    except ArchiveError as error:
        _archive_problem(node, error, report)
        return None
    except PackingError as error:
        report.error(
            "E308", f"'{node.text}' cannot be packed: {error}", node.place, "mend it, or leave it out"
        )
        return None


def _archive_problem(node: Scalar, error: ArchiveError, report: Report) -> None:
    code = "E308" if isinstance(error, UnsafeArchive) else "E307"
    report.error(code, f"'{node.text}' cannot be unpacked: {error}", node.place, error.hint)


def members_digest(found: Iterable[Member]) -> str:
    """What an archive unpacks to as one digest of 64 hexadecimal digits."""
    digest = hashlib.sha256(b"doe2-members\n")
    for member in found:
        texts = (
            member.path,
            member.kind.value,
            "x" if member.is_executable else "",
            member.content,
            member.target,
        )
        digest.update(b"".join(os.fsencode(text) + b"\0" for text in texts))
    return digest.hexdigest()


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
