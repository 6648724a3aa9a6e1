"""Why an archive of a study must not be given to a run: what unpacking would refuse, in its words."""

from dataclasses import dataclass
from pathlib import Path

from doe_compiler.archives.entries import ArchiveError, UnsafeArchive
from doe_compiler.archives.names import is_archive

__all__ = ["ArchiveProblem", "archive_problem", "is_archive"]


@dataclass(frozen=True)
class ArchiveProblem:
    """What is wrong with an archive; the message follows its name."""

    code: str
    message: str
    hint: str


def archive_problem(path: str) -> ArchiveProblem | None:
    """Why an archive must not be given to a run, or None."""
    from doe_compiler.archives.reading import check  # noqa: PLC0415 - most studies name no archive

    try:
        check(Path(path), Path(path).name)
    except ArchiveError as error:
        code = "E308" if isinstance(error, UnsafeArchive) else "E307"
        return ArchiveProblem(code, f"cannot be unpacked: {error}", error.hint)
    return None
