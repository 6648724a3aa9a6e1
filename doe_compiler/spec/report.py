"""Collects the findings of one reading and the source lines that their excerpts need."""

from doe_compiler.kernel.findings import Finding, Place, Severity


class Report:
    """The findings so far, in any order; `lines` holds source lines by file name."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.lines: dict[str, list[str]] = {}

    def error(self, code: str, message: str, place: Place | None, hint: str = "") -> None:
        """Add a finding that stops the study."""
        self.findings.append(Finding(code, message, hint, place))

    def warning(self, code: str, message: str, place: Place | None, hint: str = "") -> None:
        """Add a finding that is only told."""
        self.findings.append(Finding(code, message, hint, place, Severity.WARNING))
