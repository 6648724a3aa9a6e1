"""The folder that an archive makes, entry by entry, before anything is written: what `tar -x` would leave behind."""

import re
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from doe_compiler.archives.entries import (
    ArchiveError,
    Budget,
    Content,
    Entry,
    Kind,
    UnsafeArchive,
    shown,
)

LONGEST_NAME = 255
LONGEST_PATH = 3072
MOST_LEVELS = 200
MOST_LINKS = 40
MOST_PARTS = 3_000_000
DRIVE = re.compile(r"[A-Za-z]:/")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to make: a folder, a file, a link to `target`, or a copy of the file at the path `target`.

    Whatever is at `path` goes first: a file, a link or an empty folder. No folder of `path` is a link.
    """

    path: str
    kind: Kind
    size: int = 0
    is_executable: bool = False
    target: str = ""
    content: Content | None = field(default=None, compare=False)


class Tree:
    """Turns entries into steps, refusing those that reach out of the folder or stand in each other's way."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._made: dict[str, Step] = {}
        self._filled: Counter[str] = Counter()
        self._links: dict[str, str] = {}
        self._waiting: list[tuple[str, Entry]] = []

    def steps(self, entry: Entry) -> Iterator[Step]:
        """What the entry makes, folders on the way first."""
        self._budget.take_entry()
        self._budget.take_bytes(entry.size)
        if entry.kind is Kind.SPECIAL:
            raise UnsafeArchive(f"its entry {shown(entry.name)} is a device or a pipe")
        path, missing = self._located(entry.name, entry.name)
        for folder in missing:
            yield self._make(Step(folder, Kind.FOLDER))
        if entry.kind is Kind.FOLDER:
            before = self._made.get(path)
            if path and (before is None or before.kind is not Kind.FOLDER):
                yield self._make(Step(path, Kind.FOLDER))
            return
        if not path:
            raise ArchiveError("one of its files has no name")
        if entry.kind is Kind.SAME_FILE:
            yield from self._same_file(path, entry)
            return
        self._check_free(path, entry)
        if entry.kind is Kind.LINK:
            _check_target(entry)
        yield self._make(Step(path, entry.kind, entry.size, entry.is_executable, entry.target, entry.content))

    def last_steps(self) -> Iterator[Step]:
        """Hard links that stand before their files; then all links are known, and none may leave the folder."""
        for _ in range(MOST_LINKS):
            waiting = [each for each in self._waiting if each[0] not in self._made]
            self._waiting = []
            for _, entry in waiting:
                path, missing = self._located(entry.name, entry.name)
                for folder in missing:
                    yield self._make(Step(folder, Kind.FOLDER))
                yield from self._same_file(path, entry)
        if self._waiting:
            raise ArchiveError(f"its link {shown(self._waiting[0][1].name)} leads to no file of it")
        leaving = leaving_link(self._links)
        if leaving is not None:
            raise UnsafeArchive(f"its link {shown(leaving)} leads outside of the work directory")

    def _same_file(self, path: str, entry: Entry) -> Iterator[Step]:
        source, missing = self._located(entry.target, entry.name)
        made = self._made.get(source)
        if made is None or missing:
            self._waiting.append((path, entry))
            return
        if source == path:
            return
        self._check_free(path, entry)
        if made.kind is Kind.FOLDER:
            raise ArchiveError(f"its link {shown(entry.name)} leads to no file of it")
        if made.kind is Kind.LINK:
            yield self._make(Step(path, Kind.LINK, target=made.target))
        else:
            self._budget.take_bytes(made.size)
            yield self._make(Step(path, Kind.SAME_FILE, made.size, made.is_executable, source))

    def _check_free(self, path: str, entry: Entry) -> None:
        if self._filled[path]:
            raise ArchiveError(f"its entry {shown(entry.name)} stands where a folder of it is")

    def _make(self, step: Step) -> Step:
        if step.path not in self._made:
            self._filled[step.path.rpartition("/")[0]] += 1
        # What it is stays known; its content cannot be read again.
        self._made[step.path] = Step(step.path, step.kind, step.size, step.is_executable, step.target)
        if step.kind is Kind.LINK:
            self._links[step.path] = step.target
        else:
            self._links.pop(step.path, None)
        return step

    def _located(self, name: str, entry: str) -> tuple[str, list[str]]:
        """Where a name of the archive lies, no folder of it being a link; and the folders that are not there yet."""
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if name.startswith("/") or ".." in parts or DRIVE.match(name):
            raise UnsafeArchive(f"its entry {shown(entry)} leads outside of the work directory")
        if "\0" in name:
            raise ArchiveError(f"its entry {shown(entry)} has a name with a NUL in it")
        if len(parts) > MOST_LEVELS:
            raise ArchiveError(f"its entry {shown(entry)} lies in more than {MOST_LEVELS} folders")
        if any(_length(part) > LONGEST_NAME for part in parts) or _length(name) > LONGEST_PATH:
            raise ArchiveError(f"its entry {shown(entry)} has too long a name")
        if not parts:
            return "", []
        missing: list[str] = []
        folder = ""
        for part in parts[:-1]:
            path = f"{folder}/{part}" if folder else part
            made = self._made.get(path)
            if made is None:
                missing.append(path)
            elif made.kind is Kind.LINK:
                path = self._behind(path, entry)
            elif made.kind is not Kind.FOLDER:
                raise ArchiveError(f"its entry {shown(entry)} lies in what is no folder")
            folder = path
        return f"{folder}/{parts[-1]}" if folder else parts[-1], missing

    def _behind(self, link: str, entry: str) -> str:
        """The folder that a link leads to."""
        place = followed(link, self._links)
        if place is None:
            raise UnsafeArchive(f"its entry {shown(entry)} leads outside of the work directory")
        made = self._made.get(place)
        if place and (made is None or made.kind is not Kind.FOLDER):
            raise ArchiveError(f"its entry {shown(entry)} goes through a link that leads to no folder")
        return place


def followed(path: str, links: Mapping[str, str]) -> str | None:
    """Where a path leads when links are followed, its last part too; None if out of the folder.

    What is no link counts as a folder, there or not. Links in a circle end where they are.
    """
    return _walked(path, links)[0]


def _walked(path: str, links: Mapping[str, str]) -> tuple[str | None, int]:
    """Where it leads, and how many parts of names were looked at on the way."""
    reached: list[str] = []
    ahead = deque(path.split("/"))
    hops = parts = 0
    while ahead:
        parts += 1
        part = ahead.popleft()
        if part in ("", "."):
            continue
        if part == "..":
            if not reached:
                return None, parts
            reached.pop()
            continue
        reached.append(part)
        target = links.get("/".join(reached))
        if target is not None and hops < MOST_LINKS:
            hops += 1
            if target.startswith("/"):
                return None, parts
            reached.pop()
            ahead.extendleft(reversed(target.split("/")))
    return "/".join(reached), parts


def leaving_link(links: Mapping[str, str]) -> str | None:
    """The first of the links, path to target, that leads out of the folder when all of them are there.

    Raises ArchiveError for links through links through links of such a length that it would take minutes.
    """
    all_parts = 0
    for path in links:
        place, parts = _walked(path, links)
        if place is None:
            return path
        all_parts += parts
        if all_parts > MOST_PARTS:
            raise ArchiveError(f"its link {shown(path)} and others lead through too many")
    return None


def _check_target(entry: Entry) -> None:
    if not entry.target or "\0" in entry.target or _length(entry.target) > LONGEST_PATH:
        raise ArchiveError(f"its link {shown(entry.name)} has no usable target")


def _length(name: str) -> int:
    return len(name) if name.isascii() else len(name.encode("utf-8", "surrogateescape"))
