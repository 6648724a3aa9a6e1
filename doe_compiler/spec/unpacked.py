"""What the archives and folders of a study unpack to, or why they would not."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from doe_compiler.archives.entries import ArchiveError, UnsafeArchive
from doe_compiler.archives.members import Member, MemberKind, members
from doe_compiler.archives.packing import PackingError, packed
from doe_compiler.spec.model import LocalFile
from doe_compiler.spec.nodes import Scalar
from doe_compiler.spec.report import Report
from doe_compiler.spec.reserved import tell_reserved


def archive_input(found: LocalFile, node: Scalar, report: Report) -> LocalFile | None:
    """The archive with the digest of its members; None after a finding."""
    try:
        held = members(Path(found.path))
        _tell_of(held, node, report)
        return replace(found, members=members_digest(held), paths=_paths(held))
    except ArchiveError as error:
        _archive_problem(node, error, report)
        return None


def folder_input(path: Path, node: Scalar, report: Report) -> LocalFile | None:
    """A folder as the archive that it is sent as, which unpacks to the folder; None after a finding."""
    try:
        folder = packed(path)
        held = members(folder)
        _tell_of(held, node, report)
        name, digest = f"{folder.name}.tar", members_digest(held)
        return LocalFile(str(path), name, folder.sha256(), folder.size, members=digest, paths=_paths(held))
    except ArchiveError as error:
        _archive_problem(node, error, report)
    except PackingError as error:
        message = f"'{node.text}' cannot be packed: {error}"
        report.error("E308", message, node.place, "mend it, or leave it out")
    return None


def _paths(held: Iterable[Member]) -> tuple[tuple[str, str], ...]:
    return tuple((member.path, member.content) for member in held if member.kind is not MemberKind.FOLDER)


def _tell_of(held: Iterable[Member], node: Scalar, report: Report) -> None:
    """Tell of files that a run makes itself, and of those that Git LFS has not fetched; perhaps no run needs them."""
    for member in held:
        tell_reserved(member.path, f"'{member.path}' in '{node.text}'", node.place, report)
    found = [member.path for member in held if member.is_pointer]
    if found:
        more = f" and {len(found) - 1} more files" if len(found) > 1 else ""
        message = f"in '{node.text}', {found[0]}{more} is only a pointer of Git LFS"
        report.warning("E318", message, node.place, "get the files: git lfs pull")


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
