"""How a stage of the design says that it cannot go on: with the findings that a person acts on."""

from doe_compiler.kernel.findings import Finding, Place

MOST_SHOWN = 20


class DesignRefused(Exception):
    """The study cannot be made into a design; `findings` say why. Caught where the design is built."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__("; ".join(finding.message for finding in findings))
        self.findings = findings


def refused(code: str, message: str, place: Place | None, hint: str = "") -> DesignRefused:
    """One finding as a refusal."""
    return DesignRefused(Finding(code, message, hint, place))
