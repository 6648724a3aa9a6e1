"""The policies of a team: every `doe-policy.yaml` from a study's folder up to the root of its project."""

import os
from pathlib import Path

from doe_compiler.kernel.findings import Finding, Place
from doe_compiler.spec.files import Project, project_of
from doe_compiler.spec.model import Limits, Policy
from doe_compiler.spec.nodes import Fields, Scalar
from doe_compiler.spec.report import Report
from doe_compiler.spec.shape import shape_misfits
from doe_compiler.spec.source import read_text, split_lines
from doe_compiler.spec.tree import read_tree

FILE = "doe-policy.yaml"


def policies_of(study: Path, report: Report) -> tuple[Policy, ...]:
    """The policies that hold for a study's file, the nearest first; what is wrong with one is a finding."""
    return read_policies(project_of(study, None), report)


def read_policies(project: Project, report: Report) -> tuple[Policy, ...]:
    """The policies that hold in a project's folder, the nearest first; what is wrong with one is a finding."""
    real = Path(os.path.realpath(project.folder))
    folders = [folder for folder in (real, *real.parents) if folder.is_relative_to(project.root)]
    found = []
    for folder in folders:
        path = folder / FILE
        if path.is_file():
            shown = os.path.normpath(project.folder / os.path.relpath(path, real))
            policy = _policy(path, shown, report)
            found += [] if policy is None else [policy]
    return tuple(found)


def _policy(path: Path, shown: str, report: Report) -> Policy | None:
    text = read_text(path, shown)
    if isinstance(text, Finding):
        report.findings.append(text)
        return None
    report.lines[shown] = split_lines(text)
    tree, findings = read_tree(text, shown)
    report.findings += findings
    if tree is None:
        return None
    misfits = shape_misfits(tree, "policy")
    report.findings += [misfit.finding for misfit in misfits]
    if misfits or not isinstance(tree, Fields):
        return None
    allow, require = (tree.fields(key) or Fields({}, tree.place) for key in ("allow", "require"))
    limits = tree.fields("limits")
    return Policy(
        None if limits is None else read_limits(limits),
        _patterns(allow, "coreTypes"),
        _patterns(allow, "analyses"),
        _patterns(require, "tags") or (),
    )


def read_limits(section: Fields) -> Limits:
    """The limits of a section that fits the schema."""
    return Limits(section.integer("runs"), section.real("coreHours"), section.real("cost"), section.place)


def _patterns(section: Fields, key: str) -> tuple[tuple[str, Place], ...] | None:
    """The entries of a list with their places; None if there is no list."""
    if section.get(key) is None:
        return None
    return tuple((item.text, item.place) for item in section.items(key) if isinstance(item, Scalar))
