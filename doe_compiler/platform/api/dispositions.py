"""The parameters of a part's Content-Disposition, as the clients of today and of yesterday write them."""

import re
from urllib.parse import unquote_to_bytes

PARAMETER = re.compile(
    r""";[\s;]* (?P<key>[^\s=;"]+) \s*=\s* (?: "(?P<quoted>(?:\\.|[^"\\])*)" | (?P<plain>[^;]*) )""",
    re.VERBOSE | re.DOTALL,
)
ESCAPED = re.compile(r'\\([\\"])')
BROWSERS_ESCAPES = re.compile("%(22|0[AaDd])")
EXTENDED = re.compile(r"(?P<charset>[\w.:-]+)'[\w-]*'(?P<text>.*)", re.DOTALL)
CHARSETS = {"utf-8": "utf-8", "utf8": "utf-8", "iso-8859-1": "latin-1", "us-ascii": "ascii"}


def parameters(header: bytes) -> dict[str, str]:
    """Its parameters by their names in small letters, `filename*` under `filename`.

    `filename*` (RFC 8187), if it can be read, goes before `filename`, whichever comes first. In `filename` a quote
    may be written as a backslash and a quote, or as `%22`, as browsers do.

    >>> parameters(b"form-data; name=file; filename*=utf-8''gr%C3%B6%C3%9Fe.dat")
    {'name': 'file', 'filename': 'größe.dat'}
    """
    found: dict[str, str] = {}
    extended: dict[str, str] = {}
    for match in PARAMETER.finditer(_text(header)):
        key = match["key"].lower()
        written = match["plain"].strip() if match["quoted"] is None else ESCAPED.sub(r"\1", match["quoted"])
        if key.endswith("*"):
            meant = _extended(written)
            if meant is not None:
                extended.setdefault(key[:-1], meant)
        else:
            unescaped = BROWSERS_ESCAPES.sub(lambda escape: chr(int(escape[1], 16)), written)
            found.setdefault(key, unescaped if key == "filename" else written)
    return {**found, **extended}


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _extended(written: str) -> str | None:
    """`charset'language'percent-encoded` as text; None if it is not that."""
    match = EXTENDED.fullmatch(written)
    charset = CHARSETS.get(match["charset"].lower()) if match else None
    if match is None or charset is None:
        return None
    try:
        return unquote_to_bytes(match["text"]).decode(charset)
    except UnicodeDecodeError:
        return None
