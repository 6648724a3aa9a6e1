"""What a run left behind: its files with size and md5, and the variables that its post-processing printed."""

import contextlib
import hashlib
import os
import shutil
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from doe_compiler.platform.store.below import FOLDER, remove_below
from doe_compiler.platform.store.runuser import RunFolder, RunUser, reached

Outputs = tuple[tuple[str, int, str], ...]
MOST_POST_OUTPUT = 16 << 20
CHUNK = 1 << 20
FILTER_ACTIONS = ("keep", "drop")
MAKERS = ("analysis", "template", "input")
FILTER_SOURCES = ("any", *MAKERS)
DEFAULT_FILTERS: tuple[Mapping[str, str], ...] = tuple(
    {"action": "keep", "source": maker, "pattern": "*"} for maker in MAKERS
)


def stored_outputs(run: RunFolder) -> Outputs:
    """The regular files of a run as (relative path, size in bytes, md5), links left out.

    A file that vanishes meanwhile is left out; one that cannot be read has an empty md5.
    """
    return tuple(sorted(_measures(run)))


def outputs_up_to(run: RunFolder, most: int) -> Outputs | None:
    """The same, None if there are more bytes; these are not read."""
    found: list[tuple[str, int, str]] = []
    total = 0
    for each in _measures(run, most):
        total += each[1]
        if total > most:
            return None
        found.append(each)
    found.sort()
    return tuple(found)


def _measures(run: RunFolder, most: int | None = None) -> Iterator[tuple[str, int, str]]:
    for prefix, folder, entries in run.folders():
        for entry in entries:
            if entry.is_file(follow_symlinks=False):
                with contextlib.suppress(FileNotFoundError):
                    yield prefix + entry.name, *_measured_in(run, folder, entry, most)


def output_sizes(run: RunFolder) -> Outputs:
    """The same without reading any file: each md5 is empty."""
    found = [
        (prefix + entry.name, entry.stat(follow_symlinks=False).st_size, "")
        for prefix, _, entries in run.folders()
        for entry in entries
        if entry.is_file(follow_symlinks=False)
    ]
    return tuple(sorted(found))


def _measured_in(run: RunFolder, folder: int, entry: "os.DirEntry[str]", most: int | None) -> tuple[int, str]:
    try:
        descriptor = run.opened_in(folder, entry.name)
    except FileNotFoundError:
        raise
    except OSError:
        return entry.stat(follow_symlinks=False).st_size, ""
    return measured(descriptor, most)


class OutputFilter:
    """Which files of a run are kept, by a job's `resourceFilters`; the others are removed when the run ends.

    A rule has an action (keep, drop), a source (any, analysis, template, input: who made the file), and a
    pattern of the relative path (`*` goes over slashes; a pattern without one is matched with the name).
    The first rule that fits decides; what none fits is kept if there are no rules or one of them drops,
    else dropped. The log is always kept.
    """

    def __init__(
        self, rules: Sequence[Mapping[str, str]], templates: Collection[str], inputs: Collection[str]
    ) -> None:
        self._rules = tuple((rule["action"], rule["source"], rule["pattern"]) for rule in rules)
        self._templates = frozenset(templates)
        self._inputs = frozenset(inputs)
        self._keeps_rest = not rules or any(rule["action"] == "drop" for rule in rules)
        wholly = {source for action, source, pattern in self._rules if (action, pattern) == ("keep", "*")}
        self.keeps_all = not any(action == "drop" for action, _, _ in self._rules) and (
            not rules or "any" in wholly or wholly >= set(MAKERS)
        )

    def keeps(self, relative: str) -> bool:
        """Whether the file at the path is kept."""
        if relative == LOG:
            return True
        for action, source, pattern in self._rules:
            if source in ("any", self._source(relative)) and _fits(relative, pattern):
                return action == "keep"
        return self._keeps_rest

    def _source(self, relative: str) -> str:
        if relative in self._templates:
            return "template"
        return "input" if relative in self._inputs else "analysis"

    def apply(self, run: RunFolder) -> None:
        """Remove what is not kept from a run's directory."""
        for prefix, folder, entries in run.folders():
            for entry in entries:
                if not entry.is_dir(follow_symlinks=False) and not self.keeps(prefix + entry.name):
                    with contextlib.suppress(OSError):
                        os.unlink(entry.name, dir_fd=folder)


def _fits(relative: str, pattern: str) -> bool:
    return fnmatchcase(relative if "/" in pattern else relative.rpartition("/")[2], pattern)


def measured(descriptor: int, most: int | None = None) -> tuple[int, str]:
    """Size and md5 of the open file, which is closed then; the md5 is empty where it cannot be read, or is larger than `most`."""
    try:
        size = os.fstat(descriptor).st_size
        if size <= CHUNK:
            content = os.read(descriptor, CHUNK)
            return len(content), hashlib.md5(content, usedforsecurity=False).hexdigest()
        if most is not None and size > most:
            return size, ""
        digest = hashlib.md5(usedforsecurity=False)
        size = 0
        while chunk := os.read(descriptor, CHUNK):
            digest.update(chunk)
            size += len(chunk)
        return size, digest.hexdigest()
    except OSError:
        return os.fstat(descriptor).st_size, ""
    finally:
        os.close(descriptor)


def sha512_of(descriptor: int, md5: str) -> str | None:
    """The SHA-512 of the open file with this MD5, which is closed then; None where it is unreadable, or another by now."""
    sums = hashlib.md5(usedforsecurity=False), hashlib.sha512()
    try:
        while chunk := os.read(descriptor, CHUNK):
            for each in sums:
                each.update(chunk)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return sums[1].hexdigest() if sums[0].hexdigest() == md5 else None


def printed_variables(path: str) -> tuple[tuple[str, str], ...]:
    """The variables in a post-processing's output: a line `name<TAB>value` each, the last of a name counts.

    At most 16 MiB are read; other lines are passed over.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (a thousand times a second)
            return variables_in(file.read(MOST_POST_OUTPUT))
    except OSError:
        return ()


def variables_in(text: bytes) -> tuple[tuple[str, str], ...]:
    """The variables in what was printed, see `printed_variables`."""
    variables: dict[str, str] = {}
    for line in text.decode("utf-8", "replace").split("\n"):
        name, tab, value = line.rstrip("\r").partition("\t")
        if tab and name.strip() and "\x00" not in line:
            variables[name.strip()] = value.strip()
    return tuple(variables.items())


def wipe_job(folder: Path) -> None:
    """Remove the folder of a job, also where the data folder only leads to it."""
    if folder.is_symlink():
        target = os.path.realpath(folder)
        folder.unlink()
        wipe(target)
    else:
        wipe(str(folder))


def wipe(directory: str) -> None:
    """Remove the directory with all that is in it, also what its owner may not write or read; and what stands in its place."""
    with contextlib.suppress(OSError):
        if not stat.S_ISDIR(os.lstat(directory).st_mode):
            os.unlink(directory)  # noqa: PTH108
            return
    with contextlib.suppress(RecursionError):
        shutil.rmtree(directory, ignore_errors=True)
    with contextlib.suppress(OSError):
        if os.geteuid() != 0 and stat.S_ISDIR(os.lstat(directory).st_mode):
            os.chmod(directory, 0o700)  # noqa: PTH101
        root = os.open(directory, FOLDER)
        remove_below(root)
        os.close(root)
        os.rmdir(directory)  # noqa: PTH106


def log_line(directory: str, text: str, user: RunUser | None = None) -> None:
    """Add a line of the platform to the run's log, if the disk lets it; `user` is as whom the run would have executed."""
    with (
        contextlib.suppress(OSError),
        reached(directory, user) as run,
        os.fdopen(run.added_to(LOG), "wb") as log,
    ):
        log.write(f"[platform] {text}\n".encode("utf-8", "replace"))


LOG = "process_output.log"
