"""d-optimal and i-optimal: the runs that tell most of a stated model, by exchanging candidates.

V. V. Fedorov, Theory of Optimal Experiments, Academic Press (1972); the exchanges run through the rows as in R. D. Cook,
C. J. Nachtsheim, Technometrics 22 (1980) 315-324. Sums run in a fixed order and nothing is left to a library, so that
the design is the same on every machine.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, product
from math import prod
from typing import TYPE_CHECKING

from doe_compiler.methods.halton import prime
from doe_compiler.methods.method import Method, Misfit, NoDesignError, Task, runs_asked

if TYPE_CHECKING:
    from doe_compiler.methods.method import Floats

MODELS = ("linear", "interactions", "quadratic")
MOST_RUNS = 1_000
_MOST_CANDIDATES = 10_000
_MOST_COLUMNS = 150
_STARTS, _MORE_STARTS = 12, 48
_FEW_CHOICES = 5_000
_MOST_PASSES = 60
_RIDGE = 1e-7
_MOST_FILLING = 4_096
_STEPS = (4, 8, 16, 32, 64)  # of a range where constraints cut the region
_TERM = re.compile(r"([A-Za-z_]\w*)(?:\*\*([1-9]))?", re.ASCII)

Term = tuple[tuple[int, int], ...]  # (factor, power), ...


def terms_of(task: Task) -> tuple[Term, ...]:
    """The terms of the model without the constant; raises ValueError for a text that is none."""
    model = task.options.get("model", "linear")
    factors = range(len(task.factors))
    if isinstance(model, list):
        return tuple(_parsed(str(text), task) for text in model)
    linear = tuple(((j, 1),) for j in factors)
    pairs = tuple(((i, 1), (j, 1)) for i, j in combinations(factors, 2))
    squares = tuple(((j, 2),) for j in factors if not task.factors[j].count)
    return linear + (pairs if model != "linear" else ()) + (squares if model == "quadratic" else ())


def _parsed(text: str, task: Task) -> Term:
    names = [factor.name for factor in task.factors]
    powers: dict[int, int] = {}
    for part in text.replace("**", "^").split("*"):
        match = _TERM.fullmatch(part.strip().replace("^", "**"))
        if match is None:
            raise ValueError(f"'{text}' is not a product of variables, such as x*y or x**2")
        if match[1] not in names:
            raise ValueError(f"'{match[1]}' in '{text}' is not a variable of the design")
        factor = names.index(match[1])
        powers[factor] = powers.get(factor, 0) + int(match[2] or 1)
    for factor, power in powers.items():
        if task.factors[factor].count and power > 1:
            raise ValueError(f"'{text}': the levels of '{names[factor]}' have no powers")
    return tuple(sorted(powers.items()))


def column_count(task: Task) -> int:
    """How many coefficients the model has, the constant too; a variable of L levels has L - 1."""
    return 1 + sum(
        prod(max(task.factors[factor].count - 1, 1) for factor, _ in term) for term in terms_of(task)
    )


def model_matrix(task: Task, points: "Floats") -> "Floats":
    """The model's columns at coded points, shape (n, p): the constant first; levels by effects that sum to zero."""
    import numpy as np

    columns = [np.ones(len(points))]
    for term in terms_of(task):
        parts = [np.ones((len(points), 1))]
        for factor, power in term:
            column = points[:, factor]
            count = task.factors[factor].count
            if count:
                effects = (column[:, None] == np.arange(count - 1)).astype(np.float64)
                effects[column == count - 1] = -1.0
                parts.append(effects)
            else:
                value = column
                for _ in range(power - 1):
                    value = value * column
                parts.append(value[:, None])
        whole = parts[0]
        for part in parts[1:]:
            width = whole.shape[1] * part.shape[1]
            whole = (whole[:, :, None] * part[:, None, :]).reshape(len(points), width)
        columns += list(whole.T)
    return np.stack(columns, axis=1)


def d_efficiency(task: Task, points: "Floats") -> float:
    """100 |X'X / n|**(1/p) of coded points, in percent of what an orthogonal design on the ends has."""
    import numpy as np

    model = model_matrix(task, points)
    sign, logarithm = np.linalg.slogdet(model.T @ model / len(model))
    return 100.0 * float(np.exp(logarithm / model.shape[1])) if sign > 0 else 0.0


def _moments(task: Task) -> "Floats":
    """The mean of f f' over the region, shape (p, p): ranges are covered evenly, levels equally often.

    Exact where nothing cuts the region; else over points that fill it, or where none of them lies in it the candidates.
    """
    import numpy as np

    if task.allowed is not None:
        points = _filling(task)
        points = points[task.allowed(points)]
        model = model_matrix(task, points if len(points) else _candidates(task))
        return _gram(model) / float(max(len(model), 1))
    functions = _functions(task)
    means = np.empty((len(functions), len(functions)))
    for row, one in enumerate(functions):
        for column, other in enumerate(functions):
            means[row, column] = prod(
                _mean_of_product(task.factors[j].count, one.get(j), other.get(j))
                for j in range(len(task.factors))
            )
    return means


def _functions(task: Task) -> list[dict[int, int]]:
    """The model's columns: of a range its power, of levels the number of its effect, by factor; the constant first."""
    columns: list[dict[int, int]] = [{}]
    for term in terms_of(task):
        choices = [
            [(factor, each) for each in range(task.factors[factor].count - 1)]
            if task.factors[factor].count
            else [(factor, power)]
            for factor, power in term
        ]
        columns += [dict(choice) for choice in product(*choices)]
    return columns


def _mean_of_product(count: int, one: int | None, other: int | None) -> float:
    """The mean of two functions of one factor: powers over [-1, 1], or effects over its levels."""
    if not count:
        power = (one or 0) + (other or 0)
        return 0.0 if power % 2 else 1.0 / (power + 1)
    if one is None or other is None:
        return float(one is None and other is None)
    return (2.0 if one == other else 1.0) / count


def _filling(task: Task) -> "Floats":
    """Coded points that fill the region evenly: multiples of the roots of primes, modulo 1."""
    import numpy as np

    number = np.arange(1, _MOST_FILLING + 1, dtype=np.float64)
    columns = []
    for place, factor in enumerate(task.factors):
        unit = (number * np.sqrt(float(prime(place + 1)))) % 1.0
        columns.append(np.floor(unit * factor.count) if factor.count else 2.0 * unit - 1.0)
    return np.stack(columns, axis=1)


def _candidates(task: Task) -> "Floats":
    """Coded points to choose from: the levels that the model tells apart, more where constraints cut the region.

    The grid is made finer until its points determine the model, if they ever do.
    """
    found = _grid(task, _STEPS[0])
    for steps in _STEPS[1:]:
        if task.allowed is None or _determines(task, found):
            break
        found = _grid(task, steps)
    return found


def _determines(task: Task, points: "Floats") -> bool:
    import numpy as np

    return bool(len(points)) and _log_determinant(_gram(model_matrix(task, points))) > -np.inf


def _grid(task: Task, least: int) -> "Floats":
    import numpy as np

    degree = [
        max((power for term in terms_of(task) for j, power in term if j == factor), default=1)
        for factor in range(len(task.factors))
    ]
    is_cut = task.allowed is not None
    levels = []
    for factor, most in zip(task.factors, degree, strict=True):
        steps = max(most, least) if is_cut else most
        levels.append(
            [float(level) for level in range(factor.count)]
            if factor.count
            else [2.0 * step / steps - 1.0 for step in range(steps + 1)]
        )
    total = prod(len(each) for each in levels)
    if total <= _MOST_CANDIDATES:
        points = np.asarray(list(product(*levels)), dtype=np.float64)
    else:
        stream = task.draw("", "optimal candidates")
        picked = [stream.words(_MOST_CANDIDATES) % np.uint64(len(each)) for each in levels]
        points = np.stack(
            [np.asarray(each)[index.astype(np.int64)] for each, index in zip(levels, picked, strict=True)],
            axis=1,
        )
        points = np.unique(points, axis=0)
    return points if task.allowed is None else points[task.allowed(points)]


@dataclass
class _Search:
    """The chosen rows of candidates, and the inverse of their information matrix."""

    model: "Floats"  # (candidates, p)
    rows: list[int]
    kept: "Floats"  # (p, p), the information of the runs that exist
    inverse: "Floats"
    variance: "Floats"  # x' inverse x of every candidate
    spread: "tuple[Floats, Floats] | None" = (
        None  # inverse moments inverse, and x' of that x; None: to be computed
    )

    def products(self, vector: "Floats") -> "Floats":
        """The candidates' products with a vector, in the order of the columns."""
        return _dot(self.model, vector)


def _dot(matrix: "Floats", vector: "Floats") -> "Floats":
    total: Floats = matrix[:, 0] * vector[0]
    for column in range(1, matrix.shape[1]):
        total = total + matrix[:, column] * vector[column]
    return total


def _inverse(matrix: "Floats") -> "Floats":
    """Gauss and Jordan with the largest pivots, in a fixed order."""
    import numpy as np

    size = len(matrix)
    work = np.concatenate([matrix, np.eye(size)], axis=1)
    for column in range(size):
        pivot = column + int(np.argmax(np.abs(work[column:, column])))
        work[[column, pivot]] = work[[pivot, column]]
        work[column] = work[column] / work[column, column]
        factors = work[:, column].copy()
        factors[column] = 0.0
        work = work - factors[:, None] * work[column][None, :]
    return work[:, size:]


def _gram(rows: "Floats") -> "Floats":
    import numpy as np

    size = rows.shape[1]
    total = np.zeros((size, size))
    for row in rows:
        total = total + row[:, None] * row[None, :]
    return total


def _started(model: "Floats", rows: list[int], kept: "Floats") -> _Search:
    import numpy as np

    inverse = _inverse(_gram(model[rows]) + kept + _RIDGE * np.eye(model.shape[1]))
    variance = _dot_rows(model, inverse)
    return _Search(model, rows, kept, inverse, variance)


def _dot_rows(model: "Floats", matrix: "Floats") -> "Floats":
    """X' matrix x of every candidate."""
    import numpy as np

    total = np.zeros(len(model))
    for column in range(model.shape[1]):
        total = total + _dot(model, matrix[:, column]) * model[:, column]
    return total


def _exchanged(search: _Search, place: int, new: int) -> None:
    """Put a candidate into a place of the design, by two changes of rank one (Sherman and Morrison)."""
    for row, sign in ((new, 1.0), (search.rows[place], -1.0)):
        x = search.model[row]
        image = _dot(search.inverse, x)
        products = search.products(image)
        scale = sign / (1.0 + sign * float(search.variance[row]))
        search.inverse = search.inverse - scale * image[:, None] * image[None, :]
        search.variance = search.variance - scale * products * products
    search.rows[place] = new
    search.spread = None


def _gains_of_d(search: _Search, old: int) -> "Floats":
    """By how much the determinant grows with each candidate in place of an old row (Fedorov's delta)."""
    between = search.products(_dot(search.inverse, search.model[old]))
    own = float(search.variance[old])
    gains: Floats = search.variance - own - (search.variance * own - between * between)
    return gains


def _gains_of_i(search: _Search, old: int, moments: "Floats") -> "Floats":
    """By how much the mean variance of prediction falls with each candidate in place of an old row."""
    import numpy as np

    if search.spread is None:
        half = np.stack([_dot(moments, column) for column in search.inverse.T], axis=1)
        whole = np.stack([_dot(search.inverse, column) for column in half.T], axis=1)
        search.spread = whole, _dot_rows(search.model, whole)
    spread, own_spread = search.spread
    y = search.model[old]
    between = search.products(_dot(search.inverse, y))
    across = search.products(_dot(spread, y))
    added = 1.0 + search.variance
    share = between / added
    left = 1.0 - (float(search.variance[old]) - between * share)
    rest = float(own_spread[old]) - 2.0 * share * across + share * share * own_spread
    gains: Floats = own_spread / added - rest / np.maximum(left, 1e-12)
    return gains


def _improved(search: _Search, criterion: str, moments: "Floats") -> None:
    import numpy as np

    for _ in range(_MOST_PASSES):
        is_better = False
        for place in range(len(search.rows)):
            old = search.rows[place]
            gains = _gains_of_d(search, old) if criterion == "d" else _gains_of_i(search, old, moments)
            best = int(np.argmax(gains))
            if best != old and gains[best] > 1e-9:
                _exchanged(search, place, best)
                is_better = True
        search.inverse = _started(search.model, search.rows, search.kept).inverse
        search.variance = _dot_rows(search.model, search.inverse)
        search.spread = None
        if not is_better:
            return


def _cost(search: _Search, criterion: str, moments: "Floats") -> float:
    """What is small for a good design: the logarithm of the inverse's determinant, or the mean variance."""
    import numpy as np

    if criterion == "i":
        return float(np.add.accumulate((search.inverse * moments).reshape(-1))[-1])
    return -_log_determinant(_gram(search.model[search.rows]) + search.kept)


def _log_determinant(matrix: "Floats") -> float:
    import numpy as np

    from doe_compiler.expressions.exponential import log

    work, total = matrix.copy(), 0.0
    for column in range(len(work)):
        pivot = column + int(np.argmax(np.abs(work[column:, column])))
        if abs(work[pivot, column]) < 1e-12:
            return -np.inf
        work[[column, pivot]] = work[[pivot, column]]
        total += float(log(np.abs(work[column, column : column + 1]))[0])
        below = work[column + 1 :, column] / work[column, column]
        work[column + 1 :] = work[column + 1 :] - below[:, None] * work[column][None, :]
    return total


def _starts(criterion: str, choices: int) -> int:
    """How often the search begins anew; the mean variance has more local minima than the determinant."""
    return _MORE_STARTS if criterion == "i" and choices <= _FEW_CHOICES else _STARTS


def _chosen(task: Task, criterion: str) -> "Floats":
    """The runs that exist, and those that complement them best."""
    import numpy as np

    existing = np.empty((0, len(task.factors))) if task.existing is None else task.existing
    added = task.runs - len(existing)
    candidates = _candidates(task)
    if not len(candidates) or not added:
        return existing
    model = model_matrix(task, candidates)
    kept = _gram(model_matrix(task, existing))
    moments = _moments(task)
    stream = task.draw("", f"{criterion}-optimal starts")
    best_rows: list[int] = []
    best_cost = np.inf
    for _ in range(_starts(criterion, len(model) * added)):
        rows = (stream.words(added) % np.uint64(len(model))).astype(np.int64).tolist()
        search = _started(model, rows, kept)
        _improved(search, criterion, moments)
        cost = _cost(search, criterion, moments)
        if not best_rows or cost < best_cost * (1.0 - 1e-12 if best_cost > 0 else 1.0 + 1e-12):
            best_rows, best_cost = list(search.rows), cost
    if _log_determinant(_gram(model[best_rows]) + kept) == -np.inf:
        raise NoDesignError(
            "no runs within the constraints determine the model: its coefficients cannot be told apart there",
            "state a smaller model, or relax a constraint",
        )
    return np.concatenate([existing, candidates[sorted(best_rows)]])


def _misfits(task: Task) -> Iterator[Misfit]:
    try:
        columns = column_count(task)
    except ValueError as error:
        yield Misfit(str(error), "a term is x, x*y or x**2", "model")
        return
    if columns > _MOST_COLUMNS:
        yield Misfit(
            f"the model has {columns} coefficients, more than {_MOST_COLUMNS}", "leave terms out", "model"
        )
    elif task.runs < columns:
        message = f"{task.runs} runs cannot tell the {columns} coefficients of the model"
        yield Misfit(message, f"say runs: {columns} or more", "runs")
    elif task.runs > MOST_RUNS:
        yield Misfit(
            f"{task.runs:,} runs are more than {MOST_RUNS:,}, up to which they are exchanged",
            "use fewer runs",
            "runs",
        )
    elif task.existing is not None and task.runs < len(task.existing):
        message = f"{task.runs} runs are fewer than the {len(task.existing)} that `augment` keeps"
        yield Misfit(message, "runs counts both: those of the file and the new ones", "runs")


def _d(task: Task) -> "Floats":
    return _chosen(task, "d")


def _i(task: Task) -> "Floats":
    return _chosen(task, "i")


_OPTIONS = ("runs", "model", "augment", "constraints", "cross")
D_OPTIMAL = Method(
    "d-optimal",
    "The runs that determine the coefficients of a `model` best, chosen from a grid of its levels; with constraints, categories and any number of runs from that of the coefficients on.",
    "V. V. Fedorov, Theory of Optimal Experiments, Academic Press (1972); R. D. Cook, C. J. Nachtsheim, Technometrics 22 (1980) 315-324",
    "the rows of `augment`; nothing else when the model, the runs or a variable changes",
    _OPTIONS,
    runs_asked,
    coded=_d,
    misfits=_misfits,
)
I_OPTIMAL = Method(
    "i-optimal",
    "The runs with which a `model` predicts best on average over the region, evenly weighted; as d-optimal otherwise.",
    "P. Goos, B. Jones, Optimal Design of Experiments, Wiley (2011), chapter 4",
    "the rows of `augment`; nothing else when the model, the runs or a variable changes",
    _OPTIONS,
    runs_asked,
    coded=_i,
    misfits=_misfits,
)
