"""The directory and the log of a run while it runs: put back at its end, whatever the run has done to them."""

import contextlib
import os
import stat
from dataclasses import dataclass
from typing import Self

from doe_compiler.platform.execute.outputs import LOG

DESCRIPTORS = "/proc/self/fd"


@dataclass(frozen=True, slots=True)
class Workplace:
    """Open descriptors of a run's directory and log, which stay what they are when their names go elsewhere."""

    directory: str
    folder: int
    log: int

    @classmethod
    def opened(cls, directory: str) -> Self:
        """The workplace of a run that is about to begin; the log is made if it is not there."""
        folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
            return cls(directory, folder, os.open(LOG, flags, 0o644, dir_fd=folder))
        except OSError:
            os.close(folder)
            raise

    def tell(self, text: str) -> None:
        """Add a line of the platform to the log."""
        with contextlib.suppress(OSError):
            os.write(self.log, f"[platform] {text}\n".encode("utf-8", "replace"))

    def restore(self) -> None:
        """Put directory and log back where they were, as far as the disk lets it; the run has ended."""
        if self._log_is_there():
            return
        with contextlib.suppress(OSError):
            self._restore_directory()
            if not self._log_is_there():
                self._restore_log()

    def close(self) -> None:
        """Close the descriptors."""
        os.close(self.log)
        os.close(self.folder)

    def _log_is_there(self) -> bool:
        try:
            folder = os.lstat(self.directory)
            found = os.stat(f"{self.directory}/{LOG}", follow_symlinks=False)  # noqa: PTH116 (a thousand times a second)
        except OSError:
            return False
        return stat.S_ISDIR(folder.st_mode) and os.path.samestat(found, os.fstat(self.log))

    def _restore_directory(self) -> None:
        """Rename it back if it was moved, make it anew if it was removed."""
        with contextlib.suppress(FileNotFoundError):
            if stat.S_ISDIR(os.lstat(self.directory).st_mode):
                return
            os.unlink(self.directory)  # noqa: PTH108
        try:
            moved = os.readlink(f"{DESCRIPTORS}/{self.folder}")  # noqa: PTH115
            os.rename(moved, self.directory)  # noqa: PTH104
        except OSError:
            os.mkdir(self.directory)  # noqa: PTH102

    def _restore_log(self) -> None:
        """Copy what was printed; what the run has put in the log's place is kept beside it."""
        place = f"{self.directory}/{LOG}"
        os.fchmod(self.folder, stat.S_IMODE(os.fstat(self.folder).st_mode) | 0o700)
        if os.path.lexists(place):
            number = 1
            while os.path.lexists(f"{place}.{number}"):
                number += 1
            os.rename(place, f"{place}.{number}")  # noqa: PTH104
        target = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        try:
            os.lseek(self.log, 0, os.SEEK_SET)
            while chunk := os.read(self.log, 1 << 20):
                view = memoryview(chunk)
                while view:
                    view = view[os.write(target, view) :]
        finally:
            os.close(target)
