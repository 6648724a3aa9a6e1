"""Quantiles that have no formula: Chebyshev series in the probability, an octave of either tail at a time.

The quarter octaves [2**-k (1 + j/4), 2**-k (1 + (j+1)/4)) of the smaller tail each have the interpolant of 14 Chebyshev points
(Trefethen, Approximation Theory and Approximation Practice, 2013, chapter 8: on a quarter octave a logarithm converges by a
factor of 17.9 a point), whose values are found by `incomplete`. Only the pieces that hold a coordinate are made, and none
hangs on another, so that a value is the same whatever else is drawn.
"""

from collections.abc import Callable

import numpy as np

from doe_compiler.expressions.exponential import Floats
from doe_compiler.expressions.trigonometric import cos

_POINTS = 14
_PIECES = 4
_HALF_PI = 1.57079632679489661923


def by_tails(solve: Callable[[Floats, bool], Floats], p: Floats, q: Floats, *, deepest: int = 200) -> Floats:
    """The values at probabilities p below and q = 1 - p above, shape (n,), of `solve(tail, is_upper)`.

    A tail below 2**-deepest counts as that.
    """
    values = np.empty_like(p)
    is_upper = q < p
    for upper in (False, True):
        rows = np.flatnonzero(is_upper == upper)
        if len(rows):
            tail = np.maximum((q if upper else p)[rows], 2.0**-deepest)
            values[rows] = _interpolated(lambda t, u=upper: solve(t, u), tail)  # type: ignore[misc]
    return values


def _interpolated(solve: Callable[[Floats], Floats], tail: Floats) -> Floats:
    mantissa, exponent = np.frexp(tail)  # in [1/2, 1)
    scaled = (mantissa - 0.5) * (2.0 * _PIECES)
    piece = np.minimum(scaled.astype(np.int64), _PIECES - 1)
    t = 2.0 * (scaled - piece) - 1.0
    number = (-exponent.astype(np.int64)) * _PIECES + piece
    number -= number.min()
    used, first = np.unique(number, return_index=True)
    place = np.zeros(int(number.max()) + 1, dtype=np.int64)
    place[used] = np.arange(len(used))
    index = place[number]
    coefficients = _coefficients(solve, exponent[first], piece[first])
    high = np.zeros_like(t)
    higher = np.zeros_like(t)
    double = 2.0 * t
    for column in coefficients[:0:-1]:
        high, higher = column[index] + double * high - higher, high
    return coefficients[0][index] + t * high - higher


def _coefficients(solve: Callable[[Floats], Floats], exponent: Floats, piece: Floats) -> list[Floats]:
    """The Chebyshev coefficients of each piece, an array of the pieces an order."""
    nodes = [float(cos(np.asarray([_HALF_PI * (2 * k + 1) / _POINTS]))[0]) for k in range(_POINTS)]
    values = []
    start = 0.5 + piece / (2.0 * _PIECES)
    tails = [np.ldexp(start + (node + 1.0) / (4.0 * _PIECES), exponent) for node in nodes]
    solved = solve(np.concatenate(tails)).reshape(_POINTS, -1)
    for order in range(_POINTS):
        total = np.zeros_like(start)
        for k in range(_POINTS):
            # cos(order θ_k), reduced exactly: its angle is a multiple of π / (2 * points).
            turn = (order * (2 * k + 1)) % (4 * _POINTS)
            weight = float(cos(np.asarray([_HALF_PI * turn / _POINTS]))[0])
            total = total + weight * solved[k]
        values.append(total * ((1.0 if order == 0 else 2.0) / _POINTS))
    return values
