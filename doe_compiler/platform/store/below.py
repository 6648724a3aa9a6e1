"""What lies below a directory, gone to by descriptors without following a link, whatever others change there meanwhile.

A path is looked up anew with every call, and a link that was laid in between leads anywhere. From one open folder to the next
it cannot: each step opens one name, which is not to be a link.
"""

import contextlib
import os
from collections import deque
from collections.abc import Callable, Iterator

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
DEEPEST = 200
"""How many folders in one another are looked into; what lies deeper is not there for anybody."""
MOST_LINKS = 40

Entries = list["os.DirEntry[str]"]


def folders_below(root: int, entering: Callable[[int], object] = id) -> Iterator[tuple[str, int, Entries]]:
    """The open folder and those in it, each before those that it holds: path with a slash, descriptor, sorted entries.

    A descriptor is open until the next folder is asked for, the entries' own paths mean nothing. `entering` is called with
    each before it is read. What cannot be opened is left out.
    """
    stack: list[tuple[int, str, Iterator[str]]] = []
    opened = [os.dup(root)]
    try:
        prefix, folder = "", opened[0]
        while True:
            entering(folder)
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
            yield prefix, folder, entries
            inner = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
            stack.append((folder, prefix, iter(inner if len(stack) < DEEPEST else ())))
            following = _next_of(stack, opened)
            if following is None:
                return
            prefix, folder = following
    finally:
        for descriptor in opened:
            os.close(descriptor)


def _next_of(stack: list[tuple[int, str, Iterator[str]]], opened: list[int]) -> tuple[str, int] | None:
    """The next folder that can be opened; those that hold no more are closed."""
    while stack:
        folder, prefix, names = stack[-1]
        for name in names:
            with contextlib.suppress(OSError):
                opened.append(os.open(name, FOLDER, dir_fd=folder))
                return f"{prefix}{name}/", opened[-1]
        stack.pop()
        opened.remove(folder)
        os.close(folder)
    return None


@contextlib.contextmanager
def folder_of(root: int, relative: str) -> Iterator[tuple[int, str]]:
    """The open folder in which a path lies, and the last name of it; raises OSError where a link is on the way."""
    *folders, name = relative.split("/")
    if any(part in ("", ".", "..") for part in (*folders, name)):
        raise FileNotFoundError(relative)
    descriptor = os.dup(root)
    try:
        for part in folders:
            inner = os.open(part, FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor, name
    finally:
        os.close(descriptor)


def within(root: int, directory: str, relative: str) -> str:
    """The path without links, those that stay in the open `directory` followed; raises OSError for those that leave it."""
    reached: list[str] = []
    ahead = deque(relative.split("/"))
    links = 0
    while ahead:
        part = ahead.popleft()
        if part in ("", "."):
            continue
        if part == "..":
            if not reached:
                raise FileNotFoundError(relative)
            reached.pop()
            continue
        target = _target(root, "/".join([*reached, part]))
        if target is None:
            reached.append(part)
            continue
        links += 1
        if target.startswith(f"{directory}/"):
            target, reached = target[len(directory) + 1 :], []
        if target.startswith("/") or links > MOST_LINKS:
            raise FileNotFoundError(relative)
        ahead.extendleft(reversed(target.split("/")))
    return "/".join(reached)


def _target(root: int, relative: str) -> str | None:
    """Where a link leads; None for what is none."""
    with folder_of(root, relative) as (folder, name):
        try:
            return os.readlink(name, dir_fd=folder)
        except FileNotFoundError:
            raise
        except OSError:
            return None


def remove_below(root: int) -> None:
    """Remove all that is in the open folder, however deep, as far as the system lets it.

    Folders of folders are taken up into the root first, so that nothing is deeper than two names.
    """
    number = 0
    with contextlib.suppress(OSError):
        while names := os.listdir(root):
            before = len(names)
            removed = 0
            for name in names:
                if _removed(root, name):
                    removed += 1
                    continue
                with contextlib.suppress(OSError):
                    folder = _opened_up(root, name)
                    try:
                        for inner in os.listdir(folder):  # noqa: PTH208
                            if not _removed(folder, inner):
                                number += 1
                                _open_up(folder, inner)
                                os.rename(
                                    inner, f".{number}.{os.getpid()}", src_dir_fd=folder, dst_dir_fd=root
                                )
                                removed += 1
                    finally:
                        os.close(folder)
                    os.rmdir(name, dir_fd=root)
                    removed += 1
            if not removed and len(os.listdir(root)) >= before:
                return


def _removed(folder: int, name: str) -> bool:
    """Whether it was no folder, or an empty one, and is gone."""
    for remove in (os.unlink, os.rmdir):
        with contextlib.suppress(OSError):
            remove(name, dir_fd=folder)
            return True
    return False


def _opened_up(folder: int, name: str) -> int:
    """The open folder, which its owner can read and write then."""
    _open_up(folder, name)
    descriptor = os.open(name, FOLDER, dir_fd=folder)
    os.fchmod(descriptor, 0o700)
    return descriptor


def _open_up(folder: int, name: str) -> None:
    """Let the owner into a folder; root needs no leave."""
    if os.geteuid() != 0:
        with contextlib.suppress(OSError):
            os.chmod(name, 0o700, dir_fd=folder)
