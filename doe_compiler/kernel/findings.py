"""A finding is a problem in the user's input: what is wrong, where, and what to do next."""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from unicodedata import east_asian_width


class Severity(enum.Enum):
    """Whether a finding stops the study (`error`) or is only told (`warning`)."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Place:
    """A range in one line of a file; line and column count from 1, `end_column` is exclusive."""

    file: str
    line: int
    column: int
    end_column: int | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Finding:
    """One problem: a stable code, a message about the user's own value, a hint, a place."""

    code: str
    message: str
    hint: str = ""
    place: Place | None = None
    severity: Severity = Severity.ERROR

    def as_json(self) -> dict[str, object]:
        """The finding as plain data, for `--json`."""
        place = self.place
        return {
            "code": self.code,
            "severity": self.severity.value,
            "message": self.message,
            "hint": self.hint,
            "file": place.file if place else None,
            "line": place.line if place else None,
            "column": place.column if place else None,
            "endColumn": place.end_column if place else None,
        }


def has_errors(findings: Iterable[Finding]) -> bool:
    """Whether one of the findings stops the study."""
    return any(finding.severity is Severity.ERROR for finding in findings)


def in_reading_order(findings: Iterable[Finding]) -> list[Finding]:
    """The findings without repeats, by file, line and column; those without a place come first."""
    return sorted(
        dict.fromkeys(findings),
        key=_reading_order,
    )


def _reading_order(finding: Finding) -> tuple[str, int, int, str, str]:
    place = finding.place or Place("", 0, 0)
    return (place.file, place.line, place.column, finding.code, finding.message)


def near_miss(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` was probably meant to be, by its spelling or as others call it; or None."""
    from doe_compiler.kernel.synonyms import MEANT, plain  # noqa: PLC0415 - only where something is wrong

    candidates = list(known)
    spelled = {plain(candidate): candidate for candidate in candidates}
    for meant in (plain(word), *map(plain, MEANT.get(plain(word), ()))):
        if meant in spelled:
            return spelled[meant]
    matches = get_close_matches(word, candidates, n=1, cutoff=0.6)
    return matches[0] if matches else None


def _width(text: str) -> int:
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


_LONGEST_SHOWN_LINE = 160


def rendered(finding: Finding, lines: Mapping[str, list[str]]) -> str:
    """The finding for a person: headline, the source line with a caret, the hint.

    `lines` gives a file's lines by the name that `place.file` uses; a file that is not in it is shown
    without its source line.
    """
    word = "" if finding.severity is Severity.ERROR else "warning: "
    if finding.place is None:
        text = f"{finding.code}  {word}{_printable(finding.message)}"
    else:
        text = f"{_printable(str(finding.place))}  {finding.code}  {word}{_printable(finding.message)}"
        text += _source_excerpt(finding.place, lines.get(finding.place.file, []))
    if finding.hint:
        text += f"\n  hint: {_printable(finding.hint)}"
    return text


def _printable(text: str) -> str:
    """The text without what would move the cursor or colour a terminal."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def _source_excerpt(place: Place, lines: list[str]) -> str:
    if not 1 <= place.line <= len(lines):
        return ""
    source = _printable(lines[place.line - 1].replace("\t", " "))
    start = max(place.column - 1, 0)
    length = max((place.end_column or place.column + 1) - place.column, 1)
    cut = max(0, start - _LONGEST_SHOWN_LINE // 2)
    shown = source[cut : cut + _LONGEST_SHOWN_LINE]
    before = _width(shown[: start - cut])
    carets = max(1, min(length, _width(shown[start - cut :]) or 1))
    number = f"{place.line:5d}"
    return f"\n{number} │ {shown}\n{' ' * 5} │ {' ' * before}{'^' * carets}"
