"""Quantiles of laws on whole numbers: their probabilities from the most likely value outward, by exact ratios."""

from collections.abc import Callable

import numpy as np

from doe_compiler.expressions.exponential import Floats

_LEAST_SHARE = 1e-40


def counted(
    mode: int, lowest: int, highest: int, ratio: Callable[[Floats], Floats], spread: float
) -> tuple[int, Floats]:
    """The first value that counts and the probability of it and its successors, shape (n,).

    `ratio(k)` is P(k + 1) / P(k). Values that are 1e-40 times as likely as the mode are left out; `spread` is the
    standard deviation.
    """
    reach = int(16 * spread) + 64
    while True:
        low, high = max(lowest, mode - reach), min(highest, mode + reach)
        up = np.multiply.accumulate(ratio(np.arange(mode, high, dtype=np.float64)))
        down = np.multiply.accumulate(1.0 / ratio(np.arange(mode - 1, low - 1, -1, dtype=np.float64)))
        if (high == highest or up[-1] < _LEAST_SHARE) and (low == lowest or down[-1] < _LEAST_SHARE):
            break
        reach *= 2
    shares = np.concatenate([down[::-1], [1.0], up])
    return low, shares / np.add.accumulate(shares)[-1]


def value_at(first: int, shares: Floats, p: Floats, q: Floats) -> Floats:
    """The smallest value up to which the probability is at least p = 1 - q, shape (n,)."""
    below = np.add.accumulate(shares)
    above = np.concatenate([np.add.accumulate(shares[:0:-1])[::-1], [0.0]])
    by_lower = np.searchsorted(below, p, side="left")
    by_upper = len(above) - np.searchsorted(above[::-1], q, side="right")
    index = np.minimum(np.where(p < 0.5, by_lower, by_upper), len(shares) - 1)
    return float(first) + index.astype(np.float64)


def tails_at(first: int, shares: Floats, x: Floats) -> tuple[Floats, Floats]:
    """The probabilities below x and at or above it, shape (n,)."""
    below = np.concatenate([[0.0], np.add.accumulate(shares)])
    above = np.concatenate([np.add.accumulate(shares[::-1])[::-1], [0.0]])
    index = np.minimum(np.maximum(np.ceil(x) - first, 0), len(shares)).astype(np.int64)
    return below[index], above[index]
