"""Receiving a file as multipart: streamed to disk while it is hashed, in bounded memory."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from doe_compiler.kernel.wire import Request
from doe_compiler.platform.api.answers import Refusal, detail, json_response
from doe_compiler.platform.api.dispositions import parameters
from doe_compiler.platform.store.blobs import Blob, BlobWriter, in_use

LONGEST_SMALL_PART = 4096
LONGEST_HEADERS = 16_384
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Upload:
    """Takes the parser's events: the part `file` goes to the blobs, a part `typeId` is remembered."""

    def __init__(self, blobs: Path, room: int | None = None) -> None:
        self._blobs = blobs
        self._room = room
        self._header_field = bytearray()
        self._header_value = bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._header_size = 0
        self._part = ""
        self._type_id = bytearray()
        self._writer: BlobWriter | None = None
        self.name: str | None = None
        self.ended = False

    def on_part_begin(self) -> None:
        """A part begins."""
        self._headers = {}
        self._header_size = 0
        self._part = ""

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        """A piece of a header's name."""
        self._header_field += data[start:end]
        self._bound_headers(end - start)

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        """A piece of a header's value."""
        self._header_value += data[start:end]
        self._bound_headers(end - start)

    def _bound_headers(self, length: int) -> None:
        self._header_size += length
        if self._header_size > LONGEST_HEADERS:
            raise MultipartParseError(f"the headers of a part are longer than {LONGEST_HEADERS} bytes")

    def on_header_end(self) -> None:
        """A header is complete."""
        self._headers[bytes(self._header_field).lower()] = bytes(self._header_value)
        self._header_field.clear()
        self._header_value.clear()

    def on_headers_finished(self) -> None:
        """The part's content follows."""
        said = parameters(self._headers.get(b"content-disposition", b""))
        self._part = said.get("name", "")
        if self._part == "file" and self._writer is None:
            self.name = safe_name(said.get("filename", ""))
            self._writer = BlobWriter(self._blobs)
        elif self._part == "file":
            self._part = "another file"

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        """A piece of the part's content."""
        if self._part == "file" and self._writer:
            self._take_room(end - start)
            self._writer.write(data[start:end])
        elif self._part == "typeId" and len(self._type_id) < LONGEST_SMALL_PART:
            self._type_id += data[start:end]

    def _take_room(self, size: int) -> None:
        if self._room is not None:
            self._room -= size
            if self._room < 0:
                raise detail(
                    507, "The quota of this server has no room for this file: delete files or jobs first."
                )

    def on_end(self) -> None:
        """The closing boundary was seen."""
        self.ended = True

    @property
    def type_id(self) -> int:
        """The type that was sent; 1, an input, when none was or it is no number."""
        text = bytes(self._type_id).strip()
        return int(text) if text.isdigit() and len(text) < 6 else 1

    def commit(self) -> Blob | None:
        """Keep the content; None if no file was sent."""
        return self._writer.commit() if self._writer else None

    def discard(self) -> None:
        """Drop what was received, unless it was kept."""
        if self._writer:
            self._writer.discard()


def safe_name(name: str) -> str | None:
    """The last part of the sent name, without control characters, at most 255 bytes; None if nothing is left."""
    last = CONTROL.sub("_", name.replace("\\", "/").rpartition("/")[2]).strip()
    while len(last.encode("utf-8", "replace")) > 255:
        last = last[:-1]
    return None if last in ("", ".", "..") else last


@contextmanager
def received_upload(
    request: Request, blobs: Path, room: int | None = None
) -> Iterator[tuple[str, int, Blob]]:
    """The name, type and content of the file in the request; raises Refusal for anything else.

    A file of more than `room` bytes is a 507, if that is given.
    """
    upload = Upload(blobs, room)
    try:
        _parse(request, upload)
        if not upload.ended:
            raise detail(400, "Multipart form parse error - the body ends before its closing boundary")
        if upload.name is None:
            raise _file_refused("The submitted data was not a file. Check the part's file name.", upload)
        with in_use(blobs):
            blob = upload.commit()
            assert blob is not None
            yield upload.name, upload.type_id, blob
    finally:
        upload.discard()


def _file_refused(message: str, upload: Upload) -> Refusal:
    return Refusal(json_response(400, {"file": [message if upload.commit() else "No file was submitted."]}))


def _parse(request: Request, upload: Upload) -> None:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data":
        shown = kind.decode("latin-1")[:80]
        raise detail(415, f'Unsupported media type "{shown}" in request.')
    boundary = options.get(b"boundary", b"")
    if not boundary or len(boundary) > 256:
        raise detail(400, "Multipart form parse error - Invalid boundary in multipart")
    names = (
        "on_part_begin", "on_header_field", "on_header_value", "on_header_end", "on_headers_finished",
        "on_part_data", "on_end",
    )  # fmt: skip
    parser = MultipartParser(boundary, {name: getattr(upload, name) for name in names})  # type: ignore[arg-type]  # a TypedDict
    try:
        for chunk in _pieces(request.body):
            parser.write(chunk)
        parser.finalize()
    except MultipartParseError as error:
        raise detail(400, f"Multipart form parse error - {error}") from None


def _pieces(body: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in body:
        for start in range(0, len(chunk), 1 << 20):
            yield chunk[start : start + (1 << 20)]
