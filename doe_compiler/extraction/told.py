"""The outcomes of a run as the variables that it prints: a line a value, and one that tells of the rest.

Cd = 0.25, Cl without a match  ->  Cd<TAB>0.25 and doe_reading<TAB>{"missing":{"nothing matches":["Cl"]},"told":{}}
"""

import json
from typing import Iterable, NamedTuple

from doe_compiler.extraction.reading import Outcome

READING_NAME = "doe_reading"
_MOST_TOLD = 1 << 16


class Told(NamedTuple):
    """What a run said of its reading, by response: why it has no value, and what is to be known of a value."""

    missing: "dict[str, str]"
    notes: "dict[str, str]"


def printed_variables(named: "Iterable[tuple[str, Outcome]]") -> "list[tuple[str, str]]":
    """Names and values to print; of what is told only as much as 64 KiB hold."""
    found = []  # type: list[tuple[str, str]]
    said = {"missing": {}, "told": {}}  # type: dict[str, dict[str, list[str]]]
    size = 0
    for name, outcome in named:
        if outcome.value is not None:
            found.append((name, outcome.value))
        text = " ".join(outcome.told.split())[:500]
        size += len(name) + 3
        if (text or outcome.value is None) and size < _MOST_TOLD:
            part = said["told" if outcome.value is not None else "missing"]
            if text not in part:
                size += len(text)
                part[text] = []
            part[text].append(name)
    if said["missing"] or said["told"]:
        found.append((READING_NAME, json.dumps(said, separators=(",", ":"))))
    return found


def printed_lines(named: "Iterable[tuple[str, Outcome]]") -> bytes:
    """The lines `name<TAB>value` that say so, in UTF-8."""
    return b"".join(
        ("%s\t%s\n" % pair).encode("utf-8", "replace")  # noqa: UP031 (one text, whatever it holds)
        for pair in printed_variables(named)
    )


def told_in(text: str) -> Told:
    """What the variable of that name says; nothing where it is not such a text."""
    try:
        said = json.loads(text)
        parts = [
            {str(name): str(reason) for reason, names in said[key].items() for name in names}
            for key in ("missing", "told")
        ]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Told({}, {})
    return Told(*parts)
