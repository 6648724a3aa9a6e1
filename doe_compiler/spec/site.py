"""The configuration of a machine or site: YAML files of which the nearer wins, key by key."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from doe_compiler.kernel.findings import Finding
from doe_compiler.spec.nodes import plain
from doe_compiler.spec.report import Report
from doe_compiler.spec.shape import shape_misfits
from doe_compiler.spec.source import read_text, split_lines
from doe_compiler.spec.tree import read_tree


def read_site(files: Sequence[Path], report: Report) -> dict[str, object]:
    """What the files that exist say together, the nearest first; what is wrong with one is a finding."""
    found: dict[str, object] = {}
    for file in reversed(files):
        if file.is_file():
            found = _merged(found, _content(file, report))
    return found


def _content(file: Path, report: Report) -> Mapping[str, object]:
    shown = str(file)
    if not file.stat().st_size:
        return {}
    text = read_text(file, shown)
    if isinstance(text, Finding):
        report.findings.append(text)
        return {}
    report.lines[shown] = split_lines(text)
    if not any(line.strip() and not line.lstrip().startswith("#") for line in report.lines[shown]):
        return {}
    tree, findings = read_tree(text, shown)
    report.findings += findings
    if tree is None:
        return {}
    misfits = shape_misfits(tree, "config")
    report.findings += [misfit.finding for misfit in misfits]
    content = plain(tree)
    return content if isinstance(content, dict) and not misfits else {}


def _merged(far: Mapping[str, object], near: Mapping[str, object]) -> dict[str, object]:
    """Both, the second counts where both have a value; mappings are merged key by key."""
    merged = dict(far)
    for key, value in near.items():
        other = merged.get(key)
        if isinstance(value, Mapping) and isinstance(other, Mapping):
            merged[key] = _merged(other, value)
        else:
            merged[key] = value
    return merged
