"""What an archive holds, apart from how it was packed: two archives of equal trees have equal members."""

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from doe_compiler.archives.entries import CHUNK, Kind
from doe_compiler.archives.packing import Packed, packed
from doe_compiler.archives.pointers import is_lfs_pointer
from doe_compiler.archives.tree import Step


class MemberKind(StrEnum):
    """What stands at a path."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"


@dataclass(frozen=True, slots=True, order=True)
class Member:
    """A file with the SHA-256 of its content, a link with its target, or an empty folder.

    `is_pointer` tells one that Git LFS has not fetched. A hard link is the file that it names. Folders that hold something are not members: their files tell them.
    """

    path: str
    kind: MemberKind
    is_executable: bool = False
    content: str = ""
    target: str = ""
    is_pointer: bool = False


def members(archive: Path | bytes | Packed, name: str = "") -> tuple[Member, ...]:
    r"""The members by path, as unpacking makes them; of a folder those of its packing.

    `name` tells a zip from a tar, the file's own if it is a path. All is read, so whatever unpacking would
    refuse raises the same ArchiveError here; PackingError for a folder.

    >>> members(b"PK\x05\x06" + bytes(18))
    ()
    """
    from doe_compiler.archives.reading import read_archive  # noqa: PLC0415 - most studies name no archive

    made: dict[str, Member] = {}

    def take(step: Step) -> None:
        made[step.path] = _member(step, made)

    if isinstance(archive, Path) and archive.is_dir():
        archive = packed(archive)
    read_archive(archive, name or (archive.name if isinstance(archive, Path) else ""), take)
    folders = {path[:at] for path in made for at, char in enumerate(path) if char == "/"}
    return tuple(sorted(made[path] for path in made.keys() - folders))


def _member(step: Step, made: dict[str, Member]) -> Member:
    if step.kind is Kind.FOLDER:
        return Member(step.path, MemberKind.FOLDER)
    if step.kind is Kind.LINK:
        return Member(step.path, MemberKind.LINK, target=step.target)
    if step.kind is Kind.SAME_FILE:
        return replace(made[step.target], path=step.path)
    digest = hashlib.sha256()
    is_pointer = False
    if step.content is not None:
        with step.content() as stream:
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
                is_pointer = step.size <= len(chunk) and is_lfs_pointer(chunk)
    return Member(step.path, MemberKind.FILE, step.is_executable, digest.hexdigest(), is_pointer=is_pointer)
