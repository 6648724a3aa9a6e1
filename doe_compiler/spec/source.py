"""From a path to text: size, encoding and NUL bytes are checked before anything is parsed."""

import codecs
import os
import re
import stat
from pathlib import Path

from doe_compiler.kernel.findings import Finding, Place

LARGEST_STUDY = 8 * 1024 * 1024

_MARKS_OF_OTHERS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_LINE_END = re.compile("\r\n|[\r\n\x85\u2028\u2029]")


def split_lines(text: str) -> list[str]:
    """The lines as the YAML reader counts them."""
    return _LINE_END.split(text)


def read_bytes(path: Path, file: str, limit: int) -> bytes | Finding:
    """At most `limit` bytes of a regular file, or what is wrong with it."""
    try:
        # A FIFO must not block, so what it is comes before opening it.
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return Finding(
                "E001", f"'{file}' is a directory, not a file", "name the YAML file in it", Place(file, 1, 1)
            )
        if not stat.S_ISREG(mode):
            return Finding("E001", f"'{file}' is not a regular file", "", Place(file, 1, 1))
        with path.open("rb") as stream:
            content = stream.read(limit + 1)
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        return Finding("E001", f"cannot open '{file}': {reason}", "check the path", Place(file, 1, 1))
    if len(content) > limit:
        return Finding("E002", f"'{file}' is larger than {limit // 2**20} MiB", "", Place(file, 1, 1))
    return content


def decoded(content: bytes, file: str) -> str | Finding:
    """The text of UTF-8 bytes, without a byte order mark, or what is wrong with them."""
    for mark, name in _MARKS_OF_OTHERS:
        if content.startswith(mark):
            return Finding(
                "E003", f"the file is {name}, not UTF-8", "save it again as UTF-8", Place(file, 1, 1)
            )
    if 0 in content:
        place = _place_of_byte(content, content.index(0), file)
        return Finding(
            "E004",
            f"NUL byte at offset {content.index(0)}",
            "the file is binary or damaged, or not UTF-8",
            place,
        )
    try:
        return content.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        place = _place_of_byte(content, error.start, file)
        message = f"not UTF-8: byte 0x{content[error.start]:02X} at offset {error.start} (line {place.line})"
        return Finding("E003", message, "save the file as UTF-8", place)


def _place_of_byte(content: bytes, offset: int, file: str) -> Place:
    before = split_lines(content[:offset].removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace"))
    return Place(file, len(before), len(before[-1]) + 1)


def read_text(path: Path, file: str, limit: int = LARGEST_STUDY) -> str | Finding:
    """The text of a study's file, or the one finding that says why there is none."""
    content = read_bytes(path, file, limit)
    if isinstance(content, Finding):
        return content
    text = decoded(content, file)
    if isinstance(text, str) and not text.strip():
        return Finding(
            "E005", f"'{file}' is empty", "`doe init` writes a study to start from", Place(file, 1, 1)
        )
    return text
