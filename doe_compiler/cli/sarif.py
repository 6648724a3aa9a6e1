"""Findings as SARIF 2.1.0, which code hosts show at the lines of a pull request.

Source: OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0.
"""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from doe_compiler import __version__
from doe_compiler.kernel.findings import Finding, Severity
from doe_compiler.plan.limits import CODES as LIMIT_CODES
from doe_compiler.spec.codes import CODES

_SENTENCES = {**CODES, **LIMIT_CODES}


def sarif(findings: Sequence[Finding], root: Path) -> dict[str, object]:
    """The document; files below `root` are told by their paths from there."""
    codes = sorted({finding.code for finding in findings})
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "doe",
                        "version": __version__,
                        "rules": [
                            {
                                "id": code,
                                "shortDescription": {"text": _SENTENCES.get(code, f"Finding {code}.")},
                            }
                            for code in codes
                        ],
                    }
                },
                "results": [_result(finding, codes, root) for finding in findings],
            }
        ],
    }


def _result(finding: Finding, codes: Sequence[str], root: Path) -> dict[str, object]:
    text = finding.message + (f" ({finding.hint})" if finding.hint else "")
    result: dict[str, object] = {
        "ruleId": finding.code,
        "ruleIndex": codes.index(finding.code),
        "level": "error" if finding.severity is Severity.ERROR else "warning",
        "message": {"text": text},
    }
    place = finding.place
    if place is None:
        return result
    region = {"startLine": place.line, "startColumn": place.column}
    if place.end_column is not None:
        region["endColumn"] = place.end_column
    location = {"artifactLocation": _artifact(place.file, root), "region": region}
    return {**result, "locations": [{"physicalLocation": location}]}


def _artifact(file: str, root: Path) -> dict[str, object]:
    path = Path(file).absolute()
    if path.is_relative_to(root):
        return {"uri": quote(path.relative_to(root).as_posix()), "uriBaseId": "%SRCROOT%"}
    return {"uri": path.as_uri()}
