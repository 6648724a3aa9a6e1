"""Latin hypercubes that are optimised: for distances, correlations or centred discrepancy.

The search is the enhanced stochastic evolutionary one of R. Jin, W. Chen, A. Sudjianto, J. Statist. Plann. Inference 134
(2005) 268-287: exchanges of two entries of a column, accepted below a threshold that cools and warms. Its length is
counted, not timed, its random numbers are a stream's, and sums run in a fixed order, so that the design is the same on
every machine.
"""

import math
from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from doe_compiler.generators.streams import Stream
from doe_compiler.methods.pairs import widest_pair

Floats = npt.NDArray[np.float64]
Ranks = npt.NDArray[np.int64]  # shape (n, d), a permutation of 0 ... n - 1 in each column

_WORK = 20_000_000  # entries of arrays that a search may touch
_MOST_BATCHES = 6_000
_MOST_STALE = 30  # rounds of the search without a better one
_SMALL_PAIR = 17
_POWER = 4  # squarings of 1 / distance**2


class Criterion(Protocol):
    """What is to be made small, and what an exchange of rows a and b in a column makes of it."""

    value: float
    ranks: Ranks

    def after(self, column: int, a: Ranks, b: Ranks) -> Floats:
        """The values after each of the exchanges, shape (len(a),)."""

    def exchange(self, column: int, a: int, b: int) -> None:
        """Carry one out."""


def _total(values: Floats) -> Floats:
    """The sums along the last axis, in the order of the entries."""
    summed: Floats = np.add.accumulate(values, axis=-1)[..., -1]
    return summed


def _root(values: Floats) -> Floats:
    """The 32nd root of sums of 16th powers, in exactly rounded square roots."""
    values = np.maximum(values, 0.0)
    for _ in range(_POWER + 1):
        values = np.sqrt(values)
    return values


class Distances:
    """The 32nd root of the sum over pairs of distance**-32: its smallest value has the largest smallest distance (Morris, Mitchell 1995)."""

    def __init__(self, ranks: Ranks) -> None:
        self.ranks = ranks
        n, d = ranks.shape
        self._scale = float(n * n) * d / 6.0
        self._squares = np.zeros((n, n), dtype=np.int64)
        for column in ranks.T:
            self._squares += (column[:, None] - column[None, :]) ** 2
        self._row = _total(self._inverse(self._squares))
        self._sum = float(_total(self._row)) / 2.0
        self.value = float(_root(np.asarray(self._sum)))

    def _inverse(self, squares: Ranks) -> Floats:
        with np.errstate(divide="ignore"):
            inverse = np.where(squares > 0, self._scale / squares, 0.0)
        for _ in range(_POWER):
            inverse *= inverse
        return inverse

    def _changed(self, column: int, a: Ranks, b: Ranks) -> tuple[Ranks, Ranks]:
        """The squared distances of a and of b to all rows after the exchange, but for each other's, shape (m, n)."""
        x = self.ranks[:, column]
        to_a, to_b = (x[a][:, None] - x[None, :]) ** 2, (x[b][:, None] - x[None, :]) ** 2
        change = to_b - to_a
        new_a, new_b = self._squares[a] + change, self._squares[b] - change
        rows = np.arange(len(a))
        for new in (new_a, new_b):
            new[rows, a] = 0
            new[rows, b] = 0
        return new_a, new_b

    def after(self, column: int, a: Ranks, b: Ranks) -> Floats:
        """The values after each of the exchanges, shape (len(a),)."""
        new_a, new_b = self._changed(column, a, b)
        between = self._inverse(self._squares[a, b])
        new = _total(self._inverse(new_a)) + _total(self._inverse(new_b))
        return _root(self._sum - (self._row[a] + self._row[b] - between) + (new + between))

    def exchange(self, column: int, a: int, b: int) -> None:
        """Carry one out."""
        pair = np.asarray([a]), np.asarray([b])
        new_a, new_b = (new[0] for new in self._changed(column, *pair))
        between = int(self._squares[a, b])
        for row, new in ((a, new_a), (b, new_b)):
            new[a if row == b else b] = between
            self._squares[row, :] = new
            self._squares[:, row] = new
        self.ranks[[a, b], column] = self.ranks[[b, a], column]
        self._row = _total(self._inverse(self._squares))
        self._sum = float(_total(self._row)) / 2.0
        self.value = float(_root(np.asarray(self._sum)))


class Correlations:
    """The sum over pairs of columns of their squared products, which are whole numbers."""

    def __init__(self, ranks: Ranks) -> None:
        self.ranks = ranks
        n, d = ranks.shape
        self._centred = 2 * ranks - (n - 1)
        self._products = np.zeros((d, d), dtype=np.int64)
        for i in range(d):
            for j in range(i):
                product = int((self._centred[:, i] * self._centred[:, j]).sum())
                self._products[i, j] = self._products[j, i] = product
        self._scale = 1.0 / float(max(n * (n * n - 1) // 3, 1))
        self._set_value()

    def _set_value(self) -> None:
        scaled = self._products.astype(np.float64) * self._scale
        self.value = float(_total(_total(scaled * scaled))) / 2.0

    def _changes(self, column: int, a: Ranks, b: Ranks) -> Ranks:
        x = self._centred[:, column]
        changes: Ranks = (x[b] - x[a])[:, None] * (self._centred[a] - self._centred[b])
        changes[:, column] = 0
        return changes

    def after(self, column: int, a: Ranks, b: Ranks) -> Floats:
        """The values after each of the exchanges, shape (len(a),)."""
        products = self._products[column] + self._changes(column, a, b)
        old = self._products[column].astype(np.float64) * self._scale
        new = products.astype(np.float64) * self._scale
        return self.value - float(_total(old * old)) + _total(new * new)

    def exchange(self, column: int, a: int, b: int) -> None:
        """Carry one out."""
        change = self._changes(column, np.asarray([a]), np.asarray([b]))[0]
        self._products[column] += change
        self._products[:, column] = self._products[column]
        for table in (self.ranks, self._centred):
            table[[a, b], column] = table[[b, a], column]
        self._set_value()


class Discrepancy:
    """The centred L2 discrepancy (F. J. Hickernell, Math. Comp. 67 (1998) 299-322, eq. 1.4)."""

    def __init__(self, ranks: Ranks) -> None:
        self.ranks = ranks
        n, d = ranks.shape
        self._x: Floats = ranks.astype(np.float64)
        self._x += 0.5
        self._x /= float(n)
        self._x -= 0.5
        self._single: Floats = np.ones(n)
        self._pair: Floats = np.ones((n, n))
        self._constant = 1.0
        for column in range(d):
            self._constant *= 13.0 / 12.0
            self._single = self._single * self._singles(self._x[:, column])
            self._pair = self._pair * self._pairs(self._x[:, column][:, None], self._x[:, column][None, :])
        self._set_value()

    @staticmethod
    def _singles(x: Floats) -> Floats:
        size = np.abs(x)
        return 1.0 + 0.5 * size - 0.5 * size * size

    @staticmethod
    def _pairs(x: Floats, y: Floats) -> Floats:
        return 1.0 + 0.5 * np.abs(x) + 0.5 * np.abs(y) - 0.5 * np.abs(x - y)

    def _set_value(self) -> None:
        n = len(self._single)
        self._row = _total(self._pair)
        self._square = (
            self._constant + float(_total(self._row)) / (n * n) - 2.0 * float(_total(self._single)) / n
        )
        self.value = math.sqrt(max(self._square, 0.0))

    def _ratios(self, column: int, a: Ranks, b: Ranks) -> Floats:
        """By how much the pairs of a change; those of b change by one over it, shape (m, n)."""
        x = self._x[:, column]
        return self._pairs(x[b][:, None], x[None, :]) / self._pairs(x[a][:, None], x[None, :])

    def after(self, column: int, a: Ranks, b: Ranks) -> Floats:
        """The values after each of the exchanges, shape (len(a),)."""
        n = len(self._single)
        x = self._x[:, column]
        ratio = self._ratios(column, a, b)
        new_a, new_b = self._pair[a] * ratio, self._pair[b] / ratio
        rows = np.arange(len(a))
        own_a = self._pair[a, a] * self._pairs(x[b], x[b]) / self._pairs(x[a], x[a])
        own_b = self._pair[b, b] * self._pairs(x[a], x[a]) / self._pairs(x[b], x[b])
        for new in (new_a, new_b):
            new[rows, a] = 0.0
            new[rows, b] = 0.0
        between = self._pair[a, b]
        before: Floats = (
            2.0 * (self._row[a] + self._row[b] - self._pair[a, a] - self._pair[b, b] - between)
            - 2.0 * between
        )
        before = before + self._pair[a, a] + self._pair[b, b]
        new = 2.0 * (_total(new_a) + _total(new_b)) + own_a + own_b
        single = self._singles(x[b]) / self._singles(x[a])
        singles = self._single[a] * (single - 1.0) + self._single[b] * (1.0 / single - 1.0)
        squares: Floats = self._square + (new - before) / (n * n) - 2.0 * singles / n
        return np.sqrt(np.maximum(squares, 0.0))

    def exchange(self, column: int, a: int, b: int) -> None:
        """Carry one out."""
        for table in (self.ranks, self._x):
            table[[a, b], column] = table[[b, a], column]
        n, d = self.ranks.shape
        self._single[[a, b]] = 1.0
        rows = np.asarray([a, b])
        fresh = np.ones((2, n))
        for each in range(d):
            x = self._x[:, each]
            self._single[rows] = self._single[rows] * self._singles(x[rows])
            fresh = fresh * self._pairs(x[rows][:, None], x[None, :])
        self._pair[rows, :] = fresh
        self._pair[:, rows] = fresh.T
        self._set_value()


CRITERIA: dict[str, Callable[[Ranks], Criterion]] = {
    "maximin": Distances,
    "correlation": Correlations,
    "discrepancy": Discrepancy,
}


def optimised(ranks: Ranks, criterion: str, stream: Stream) -> Ranks:
    """The best of the hypercubes that a search from these ranks finds, shape (n, d)."""
    n, d = ranks.shape
    if n < 3 or d < 2:
        return ranks
    if criterion == "maximin" and d == 2 and n <= _SMALL_PAIR:
        return _turned_pair(n, stream)
    found = CRITERIA[criterion](ranks.copy())
    best, best_value = ranks.copy(), found.value
    pairs = n * (n - 1) // 2
    batch = min(max(pairs // 5, min(pairs, 20)), 50)
    batches = min(max(_WORK // (batch * n), 50), _MOST_BATCHES)
    inner = min(max(2 * pairs * d // batch, 10), 100)
    threshold = 0.005
    done = stale = 0
    while done < batches and stale < _MOST_STALE:
        accepted = improved = 0
        old_best = best_value
        for step in range(inner):
            column = step % d
            a, b = _exchanges(stream, n, batch)
            values = found.after(column, a, b)
            choice = int(np.argmin(values))
            chance = float(stream.uniforms(1)[0])
            if values[choice] - found.value <= threshold * found.value * chance:
                found.exchange(column, int(a[choice]), int(b[choice]))
                accepted += 1
                if found.value < best_value * (1.0 - 1e-12):
                    best, best_value = found.ranks.copy(), found.value
                    improved += 1
        done += inner
        stale = 0 if best_value < old_best else stale + 1
        threshold = _next_threshold(
            threshold, accepted / inner, improved / inner, is_better=best_value < old_best
        )
    return best


def _turned_pair(n: int, stream: Stream) -> Ranks:
    """The widest pair of columns, mirrored and turned at random."""
    places, _ = widest_pair(n)
    columns = [np.arange(n, dtype=np.int64), np.asarray(places, dtype=np.int64)]
    words = stream.words(3).tolist()
    columns = [n - 1 - column if word >> 63 else column for column, word in zip(columns, words, strict=False)]
    return np.stack(columns[::-1] if words[2] >> 63 else columns, axis=1)


def _exchanges(stream: Stream, n: int, count: int) -> tuple[Ranks, Ranks]:
    """Pairs of different rows."""
    words = stream.words(2 * count)
    a = (words[:count] % np.uint64(n)).astype(np.int64)
    b = (words[count:] % np.uint64(n - 1)).astype(np.int64)
    return a, b + (b >= a)


def _next_threshold(threshold: float, accepted: float, improved: float, *, is_better: bool) -> float:
    """Section 3.3 of the paper: cool while it improves, else explore until enough is accepted, and cool again."""
    if is_better:
        if accepted > 0.1 and improved < accepted:
            return threshold * 0.8
        return threshold if accepted > 0.1 else threshold / 0.8
    if accepted < 0.1:
        return min(threshold / 0.7, 1.0)
    return threshold * 0.9 if accepted > 0.8 else threshold
