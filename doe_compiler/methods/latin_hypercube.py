"""latin-hypercube: one point in each of the n strata of every variable."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from doe_compiler.methods.fields import prime_power
from doe_compiler.methods.method import Factor, Method, Misfit, Task, runs_asked
from doe_compiler.methods.options import MOST_RUNS
from doe_compiler.methods.sensitivity import multiple_misfits

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from doe_compiler.methods.method import Floats, Next

    Ranks = npt.NDArray[np.int64]

MOST_OPTIMISED = 2000
_OPTIMISED = ("maximin", "correlation", "discrepancy")


def _begin(task: Task) -> "Next":
    kind = next((kind for key, kind in _KINDS.items() if task.options.get(key)), _plain)
    if task.options.get("criterion") in _OPTIMISED:
        kind = _best

    def following(n: int) -> "Iterator[Floats]":
        return kind(task, n)

    return following


def _plain(task: Task, n: int) -> "Iterator[Floats]":
    from doe_compiler.generators.streams import balanced, permutation, strata

    for factor in task.factors:
        order = task.draw(factor.name, "latin-hypercube order")
        jitter = task.draw(factor.name, "latin-hypercube jitter")
        if 0 < factor.count <= MOST_RUNS:
            yield balanced(order, jitter, n, factor.count)
        elif task.options.get("criterion") == "centered":
            yield _centres(permutation(order, n), n)
        else:
            yield strata(order, jitter, n)


def _centres(ranks: "Ranks", n: int) -> "Floats":
    import numpy as np

    coordinates = ranks.astype(np.float64)
    coordinates += 0.5
    coordinates /= float(n)
    return coordinates


def _of_ranks(factor: Factor, ranks: "Ranks", n: int) -> "Floats":
    """The middle of the stratum, or of the level that the stratum is given in a balanced column."""
    if not 0 < factor.count <= MOST_RUNS:
        return _centres(ranks, n)
    return _centres((ranks * factor.count + factor.count // 2) // n, factor.count)


def _best(task: Task, n: int) -> "Iterator[Floats]":
    """Middles of strata in the order that a search finds best."""
    import numpy as np

    from doe_compiler.generators.streams import permutation
    from doe_compiler.methods.optimised import optimised

    columns = [
        permutation(task.draw(factor.name, "latin-hypercube order"), n).copy() for factor in task.factors
    ]
    if not columns:
        return iter(())
    criterion = str(task.options.get("criterion"))
    ranks = optimised(np.stack(columns, axis=1), criterion, task.draw("", f"latin-hypercube {criterion}"))
    return (_of_ranks(factor, ranks[:, column], n) for column, factor in enumerate(task.factors))


def _of_strength_two(task: Task, n: int) -> "Iterator[Floats]":
    """B. Tang, J. Amer. Statist. Assoc. 88 (1993) 1392-1397: an orthogonal array whose levels are cut into strata."""
    import numpy as np

    from doe_compiler.generators.streams import permutation
    from doe_compiler.methods.fields import field

    q = math.isqrt(n)
    addition, multiplication = (np.asarray(table) for table in field(q))
    first, second = np.repeat(np.arange(q), q), np.tile(np.arange(q), q)
    for column, factor in enumerate(task.factors):
        # Columns x, y + c x for the elements c: any two hold every pair of levels once.
        levels = first if column == q else addition[second, multiplication[first, column]]
        levels = permutation(task.draw(factor.name, "latin-hypercube levels"), q)[levels]
        within = task.draw(factor.name, "latin-hypercube order")
        ranks = np.empty(n, dtype=np.int64)
        for level in range(q):
            ranks[np.flatnonzero(levels == level)] = level * q + permutation(within, q)
        if factor.count:
            yield _of_ranks(factor, ranks, n)
        else:
            yield _jittered(task, factor, ranks, n)


def _jittered(task: Task, factor: Factor, ranks: "Ranks", n: int) -> "Floats":
    """A random place in each stratum, with few enough bits that no rounding leaves it."""
    import numpy as np

    bits = 50 - max(n, 1).bit_length()
    words = task.draw(factor.name, "latin-hypercube jitter").words(n)
    words >>= np.uint64(64 - bits)
    within = words.astype(np.float64)
    within += 0.5
    within *= 2.0**-bits
    within += ranks
    within /= float(n)
    return within


def _nested(task: Task, n: int) -> "Iterator[Floats]":
    """P. Z. G. Qian, Biometrika 96 (2009) 957-970: the first half of the runs is a hypercube too, and its half, ..."""
    for factor in task.factors:
        yield _nested_column(task, factor, n)


def _nested_column(task: Task, factor: Factor, n: int) -> "Floats":
    import numpy as np

    from doe_compiler.generators.streams import permutation

    start = n // (n & -n)  # the odd part
    bits = 50 - MOST_RUNS.bit_length()
    cells = np.empty(0, dtype=np.int64)
    rests = np.empty(0, dtype=np.uint64)
    size = 0
    coordinates = np.empty(0)
    while size < n:
        if size == 0:
            fresh = permutation(task.draw(factor.name, f"nested {start}"), start).copy()
            size = start
        else:
            # Old points keep the half of their stratum that they lie in; each other half gets a new one.
            cells = 2 * cells + (rests >> np.uint64(63)).astype(np.int64)
            rests = rests << np.uint64(1)
            is_free = np.ones(2 * size, dtype=np.bool_)
            is_free[cells] = False
            fresh = np.flatnonzero(is_free)[permutation(task.draw(factor.name, f"nested {2 * size}"), size)]
            size *= 2
        words = task.draw(factor.name, f"nested jitter {size}").words(len(fresh))
        words &= np.uint64((1 << bits) - 1 << (64 - bits))
        words |= np.uint64(1 << (63 - bits))
        places = (fresh + words.astype(np.float64) * 2.0**-64) / float(size)
        cells, rests = np.concatenate([cells, fresh]), np.concatenate([rests, words])
        coordinates = np.concatenate([coordinates, places])
    return coordinates


def _sliced(task: Task, n: int) -> "Iterator[Floats]":
    """P. Z. G. Qian, J. Amer. Statist. Assoc. 107 (2012) 393-399: the runs of every combination of levels are a hypercube too."""
    import numpy as np

    from doe_compiler.generators.streams import permutation

    names = _slicing(task)
    slices = _slice_count(task)
    size = n // slices
    number = np.arange(n) // size
    stride = slices
    for factor in task.factors:
        if factor.name in names:
            stride //= factor.count
            yield _centres(number // stride % factor.count, factor.count)
            continue
        order = task.draw(factor.name, "latin-hypercube order")
        # Each of the strata of a slice is cut into as many as there are slices: a part for each, at random.
        parts = np.stack([permutation(order, slices) for _ in range(size)])
        ranks = np.concatenate(
            [(np.arange(size) * slices + parts[:, one])[permutation(order, size)] for one in range(slices)]
        )
        yield _of_ranks(factor, ranks, n) if factor.count else _jittered(task, factor, ranks, n)


_KINDS = {"strength": _of_strength_two, "nested": _nested, "sliced": _sliced}


def _slicing(task: Task) -> list[str]:
    given = task.options.get("sliced")
    return [str(name) for name in given] if isinstance(given, list) else []


def _slice_count(task: Task) -> int:
    return math.prod(factor.count for factor in task.factors if factor.name in _slicing(task))


def _misfits(task: Task) -> Iterator[Misfit]:
    kinds = [key for key in _KINDS if task.options.get(key)]
    if len(kinds) > 1 or (kinds and "criterion" in task.options):
        others = [*kinds, *(["criterion"] if "criterion" in task.options else [])]
        yield Misfit(f"{' and '.join(others)} do not go together", "keep one of them", others[-1])
        return
    if task.options.get("criterion") in _OPTIMISED and task.runs > MOST_OPTIMISED:
        message = f"{task.runs:,} runs are more than {MOST_OPTIMISED:,}, up to which a hypercube is optimised"
        yield Misfit(message, "leave 'criterion' out, or use method: sobol", "runs")
    searched = ["criterion"] if task.options.get("criterion") in _OPTIMISED else []
    if task.options.get("correlation") and (kinds or searched):
        key = [*kinds, *searched][0]
        message = f"'{key}' and correlation do not go together: correlated columns are reordered, and lose what it gives them"
        yield Misfit(message, "remove one of them", key)
        return
    asked = [key for key in (*_KINDS, "criterion") if task.options.get(key)]
    if asked and task.options.get("constraints"):
        message = f"'{asked[0]}' and constraints do not go together: the constraints choose the strata"
        yield Misfit(message, "remove one of them", asked[0])
        return
    if task.options.get("strength"):
        yield from _strength_misfits(task)
    yield from _slice_misfits(task)


def _strength_misfits(task: Task) -> Iterator[Misfit]:
    q = math.isqrt(task.runs)
    if q * q != task.runs or q < 2 or prime_power(q) is None:
        sizes = [p * p for p in range(2, q + 20) if prime_power(p)]
        below = max((size for size in sizes if size < task.runs), default=None)
        above = min(size for size in sizes if size > task.runs)
        nearest = " or ".join(str(size) for size in (below, above) if size)
        message = f"'runs' ({task.runs:,}) is not the square of a prime or of its power"
        yield Misfit(message, f"say runs: {nearest}", "runs")
    elif len(task.factors) > q + 1:
        message = f"{task.runs:,} runs of strength 2 take at most {q + 1} variables, not {len(task.factors)}"
        yield Misfit(message, "ask for more runs", "runs")


def _slice_misfits(task: Task) -> Iterator[Misfit]:
    by_name = {factor.name: factor for factor in task.factors}
    for name in _slicing(task):
        if name not in by_name:
            yield Misfit(f"'{name}' is not a variable that is drawn", "name one with levels", "sliced")
            return
        if not by_name[name].count:
            message = f"'{name}' has no equally likely levels to slice by"
            yield Misfit(message, "name a variable with levels that have no weights", "sliced")
            return
    if _slicing(task):
        yield from multiple_misfits(
            task, _slice_count(task), "a number of runs for each of the levels: slices"
        )


LATIN_HYPERCUBE = Method(
    "latin-hypercube",
    "One point in each of n equally likely strata of every variable; levels and whole numbers are used as often within one.",
    "M. D. McKay, R. J. Beckman, W. J. Conover, Technometrics 21 (1979) 239-245; nested: P. Z. G. Qian, Biometrika 96 (2009) 957-970; sliced: P. Z. G. Qian, J. Amer. Statist. Assoc. 107 (2012) 393-399; strength: B. Tang, J. Amer. Statist. Assoc. 88 (1993) 1392-1397; search: R. Jin, W. Chen, A. Sudjianto, J. Statist. Plann. Inference 134 (2005) 268-287",
    "the other columns when a variable is added, removed or moved (but with an optimised criterion); nothing when the number of runs changes, but `nested: true` keeps all when it is doubled",
    (
        "runs",
        "criterion",
        "strength",
        "nested",
        "sliced",
        "constraints",
        "cross",
        "correlation",
        "correlationBy",
    ),
    runs_asked,
    unit=_begin,
    misfits=_misfits,
)
