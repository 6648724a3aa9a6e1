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
    9: ((1, 4, 7), (2, 5, 8), (3, 6, 9), (1, 2, 3), (4, 5, 6), (7, 8, 9), (1, 5, 9), (3, 4, 8), (2, 6, 7),
        (1, 6, 8), (2, 4, 9), (3, 5, 7), (1, 4, 7), (2, 5, 8), (3, 6, 9)),
    10: ((2, 6, 7, 10), (1, 2, 5, 10), (2, 3, 7, 8), (2, 4, 6, 9), (1, 8, 9, 10), (3, 4, 5, 10), (1, 4, 7, 8),
        (3, 5, 7, 9), (1, 3, 6, 9), (4, 5, 6, 8)),
    11: ((3, 7, 8, 9, 11), (1, 4, 8, 9, 10), (2, 5, 9, 10, 11), (1, 3, 6, 10, 11), (1, 2, 4, 7, 11),
        (1, 2, 3, 5, 8), (2, 3, 4, 6, 9), (3, 4, 5, 7, 10), (4, 5, 6, 8, 11), (1, 5, 6, 7, 9),
        (2, 6, 7, 8, 10)),
    12: ((1, 2, 5, 7), (2, 3, 6, 8), (3, 4, 7, 9), (4, 5, 8, 10), (5, 6, 9, 11), (6, 7, 10, 12), (1, 7, 8, 11),
        (2, 8, 9, 12), (1, 3, 9, 10), (2, 4, 10, 11), (3, 5, 11, 12), (1, 4, 6, 12)),
    16: ((1, 2, 6, 9), (3, 4, 8, 11), (5, 10, 13, 14), (7, 12, 15, 16), (2, 3, 7, 10), (1, 4, 5, 12),
        (6, 11, 14, 15), (8, 9, 13, 16), (2, 5, 6, 13), (4, 7, 8, 15), (1, 9, 10, 14), (3, 11, 12, 16),
        (3, 6, 7, 14), (1, 5, 8, 16), (2, 10, 11, 15), (4, 9, 12, 13), (1, 3, 13, 15), (2, 4, 14, 16),
        (5, 7, 9, 11), (6, 8, 10, 12), (4, 6, 10, 16), (3, 5, 9, 15), (1, 7, 11, 13), (2, 8, 12, 14)),
}  # fmt: skip
_MOST_FULL = 4  # five factors at a time take half of their combinations, those whose product is 1

# Into how many orthogonal blocks the paper divides them: into runs of the list above, each with all factors equally often,
# and where three or four factors move at a time into two halves by the sign of their product.
_PARTS = {4: 3, 5: 2, 9: 5, 16: 6}
_HALVED = (3, 4)


def _divisions(k: int) -> tuple[int, ...]:
    parts, is_halved = _PARTS.get(k, 1), len(BLOCKS[k][0]) in _HALVED
    return tuple(sorted({parts, 2, 2 * parts} - {1} if is_halved else {parts} - {1}))


def _signs(count: int) -> "Floats":
    import numpy as np

    signs = full_signs(min(count, _MOST_FULL))
    return signs if count <= _MOST_FULL else np.column_stack([signs, signs.prod(axis=1)])


def _blocks(task: Task) -> "Codes":
    import numpy as np

    k, asked = len(task.factors), blocks_asked(task)
    count, parts = len(BLOCKS[k]), _PARTS.get(k, 1)
    signs = _signs(len(BLOCKS[k][0]))
    found = np.zeros(count * len(signs), np.int32)
    if asked % parts == 0 and parts > 1:
        found += np.repeat(np.arange(count) * parts // count, len(signs)).astype(np.int32)
    if asked in (2, 2 * parts) and asked != parts:
        is_high = np.tile(signs.prod(axis=1) > 0, count).astype(np.int32)
        found = found * 2 + is_high
    return with_centers_spread(task, found, 1)


def _misfits(task: Task) -> Iterator[Misfit]:
    yield from three_level_misfits(task, "a Box-Behnken design")
    yield from number_misfits(task, "published Box-Behnken design", tuple(BLOCKS))
    if blocks_asked(task):
        k = len(task.factors)
        yield from block_misfits(task, "a Box-Behnken design", _divisions(k) if k in BLOCKS else ())


def _coded(task: Task) -> "Floats":
    import numpy as np

    k = len(task.factors)
    parts = []
    for block in BLOCKS[k]:
        signs = _signs(len(block))
        part = np.zeros((len(signs), k))
        part[:, [factor - 1 for factor in block]] = signs
        parts.append(part)
    return as_indices(task, with_centers(np.concatenate(parts), center_points(task, 1)))


def _size(task: Task) -> int:
    blocks = BLOCKS.get(len(task.factors), ())
    return sum(1 << min(len(block), _MOST_FULL) for block in blocks) + center_points(task, 1)


BOX_BEHNKEN = Method(
    "box-behnken",
    "Quadratic models on three levels without corners, of 3 to 7, 9 to 12 or 16 variables: 12, 24, 40, 48, 56; 120, 160, 176, 192; 384 runs and `centerPoints` (1 if not given).",
    "G. E. P. Box, D. W. Behnken, Technometrics 2 (1960) 455-475",
    "the rows while the number of variables stays",
    ("centerPoints", "blocks", "cross"),
    _size,
    coded=_coded,
    blocks=_blocks,
    misfits=_misfits,
)
