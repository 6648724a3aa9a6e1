"""Blocks of values, and lines that are not longer than a reader takes."""

import re
from collections.abc import Iterable

from doe_compiler.templates.jinja.fields import DoesNotFit

_WIDEST = 10_000


def vector(values: Iterable[object], columns: int = 6, separator: str = ", ", end: str = "") -> str:
    """Values one after another, `columns` a line; every line but the last closes with `end`."""
    if not 1 <= columns <= _WIDEST:
        raise ValueError(f"{columns} is no number of columns")
    texts = [_text(value) for value in values]
    lines = [separator.join(texts[start : start + columns]) for start in range(0, len(texts), columns)]
    return f"{end}\n".join(lines)


def matrix(rows: Iterable[Iterable[object]], separator: str = " ", end: str = "") -> str:
    """A line a row; every line but the last closes with `end`."""
    return f"{end}\n".join(separator.join(map(_text, row)) for row in rows)


def _text(value: object) -> str:
    if isinstance(value, str | int | float):
        return str(value)
    raise TypeError(f"{value!r} is neither a number nor a text")


_WORD = re.compile(r"[^\s,]*,|[^\s,]+")


def wrap(text: str, width: int = 72, indent: str = "") -> str:
    """Lines of at most `width` characters, broken at blanks and behind commas; those that go on begin with `indent`."""
    if not 1 <= width <= _WIDEST:
        raise ValueError(f"{width} is no width")
    return "\n".join(_wrapped(line, width, indent) for line in str(text).split("\n"))


def _wrapped(line: str, width: int, indent: str) -> str:
    if len(line) <= width:
        return line
    lines: list[str] = []
    now, at = "", 0
    for found in _WORD.finditer(line):
        gap, word = line[at : found.start()], found[0]
        at = found.end()
        if len(now) + len(gap) + len(word) <= width:
            now += gap + word
            continue
        if now.strip():
            lines.append(now)
        now = (indent if lines else "") + word
        if len(now) > width:
            raise DoesNotFit(word, f"a line of {width} characters")
    return "\n".join([*lines, now])
