"""box-behnken: second-order designs on three levels, without corners."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from doe_compiler.methods.blocks import block_misfits, blocks_asked, with_centers_spread
from doe_compiler.methods.coded import (
    as_indices,
    center_points,
    full_signs,
    number_misfits,
    three_level_misfits,
    with_centers,
)
from doe_compiler.methods.method import Method, Misfit, Task

if TYPE_CHECKING:
    from doe_compiler.methods.method import Codes, Floats

# Factors, from 1, that take -1 and 1 together while the others are in the middle: the blocks of the paper's tables.
BLOCKS = {
    3: ((1, 2), (1, 3), (2, 3)),
    4: ((1, 2), (3, 4), (1, 4), (2, 3), (1, 3), (2, 4)),
    5: ((1, 2), (3, 4), (2, 5), (1, 3), (4, 5), (2, 3), (1, 4), (3, 5), (1, 5), (2, 4)),
    6: ((1, 2, 4), (2, 3, 5), (3, 4, 6), (1, 4, 5), (2, 5, 6), (1, 3, 6)),
    7: ((4, 5, 6), (1, 6, 7), (2, 5, 7), (1, 2, 4), (3, 4, 7), (1, 3, 5), (2, 3, 6)),
}


# In how many orthogonal blocks the paper has them; three factors at a time are halved by the sign of their product.
_DIVISIONS = {4: 3, 5: 2, 6: 2, 7: 2}


def _blocks(task: Task) -> "Codes":
    import numpy as np

    k = len(task.factors)
    pairs = BLOCKS[k]
    if len(pairs[0]) == 2:
        of_pairs = np.repeat(np.arange(len(pairs)) * _DIVISIONS[k] // len(pairs), 4)
    else:
        of_pairs = np.tile((full_signs(3).prod(axis=1) > 0).astype(np.int32), len(pairs))
    return with_centers_spread(task, of_pairs.astype(np.int32), 1)


def _misfits(task: Task) -> Iterator[Misfit]:
    yield from three_level_misfits(task, "a Box-Behnken design")
    yield from number_misfits(task, "published Box-Behnken design", tuple(BLOCKS))
    if blocks_asked(task):
        division = _DIVISIONS.get(len(task.factors))
        yield from block_misfits(task, "a Box-Behnken design", (division,) if division else ())


def _coded(task: Task) -> "Floats":
    import numpy as np

    k = len(task.factors)
    parts = []
    for block in BLOCKS[k]:
        signs = full_signs(len(block))
        part = np.zeros((len(signs), k))
        part[:, [factor - 1 for factor in block]] = signs
        parts.append(part)
    return as_indices(task, with_centers(np.concatenate(parts), center_points(task, 1)))


def _size(task: Task) -> int:
    blocks = BLOCKS.get(len(task.factors), ())
    return sum(1 << len(block) for block in blocks) + center_points(task, 1)


BOX_BEHNKEN = Method(
    "box-behnken",
    "Quadratic models on three levels without corners, of 3 to 7 variables: 12, 24, 40, 48, 56 runs and `centerPoints` (1 if not given).",
    "G. E. P. Box, D. W. Behnken, Technometrics 2 (1960) 455-475",
    "the rows while the number of variables stays",
    ("centerPoints", "blocks", "cross"),
    _size,
    coded=_coded,
    blocks=_blocks,
    misfits=_misfits,
)
