"""The files of runs, written to a folder or shown, and again as their templates are edited."""

import difflib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from doe_compiler.bundle.rendering import decks, rendered_runs
from doe_compiler.design.design import Design
from doe_compiler.pipeline.folders import replaced
from doe_compiler.spec.model import Spec

_LIST = ".doe-rendered"
_SECONDS_BETWEEN_LOOKS = 0.2
_MOST_WATCHED = 5_000


def contents(spec: Spec, design: Design, number: int) -> list[tuple[str, bytes]]:
    """The files of one run, by its number from 1: path and content."""
    (found,) = rendered_runs(spec, design, number - 1, number)
    return [(deck.target, content) for deck, content in zip(decks(spec), found, strict=True)]


def differences(spec: Spec, design: Design, number: int, other: int) -> Iterator[str]:
    """The files of two runs side by side, as a unified diff, line by line."""
    before, after = contents(spec, design, number), contents(spec, design, other)
    for (target, left), (_, right) in zip(before, after, strict=True):
        lines = difflib.unified_diff(
            left.decode(errors="replace").splitlines(),
            right.decode(errors="replace").splitlines(),
            f"run{number}/{target}",
            f"run{other}/{target}",
            lineterm="",
        )
        yield from lines


def write_runs(spec: Spec, design: Design, folder: Path, numbers: Sequence[int] | None) -> int:
    """Write the files of all runs to `folder/run1`, …, or those of one to the folder itself; how many files.

    The folder is new, empty, or holds an older rendering, which is replaced.
    """
    return replaced(
        folder, _listed, "rendered ones", lambda half_made: _fill(spec, design, half_made, numbers)
    )


def _listed(folder: Path) -> frozenset[str]:
    """The files of an older rendering."""
    listed = folder / _LIST
    return (
        frozenset({_LIST, *listed.read_text(encoding="utf-8").split("\n")})
        if listed.is_file()
        else frozenset()
    )


def _fill(spec: Spec, design: Design, folder: Path, numbers: Sequence[int] | None) -> int:
    files = decks(spec)
    root = str(folder)
    written: list[str] = []
    chosen = range(1, design.n + 1) if numbers is None else numbers
    runs = (
        zip(chosen, rendered_runs(spec, design, 0, design.n), strict=True)
        if numbers is None
        else ((number, run) for number in chosen for run in rendered_runs(spec, design, number - 1, number))
    )
    parents = {deck.target.rpartition("/")[0] for deck in files}
    for number, run in runs:
        before = f"run{number}/" if numbers is None else ""
        for parent in parents:
            os.makedirs(f"{root}/{before}{parent}", exist_ok=True)  # noqa: PTH103 - a Path a run costs more than the folder
        for deck, content in zip(files, run, strict=True):
            path = f"{before}{deck.target}"
            _write(f"{root}/{path}", content, 0o777 if deck.is_executable else 0o666)
            written.append(path)
    (folder / _LIST).write_text("\n".join(written), encoding="utf-8")
    return len(written)


def _write(path: str, content: bytes, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(handle, view) :]
    finally:
        os.close(handle)


def edits(folder: Path, apart: Path | None) -> Iterator[None]:
    """Yields each time a file below the folder has changed since this call; `apart` and what is hidden do not count."""
    return _changes(folder, apart, _state(folder, apart))


def _changes(folder: Path, apart: Path | None, before: dict[str, tuple[int, int]]) -> Iterator[None]:
    while True:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
        now = _state(folder, apart)
        if now != before:
            before = now
            yield None


def _state(folder: Path, apart: Path | None) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    own = None if apart is None else os.path.realpath(apart)
    for parent, folders, files in os.walk(folder):
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".") and os.path.realpath(Path(parent, name)) != own
        ]
        for name in files:
            path = Path(parent, name)
            try:
                status = path.stat()
            except OSError:
                continue
            found[str(path)] = (status.st_mtime_ns, status.st_size)
            if len(found) > _MOST_WATCHED:
                return found
    return found
