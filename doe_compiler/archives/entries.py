"""What the readers of tar and zip say of an archive: its entries in their order, or why there are none."""

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO

MOST_ENTRIES = 200_000
MOST_BYTES = 20 << 30
HARMLESS_BYTES = 64 << 20
MOST_EXPANSION = 250
LONGEST_HEADER = 1 << 20
CHUNK = 1 << 18

PACK_AGAIN = "pack it again; decompress: false leaves a file as it is"
PACK_INSIDE = "pack it again with relative paths, without links that leave it"


class ArchiveError(Exception):
    """The archive cannot be unpacked: why, and in `hint` what to do."""

    def __init__(self, message: str, hint: str = PACK_AGAIN) -> None:
        super().__init__(message)
        self.hint = hint


class UnsafeArchive(ArchiveError):
    """The archive would reach out of its folder or make what is no file."""

    def __init__(self, message: str) -> None:
        super().__init__(message, PACK_INSIDE)


Content = Callable[[], IO[bytes]]  # opens the bytes of an entry, once, while it is the current one


class Kind(enum.Enum):
    """What an entry makes."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    SAME_FILE = "hard link"
    SPECIAL = "special"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as the archive has it; folders in `name` are divided by `/`, `target` is a link's."""

    name: str
    kind: Kind
    size: int = 0
    is_executable: bool = False
    target: str = ""
    content: Content | None = field(default=None, compare=False)


class Budget:
    """How much an archive of a given packed size may still unfold to."""

    def __init__(self, packed: int) -> None:
        self._entries = 0
        self._bytes = 0
        self._most = min(MOST_BYTES, max(HARMLESS_BYTES, packed * MOST_EXPANSION))

    def take_entry(self) -> None:
        """One entry more; raises ArchiveError."""
        self._entries += 1
        if self._entries > MOST_ENTRIES:
            raise ArchiveError(f"it has more than {MOST_ENTRIES} entries")

    def take_bytes(self, count: int) -> None:
        """So many bytes more; raises ArchiveError."""
        self._bytes += count
        if self._bytes > self._most:
            raise ArchiveError(f"it unfolds to more than {self._most >> 20} MiB")


Take = Callable[[Entry], None]


def shown(name: str) -> str:
    """A name of an archive, bounded, for messages."""
    return repr(name if len(name) <= 80 else name[:80] + "…")
