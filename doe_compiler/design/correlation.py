"""Rank correlation of sampled columns: a Gaussian copula, which grows, or Iman and Conover's, which keeps strata."""

import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from doe_compiler.expressions.exponential import Floats
from doe_compiler.expressions.trigonometric import sin
from doe_compiler.generators.gaussian import normal_cdf, normal_quantile
from doe_compiler.generators.streams import Stream, permutation
from doe_compiler.spec.model import Correlation

if TYPE_CHECKING:
    from doe_compiler.methods.method import Next

_PI_SIXTH = 0.52359877559829887308
_NEARLY_ONE = 1.0 - 2.0**-53
Lower = list[list[float]]


def correlated(
    following: "Next",
    names: Sequence[str],
    correlation: Correlation,
    order_of: Callable[[str], Stream] | None = None,
) -> "Next":
    """The points of a method, so that the ranks of the named columns are correlated as asked.

    By the copula each point is changed by itself: the first column of the group stays, the others are mixtures. By Iman and
    Conover's way, which takes the random stream of a column, the values of every column stay, and their order changes.
    """
    places = [names.index(name) for name in correlation.names]
    target = _cholesky(_scores(correlation.matrix))

    def next_points(n: int) -> Iterator[Floats]:
        columns = list(following(n))
        chosen = [columns[place] for place in places]
        changed = (
            _mixed(chosen, target)
            if order_of is None
            else _reordered(chosen, target, [order_of(name) for name in correlation.names])
        )
        for place, column in zip(places, changed, strict=True):
            columns[place] = column
        return iter(columns)

    return next_points


def _scores(matrix: tuple[tuple[Fraction, ...], ...]) -> Lower:
    """The correlations of normal scores that have these rank correlations: 2 sin(pi rho / 6) (Pearson 1907)."""
    return [
        [
            1.0 if i == j else 2.0 * float(sin(np.asarray([float(value) * _PI_SIXTH]))[0])
            for j, value in enumerate(row)
        ]
        for i, row in enumerate(matrix)
    ]


def _cholesky(matrix: Lower) -> Lower:
    """The lower triangle L with L L' = matrix, by sums in a fixed order."""
    lower: Lower = []
    for i, row in enumerate(matrix):
        own: list[float] = []
        for j in range(i + 1):
            rest = row[j]
            for k in range(j):
                rest -= own[k] * (own[k] if j == i else lower[j][k])
            own.append(math.sqrt(max(rest, 0.0)) if j == i else rest / lower[j][j])
        lower.append(own)
    return lower


def _combined(columns: Sequence[Floats], weights: Sequence[float]) -> Floats:
    total = columns[0] * weights[0]
    for column, weight in zip(columns[1:], weights[1:], strict=True):
        total += column * weight
    return total


def _mixed(columns: list[Floats], target: Lower) -> list[Floats]:
    """The Gaussian copula: z' = L z of normal scores z, and back to the unit interval."""
    scores = [normal_quantile(column) for column in columns]
    changed = [columns[0]]
    for i in range(1, len(columns)):
        coordinates = normal_cdf(_combined(scores[: i + 1], target[i]))
        changed.append(np.minimum(np.maximum(coordinates, 2.0**-64), _NEARLY_ONE))
    return changed


def _reordered(columns: list[Floats], target: Lower, streams: list[Stream]) -> list[Floats]:
    """R. L. Iman, W. J. Conover, Commun. Statist. B 11 (1982) 311-334: the order of scores with the target's correlation.

    The scores are normal (van der Waerden's) in random order; what correlation they have is taken out first.
    """
    n = len(columns[0])
    if n <= len(columns):
        return columns
    scores = []
    for stream in streams:
        z = permutation(stream, n).astype(np.float64)
        z += 0.5
        z = normal_quantile(z / float(n))
        scores.append(z / math.sqrt(_sum(z * z)))
    own = _cholesky([[_sum(a * b) for b in scores] for a in scores])
    free: list[Floats] = []
    for i, z in enumerate(scores):  # free = own**-1 scores
        rest = z.copy()
        for k in range(i):
            rest -= own[i][k] * free[k]
        free.append(rest / own[i][i] if own[i][i] > 0 else rest)
    changed = []
    for i, column in enumerate(columns):
        wanted = _combined(free[: i + 1], target[i])
        order = np.argsort(wanted, kind="stable")
        values = np.empty_like(column)
        values[order] = np.sort(column)
        changed.append(values)
    return changed


def _sum(values: Floats) -> float:
    """The sum in the order of the rows, which no processor changes."""
    return float(np.add.accumulate(values)[-1])
