"""study.yaml becomes a checked Spec, a Design and a Bundle; findings stop it where they arise."""

from collections.abc import Mapping
from pathlib import Path

from doe_compiler.bundle.pack import Bundle, bundled
from doe_compiler.design.build import build
from doe_compiler.design.design import Design
from doe_compiler.design.lowering import lowered_spec
from doe_compiler.kernel.errors import InvalidStudy
from doe_compiler.kernel.findings import Finding, has_errors, in_reading_order
from doe_compiler.plan.estimate import estimate
from doe_compiler.plan.limits import broken, need_of
from doe_compiler.spec.model import Limits, Sampling, Spec
from doe_compiler.spec.read import read_study


def checked_spec(path: Path) -> tuple[Spec, list[Finding]]:
    """The study and its warnings; raises InvalidStudy with all findings."""
    reading = read_study(path)
    if reading.spec is None:
        raise InvalidStudy(in_reading_order(reading.findings), reading.lines)
    spec, findings = lowered_spec(reading.spec)
    if has_errors(findings):
        raise InvalidStudy(in_reading_order([*reading.findings, *findings]), reading.lines)
    return spec, in_reading_order([*reading.findings, *findings])


def checked(path: Path) -> tuple[list[Finding], Mapping[str, list[str]]]:
    """All findings on a study, those of its design too if the rest is sound, and the lines that they point at."""
    reading = read_study(path)
    findings = list(reading.findings)
    spec = reading.spec
    if spec is not None:
        spec, told = lowered_spec(spec)
        findings += told
        spec = None if has_errors(told) else spec
    if spec is not None:
        design, told = build(spec) if spec.design.sampling is Sampling.COMPILER else (None, [])
        findings += told
        if not has_errors(told):
            findings += _beyond(spec, design)
    return in_reading_order(findings), reading.lines


def _beyond(spec: Spec, design: Design | None) -> list[Finding]:
    """What breaks the study's limits or a policy, as far as no platform is needed to know: prices are not."""
    if spec.limits == Limits() and not spec.policies:
        return []
    runs = None if design is None else design.n
    jobs = sum(1 for _ in bundled(spec, design).jobs())
    need = need_of(spec, runs, estimate(spec, runs or 0, jobs, {}))
    return broken(need, spec.limits, spec.policies, knows_prices=False)


def designed(spec: Spec) -> Design | None:
    """The table of runs, or None if the platform samples; raises InvalidStudy."""
    if spec.design.sampling is Sampling.PLATFORM:
        return None
    design, findings = build(spec)
    if has_errors(findings) or design is None:
        lines: Mapping[str, list[str]] = spec.lines or {}
        raise InvalidStudy(in_reading_order(findings), lines)
    return design


def compiled(path: Path) -> tuple[Bundle, list[Finding]]:
    """The whole way from a file to a bundle, and the warnings on it."""
    spec, warnings = checked_spec(path)
    bundle = bundled(spec, designed(spec))
    return bundle, [*warnings, *bundle.told()]
