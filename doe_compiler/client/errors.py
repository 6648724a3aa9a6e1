"""What can go wrong between client and platform, and the platform's own words made readable."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import orjson

from doe_compiler.kernel.errors import DoeError, ExitCode

_DEEPEST = 32
_MOST_LINES = 40
_LONGEST_LINE = 400


class Refused(DoeError):
    """The platform understood the call and said no; nothing was changed.

    `status` is the HTTP status; `lines` are the platform's reasons, `field.path: message` each.
    """

    def __init__(self, message: str, *, status: int, lines: tuple[str, ...] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.lines = lines


class Changed(Refused):
    """What the call was made for is no longer so: a condition of it does not hold."""


class NotFound(Refused):
    """What was asked for does not exist, or not for this account."""


class Ambiguous(DoeError):
    """A write whose outcome is unknown: it may have happened. Look before writing again."""

    exit_code = ExitCode.TRY_AGAIN


class Garbled(DoeError):
    """The answer is not what the API promises."""


class TooLarge(DoeError):
    """The answer is larger than the caller is ready to hold."""


class Untrusted(DoeError):
    """The host does not prove that it is the one that was asked for."""


def printable(text: str) -> str:
    """The text in one line without control characters, cut to a length that can be shown."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 1] + "…"


def reasons(body: bytes, hidden: Callable[[str], str] = str) -> tuple[str, ...]:
    """The reasons in an error's body, a line each.

    `{"name":["Required."],"jobanalyses":[{"hardware":{"coresPerSlot":["Wrong."]}}]}` becomes
    `name: Required.` and `jobanalyses[0].hardware.coresPerSlot: Wrong.`; `{"detail":"Not found."}` becomes
    `Not found.`. A body that is not JSON gives no lines. `hidden` takes secrets out before a line is cut.
    """
    try:
        value = orjson.loads(body)
    except ValueError:
        return ()
    lines: list[str] = []
    for line in _flattened(value, "", 0):
        if len(lines) == _MOST_LINES:
            lines.append("…")
            break
        lines.append(printable(hidden(line)))
    return tuple(lines)


def _flattened(value: object, path: str, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        yield f"{path}: …"
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flattened(inner, _joined(path, str(key)), depth + 1)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for index, inner in enumerate(value):
            holds_fields = isinstance(inner, Mapping | list)
            yield from _flattened(inner, f"{path}[{index}]" if holds_fields else path, depth + 1)
    elif value is not None:
        yield f"{path}: {value}" if path else str(value)


def _joined(path: str, key: str) -> str:
    if key == "non_field_errors" or (key == "detail" and not path):
        return path
    return f"{path}.{key}" if path else key
