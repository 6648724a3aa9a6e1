"""What has changed between the recipe of a job that exists and that of the study, told from the job itself."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from doe_compiler.archives.entries import ArchiveError
from doe_compiler.archives.members import members
from doe_compiler.archives.names import is_archive
from doe_compiler.archives.packing import PackingError
from doe_compiler.bundle.importing.reading import entries, mapping, text
from doe_compiler.bundle.importing.unwrapping import plain_command
from doe_compiler.bundle.parts import DERIVED_PART, HAS_CHANGED, line_changes, part_changes, readable
from doe_compiler.bundle.preparation import PRE, unprepared
from doe_compiler.bundle.wanted import Wanted
from doe_compiler.client.client import Client, Job
from doe_compiler.client.errors import NotFound, TooLarge

_LARGEST_TEXT = 1 << 20
_LARGEST_ARCHIVE = 256 << 20
_MOST_MEMBERS = 5


def _parts_then(job: Job) -> dict[str, object]:
    try:
        then = json.loads(job.environment.get("DOE_PARTS", "{}"))
    except ValueError:
        return {}
    return then if isinstance(then, dict) else {}


def distance(job: Job, wanted: Wanted) -> float:
    """How many parts of the recipe differ from those of a job; infinite if that does not tell them."""
    then = _parts_then(job)
    return len(part_changes(then, wanted.parts)) if then else math.inf


def recipe_changes(client: Client, job: Job, wanted: Wanted) -> tuple[str, ...]:
    """A sentence for every part that differs: "command './a' is now './b'", "template a.inp: line 3: …"."""
    then = _parts_then(job)
    if not then:
        return ()
    found = part_changes(then, wanted.parts)
    if HAS_CHANGED not in found.values():
        return tuple(f"{name} {change}" for name, change in found.items())
    texts, before = wanted.part_texts(), dict(_parts_of(client, job))
    archives = {
        f"input {file.name}": Path(file.path)
        for file in wanted.files
        if file.path is not None and is_archive(file.name)
    }
    told = []
    for name, change in found.items():
        more = None
        if change == HAS_CHANGED and name in before:
            archive = archives.get(name.partition(" of analysis ")[0])
            if archive is not None:
                more = _member_changes(before[name], archive, name.removeprefix("input "))
            elif name in texts:
                more = _line_changes(before[name], texts[name], then, wanted.parts)
        if name.startswith(DERIVED_PART) and any(other.startswith("template ") for other in before):
            continue  # the lines of the template tell it
        told.append(f"{name}: {more}" if more else f"{name} {change}")
    return tuple(told)


Before = Callable[[int], bytes]  # the content of a part, if it is not larger than so many bytes


def _line_changes(
    before: Before, now: bytes, then: Mapping[str, object], parts: Mapping[str, object]
) -> str | None:
    try:
        return line_changes(readable(before(_LARGEST_TEXT), then), readable(now, parts))
    except (NotFound, TooLarge):
        return None


def _member_changes(before: Before, now: Path, name: str) -> str | None:
    """Which members of an archive or folder differ: "case/0/U has changed; case/new is new"."""
    try:
        then = {member.path: member for member in members(before(_LARGEST_ARCHIVE), name)}
        here = {member.path: member for member in members(now)}
    except (NotFound, TooLarge, ArchiveError, PackingError, OSError):
        return None
    told = []
    for path in sorted({*then, *here}):
        if path not in then:
            told.append(f"{path} is new")
        elif path not in here:
            told.append(f"{path} is gone")
        elif then[path] != here[path]:
            is_bit = replace(then[path], is_executable=here[path].is_executable) == here[path]
            told.append(f"{path} has another execute bit" if is_bit else f"{path} has changed")
    more = f"; and {len(told) - _MOST_MEMBERS} more" if len(told) > _MOST_MEMBERS else ""
    return "; ".join(told[:_MOST_MEMBERS]) + more


def _parts_of(client: Client, job: Job) -> Iterator[tuple[str, Before]]:
    """The contents of a job's commands, templates, scripts and inputs by the names of the recipe's parts."""

    def content(reference: object) -> Before:
        file_id = text(mapping(reference).get("id"))
        return lambda most: client.read_file(file_id, most) if file_id else b""

    for number, analysis in enumerate(entries(job.raw.get("jobanalyses"))):
        where = f" of analysis {number + 1}" if number else ""
        command = unprepared(plain_command(text(analysis.get("command")), is_first=number == 0).command)
        yield f"command{where}", partial(_known, command.command.encode())
        for task in entries(analysis.get("templateTasks")):
            yield f"template {text(task.get('processedFilename'))}{where}", content(task.get("templateFile"))
        for file in entries(analysis.get("inputFiles")):
            yield f"input {text(file.get('name'))}{where}", content(file)
        script = mapping(analysis.get("preProcessScript"))
        if not text(script.get("name")).startswith(PRE):
            yield f"script of preProcess{where}", content(script)


def _known(content: bytes, _most: int) -> bytes:
    return content
