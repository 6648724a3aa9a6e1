"""The mark in a job's name: which study, recipe and rows a job holds, which try, and whose POST.

Lift and drag [doe2 airfoil2d 0123456789ab.64-89abcdef01234567.g0.65f3a1c09b1d44e2]
"""

import re
from dataclasses import dataclass

from doe_compiler.bundle.rows import RowSet

_MARK = re.compile(
    r"\[doe2 (?P<study>[a-z0-9][a-z0-9-]*) (?P<recipe>[0-9a-f]{12})"
    r"\.(?P<count>[0-9]{1,9}|p)-(?P<total>[0-9a-f]{16})\.g(?P<generation>[0-9]{1,6})\.(?P<nonce>[0-9a-f]{16})\]"
)
RECIPE_DIGITS = 12
_TITLE_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Mark:
    """What a job's name says: short recipe, rows (`unit` instead for a job that the platform samples)."""

    study: str
    recipe: str
    rows: RowSet | None
    unit: str | None
    generation: int
    nonce: str

    def __str__(self) -> str:
        rows = str(self.rows) if self.rows else f"p-{self.unit}"
        return f"[doe2 {self.study} {self.recipe}.{rows}.g{self.generation}.{self.nonce}]"


def nonce_of(server_time_s: float, chance: int) -> str:
    """The nonce of one POST: the platform's time in seconds since 1970, and 32 random bits."""
    return f"{int(server_time_s) & 0xFFFFFFFF:08x}{chance & 0xFFFFFFFF:08x}"


def nonce_time_s(nonce: str) -> int:
    """The platform's time that a nonce begins with, in seconds since 1970."""
    return int(nonce[:8], 16)


def marked_name(title: str, mark: Mark) -> str:
    """The name of a job: a title for people, cut to 60 characters, and the mark."""
    return f"{shown_title(title)} {mark}"


def shown_title(title: str) -> str:
    """A title as it stands in the names of jobs: in one line, without square brackets, cut."""
    shown = " ".join(title.replace("[", "(").replace("]", ")").split())
    return shown if len(shown) <= _TITLE_LENGTH else shown[: _TITLE_LENGTH - 1].rstrip() + "…"


def title_of(name: str) -> str:
    """A job's name without the mark."""
    return " ".join(_MARK.sub("", name).split())


def read_mark(name: str) -> Mark | None:
    """The mark in a job's name, or None if the job is not one of ours."""
    found = _MARK.search(name)
    if found is None:
        return None
    count, total = found["count"], found["total"]
    return Mark(
        study=found["study"],
        recipe=found["recipe"],
        rows=None if count == "p" else RowSet(int(count), int(total, 16)),
        unit=total if count == "p" else None,
        generation=int(found["generation"]),
        nonce=found["nonce"],
    )
