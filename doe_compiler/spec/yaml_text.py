"""Plain data as the YAML that studies are written in: what is text stays text, comments stand above their keys.

`{"x": {"min": 1, "max": 2}}` with the comment `("x",): ["of the inlet"]` gives

    # of the inlet
    x: {min: 1, max: 2}
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from doe_compiler.kernel.canonical import number_text
from doe_compiler.spec.scalars import meaning

Path = tuple[str | int, ...]
Comments = Mapping[Path, Sequence[str]]

_LONGEST_FLOW = 110
_LONGEST_COMMENT = 110
_PLAIN = re.compile(r"[A-Za-z_./][A-Za-z0-9_./+@%=-]*( [A-Za-z0-9_./+@%=-]+)*")
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
# Words that readers of YAML 1.1 do not take as text.
_OLD_WORDS = frozenset({"yes", "no", "on", "off", "true", "false", "null"})
_NOT_IN_A_BLOCK = re.compile(r"[^\n\t -~\u00a0-\ud7ff\ue000-\ufdff\U00010000-\U0010ffff]|[\u2028\u2029]")


def yaml_text(document: Mapping[str, object], comments: Comments) -> str:
    """The document as YAML 1.2, in UTF-8 lines that end with LF.

    Values are texts, finite numbers, booleans, None, lists and mappings with texts as keys. A comment stands
    above the key or list item of its path; `()` is the head of the file.
    """
    lines = [*_comment_lines(comments.get((), ()), "")]
    for key in document:
        if lines and not _is_scalar(document[key]):
            lines.append("")
        lines += _entry(_key(key), document[key], (key,), comments, "")
    return "\n".join(lines) + "\n"


def _entry(head: str, value: object, path: Path, comments: Comments, indent: str) -> Iterator[str]:
    """The lines of `head: value`."""
    yield from _comment_lines(comments.get(path, ()), indent)
    yield from _valued(f"{indent}{head}:", value, path, comments, indent)


def _valued(start: str, value: object, path: Path, comments: Comments, indent: str) -> Iterator[str]:
    short = None if _has_comments_inside(path, comments) else _flow(value)
    is_section = len(path) == 1 and isinstance(value, Mapping) and any(map(_is_mapping, value.values()))
    is_short = short is not None and not is_section and len(start) + 1 + len(short) <= _LONGEST_FLOW
    if short is not None and (is_short or _is_scalar(value)) and not _wants_block(value):
        yield f"{start} {short}"
    elif isinstance(value, str):
        yield f"{start} |{'' if value.endswith(chr(10)) else '-'}"
        inner = f"{indent}  "
        yield from (f"{inner}{line}" if line else "" for line in value.removesuffix("\n").split("\n"))
    elif isinstance(value, Mapping) and value:
        yield start
        for key, inner_value in value.items():
            yield from _entry(_key(str(key)), inner_value, (*path, key), comments, f"{indent}  ")
    elif isinstance(value, list | tuple) and value:
        yield start
        for index, item in enumerate(value):
            yield from _item(item, (*path, index), comments, f"{indent}  ")
    else:
        yield f"{start} {'{}' if isinstance(value, Mapping) else '[]'}"


def _item(value: object, path: Path, comments: Comments, indent: str) -> Iterator[str]:
    yield from _comment_lines(comments.get(path, ()), indent)
    if isinstance(value, Mapping) and value and (_flow_of(value, path, comments, indent) is None):
        inner = f"{indent}  "
        lines = [
            line
            for key, inner_value in value.items()
            for line in _entry(_key(str(key)), inner_value, (*path, key), comments, inner)
        ]
        # The dash takes the place of the indent of the first key; comments above it come first.
        first = next(number for number, line in enumerate(lines) if not line.lstrip().startswith("#"))
        yield from lines[:first]
        yield f"{indent}- {lines[first][len(inner) :]}"
        yield from lines[first + 1 :]
    else:
        yield from _valued(f"{indent}-", value, path, comments, indent)


def _flow_of(value: object, path: Path, comments: Comments, indent: str) -> str | None:
    if _has_comments_inside(path, comments):
        return None
    text = _flow(value)
    return text if text is not None and len(indent) + 2 + len(text) <= _LONGEST_FLOW else None


def _has_comments_inside(path: Path, comments: Comments) -> bool:
    return any(len(other) > len(path) and other[: len(path)] == path for other in comments)


def _flow(value: object) -> str | None:
    """The value in one line; None if that would be hard to read."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        if any(_wants_block(inner) for inner in value.values()):
            return None
        parts = [(key, _flow(inner)) for key, inner in value.items()]
        if any(text is None for _, text in parts):
            return None
        return "{" + ", ".join(f"{_key(str(key))}: {text}" for key, text in parts) + "}"
    if isinstance(value, list | tuple):
        if any(_wants_block(inner) for inner in value):
            return None
        items = [_flow(inner) for inner in value]
        return None if None in items else "[" + ", ".join(str(item) for item in items) + "]"
    return _scalar(value)


def _is_mapping(value: object) -> bool:
    return isinstance(value, Mapping)


def _is_scalar(value: object) -> bool:
    return isinstance(value, str) or not isinstance(value, Mapping | list | tuple)


def _scalar(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case float():
            return number_text(value)
        case int():
            return str(value)
        case _:
            raise TypeError(f"{type(value).__name__} has no place in YAML")


def _wants_block(value: object) -> bool:
    """Whether a text is shown best, and whole, as a block of lines."""
    return (
        isinstance(value, str)
        and "\n" in value.rstrip("\n")
        and value[0] not in " \t\n"
        and not value.endswith("\n\n")
        and all(line.strip() for line in value.removesuffix("\n").split("\n")[-1:])
        and _NOT_IN_A_BLOCK.search(value) is None
    )


def _key(text: str) -> str:
    return text if _PLAIN_KEY.fullmatch(text) and text.lower() not in _OLD_WORDS else _quoted(text)


def _text(text: str) -> str:
    is_plain = (
        _PLAIN.fullmatch(text) is not None
        and text.lower() not in _OLD_WORDS
        and meaning(text).value == text
        and not meaning(text).problem
        and not text.startswith("...")
    )
    return text if is_plain else _quoted(text)


def _quoted(text: str) -> str:
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(char: str) -> str:
    named = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(char)
    if named is not None:
        return named
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


def _comment_lines(comments: Sequence[str], indent: str) -> Iterator[str]:
    for comment in comments:
        words = "".join(char if char.isprintable() else " " for char in comment).split()
        line = f"{indent}#"
        for word in words:
            if len(line) + 1 + len(word) > _LONGEST_COMMENT and line.strip() != "#":
                yield line
                line = f"{indent}#"
            line += f" {word}"
        yield line
