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

    Bytes that are not UTF-8 are read as Latin-1 (a degree sign in a header), each by itself.
    """

    def __init__(self) -> None:
        self._decoder = None  # type: codecs.IncrementalDecoder | None
        self._carry = ""

    def text(self, block: bytes, is_last: bool) -> str:
        """The text of the next block."""
        if self._decoder is None:
            name, length = encoding_of(block)
            block = block[length:]
            codecs.register_error("doe-latin", _latin)
            errors = "doe-latin" if name == "utf-8" else "replace"
            self._decoder = codecs.getincrementaldecoder(name)(errors)
        text = self._carry + self._decoder.decode(block, is_last)
        self._carry = ""
        if text.endswith("\r") and not is_last:
            text, self._carry = text[:-1], "\r"
        return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _latin(error: UnicodeError) -> "tuple[str, int]":
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end
