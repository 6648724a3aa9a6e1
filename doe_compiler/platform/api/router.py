"""From the path of a request to the operations of an address."""

import re
from collections.abc import Mapping

from doe_compiler.platform.api.answers import not_found
from doe_compiler.platform.api.endpoints.table import TABLE, Address, Operation

ID = re.compile(r"[A-Za-z0-9]{1,40}", re.ASCII)
VERSIONS = ("v2", "v3")
READING = ("GET", "HEAD", "OPTIONS")
REST = "**"


def found_address(path: str) -> tuple[str, Mapping[str, Operation], tuple[str, ...]]:
    """The version, the operations by method and the ids in the path; raises the 404."""
    segments = path.strip("/").split("/")
    if (
        len(segments) < 2
        or segments[0] != "api"
        or segments[1] not in VERSIONS
        or "//" in path
        or "\x00" in path
    ):
        raise not_found()
    words = tuple(segments[2:])
    if words in TABLE and "*" not in words:
        return segments[1], TABLE[words], ()
    for address in (_pattern(words), _pattern_with_rest(words)):
        if address in TABLE:
            ids = tuple(word for word, known in zip(words, address, strict=False) if known == "*")
            if all(ID.fullmatch(each) for each in ids):
                rest = ("/".join(words[len(address) - 1 :]),) if address[-1] == REST else ()
                return segments[1], TABLE[address], (*ids, *rest)
    raise not_found()


def _pattern(words: tuple[str, ...]) -> Address:
    return tuple("*" if place % 2 else word for place, word in enumerate(words))


def _pattern_with_rest(words: tuple[str, ...]) -> Address:
    return (*_pattern(words[:5]), REST)
