"""Paths into JSON such as `forces['drag [N]'][-1]`: names, quoted keys and indices."""

import json
import re
from typing import Any

_STEP = re.compile(
    r"""\[(?P<index>-?[0-9]{1,9})\]"""
    r"""|\[(?P<quote>["'])(?P<quoted>(?:\\.|(?!(?P=quote))[^\\])*)(?P=quote)\]"""
    r"""|(?P<name>[^.\[\]"'\s]+)""",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def json_path_steps(path: str) -> "tuple[str | int, ...]":
    """The keys and indices of a path; raises ValueError with the reason and the offset.

    A leading `$.` or `$` is the root and may stand or not. Quoted keys have the escapes of JSON.
    """
    start = 1 if path.startswith(("$.", "$[")) else 0
    steps = []  # type: list[str | int]
    position = start
    while position < len(path):
        if (
            path[position] == "."
            and (steps or start)
            and path[position + 1 : position + 2] not in ("", ".", "[")
        ):
            position += 1
        elif steps and path[position] != "[":
            raise ValueError(f"'.' or '[' is expected at {position + 1}")
        match = _STEP.match(path, position)
        if match is None:
            raise ValueError(f"a name or an index is expected at {position + 1}")
        steps.append(_step(match))
        position = match.end()
    if not steps:
        raise ValueError("the path is empty")
    return tuple(steps)


def _step(match: "re.Match[str]") -> "str | int":
    if match.group("index") is not None:
        return int(match.group("index"))
    if match.group("quote") is None:
        return match.group("name")
    return _ESCAPE.sub(_unescaped, match.group("quoted"))


def _unescaped(match: "re.Match[str]") -> str:
    letter = match.group(1)
    return chr(int(letter[1:], 16)) if len(letter) > 1 else _ESCAPED.get(letter, letter)


def json_value(document: Any, steps: "tuple[str | int, ...]") -> Any:
    """What stands at the end of the steps; raises ValueError with the first step that leads nowhere."""
    for step in steps:
        if isinstance(step, str):
            leads = isinstance(document, dict) and step in document
        else:
            leads = isinstance(document, list) and -len(document) <= step < len(document)
        if not leads:
            raise ValueError(f"no {_shown(step)} in {_kind(document)} of the JSON")
        document = document[step]
    return document


def _shown(step: "str | int") -> str:
    return f"[{step}]" if isinstance(step, int) else json.dumps(step, ensure_ascii=False)


def _kind(document: object) -> str:
    if isinstance(document, dict):
        return f"an object with {len(document)} keys"
    if isinstance(document, list):
        return f"a list of {len(document)}"
    return "a single value"
