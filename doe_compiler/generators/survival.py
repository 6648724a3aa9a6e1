"""Exponential decay and its inverse, with the digits of both tails."""

import numpy as np

from doe_compiler.expressions.exponential import Floats, exp, log, log1p


def minus_log(p: Floats, q: Floats) -> Floats:
    """-log(p) of a probability p = 1 - q, with the digits of the smaller of both."""
    return np.where(p < 0.5, -log(p), -log1p(-np.where(q < 0.5, q, 0.5)))


def decay(x: Floats) -> tuple[Floats, Floats]:
    """1 - exp(-x) and exp(-x) for x, negative ones counting as 0, each with its own digits."""
    x = np.maximum(x, 0.0)
    above = exp(-x)
    # 1 - exp(-x) = exp(-x/2) * 2 sinh(x/2); below 1 by the Taylor series of sinh, whose terms are all positive.
    half = np.minimum(x, 1.0) * 0.5
    square = half * half
    total = np.ones_like(half)
    for order in range(11, 0, -1):
        total = 1.0 + total * square / float((2 * order) * (2 * order + 1))
    below = np.where(x < 1.0, exp(-half) * 2.0 * half * total, 1.0 - above)
    return below, above
