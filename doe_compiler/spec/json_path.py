"""Paths into JSON such as `forces.drag[0]` and `["a key"].x`: names and indices."""

import re

_STEP = re.compile(
    r"""\[(?P<index>-?[0-9]{1,9})\]|\[(?P<quote>["'])(?P<quoted>.*?)(?P=quote)\]|(?P<name>[^.\[\]"'\s]+)"""
)


def json_path_steps(path: str) -> tuple[str | int, ...]:
    """The keys and indices of a path; raises ValueError with the reason and the offset.

    A leading `$.` or `$` is the root and may stand or not.
    """
    rest = path.removeprefix("$") if path.startswith(("$.", "$[")) else path
    start = len(path) - len(rest)
    steps: list[str | int] = []
    position = 0
    while position < len(rest):
        if (
            rest[position] == "."
            and (steps or start)
            and position + 1 < len(rest)
            and rest[position + 1] not in ".["
        ):
            position += 1
        elif steps and rest[position] != "[":
            raise ValueError(f"'.' or '[' is expected at {start + position + 1}")
        match = _STEP.match(rest, position)
        if match is None:
            raise ValueError(f"a name or an index is expected at {start + position + 1}")
        if match["index"] is not None:
            steps.append(int(match["index"]))
        else:
            steps.append(match["name"] if match["quote"] is None else match["quoted"])
        position = match.end()
    if not steps:
        raise ValueError("the path is empty")
    return tuple(steps)
