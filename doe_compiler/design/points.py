"""From what a method picks to the rows of the varied variables, before replicates and the nominal run."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from doe_compiler.design import conditioned
from doe_compiler.design.cell_text import column_at, enumerates, labels_of, level_count
from doe_compiler.design.columns import CodedColumn, Column, joined
from doe_compiler.design.correlation import correlated
from doe_compiler.design.derived import satisfied
from doe_compiler.design.ranges import cells_of, code_of, coded_nominal, coded_value, levels_of_range
from doe_compiler.design.refusal import refused
from doe_compiler.design.table import require_constraints, table_points
from doe_compiler.generators.catalogue import drawn_of
from doe_compiler.generators.streams import Stream
from doe_compiler.kernel.findings import Finding, Severity
from doe_compiler.methods.blocks import COLUMN as BLOCK
from doe_compiler.methods.blocks import blocks_asked
from doe_compiler.methods.catalogue import METHODS
from doe_compiler.methods.method import Factor, Method, NoDesignError, Task
from doe_compiler.spec.design import dimensions_of
from doe_compiler.spec.domains import holds_text
from doe_compiler.spec.model import Levels, Spec, Variable

if TYPE_CHECKING:
    from doe_compiler.methods.method import Codes, Flags, Floats, Next

Points = dict[str, Column]

_MOST_CANDIDATES = 50_000_000
_LEAST_ACCEPTED = 10_000  # of this many candidates at least one must satisfy the constraints
_SEED_OF_A_PART = 2**64  # beyond any seed that a study may have
_TOLD_BELOW = 0.05
_TOLD_STRATA = 0.8
_BLOCK_ROWS = 65_536


def chosen_points(spec: Spec) -> tuple[Points, list[Finding]]:
    """The rows that the study's method picks, as columns of the varied variables."""
    if spec.design.parts:
        return _united(spec)
    method = METHODS[spec.design.method]
    if method.levels is not None:
        return _levelled(spec, method.levels)
    if method.coded is not None:
        return _coded(spec, method.coded)
    if method.unit is not None:
        return _sampled(spec, method)
    return _tabled(spec)


def _united(spec: Spec) -> tuple[Points, list[Finding]]:
    """The rows of all parts, equal ones once; a method that stands twice draws anew the second time."""
    told: list[Finding] = []
    made: list[Points] = []
    seen: Counter[str] = Counter()
    for part in spec.design.parts:
        again = seen[part.method]
        seen[part.method] += 1
        # A method that stands twice takes the streams of another seed the second time.
        seed = spec.seed + again * _SEED_OF_A_PART
        points, findings = chosen_points(replace(spec, design=part, seed=seed))
        made.append(points)
        told += findings
    points = {name: joined([part[name] for part in made]) for name in made[0]}
    rows: dict[tuple[str, ...], int] = {}
    for number, cells in enumerate(zip(*(column.cells() for column in points.values()), strict=True)):
        rows.setdefault(cells, number)
    kept = np.asarray(list(rows.values()), dtype=np.intp)
    return {name: column.take(kept) for name, column in points.items()}, told


def point_count(spec: Spec) -> int:
    """How many rows the method will make, constraints not counted; nothing is allocated."""
    if spec.design.parts:
        return sum(point_count(replace(spec, design=part)) for part in spec.design.parts)
    sampled, crossed = _divided(spec)
    cells = math.prod(level_count(variable) for variable in crossed)
    if spec.design.method == "table":
        return cells * (len(spec.design.table.rows) if spec.design.table else 0)
    return cells * METHODS[spec.design.method].size(_task(spec, sampled))


def _task(spec: Spec, sampled: Sequence[Variable]) -> Task:
    method = METHODS[spec.design.method]
    return Task(
        tuple(Factor(v.name, _value_count(v, method), coded_nominal(v)) for v in sampled),
        spec.design.runs or 0,
        spec.design.options,
        dimensions_of(sampled),
        lambda name, purpose: Stream(spec.seed, spec.study, name, purpose),
    )


def _require_fit(spec: Spec, method: Method, task: Task) -> None:
    if method.takes_runs and task.runs < 1:
        message = f"method {method.name} needs the number of runs"
        raise refused("E523", message, spec.design.place, "add `runs: 100` to the design")
    places = {variable.name: variable.place for variable in spec.varied}
    for misfit in method.misfits(task):
        place = places.get(misfit.variable, spec.design.place)
        raise refused("E520", misfit.message, place, misfit.hint)


def _sampled(spec: Spec, method: Method) -> tuple[Points, list[Finding]]:
    """Points of the unit cube as values of the variables, crossed with `design.cross`."""
    sampled, crossed = _divided(spec)
    task = _task(spec, sampled)
    _require_fit(spec, method, task)
    assert method.unit is not None
    if spec.design.constraints and not method.is_sequence:
        return _conditioned(spec, task, sampled, crossed)
    following = _correlated(spec, method, sampled, method.unit(task))
    if not spec.design.constraints:
        n = method.size(task)
        return _with_cells(_values_at(sampled, following, n), crossed, n), []
    return _accepted(spec, sampled, crossed, following)


def _conditioned(
    spec: Spec, task: Task, sampled: Sequence[Variable], crossed: Sequence[Variable]
) -> tuple[Points, list[Finding]]:
    """A hypercube within the constraints, chosen from independent points that satisfy them."""
    n = task.runs
    if n > conditioned.MOST_RUNS:
        message = f"{n:,} runs are more than {conditioned.MOST_RUNS:,}, up to which a hypercube is fitted into constraints"
        raise refused("E522", message, spec.design.constraints[0].place, "use method: sobol")
    unit = METHODS["monte-carlo"].unit
    assert unit is not None
    following = _correlated(spec, METHODS["monte-carlo"], sampled, unit(task))
    count = conditioned.candidate_count(n)
    many = replace(spec, design=replace(spec.design, runs=count))
    points, told = _accepted(many, sampled, crossed, following)
    cells = math.prod(level_count(variable) for variable in crossed)
    first = np.arange(count) * cells
    columns = [points[variable.name].take(first) for variable in sampled]
    rows, filled = conditioned.chosen_rows(columns, n, task.draw("", "latin-hypercube conditioned"))
    if filled < _TOLD_STRATA:
        message = f"the constraints leave {filled:.0%} of the strata of the hypercube with a run"
        hint = "that is as even as was found; more runs, or wider constraints, fill more"
        told = [*told, Finding("E529", message, hint, spec.design.constraints[0].place, Severity.WARNING)]
    every = (rows[:, None] * cells + np.arange(cells)).reshape(-1)
    return {name: column.take(every) for name, column in points.items()}, told


def _correlated(spec: Spec, method: Method, sampled: Sequence[Variable], following: "Next") -> "Next":
    correlation = spec.design.correlation
    if correlation is None:
        return following
    keeps_strata = (correlation.by or ("copula" if method.is_sequence else "iman-conover")) == "iman-conover"
    if keeps_strata and spec.design.constraints:
        raise refused(
            "E522",
            "the order of Iman and Conover is that of a whole design, and constraints take runs out of it",
            spec.design.constraints[0].place,
            "say correlationBy: copula, or use method: monte-carlo or sobol",
        )
    names = [variable.name for variable in sampled]
    if not keeps_strata:
        return correlated(following, names, correlation)
    return correlated(
        following, names, correlation, lambda name: Stream(spec.seed, spec.study, name, "iman-conover order")
    )


def _accepted(
    spec: Spec, sampled: Sequence[Variable], crossed: Sequence[Variable], following: "Next"
) -> tuple[Points, list[Finding]]:
    """The first points of a sequence that satisfy the constraints in all of their crossed cells."""
    wanted = spec.design.runs or 0
    cells = math.prod(level_count(variable) for variable in crossed)
    block = max(_BLOCK_ROWS // cells, 1)
    kept: list[Points] = []
    accepted = scanned = 0
    while accepted < wanted:
        _require_acceptance(spec, accepted, scanned)
        points = _with_cells(_values_at(sampled, following, block), crossed, block)
        holds = satisfied(spec, points, block * cells).reshape(block, cells).all(axis=1)
        rows = np.flatnonzero(np.repeat(holds, cells))[: (wanted - accepted) * cells]
        kept.append({name: column.take(rows) for name, column in points.items()})
        accepted += len(rows) // cells
        scanned += block if accepted < wanted else int(rows[-1]) // cells + 1
    return {name: joined([part[name] for part in kept]) for name in kept[0]}, _acceptance(
        spec, accepted, scanned
    )


def _values_at(sampled: Sequence[Variable], following: "Next", n: int) -> Points:
    return {
        variable.name: column_at(variable, coordinates)
        for variable, coordinates in zip(sampled, following(n), strict=True)
    }


def _levelled(spec: Spec, levels: "Callable[[Task], Iterator[Codes]]") -> tuple[Points, list[Finding]]:
    """The combinations of levels that a method picks; constraints leave rows out."""
    sampled, crossed = _divided(spec)
    labels = {variable.name: labels_of(variable) for variable in sampled if enumerates(variable)}
    task = _task(spec, sampled)
    _require_fit(spec, METHODS[spec.design.method], task)
    points: Points = {}
    for variable, codes in zip(sampled, levels(task), strict=True):
        cells = labels.get(variable.name) or levels_of_range(variable, int(codes.max()) + 1)
        points[variable.name] = CodedColumn(variable.name, codes, cells, holds_text(variable))
    n = len(next(iter(points.values()))) if points else 1
    points = _with_cells(_in_blocks(task, METHODS[spec.design.method], points), crossed, n)
    return _left_by_constraints(spec, points, n * math.prod(level_count(v) for v in crossed)), []


def _coded(spec: Spec, coded: "Callable[[Task], Floats]") -> tuple[Points, list[Finding]]:
    """The points of a design between low, middle and high, crossed with `design.cross`."""
    sampled, crossed = _divided(spec)
    task = _task(spec, sampled)
    kept: Points = {}
    if spec.design.table is not None:
        kept = table_points(spec, sampled)
        require_constraints(spec, kept)
        task = replace(task, existing=_codes_of(sampled, kept))
    _require_fit(spec, METHODS[spec.design.method], task)
    if spec.design.constraints:
        task = replace(task, allowed=lambda values: _holds(spec, sampled, crossed, values))
    try:
        values = coded(task)
    except NoDesignError as error:
        raise refused("E520", str(error), spec.design.place, error.hint) from error
    if not len(values):
        raise refused(
            "E521",
            "the constraints leave none of the candidates",
            spec.design.constraints[0].place,
            "relax a constraint",
        )
    added = values[len(next(iter(kept.values()), ())) :]
    points = _coded_columns(sampled, added) if len(added) else {}
    if kept:  # the cells of runs that exist stay as they are written
        parts = [part for part in (kept, points) if part]
        points = {name: joined([part[name] for part in parts]) for name in kept}
    points = _in_blocks(task, METHODS[spec.design.method], points)
    return _with_cells(points, crossed, len(values)), []


def _in_blocks(task: Task, method: Method, points: Points) -> Points:
    """The points block by block, with the column of their blocks, where blocks are asked for."""
    count = blocks_asked(task)
    if not count or method.blocks is None:
        return points
    codes = method.blocks(task)
    order = np.argsort(codes, kind="stable")
    labels = tuple(str(number + 1) for number in range(count))
    blocks = CodedColumn(BLOCK, codes[order], labels)
    return {**{name: column.take(order) for name, column in points.items()}, BLOCK: blocks}


def _codes_of(sampled: Sequence[Variable], points: Points) -> "Floats":
    """Where the cells of columns lie, coded, shape (n, d)."""
    columns = []
    for variable in sampled:
        cells = points[variable.name].cells()
        code = {cell: code_of(variable, cell) for cell in dict.fromkeys(cells)}
        columns.append([code[cell] for cell in cells])
    return np.asarray(columns, dtype=np.float64).T.copy()


def _coded_columns(sampled: Sequence[Variable], values: "Floats") -> Points:
    points: Points = {}
    for column, variable in enumerate(sampled):
        distinct, inverse = np.unique(values[:, column], return_inverse=True)
        if enumerates(variable):
            labels = labels_of(variable)
            codes = distinct.astype(np.int32)[inverse]
        else:
            codes = inverse.astype(np.int32)
            labels = cells_of(variable, [coded_value(variable, value) for value in distinct.tolist()])
        points[variable.name] = CodedColumn(variable.name, codes, labels, holds_text(variable))
    return points


def _holds(spec: Spec, sampled: Sequence[Variable], crossed: Sequence[Variable], values: "Floats") -> "Flags":
    """Which coded points satisfy the constraints in all of their crossed cells."""
    cells = math.prod(level_count(variable) for variable in crossed)
    points = _with_cells(_coded_columns(sampled, values), crossed, len(values))
    holds = satisfied(spec, points, len(values) * cells).reshape(len(values), cells)
    return np.asarray(holds.all(axis=1))


def _left_by_constraints(spec: Spec, points: Points, total: int) -> Points:
    if not spec.design.constraints:
        return points
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
    return {name: column.take(kept) for name, column in points.items()}


def _tabled(spec: Spec) -> tuple[Points, list[Finding]]:
    """The rows of the study's CSV, crossed with `design.cross`."""
    sampled, crossed = _divided(spec)
    points = table_points(spec, sampled)
    n = len(spec.design.table.rows) if spec.design.table else 0
    points = _with_cells(points, crossed, n)
    require_constraints(spec, points)
    return points, []


def _divided(spec: Spec) -> tuple[list[Variable], list[Variable]]:
    """The varied variables that the method samples, and those that are crossed with its points."""
    crossed = [variable for variable in spec.varied if variable.name in spec.design.cross]
    for variable in crossed:
        if not enumerates(variable) or level_count(variable) < 1:
            message = f"'{variable.name}' has no list of values to cross"
            raise refused("E524", message, variable.place, "give it levels, Linspace or FixedRange")
    return [variable for variable in spec.varied if variable.name not in spec.design.cross], crossed


def _value_count(variable: Variable, method: Method) -> int:
    """How many levels a variable has, or where it is drawn equally likely values; 0 if it is continuous or weighted."""
    if method.unit is None:
        return level_count(variable) if enumerates(variable) else 0
    drawn = drawn_of(variable.law)
    if drawn is not None and drawn.whole_count is not None and variable.is_integer:
        return drawn.whole_count(variable.law)
    if isinstance(variable.law, Levels) and variable.law.weights:
        return 0
    return level_count(variable) if enumerates(variable) else 0


def _with_cells(points: Points, crossed: Sequence[Variable], n: int) -> Points:
    """Every point repeated for each cell of the crossed variables, of which the first varies slowest."""
    if not crossed:
        return points
    cells = math.prod(level_count(variable) for variable in crossed)
    repeated = np.repeat(np.arange(n), cells)
    spread: Points = {name: column.take(repeated) for name, column in points.items()}
    index = np.arange(n * cells, dtype=np.int64) % cells
    stride = 1
    added: Points = {}
    for variable in reversed(crossed):
        labels = labels_of(variable)
        codes = (index // stride % len(labels)).astype(np.int32)
        added[variable.name] = CodedColumn(variable.name, codes, labels, holds_text(variable))
        stride *= len(labels)
    return spread | added


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
        f"the constraints keep {accepted:,} of {scanned:,} candidates, too few for {spec.design.runs or 0:,}",
        spec.design.constraints[0].place,
        "relax a constraint, or narrow the variables' ranges",
    )


def _acceptance(spec: Spec, accepted: int, scanned: int) -> list[Finding]:
    if accepted >= _TOLD_BELOW * scanned:
        return []
    message = f"the constraints keep only {accepted:,} of {scanned:,} candidates ({accepted / scanned:.2%})"
    hint = "narrow the variables' ranges to where the constraints hold"
    return [Finding("E526", message, hint, spec.design.constraints[0].place, Severity.WARNING)]
