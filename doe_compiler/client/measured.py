"""A file on its way to the platform, measured while it is sent."""

import hashlib
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from doe_compiler.kernel.errors import DoeError, TryAgain


def opened(content: bytes | Path, name: str, stack: ExitStack) -> BinaryIO:
    """The content as an open file, closed with the stack."""
    if isinstance(content, bytes):
        return BytesIO(content)
    try:
        return stack.enter_context(content.open("rb"))
    except OSError as error:
        raise DoeError(f"{name} cannot be read for the upload: {error.strerror}") from None


class Measured:
    """A file that is measured while it is sent, and that must keep its length meanwhile."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name
        self._length = file.seek(0, 2)
        self.seek(0)

    @property
    def md5(self) -> str:
        """The MD5 of what was sent, in hex."""
        return self._md5.hexdigest()

    def tell(self) -> int:
        """How far it was read."""
        return self._file.tell()

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place; going back to the start measures anew."""
        if whence == 0 and offset == 0:
            self._md5 = hashlib.md5(usedforsecurity=False)
            self.size = 0
        return self._length if whence == 2 else self._file.seek(offset, whence)

    def read(self, size: int = -1) -> bytes:
        """The next bytes; raises TryAgain if the file has another length than before."""
        try:
            chunk = self._file.read(size)
        except OSError as error:
            raise DoeError(f"{self._name} cannot be read for the upload: {error.strerror}") from None
        self.size += len(chunk)
        self._md5.update(chunk)
        if self.size > self._length or (not chunk and self.size != self._length):
            raise TryAgain(f"{self._name} changed while it was uploaded")
        return chunk
