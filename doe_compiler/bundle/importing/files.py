"""The files of a job: what must be fetched, and under which names they lie beside the study."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from doe_compiler.bundle.importing.reading import entries, flag, mapping, text, whole
from doe_compiler.bundle.texts import TEXTS_FILES

_LONGEST_NAME = 200  # bytes: room for a suffix below the 255 of file systems
_LARGEST_TEXT = 8 << 20
_LARGEST_TABLE = 64 << 20


@dataclass(frozen=True, slots=True)
class Reference:
    """A file that a job names: `size` in bytes and `md5` in hex if the job tells them.

    Up to `read_limit` bytes its content is looked into, so that the study can be written.
    """

    id: str
    name: str
    size: int | None
    md5: str | None
    decompress: bool = True
    read_limit: int = 0

    @property
    def identity(self) -> str:
        """What two references to the same content have in common."""
        return f"{self.md5}-{self.size}" if self.md5 else self.id


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """A file beside the study: with its content if that was written anew, else as it was fetched."""

    path: str
    id: str
    content: bytes | None = None


def reference(value: object, read_limit: int = 0) -> Reference | None:
    """The file that an object, or an id alone, refers to; None for null."""
    fields = mapping(value)
    file_id = text(fields.get("id")) if fields else text(value)
    if not file_id:
        return None
    md5 = text(fields.get("md5")).lower()
    return Reference(
        id=file_id,
        name=text(fields.get("name")) or file_id,
        size=whole(fields.get("decryptedSize")),
        md5=md5 if re.fullmatch(r"[0-9a-f]{32}", md5) else None,
        decompress=fields.get("decompress") is None or flag(fields["decompress"]),
        read_limit=read_limit,
    )


def parameter_file(job: Mapping[str, object]) -> Reference | None:
    """The job's parameter CSV."""
    return reference(job.get("paramFile"), _LARGEST_TABLE)


def case_file(job: Mapping[str, object]) -> Reference | None:
    """The job's case file."""
    return reference(job.get("caseFile"), _LARGEST_TABLE)


def script(analysis: Mapping[str, object], key: str) -> Reference | None:
    """A pre- or post-processing script of an analysis."""
    return reference(analysis.get(key), _LARGEST_TEXT)


def template_file(task: Mapping[str, object]) -> Reference | None:
    """The file of a template task."""
    return reference(task.get("templateFile"), _LARGEST_TEXT)


def inputs(analysis: Mapping[str, object]) -> tuple[Reference, ...]:
    """The input files of an analysis, in order."""
    listed = analysis.get("inputFiles")
    found = [reference(value) for value in listed] if isinstance(listed, list) else []
    return tuple(
        replace(each, read_limit=_LARGEST_TABLE) if TEXTS_FILES.fullmatch(each.name) else each
        for each in found
        if each is not None
    )


def references(job: Mapping[str, object]) -> tuple[Reference, ...]:
    """Every file of a job once; of several references to one file, the one that is to be read."""
    found = [parameter_file(job), case_file(job)]
    for analysis in entries(job.get("jobanalyses")):
        found += inputs(analysis)
        found += [template_file(task) for task in entries(analysis.get("templateTasks"))]
        found += [script(analysis, "preProcessScript"), script(analysis, "postProcessScript")]
    by_id: dict[str, Reference] = {}
    for each in found:
        if each is not None and (each.id not in by_id or each.read_limit > by_id[each.id].read_limit):
            by_id[each.id] = each
    return tuple(by_id.values())


def file_name(name: str) -> str:
    """A file name that cannot leave its folder and that the platform takes again, as near to `name` as can be."""
    safe = "".join(char if char.isprintable() and char not in '/\\"' else "_" for char in name)
    if safe.strip(". ") == "":
        safe = "file"
    stem, dot, ending = safe.rpartition(".")
    while len(safe.encode("utf-8", "replace")) > _LONGEST_NAME:
        if dot and len(ending) < 20 and stem:
            stem = stem[:-1]
            safe = f"{stem}.{ending}"
        else:
            safe = safe[:-1]
    return safe


def names_in_runs(files: Iterable[Reference]) -> dict[tuple[str, str], str]:
    """The local names of the files that share a run's directory, by their name and identity.

    A study gives no two contents one name. In a run the later file would replace the earlier one, so the
    later keeps the name and the earlier gets another.
    """
    in_order = list(files)
    wanted = [file_name(file.name) for file in in_order]
    owners: dict[str, str] = {}
    names: dict[tuple[str, str], str] = {}
    for file, name in zip(reversed(in_order), reversed(wanted), strict=True):
        key = (file.name, file.identity)
        if key in names:
            continue
        chosen, count = name, 1
        while owners.get(chosen, file.identity) != file.identity or (count > 1 and chosen in wanted):
            count += 1
            stem, dot, ending = name.partition(".")
            chosen = f"{stem}-{count}{dot}{ending}"
        owners[chosen] = file.identity
        names[key] = chosen
    return names


class Shelf:
    """Where the files lie beside the study; no two of them at one path, on any file system."""

    def __init__(self) -> None:
        self._files: dict[str, ImportedFile] = {}

    @property
    def files(self) -> tuple[ImportedFile, ...]:
        """All files so far."""
        return tuple(self._files.values())

    def place(self, folder: str, name: str, file_id: str, content: bytes | None = None) -> str:
        """Put a file into a folder, or one like it if the name is taken there; its path."""
        count = 1
        while True:
            path = "/".join(part for part in (folder if count == 1 else f"{folder}-{count}", name) if part)
            file = ImportedFile(path, file_id, content)
            if self._files.setdefault(path.casefold(), file) == file:
                return path
            count += 1
