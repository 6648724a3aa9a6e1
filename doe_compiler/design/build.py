"""Makes the Design of a Spec: points by the method, then rows, then the columns that follow from them.

    x: Uniform 0..1, y: x*2, runs: 2   ->   x,y
                                            0.25,0.5
                                            0.75,1.5

The stages are the lines of `_built`.
"""

from doe_compiler.design.bounds import require_possible, require_sendable, require_within_bounds
from doe_compiler.design.cases import case_count, crossed_with_cases, without_cases
from doe_compiler.design.columns import Column, constant_column
from doe_compiler.design.derived import completed, require_finite
from doe_compiler.design.design import Design
from doe_compiler.design.lowering import derived_columns
from doe_compiler.design.points import chosen_points, point_count
from doe_compiler.design.refusal import MOST_SHOWN, DesignRefused, refused
from doe_compiler.design.rows import (
    added_columns,
    randomized,
    replicated,
    told_of_constant,
    told_of_nominal,
    with_nominal,
)
from doe_compiler.expressions.parser import CONSTANTS, mentioned
from doe_compiler.kernel.findings import Finding, has_errors, near_miss
from doe_compiler.methods.blocks import COLUMN as BLOCK
from doe_compiler.methods.catalogue import METHODS
from doe_compiler.methods.options import MOST_RUNS
from doe_compiler.spec.model import Formula, Spec


def build(spec: Spec) -> tuple[Design, list[Finding]]:
    """The Design of a study and what there is to say of it.

    With an error among the findings the Design is empty. The same study gives the same cells on every
    machine; `sampling: platform` is not built here.
    """
    try:
        return _built(spec)
    except DesignRefused as refusal:
        return Design(spec.study, (), (), spec.design.method), list(refusal.findings)


def _built(spec: Spec) -> tuple[Design, list[Finding]]:
    _require_method(without_cases(spec))
    _require_clear_names(spec)
    _require_few_runs(spec)
    own = without_cases(spec)
    points, told = chosen_points(own)
    n = _length(points)
    if any(METHODS[part.method].reaches_beyond for part in (spec.design, *spec.design.parts)):
        require_possible(own, points)
    else:
        require_within_bounds(own, points)
    told = [*told, *told_of_constant(own, points, n)]
    points, n = crossed_with_cases(spec, points, n)
    rows, replicates = replicated(points, n, spec.design.replicates)
    n *= spec.design.replicates
    if spec.design.is_randomized:
        rows, replicates = randomized(spec, rows, replicates)
    if spec.job.include_nominal_run:
        rows = with_nominal(spec, rows)
        n += 1
        told = [*told, *told_of_nominal(spec, rows, n)]
    columns = completed(spec, rows, n)
    require_finite(spec, columns)
    in_file_order = [columns[variable.name] for variable in spec.variables]
    require_sendable(spec, in_file_order)
    added, told_of_added = added_columns(spec, rows, replicates, n)
    added = [*(column for name, column in rows.items() if name == BLOCK), *added]
    known = {column.name: column for column in (*in_file_order, *added)}
    derived, told_of_templates = derived_columns(spec, known, n)
    if has_errors(told_of_templates):
        raise DesignRefused(*told_of_templates[:MOST_SHOWN])
    everything = (*in_file_order, *added, *derived)
    varied = (*(variable.name for variable in spec.varied), *(name for name in rows if name == BLOCK))
    return Design(spec.study, everything, varied, spec.design.method, spec.job.include_nominal_run, n), [
        *told,
        *told_of_added,
    ]


def _length(points: dict[str, Column]) -> int:
    """The number of points; a study in which nothing varies has one."""
    return len(next(iter(points.values()), constant_column("", "", 1)))


def _require_method(spec: Spec) -> None:
    if not spec.variables and spec.design.method != "full-factorial":
        message = f"the study has no variables, so method {spec.design.method} has nothing to choose"
        raise refused("E560", message, spec.design.place, "remove it, or add a variable")
    if not spec.varied and spec.design.method != "full-factorial":
        message = f"nothing varies, so method {spec.design.method} has nothing to choose"
        raise refused("E565", message, spec.design.place, "give a variable a generator or levels")
    if spec.design.method not in METHODS:
        known = near_miss(spec.design.method, METHODS)
        raise refused(
            "E561",
            f"there is no method '{spec.design.method}'",
            spec.design.place,
            f"did you mean {known}?" if known else f"known are {', '.join(METHODS)}",
        )


def _require_clear_names(spec: Spec) -> None:
    """A variable named `pi` or `e` would be read as the constant."""
    read = frozenset().union(
        *(
            mentioned(variable.law.expression)
            for variable in spec.variables
            if isinstance(variable.law, Formula)
        ),
        *(mentioned(constraint.expression) for constraint in spec.design.constraints),
    )
    findings = [
        Finding(
            "E562",
            f"'{variable.name}' is a constant in expressions and a variable of this study",
            "rename the variable",
            variable.place,
        )
        for variable in spec.variables
        if variable.name in CONSTANTS & read
    ]
    if findings:
        raise DesignRefused(*findings)


def _require_few_runs(spec: Spec) -> None:
    total = (
        point_count(without_cases(spec)) * case_count(spec) * spec.design.replicates
        + spec.job.include_nominal_run
    )
    if total > MOST_RUNS:
        message = f"the design has {total:,} runs, more than {MOST_RUNS:,}"
        raise refused("E563", message, spec.design.place, "use fewer levels, or another method")
