r"""From the bytes of an output to text with `\n` at every line end: UTF-8, UTF-16, UTF-32, else Latin-1 where it is.

b"\xef\xbb\xbfCd = 1\r\nstep 1\rstep 2"  ->  "Cd = 1\nstep 1\nstep 2"
"""

import codecs

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_PROBE = 64
_LONGEST_PENDING = 1 << 16


def encoding_of(start: bytes) -> "tuple[str, int]":
    """The encoding that the first bytes of a file tell, and the length of the mark that tells it."""
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name, len(mark)
    probe = start[:_PROBE]
    if len(probe) >= 4:
        even, odd = probe[0::2], probe[1::2]
        if 0 not in even and not any(odd[: len(even)]):
            return "utf-16-le", 0
        if 0 not in odd and not any(even[: len(odd)]):
            return "utf-16-be", 0
    return "utf-8", 0


class Decoder:
    """Decodes a file block by block; the first block holds the first 64 bytes if there are so many.

    A line that is not UTF-8 is read as Latin-1 (a degree sign in a header).
    """

    def __init__(self) -> None:
        self._is_begun = False
        self._wide = None  # type: codecs.IncrementalDecoder | None
        self._pending = b""
        self._carry = ""

    def text(self, block: bytes, is_last: bool) -> str:
        """The text of the next block."""
        if not self._is_begun:
            self._is_begun = True
            name, length = encoding_of(block)
            block = block[length:]
            if name != "utf-8":
                self._wide = codecs.getincrementaldecoder(name)("replace")
        text = self._utf8(block, is_last) if self._wide is None else self._wide.decode(block, is_last)
        text = self._carry + text
        self._carry = ""
        if text.endswith("\r") and not is_last:
            text, self._carry = text[:-1], "\r"
        return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text

    def _utf8(self, block: bytes, is_last: bool) -> str:
        block = self._pending + block
        try:
            text, length = codecs.utf_8_decode(block, "strict", is_last)
        except UnicodeDecodeError:
            lines = block.split(b"\n")
            tail = b"" if is_last or len(lines[-1]) > _LONGEST_PENDING else lines[-1]
            if tail:
                lines[-1] = b""
            self._pending = tail
            return "\n".join(map(_line, lines))
        self._pending = block[length:]
        return text


def _line(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")
