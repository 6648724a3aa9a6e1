"""full-factorial: every combination of the levels."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from doe_compiler.methods.blocks import (
    MAIN,
    block_words,
    blocks_asked,
    blocks_of_runs,
    two_level_block_misfits,
)
from doe_compiler.methods.method import Method, Misfit, Task

if TYPE_CHECKING:
    from doe_compiler.methods.method import Codes


def _counts(task: Task) -> list[int]:
    levels = task.options.get("levels")
    return [factor.count or (levels if isinstance(levels, int) else 0) for factor in task.factors]


def _size(task: Task) -> int:
    return math.prod(count for count in _counts(task) if count)


def _misfits(task: Task) -> Iterator[Misfit]:
    for factor, count in zip(task.factors, _counts(task), strict=True):
        if not count:
            message = f"full-factorial needs levels, and '{factor.name}' has a range"
            hint = "give it Linspace, FixedRange or levels, say `levels: 3`, or choose another method"
            yield Misfit(message, hint, variable=factor.name)
    if "levels" in task.options and all(factor.count for factor in task.factors):
        yield Misfit("'levels' has no meaning: every variable has levels of its own", "remove it", "levels")
    if blocks_asked(task):
        k = len(task.factors)
        if set(_counts(task)) == {2}:
            yield from two_level_block_misfits(task, "a factorial", _vectors(k), k)
        else:
            yield Misfit(
                "'blocks' are for variables of two levels", "remove it, or use another method", "blocks"
            )


def _vectors(k: int) -> list[int]:
    """The factors as bits of the index of a run: the last varies fastest."""
    return [1 << (k - 1 - j) for j in range(k)]


def _blocks(task: Task) -> "Codes":
    import numpy as np

    k = len(task.factors)
    words = block_words(_vectors(k), k, blocks_asked(task).bit_length() - 1, MAIN)
    assert words is not None
    return blocks_of_runs(words, np.arange(1 << k, dtype=np.int32))


def _levels(task: Task) -> "Iterator[Codes]":
    """The indices of the levels, the first factor varies slowest."""
    import numpy as np

    index = np.arange(_size(task), dtype=np.int64)
    stride = len(index)
    for count in _counts(task):
        stride //= count
        yield (index // stride % count).astype(np.int32)


FULL_FACTORIAL = Method(
    "full-factorial",
    "Every combination of the levels; `levels: 3` makes as many of each range. The default where all variables enumerate.",
    "R. A. Fisher, The Design of Experiments, Oliver and Boyd (1935)",
    "all combinations of levels that stay: a level or variable more adds rows, and changes none but by its own column",
    ("levels", "blocks", "constraints"),
    _size,
    levels=_levels,
    blocks=_blocks,
    misfits=_misfits,
)
