"""The methods: each makes the rows of the varied variables, before replicates and the nominal run."""

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from doe_compiler.design.cell_text import column_at, enumerates, labels_of, level_count
from doe_compiler.design.columns import CodedColumn, Column, joined
from doe_compiler.design.derived import satisfied
from doe_compiler.design.refusal import refused
from doe_compiler.design.table import table_points
from doe_compiler.generators.catalogue import drawn_of
from doe_compiler.generators.streams import Stream, balanced, strata
from doe_compiler.kernel.findings import Finding, Severity
from doe_compiler.spec.domains import holds_text
from doe_compiler.spec.model import Levels, Spec, Variable

Points = dict[str, Column]

MOST_RUNS = 10_000_000
_MOST_CANDIDATES = 50_000_000
_LEAST_ACCEPTED = 10_000  # of this many candidates at least one must satisfy the constraints
_TOLD_BELOW = 0.05
_BLOCK_ROWS = 65_536


def full_factorial(spec: Spec) -> tuple[Points, list[Finding]]:
    """Every combination of the levels, the first variable varies slowest; constraints leave rows out."""
    for variable in spec.varied:
        if not enumerates(variable):
            raise refused(
                "E520",
                f"'{variable.name}' has no list of values that a full-factorial design could cross",
                variable.place,
                "give it levels, Linspace or FixedRange, or use method: monte-carlo",
            )
    total = math.prod(level_count(variable) for variable in spec.varied)
    points = _crossed(spec.varied, np.arange(total, dtype=np.int64))
    if not spec.design.constraints:
        return points, []
    kept = np.concatenate(
        [
            start + np.flatnonzero(satisfied(spec, *_rows(points, start, min(start + _BLOCK_ROWS, total))))
            for start in range(0, total, _BLOCK_ROWS)
        ]
    )
    if not len(kept):
        raise refused(
            "E521",
            f"the constraints leave none of the {total:,} combinations",
            spec.design.constraints[0].place,
            "relax a constraint, or add levels",
        )
    return {name: column.take(kept) for name, column in points.items()}, []


def monte_carlo(spec: Spec) -> tuple[Points, list[Finding]]:
    """Independent points; n runs are the first n of n + m.

    With constraints the candidates of the same streams are scanned in order, and a point is kept when it
    satisfies them in all of its crossed cells.
    """
    sampled, crossed = _divided(spec)
    streams = {v.name: Stream(spec.seed, spec.study, v.name, "monte-carlo") for v in sampled}
    cells = math.prod(level_count(variable) for variable in crossed)
    if not spec.design.constraints:
        return _with_cells(_drawn(sampled, streams, _runs(spec)), crossed, _runs(spec)), []
    block = max(_BLOCK_ROWS // cells, 1)
    kept: list[Points] = []
    accepted = scanned = 0
    while accepted < _runs(spec):
        _require_acceptance(spec, accepted, scanned)
        points = _with_cells(_drawn(sampled, streams, block), crossed, block)
        holds = satisfied(spec, points, block * cells).reshape(block, cells).all(axis=1)
        rows = np.flatnonzero(np.repeat(holds, cells))[: (_runs(spec) - accepted) * cells]
        kept.append({name: column.take(rows) for name, column in points.items()})
        accepted += len(rows) // cells
        scanned += block if accepted < _runs(spec) else int(rows[-1]) // cells + 1
    return {name: joined([part[name] for part in kept]) for name in kept[0]}, _acceptance(
        spec, accepted, scanned
    )


def latin_hypercube(spec: Spec) -> tuple[Points, list[Finding]]:
    """One point in each of the n strata of every variable; levels and whole numbers are used as often within one."""
    if spec.design.constraints:
        raise refused(
            "E522",
            "constraints on a latin-hypercube come with a later version",
            spec.design.constraints[0].place,
            "use method: monte-carlo or full-factorial",
        )
    sampled, crossed = _divided(spec)
    n = _runs(spec)
    points: Points = {}
    for variable in sampled:
        order = Stream(spec.seed, spec.study, variable.name, "latin-hypercube order")
        jitter = Stream(spec.seed, spec.study, variable.name, "latin-hypercube jitter")
        count = _value_count(variable)
        is_discrete = 0 < count <= MOST_RUNS
        coordinates = balanced(order, jitter, n, count) if is_discrete else strata(order, jitter, n)
        points[variable.name] = column_at(variable, coordinates)
    return _with_cells(points, crossed, n), []


def table(spec: Spec) -> tuple[Points, list[Finding]]:
    """The rows of the study's CSV, crossed with `design.cross`."""
    sampled, crossed = _divided(spec)
    points = table_points(spec, sampled)
    n = len(spec.design.table.rows) if spec.design.table else 0
    return _with_cells(points, crossed, n), []


METHODS: Mapping[str, Callable[[Spec], tuple[Points, list[Finding]]]] = MappingProxyType(
    {
        "full-factorial": full_factorial,
        "monte-carlo": monte_carlo,
        "latin-hypercube": latin_hypercube,
        "table": table,
    }
)


def point_count(spec: Spec) -> int:
    """How many rows the method will make, constraints not counted; nothing is allocated."""
    if spec.design.method == "full-factorial":
        return math.prod(level_count(variable) for variable in spec.varied if enumerates(variable))
    cells = math.prod(level_count(variable) for variable in _divided(spec)[1])
    if spec.design.method == "table":
        return cells * (len(spec.design.table.rows) if spec.design.table else 0)
    return cells * _runs(spec)


def _runs(spec: Spec) -> int:
    if spec.design.runs is None or spec.design.runs < 1:
        message = f"method {spec.design.method} needs the number of runs"
        raise refused("E523", message, spec.design.place, "add `runs: 100` to the design")
    return spec.design.runs


def _divided(spec: Spec) -> tuple[list[Variable], list[Variable]]:
    """The varied variables that the method samples, and those that are crossed with its points."""
    crossed = [variable for variable in spec.varied if variable.name in spec.design.cross]
    for variable in crossed:
        if not enumerates(variable) or level_count(variable) < 1:
            message = f"'{variable.name}' has no list of values to cross"
            raise refused("E524", message, variable.place, "give it levels, Linspace or FixedRange")
    return [variable for variable in spec.varied if variable.name not in spec.design.cross], crossed


def _value_count(variable: Variable) -> int:
    """How many equally likely values a variable has; 0 if it is continuous or its levels have weights."""
    drawn = drawn_of(variable.law)
    if drawn is not None and drawn.whole_count is not None and variable.is_integer:
        return drawn.whole_count(variable.law)
    if isinstance(variable.law, Levels) and variable.law.weights:
        return 0
    return level_count(variable) if enumerates(variable) else 0


def _drawn(sampled: Sequence[Variable], streams: Mapping[str, Stream], n: int) -> Points:
    return {variable.name: column_at(variable, streams[variable.name].uniforms(n)) for variable in sampled}


def _crossed(variables: Sequence[Variable], index: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Points:
    points: Points = {}
    stride = 1
    for variable in reversed(variables):
        labels = labels_of(variable)
        codes = (index // stride % len(labels)).astype(np.int32)
        points[variable.name] = CodedColumn(variable.name, codes, labels, holds_text(variable))
        stride *= len(labels)
    return points


def _with_cells(points: Points, crossed: Sequence[Variable], n: int) -> Points:
    """Every point repeated for each cell of the crossed variables."""
    if not crossed:
        return points
    cells = math.prod(level_count(variable) for variable in crossed)
    repeated = np.repeat(np.arange(n), cells)
    spread: Points = {name: column.take(repeated) for name, column in points.items()}
    return spread | _crossed(crossed, np.arange(n * cells, dtype=np.int64) % cells)


def _rows(points: Points, start: int, stop: int) -> tuple[Points, int]:
    rows = np.arange(start, stop)
    return {name: column.take(rows) for name, column in points.items()}, stop - start


def _require_acceptance(spec: Spec, accepted: int, scanned: int) -> None:
    if scanned < _MOST_CANDIDATES and (
        scanned < 2 * _LEAST_ACCEPTED or accepted * _LEAST_ACCEPTED >= scanned
    ):
        return
    raise refused(
        "E525",
        f"the constraints keep {accepted:,} of {scanned:,} candidates; {_runs(spec):,} are wanted",
        spec.design.constraints[0].place,
        "relax a constraint, or narrow the variables' ranges",
    )


def _acceptance(spec: Spec, accepted: int, scanned: int) -> list[Finding]:
    if accepted >= _TOLD_BELOW * scanned:
        return []
    message = f"the constraints keep only {accepted:,} of {scanned:,} candidates ({accepted / scanned:.2%})"
    hint = "narrow the variables' ranges to where the constraints hold"
    return [Finding("E526", message, hint, spec.design.constraints[0].place, Severity.WARNING)]
