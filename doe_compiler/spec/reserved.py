"""The names in a run's directory that belong to `doe` and the platform."""

import re

from doe_compiler.kernel.findings import Place
from doe_compiler.spec.report import Report

_RESERVED = re.compile(
    r"doe_rendered(?:\.[a-z0-9_-]+)?\.tar|doe_(?:post|pre[0-9]*|variables[0-9]*)\.sh|doe_(?:texts(?:\.[a-z0-9_-]+)?|exit|timeout|filled)\.txt|process_output\.log",
    re.ASCII | re.IGNORECASE,
)


def is_reserved(path: str) -> bool:
    """Whether the file at the path of a run is one that `doe` or the platform makes."""
    return _RESERVED.fullmatch(path) is not None


def tell_reserved(path: str, told: str, place: Place, report: Report) -> None:
    """Add a finding if the path is reserved; `told` says what has it."""
    if is_reserved(path):
        message = f"{told} has the name of a file that doe or the platform makes in each run's directory"
        report.error("E321", message, place, "give it another name")
