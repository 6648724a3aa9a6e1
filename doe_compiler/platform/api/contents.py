"""The bytes of a file as a response, whole or the range that was asked for."""

import os
import re
from collections.abc import Iterator

from doe_compiler.kernel.wire import Request, Response
from doe_compiler.platform.api.answers import detail, not_found
from doe_compiler.platform.store.below import FILE
from doe_compiler.platform.store.blobs import blob_path
from doe_compiler.platform.store.records import DataFolder, Output, StoredFile

CHUNK = 1 << 18
RANGE = re.compile(r"\s*bytes\s*=\s*([0-9]{0,18})\s*-\s*([0-9]{0,18})\s*", re.ASCII | re.IGNORECASE)


def contents_response(request: Request, descriptor: int, name: str) -> Response:
    """The open file; a range that begins past the end is 416, one that ends past it is cut."""
    size = os.fstat(descriptor).st_size
    wanted = _range(request.headers.get("range", ""), size)
    if wanted is not None and wanted[0] >= wanted[1]:
        os.close(descriptor)
        raise detail(416, "Requested range not satisfiable.", (("content-range", f"bytes */{size}"),))
    start, end = wanted if wanted is not None else (0, size)
    headers: tuple[tuple[str, str], ...] = (
        ("content-type", "application/octet-stream"),
        ("content-length", str(end - start)),
        ("accept-ranges", "bytes"),
        ("content-disposition", _disposition(name)),
    )
    if wanted is not None:
        headers = (*headers, ("content-range", f"bytes {start}-{end - 1}/{size}"))
    if request.method == "HEAD":
        os.close(descriptor)
        return Response(200, headers)
    return Response(200 if wanted is None else 206, headers, FileBody(descriptor, start, end))


def contents_of(descriptor: int) -> Iterator[bytes]:
    """The bytes of an open file in pieces."""
    return iter(FileBody(descriptor, 0, os.fstat(descriptor).st_size))


def opened_upload(folder: DataFolder, file: StoredFile) -> int:
    """A descriptor of an upload's content; raises the 404."""
    try:
        return os.open(blob_path(folder.blobs, file.sha512), FILE)
    except OSError:
        raise not_found() from None


def opened_output(folder: DataFolder, output: Output) -> int:
    """A descriptor of a file that a run left; raises the 404 if it is none any more."""
    try:
        with folder.reached(output.job_id, output.run) as run:
            return run.opened(output.relative)
    except OSError:
        raise not_found() from None


class FileBody:
    """The bytes from `start` up to `end` of an open file, once; the file is closed after them."""

    def __init__(self, descriptor: int, start: int, end: int) -> None:
        self._file = os.fdopen(descriptor, "rb", buffering=0)
        self._start = start
        self._end = end

    def __iter__(self) -> Iterator[bytes]:
        with self._file as file:
            file.seek(self._start)
            left = self._end - self._start
            while left > 0:
                chunk = file.read(min(CHUNK, left))
                if not chunk:
                    return
                left -= len(chunk)
                yield chunk

    def close(self) -> None:
        """Close the file if nobody read it to the end."""
        self._file.close()

    def __del__(self) -> None:
        self._file.close()


def _range(header: str, size: int) -> tuple[int, int] | None:
    """The half-open range [start, end) that the header asks for; None if it asks for none that is known."""
    match = RANGE.fullmatch(header)
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        return max(0, size - int(match[2])), size
    start = int(match[1])
    end = int(match[2]) + 1 if match[2] else size
    return None if match[2] and end <= start else (start, min(end, size))


def _disposition(name: str) -> str:
    plain = "".join(
        char if char.isascii() and char.isprintable() and char not in '"\\' else "_" for char in name
    )
    return f'attachment; filename="{plain}"'
