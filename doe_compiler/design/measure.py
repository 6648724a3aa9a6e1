"""What a design is like: ranges, discrepancy, distances, correlation, aliases. For people only: no cell hangs on it."""

from dataclasses import dataclass

import numpy as np

from doe_compiler.design.cell_text import enumerates, labels_of
from doe_compiler.design.columns import CodedColumn, Floats
from doe_compiler.design.design import Design
from doe_compiler.design.ranges import ends_of
from doe_compiler.generators.catalogue import bounds_of, drawn_of
from doe_compiler.generators.law import DrawnLaw
from doe_compiler.generators.laws.log_uniform import LogUniform
from doe_compiler.methods.catalogue import METHODS
from doe_compiler.methods.optimal import d_efficiency
from doe_compiler.spec.design import task_of_spec
from doe_compiler.spec.model import Spec, Variable

MOST_PAIRED = 5_000
MOST_COMPARED = 100_000


@dataclass(frozen=True)
class Range:
    """The values of a variable: the smallest and the largest, or the first and last of its texts, and how many differ."""

    name: str
    unit: str
    smallest: str
    largest: str
    distinct: int


@dataclass(frozen=True)
class Measures:
    """A design's size and ranges; the others over the unit cube, None where they are not computed.

    `discrepancy` is centred L2 (Hickernell 1998), `distance` the smallest between two runs that differ, `correlation` the
    largest of ranks between two variables, with their names; `d_efficiency` in percent, where a model is stated; `repeats`
    are the runs that are equal to others, of up to 100,000. Beyond 5,000 runs pairs of runs are not looked at.
    """

    method: str
    runs: int
    ranges: tuple[Range, ...]
    discrepancy: float | None
    distance: float | None
    correlation: tuple[float, str, str] | None
    d_efficiency: float | None = None
    repeats: int = 0


def measures(spec: Spec, design: Design) -> Measures:
    """The measures of a design without its nominal run."""
    start = int(design.has_nominal)
    varied = [variable for variable in spec.varied if variable.name in design.names]
    methods = [METHODS[part.method] for part in spec.design.parts or (spec.design,)]
    place = _codes_in_unit if all(each.coded or each.levels for each in methods) else _coordinates
    points = np.stack([place(variable, design, start) for variable in varied], axis=1) if varied else None
    is_paired = points is not None and 1 < len(points) <= MOST_PAIRED
    return Measures(
        design.method,
        design.n,
        tuple(_range(variable, design) for variable in varied),
        _discrepancy(points) if points is not None and is_paired else None,
        _distance(points) if points is not None and is_paired else None,
        _correlation(points, [variable.name for variable in varied]) if points is not None else None,
        _d_efficiency(spec, design, start),
        _repeats(design, start),
    )


def _repeats(design: Design, start: int) -> int:
    """How many rows are equal to an earlier one in all that makes a run, replicates told apart."""
    names = [*design.varied, *(name for name in design.names if name == "doe_replicate")]
    if not names or design.n > MOST_COMPARED:
        return 0
    columns = [
        np.unique(np.asarray(design.column(name).cells()[start:]), return_inverse=True)[1] for name in names
    ]
    rows = np.stack(columns, axis=1)
    return len(rows) - len(np.unique(rows, axis=0))


def _d_efficiency(spec: Spec, design: Design, start: int) -> float | None:
    """Of the model that the design is for, over the ends of the ranges; None without one."""
    if "model" not in spec.design.options:
        return None
    task = task_of_spec(spec)
    by_name = {variable.name: variable for variable in spec.varied}
    columns = [_codes(by_name[factor.name], design, start) for factor in task.factors]
    return d_efficiency(task, np.stack(columns, axis=1))


def _codes(variable: Variable, design: Design, start: int) -> Floats:
    """The column as designs are coded: -1 to 1 over a range, or the index of the level."""
    if enumerates(variable):
        count = len(labels_of(variable))
        return np.asarray(_coordinates(variable, design, start) * count - 0.5)
    low, high = (float(end) for end in ends_of(variable))
    numbers = np.asarray(design.column(variable.name).numbers()[start:], dtype=np.float64)
    if isinstance(variable.law, LogUniform):
        return np.asarray(2.0 * np.log(numbers / low) / np.log(high / low) - 1.0)
    return np.asarray(2.0 * (numbers - low) / (high - low) - 1.0)


def _codes_in_unit(variable: Variable, design: Design, start: int) -> Floats:
    """The column in the unit interval by its codes, of which those beyond the ends of the range are drawn in."""
    if enumerates(variable) or len(design.column(variable.name)) - start > MOST_PAIRED:
        return _coordinates(variable, design, start)
    codes = _codes(variable, design, start)
    return np.asarray((codes / max(1.0, float(np.abs(codes).max())) + 1.0) / 2.0)


def _range(variable: Variable, design: Design) -> Range:
    column = design.column(variable.name)
    numbers = column.numbers()
    if isinstance(column, CodedColumn) and not np.isfinite(numbers).all():
        used = [column.labels[code] for code in np.unique(column.codes)]
        return Range(variable.name, variable.unit, used[0], used[-1], len(used))
    low, high = int(np.argmin(numbers)), int(np.argmax(numbers))
    smallest, largest = (column.cells(row, row + 1)[0] for row in (low, high))
    return Range(variable.name, variable.unit, smallest, largest, len(np.unique(numbers)))


def _coordinates(variable: Variable, design: Design, start: int) -> Floats:
    """The column in the unit interval: by its law where it is drawn, by its place among the levels, or by its range."""
    column = design.column(variable.name)
    drawn = drawn_of(variable.law)
    if isinstance(column, CodedColumn) and (enumerates(variable) or not np.isfinite(column.numbers()).all()):
        labels = labels_of(variable) if enumerates(variable) else column.labels
        place = {label: index for index, label in enumerate(labels)}
        codes = np.asarray([place.get(label, 0) for label in column.labels])[column.codes[start:]]
        return np.asarray((codes + 0.5) / len(labels), dtype=np.float64)
    numbers = np.asarray(column.numbers()[start:], dtype=np.float64)
    if len(numbers) > MOST_PAIRED:  # only ranks are looked at, and a law keeps the order
        return numbers
    if drawn is not None and isinstance(variable.law, DrawnLaw):
        low, high = bounds_of(variable.law)
        below = drawn.tails(variable.law, numbers)[0]
        ends = [0.0, 1.0]
        for side, bound in enumerate((low, high)):
            if bound is not None:
                ends[side] = float(drawn.tails(variable.law, np.asarray([float(bound)]))[0][0])
        return np.clip((below - ends[0]) / max(ends[1] - ends[0], 1e-300), 0.0, 1.0)
    width = float(np.ptp(numbers)) if len(numbers) else 0.0
    return (numbers - numbers.min()) / width if width else np.full(len(numbers), 0.5)


def _discrepancy(points: Floats) -> float:
    n, d = points.shape
    x = points - 0.5
    size = np.abs(x)
    single = np.prod(1.0 + 0.5 * size - 0.5 * size * size, axis=1).sum()
    total = 0.0
    for row in range(0, n, 256):
        block = np.ones((min(256, n - row), n))
        for column in range(d):
            a, b = x[row : row + 256, column][:, None], x[:, column][None, :]
            block *= 1.0 + 0.5 * np.abs(a) + 0.5 * np.abs(b) - 0.5 * np.abs(a - b)
        total += float(block.sum())
    return float((13.0 / 12.0) ** d - 2.0 * single / n + total / (n * n))


def _distance(points: Floats) -> float | None:
    """The smallest distance between two points that differ."""
    best = np.inf
    for row in range(len(points) - 1):
        squares = ((points[row + 1 :] - points[row]) ** 2).sum(axis=1)
        squares = squares[squares > 1e-24]
        if len(squares):
            best = min(best, float(squares.min()))
    return float(np.sqrt(best)) if np.isfinite(best) else None


def _correlation(points: Floats, names: list[str]) -> tuple[float, str, str] | None:
    varying = [column for column in range(points.shape[1]) if np.ptp(points[:, column]) > 0]
    if len(varying) < 2 or len(points) < 3:
        return None
    ranks = np.stack([_ranks(points[:, column]) for column in varying], axis=1)
    firsts, seconds = np.triu_indices(len(varying), 1)
    found = np.asarray(np.corrcoef(ranks.T))[firsts, seconds]
    largest = int(np.argmax(np.abs(found)))
    pair = names[varying[firsts[largest]]], names[varying[seconds[largest]]]
    return float(found[largest]), *pair


def _ranks(values: Floats) -> Floats:
    """Ranks, equal values with the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2.0)[inverse], dtype=np.float64)
