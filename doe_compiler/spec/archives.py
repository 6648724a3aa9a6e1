"""Opens an archive far enough to see that it can be unpacked and that nothing in it leaves its folder."""

import posixpath
import re
import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

_TAR_ENDS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_MOST_MEMBERS = 100_000
_MOST_BYTES = 4 << 30
_ABSOLUTE = re.compile(r"[/\\]|[A-Za-z]:[/\\]")


@dataclass(frozen=True)
class ArchiveProblem:
    """What is wrong with an archive; the message follows its name."""

    code: str
    message: str
    hint: str


class _Encrypted(Exception):
    pass


def is_archive(name: str) -> bool:
    """Whether the platform unpacks a file of this name."""
    return name.lower().endswith((".zip", *_TAR_ENDS))


def archive_problem(path: str) -> ArchiveProblem | None:
    """Why an archive must not be given to a run, or None."""
    import lzma  # noqa: PLC0415 - most studies name no archive
    import tarfile  # noqa: PLC0415
    import zipfile  # noqa: PLC0415

    try:
        members = _zip_members(path) if path.lower().endswith(".zip") else _tar_members(path)
        unsafe = next((problem for member in members if (problem := _unsafe(member))), None)
    except _Encrypted:
        return ArchiveProblem("E307", "is encrypted", "pack it without a password")
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        lzma.LZMAError,
        zlib.error,
        struct.error,
        OSError,
        EOFError,
        ValueError,
        IndexError,
        KeyError,
        OverflowError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        hint = "pack it again; decompress: false leaves a file as it is"
        return ArchiveProblem(
            "E307", f"cannot be read as an archive: {str(error) or type(error).__name__}", hint
        )
    if unsafe is None:
        return None
    return ArchiveProblem("E308", unsafe, "pack it again with relative paths, without links that leave it")


@dataclass(frozen=True)
class _Member:
    name: str
    link: str | None = None
    is_hard_link: bool = False
    is_special: bool = False


def _unsafe(member: _Member) -> str:
    shown = member.name if len(member.name) <= 60 else f"{member.name[:57]}..."
    if _ABSOLUTE.match(member.name):
        return f"holds the absolute path '{shown}'"
    if ".." in re.split(r"[/\\]", member.name):
        return f"holds '{shown}', which leaves its folder"
    if member.is_special:
        return f"holds '{shown}', which is a device or a pipe"
    if member.link is not None:
        start = "" if member.is_hard_link else posixpath.dirname(member.name)
        end = posixpath.normpath(posixpath.join(start, member.link))
        if _ABSOLUTE.match(member.link) or end == ".." or end.startswith("../"):
            return f"holds '{shown}', a link that points outside"
    return ""


def _zip_members(path: str) -> Iterator[_Member]:
    import zipfile  # noqa: PLC0415

    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist()[:_MOST_MEMBERS]:
            if info.flag_bits & 1:
                raise _Encrypted
            is_link = stat.S_ISLNK(info.external_attr >> 16)
            link = None
            if is_link:
                with archive.open(info) as stream:
                    link = stream.read(4096).decode("utf-8", "replace")
            yield _Member(info.filename, link)


def _tar_members(path: str) -> Iterator[_Member]:
    import tarfile  # noqa: PLC0415

    size = 0
    with tarfile.open(path, "r:*") as archive:
        for count, info in enumerate(archive):
            size += info.size
            if count >= _MOST_MEMBERS or size > _MOST_BYTES:
                return
            link = info.linkname if info.issym() or info.islnk() else None
            yield _Member(info.name, link, info.islnk(), info.ischr() or info.isblk() or info.isfifo())
