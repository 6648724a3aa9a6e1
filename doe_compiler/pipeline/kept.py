"""Where facts about jobs outlive a command: a file a platform and account, which may vanish at any time."""

import json
import os
from collections.abc import Iterator, MutableMapping
from pathlib import Path

from doe_compiler.kernel.canonical import digest


class _Kept(MutableMapping[str, str]):
    """A mapping whose new entries are appended to a file, a JSON pair a line."""

    def __init__(self, path: Path, *, reads_only: bool) -> None:
        self._path = path
        self._reads_only = reads_only
        self._entries: dict[str, str] = {}
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
        except OSError:
            lines = []
        for line in lines:
            try:
                name, value = json.loads(line)
            except (ValueError, TypeError):
                continue
            self._entries[str(name)] = str(value)

    def __getitem__(self, name: str) -> str:
        return self._entries[name]

    def __setitem__(self, name: str, value: str) -> None:
        self._entries[name] = value
        if self._reads_only:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                os.write(descriptor, (json.dumps([name, value]) + "\n").encode())
            finally:
                os.close(descriptor)
        except OSError:
            return

    def __delitem__(self, name: str) -> None:
        del self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


def kept_facts(
    folder: Path, host: str, account: str, *, reads_only: bool = False
) -> MutableMapping[str, str]:
    """The facts about one account's jobs on one host; a cache that cannot be written is none."""
    file = folder / f"{digest('doe1-account', [host, account])[:16]}.jsonl"
    return _Kept(file, reads_only=reads_only)
