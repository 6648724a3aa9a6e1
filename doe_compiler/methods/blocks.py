"""Blocks: the runs of a design in groups, so that whatever a group does to all of its runs is told apart from the effects.

2**3 in 2 blocks: the runs with A*B*C = -1, and those with A*B*C = 1
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from doe_compiler.methods.coded import center_points
from doe_compiler.methods.method import Method, Misfit, Task

if TYPE_CHECKING:
    from doe_compiler.methods.method import Codes

COLUMN = "doe_block"
MAIN, PAIRS = (
    2,
    3,
)  # the shortest effect that may be a block's: main effects are clear of blocks; so are pairs
_MOST_TRIED = 20_000
_MOST_CANDIDATES = 4_096


def blocks_asked(task: Task) -> int:
    """How many blocks are asked for; 0 where none are."""
    asked = task.options.get("blocks", 0)
    return asked if isinstance(asked, int) else 0


def block_misfits(task: Task, what: str, sizes: Sequence[int]) -> Iterator[Misfit]:
    """A number of blocks that the design cannot be divided into."""
    asked = blocks_asked(task)
    if asked and asked not in sizes:
        there = f"into {' or '.join(map(str, sizes))}" if sizes else "at all"
        message = f"{what} of {len(task.factors)} variables cannot be divided into {asked} blocks"
        yield Misfit(message, f"it can be {there}" if sizes else "remove 'blocks'", "blocks")


def two_level_block_misfits(
    task: Task, what: str, vectors: Sequence[int], base: int, *, least: int = MAIN, beside: int = 0
) -> Iterator[Misfit]:
    """A number of blocks for which there are no effects that are long enough; `beside` blocks hold other points."""
    if not blocks_asked(task):
        return
    asked = blocks_asked(task) - beside

    def are_there(count: int) -> bool:
        return block_words(vectors, base, count, least) is not None

    count = asked.bit_length() - 1
    is_possible = asked == 1 << max(count, 0) and (are_there(count) if count else bool(beside))
    if not is_possible:
        sizes = [beside + (1 << b) for b in range(1, base) if are_there(b)]
        yield from block_misfits(task, what, [1 + beside, *sizes] if beside else sizes)


def block_words(vectors: Sequence[int], base: int, count: int, least: int) -> tuple[int, ...] | None:
    """The effects whose signs make 2**count blocks of the 2**base runs of a regular two-level design; None if there are none.

    `vectors` are the factors as products of the base factors, bits each; so are the effects. The products of the effects
    are the blocks' too. Of those that are tried the shortest is as long as can be, and then fewest are short.
    """
    import numpy as np

    lengths = _lengths(vectors, base)
    for shortest in range(int(lengths.max()), least - 1, -1):
        candidates = np.flatnonzero(lengths >= shortest)
        if len(candidates) < (1 << count) - 1:
            continue
        order = np.lexsort((candidates, -lengths[candidates]))
        usable = frozenset(candidates.tolist())
        found = itertools.islice(
            _spaces(candidates[order][:_MOST_CANDIDATES].tolist(), usable, count), _MOST_TRIED
        )
        best = min(found, key=lambda words: _pattern(words, lengths), default=None)
        if best is not None:
            return best
    return None


def _lengths(vectors: Sequence[int], base: int) -> "Codes":
    """By how few factors each effect is made, shape (2**base,); 0 for no effect."""
    import numpy as np

    lengths = np.full(1 << base, -1, dtype=np.int32)
    lengths[0] = 0
    reached = np.zeros(1, dtype=np.int64)
    length = 0
    while len(reached):
        length += 1
        following = np.unique(np.concatenate([reached ^ vector for vector in vectors]))
        reached = following[lengths[following] < 0]
        lengths[reached] = length
    return lengths


def _spaces(candidates: list[int], usable: frozenset[int], count: int) -> Iterator[tuple[int, ...]]:
    """Choices of `count` independent effects whose products are all usable."""
    budget = [_MOST_TRIED * 50]

    def search(start: int, chosen: tuple[int, ...], products: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if len(chosen) == count:
            yield chosen
            return
        for index in range(start, len(candidates)):
            budget[0] -= len(products)
            if budget[0] < 0:
                return
            word = candidates[index]
            added = tuple(product ^ word for product in products)
            if word not in products and all(product in usable for product in added):
                yield from search(index + 1, (*chosen, word), (*products, *added))

    yield from search(0, (), (0,))


def _pattern(words: tuple[int, ...], lengths: "Codes") -> tuple[int, ...]:
    """How many effects of blocks there are of length 1, 2, 3, ..."""
    products = [0]
    for word in words:
        products += [product ^ word for product in products]
    found = [int(lengths[product]) for product in products[1:]]
    return tuple(found.count(length) for length in range(1, max(found) + 1))


def blocks_of_runs(words: Sequence[int], bits: "Codes") -> "Codes":
    """The block of each run, from 0; `bits` are which of the base factors are high in it, shape (n,)."""
    import numpy as np

    blocks = np.zeros(len(bits), dtype=np.int32)
    for number, word in enumerate(words):
        parity = np.zeros(len(bits), dtype=np.int32)
        for place in range(word.bit_length()):
            if word >> place & 1:
                parity ^= (bits >> place & 1).astype(np.int32)
        blocks |= parity << number
    return blocks


def lost_to_blocks(method: Method, task: Task) -> frozenset[tuple[int, int]]:
    """The pairs of factors whose product is the same in all runs of each block, of a two-level design."""
    import numpy as np

    assert method.blocks is not None
    if method.levels is not None:
        points = np.stack(list(method.levels(task)), axis=1) * 2.0 - 1.0
    else:
        assert method.coded is not None
        points = method.coded(task)
        for column, factor in enumerate(task.factors):
            points[:, column] = points[:, column] * 2.0 - 1.0 if factor.count else points[:, column]
    blocks = method.blocks(task)
    is_corner = np.abs(points).min(axis=1) > 0  # centre points have no products
    points, blocks = points[is_corner], blocks[is_corner]
    first = [int(np.argmax(blocks == block)) for block in range(int(blocks.max()) + 1)]
    return frozenset(
        (i, j)
        for i, j in itertools.combinations(range(points.shape[1]), 2)
        if np.array_equal(points[:, i] * points[:, j], (points[:, i] * points[:, j])[first][blocks])
    )


def with_centers_spread(task: Task, blocks: "Codes", default: int = 0) -> "Codes":
    """The blocks, and those of the centre points, which follow: one after the other in each."""
    import numpy as np

    centers = np.arange(center_points(task, default), dtype=np.int32) % blocks_asked(task)
    return np.concatenate([blocks, centers.astype(np.int32)])
