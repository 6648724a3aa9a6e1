"""Hypercubes within constraints: of many runs that satisfy them, those that fill the strata of every variable.

B. Minasny, A. B. McBratney, Computers & Geosciences 32 (2006) 1378-1388: the strata are n equally likely parts of each
variable's values among the candidates, and exchanges bring the number of chosen runs in each of them to one.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from doe_compiler.design.columns import CodedColumn, Column
from doe_compiler.generators.streams import Stream

Ints = npt.NDArray[np.int64]

MOST_RUNS = 5_000
_CANDIDATES_A_RUN = 20
_LEAST_CANDIDATES = 2_000
_MOST_CANDIDATES = 100_000
_BATCH = 64
_STEPS_A_RUN = 40


def candidate_count(n: int) -> int:
    """How many runs that satisfy the constraints are chosen from."""
    return max(min(_CANDIDATES_A_RUN * n, _MOST_CANDIDATES), _LEAST_CANDIDATES, n)


def chosen_rows(columns: Sequence[Column], n: int, stream: Stream) -> tuple[Ints, float]:
    """The rows of n candidates that fill the strata best, in rising order, and the share of strata that hold one."""
    strata = np.stack([_strata(column, n) for column in columns], axis=1)
    total, d = strata.shape
    chosen = np.arange(n)
    counts = np.stack([np.bincount(strata[chosen, column], minlength=n) for column in range(d)])
    is_chosen = np.zeros(total, dtype=np.bool_)
    is_chosen[chosen] = True
    every = np.arange(d)
    for step in range(_STEPS_A_RUN * n):
        words = stream.words(_BATCH + 1)
        place = int(words[0] % np.uint64(n))
        if step % 2:  # every other step takes out a run whose strata are the fullest of some
            some = (words[1:9] % np.uint64(n)).astype(np.int64)
            place = int(some[np.argmax(counts[every[:, None], strata[chosen[some]].T].sum(axis=0))])
        old = strata[chosen[place]]
        counts[every, old] -= 1
        others = (words[1:] % np.uint64(total)).astype(np.int64)
        others = np.append(others[~is_chosen[others]], chosen[place])
        # A run costs one for each of its strata that holds another already.
        cost = (counts[every[:, None], strata[others].T] > 0).sum(axis=0)
        best = int(others[int(np.argmin(cost))])
        is_chosen[chosen[place]] = False
        is_chosen[best] = True
        chosen[place] = best
        counts[every, strata[best]] += 1
    return np.sort(chosen), float((counts > 0).sum()) / (n * d)


def _strata(column: Column, n: int) -> Ints:
    """In which of n equally likely parts each value lies, from 0; equal values are parted in the order of the rows."""
    values = column.codes if isinstance(column, CodedColumn) else column.numbers()
    order = np.argsort(values, kind="stable")
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order))
    return ranks * n // len(order)
