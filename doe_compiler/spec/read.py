"""Reads a study: bytes, tree, shape, meaning, files, and at the end the Spec or the findings."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from doe_compiler.kernel.findings import Finding, has_errors, in_reading_order
from doe_compiler.methods.blocks import COLUMN as BLOCK
from doe_compiler.spec.analyses import read_analyses
from doe_compiler.spec.cases import with_cases, without_cases
from doe_compiler.spec.design import Surroundings, check_nominal_run, read_design
from doe_compiler.spec.files import Project, project_of
from doe_compiler.spec.find import find_studies
from doe_compiler.spec.job import read_job
from doe_compiler.spec.measured import check_response_files
from doe_compiler.spec.model import Analysis, DesignSpec, JobSpec, Response, Spec, Variable
from doe_compiler.spec.nodes import Fields, Items, Node
from doe_compiler.spec.policy import read_limits, read_policies
from doe_compiler.spec.report import Report
from doe_compiler.spec.responses import check_declared, read_responses
from doe_compiler.spec.shape import Path as NodePath
from doe_compiler.spec.shape import shape_misfits
from doe_compiler.spec.shell import with_shell_names
from doe_compiler.spec.source import read_text, split_lines
from doe_compiler.spec.tree import read_tree
from doe_compiler.spec.usage import check_placeholders, check_usage
from doe_compiler.spec.variables import check_formulas, foreign_texts, read_variables, textual_names

__all__ = ["Reading", "find_studies", "read_study"]


@dataclass(frozen=True)
class Reading:
    """The Spec, or None if one of the findings is an error; `lines` are source lines by file name."""

    spec: Spec | None
    findings: tuple[Finding, ...]
    lines: Mapping[str, list[str]]


def read_study(path: str | Path, *, root: Path | None = None) -> Reading:
    """The study in a file, with all findings of the first stage that has errors.

    Files that the study names must lie in `root`: by default the git work tree that holds the study, or
    else its folder.
    """
    file = str(path)
    report = Report()
    spec = _spec(Path(path), file, root, report)
    findings = tuple(in_reading_order(map(_with_end, report.findings)))
    return Reading(None if has_errors(findings) else spec, findings, report.lines)


def _with_end(finding: Finding) -> Finding:
    # Places are ordered by all of their numbers, so each has them all.
    place = finding.place
    if place is None or place.end_column is not None:
        return finding
    return replace(finding, place=replace(place, end_column=place.column + 1))


def _spec(path: Path, file: str, root: Path | None, report: Report) -> Spec | None:
    text = _text(path, file, report)
    if text is None:
        return None
    tree, findings = read_tree(text, file)
    report.findings += findings
    if tree is None:
        return None
    unsound = _unsound(tree, report)
    if not isinstance(tree, Fields):
        return None
    return _meaning(tree, unsound, file, project_of(path, root), report)


def _text(path: Path, file: str, report: Report) -> str | None:
    text = read_text(path, file)
    if isinstance(text, Finding):
        report.findings.append(text)
        return None
    report.lines[file] = split_lines(text)
    return text


@dataclass(frozen=True)
class _Unsound:
    """The paths of what does not fit the schema."""

    paths: frozenset[NodePath]

    def section(self, key: str) -> bool:
        return (key,) in {path[:1] for path in self.paths}

    def whole_section(self, key: str) -> bool:
        return (key,) in self.paths

    def entries(self, key: str) -> frozenset[str | int]:
        return frozenset(path[1] for path in self.paths if len(path) > 1 and path[0] == key)


def _unsound(tree: Node, report: Report) -> _Unsound:
    """Add the findings of the shape; a place that has a finding already keeps its one."""
    misfits = shape_misfits(tree)
    told = {finding.place for finding in report.findings}
    report.findings += [misfit.finding for misfit in misfits if misfit.finding.place not in told]
    return _Unsound(frozenset(misfit.path for misfit in misfits))


def _meaning(tree: Fields, unsound: _Unsound, file: str, project: Project, report: Report) -> Spec | None:
    """What a schema cannot say, on the sections and entries that fit it."""
    section = tree.fields("variables")
    known = frozenset() if section is None else frozenset(section.entries)
    variables = _variables(section, unsound, project, report)
    is_whole = len(variables) == len(known)
    if not unsound.section("job"):
        variables = with_cases(tree.fields("job"), variables, project, report)
        known |= {variable.name for variable in variables}
    around = Surroundings(variables, known, is_whole, project)
    design = _design(tree, unsound, around, report)
    if section is not None:
        check_formulas(section, variables, known, None if design is None else design.table, report)
    responses = _responses(tree, unsound, known, report)
    analyses = _analyses(tree, unsound, around, design, responses, report)
    if analyses is not None:
        check_declared(responses, analyses, report)
        check_response_files(responses, analyses, report)
    job = _job(tree, unsound, around, report)
    policies = read_policies(project, report)
    if has_errors(report.findings) or design is None or analyses is None:
        return None
    return Spec(
        study=tree.text("study"),
        file=file,
        variables=variables,
        design=design,
        analyses=analyses,
        seed=tree.integer("seed") or 0,
        description=tree.text("description"),
        responses=responses,
        job=job,
        limits=read_limits(tree.fields("limits") or _nothing(tree)),
        policies=policies,
        lines=report.lines,
    )


def _nothing(tree: Fields) -> Fields:
    return Fields({}, tree.place)


def _variables(
    section: Fields | None, unsound: _Unsound, project: Project, report: Report
) -> tuple[Variable, ...]:
    if section is None or unsound.whole_section("variables"):
        return ()
    return read_variables(section, frozenset(map(str, unsound.entries("variables"))), project, report)


def _design(tree: Fields, unsound: _Unsound, around: Surroundings, report: Report) -> DesignSpec | None:
    if unsound.section("design") or (not around.variables and around.known):
        return None
    return read_design(tree.fields("design") or _nothing(tree), around, report)


def _analyses(
    tree: Fields,
    unsound: _Unsound,
    around: Surroundings,
    design: DesignSpec | None,
    responses: tuple[Response, ...],
    report: Report,
) -> tuple[Analysis, ...] | None:
    section = tree.get("analyses")
    if not isinstance(section, Items) or unsound.whole_section("analyses"):
        return None
    before = len(report.findings)
    bad = frozenset(int(index) for index in unsound.entries("analyses"))
    analyses = read_analyses(section, bad, around.project, report)
    has_blocks = design is None or "blocks" in design.options
    known = around.known | {BLOCK} if has_blocks else around.known
    analyses = with_shell_names(analyses, section, responses, known, report)
    texts = textual_names(around.variables, None if design is None else design.table)
    foreign = foreign_texts(around.variables, None if design is None else design.table)
    check_placeholders(analyses, known, texts, foreign, report)
    if bad or has_errors(report.findings[before:]):
        return None if bad else analyses
    check_usage(analyses, around.variables, () if design is None else design.constraints, report)
    return analyses


def _responses(
    tree: Fields, unsound: _Unsound, known: frozenset[str], report: Report
) -> tuple[Response, ...]:
    section = tree.fields("responses")
    if section is None or unsound.whole_section("responses"):
        return ()
    return read_responses(section, frozenset(map(str, unsound.entries("responses"))), known, report)


def _job(tree: Fields, unsound: _Unsound, around: Surroundings, report: Report) -> JobSpec:
    section = tree.fields("job")
    if section is None or unsound.section("job"):
        return JobSpec()
    samples_there = (tree.fields("design") or _nothing(tree)).text("sampling") == "platform"
    job = read_job(section, around.project, report, samples_there=samples_there)
    if job.include_nominal_run:
        check_nominal_run(
            tree.fields("variables"),
            without_cases(around.variables),
            section.place_of("includeNominalRun"),
            report,
        )
    return job
