"""Several designs of one study beside each other."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from doe_compiler.design.build import build
from doe_compiler.design.measure import Measures, measures
from doe_compiler.kernel.findings import has_errors
from doe_compiler.methods.catalogue import CHOOSABLE, METHODS
from doe_compiler.plan.estimate import Estimate, estimate
from doe_compiler.spec.model import DesignSpec, Spec

USUAL_RUNS = 64


@dataclass(frozen=True)
class Compared:
    """A method with what its design of the study is like and needs, or why there is none."""

    method: str
    stays: str
    measures: Measures | None = None
    needs: Estimate | None = None
    why_not: str = ""


def compared(spec: Spec) -> Iterator[Compared]:
    """Each method's design of a study, the study's own first; methods that pick freely pick as many runs as that has."""
    own, told = build(spec)
    runs = spec.design.runs or (own.n if not has_errors(told) and own.n else USUAL_RUNS)
    names = [spec.design.method, *(name for name in CHOOSABLE if name not in (spec.design.method, "table"))]
    for name in names:
        design = spec.design if name == spec.design.method else _with(spec.design, name, runs)
        yield _one(replace(spec, design=design), name)


def _with(design: DesignSpec, name: str, runs: int) -> DesignSpec:
    """The same design by another method, with what that takes of it."""
    method = METHODS[name]
    return replace(
        design,
        method=name,
        runs=runs if method.takes_runs else None,
        options={},
        table=None,
        parts=(),
        cross=design.cross if "cross" in method.options else (),
        constraints=design.constraints if "constraints" in method.options else (),
        correlation=design.correlation if "correlation" in method.options else None,
    )


def _one(spec: Spec, name: str) -> Compared:
    design, told = build(spec)
    stays = METHODS[name].stays
    if has_errors(told):
        return Compared(name, stays, why_not=told[0].message)
    return Compared(name, stays, measures(spec, design), estimate(spec, design.n, 1, {}))
