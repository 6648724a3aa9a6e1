"""Blocks: equal in size, their effects clear of what they must be clear of, and as good as the published ones."""

import itertools
import math

import numpy as np
import pytest

from doe_compiler.methods.blocks import block_words
from doe_compiler.methods.catalogue import METHODS
from doe_compiler.methods.fractional_factorial import generators_of, vectors_of
from doe_compiler.methods.method import Factor, Task
from doe_compiler.methods.options import OPTIONS

RANGES = [Factor(name) for name in "abcdefghjklmnopq"]
TWO = [Factor(name, 2) for name in "abcdefghjklmnopq"]


def task(method, factors, **options):
    return Task(tuple(factors), options={"method": method, **options})


def divided(method, factors, **options):
    """The coded points of a design, -1 and 1 also for factors of two levels, and their blocks."""
    asked = task(method, factors, **options)
    record = METHODS[method]
    assert list(record.misfits(asked)) == []
    blocks = record.blocks(asked)
    if record.levels is not None:
        points = np.stack(list(record.levels(asked)), axis=1) * 2.0 - 1.0
    else:
        points = record.coded(asked)
    assert len(points) == len(blocks) == record.size(asked)
    assert sorted(set(blocks.tolist())) == list(range(options["blocks"]))
    return points, blocks


def confounded(points, blocks, order):
    """The products of so many factors that are constant in every block."""
    return [
        chosen
        for chosen in itertools.combinations(range(points.shape[1]), order)
        if all(len(set(points[blocks == b][:, chosen].prod(axis=1))) == 1 for b in set(blocks.tolist()))
    ]


# D. C. Montgomery, Design and Analysis of Experiments (8th ed.), table 7.9: how many two-factor interactions its suggested
# blocks of a 2**k confound. 2**3 in two blocks by ABC is NIST/SEMATECH 5.3.3.3.3 too.
@pytest.mark.parametrize(
    ("k", "blocks", "pairs"),
    [(3, 2, 0), (3, 4, 3), (4, 2, 0), (4, 4, 1), (4, 8, 6), (5, 2, 0), (5, 4, 0), (5, 8, 2), (5, 16, 10),
     (6, 2, 0), (6, 4, 0), (6, 8, 0), (6, 16, 3), (6, 32, 15), (7, 2, 0), (7, 4, 0), (7, 8, 0)],
)  # fmt: skip
def test_factorials_in_blocks_confound_no_more_pairs_than_the_published_ones(k, blocks, pairs):
    points, found = divided("full-factorial", TWO[:k], blocks=blocks)
    assert np.bincount(found).tolist() == [2**k // blocks] * blocks
    assert confounded(points, found, 1) == []
    assert len(confounded(points, found, 2)) == pairs


def test_two_blocks_of_a_factorial_are_told_by_the_product_of_all_factors():
    points, found = divided("full-factorial", TWO[:3], blocks=2)
    assert len({(block, point.prod()) for block, point in zip(found.tolist(), points, strict=True)}) == 2


@pytest.mark.parametrize("k", [3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize("resolution", [3, 4, 5])
def test_blocks_of_fractions_are_clear_of_main_effects(k, resolution):
    asked = task("fractional-factorial", RANGES[:k], resolution=resolution)
    vectors, base = vectors_of(k, generators_of(asked))
    there = [1 << b for b in range(1, base) if block_words(vectors, base, b, 2) is not None]
    for blocks in (*(1 << b for b in range(1, base + 1)), 3, 5):
        asked = task("fractional-factorial", RANGES[:k], resolution=resolution, blocks=blocks)
        misfits = list(METHODS["fractional-factorial"].misfits(asked))
        assert (misfits == []) == (blocks in there), (blocks, misfits)
        if misfits:
            assert misfits[0].key == "blocks"
            assert all(str(size) in misfits[0].hint for size in there)
            continue
        points, found = divided(
            "fractional-factorial", RANGES[:k], resolution=resolution, blocks=blocks, centerPoints=blocks
        )
        assert len(set(np.bincount(found).tolist())) == 1
        for block in range(blocks):
            assert np.all(points[found == block].sum(axis=0) == 0)


@pytest.mark.parametrize(("k", "count"), [(k, count) for k in (2, 3, 4) for count in range(1, k)])
def test_no_blocks_confound_fewer_short_effects(k, count):
    """All choices tried."""
    words = block_words([1 << j for j in range(k)], k, count, 2)

    def pattern(chosen):
        products = [0]
        for word in chosen:
            products += [product ^ word for product in products]
        lengths = [product.bit_count() for product in products[1:]]
        return [lengths.count(length) for length in range(k + 1)]

    independent = [
        chosen for chosen in itertools.combinations(range(1, 1 << k), count) if pattern(chosen)[0] == 0
    ]
    assert pattern(words) == min(map(pattern, independent))


def quadratic(points):
    k = points.shape[1]
    pairs = [points[:, i] * points[:, j] for i, j in itertools.combinations(range(k), 2)]
    return np.column_stack([points, points**2, *pairs])


def clear_of_blocks(points, blocks):
    """Whether no term of the quadratic model differs between blocks in the mean: it is orthogonal to them."""
    terms = quadratic(points)
    means = np.stack([terms[blocks == block].mean(axis=0) for block in range(blocks.max() + 1)])
    return bool(np.allclose(means, means[0], atol=1e-12))


# G. E. P. Box, J. S. Hunter, Ann. Math. Statist. 28 (1957) 195-241, table 4: the axial distance of orthogonal blocks.
@pytest.mark.parametrize(
    ("k", "blocks", "centers", "alpha"),
    [(2, 2, 6, 1.4142), (3, 3, 6, 1.6330), (4, 3, 6, 2.0)],
)  # fmt: skip
def test_central_composites_in_blocks_have_the_published_distance(k, blocks, centers, alpha):
    points, found = divided(
        "central-composite", RANGES[:k], blocks=blocks, centerPoints=centers, alpha="orthogonal"
    )
    assert points.max() == pytest.approx(alpha, abs=5e-5)
    assert clear_of_blocks(points, found)


@pytest.mark.parametrize("k", range(2, 9))
def test_central_composites_in_blocks_are_orthogonal_to_them(k):
    tried = 0
    for blocks in range(2, 34):
        asked = task("central-composite", RANGES[:k], blocks=blocks, centerPoints=blocks, alpha="orthogonal")
        if list(METHODS["central-composite"].misfits(asked)):
            continue
        tried += 1
        points, found = divided(
            "central-composite", RANGES[:k], blocks=blocks, centerPoints=blocks, alpha="orthogonal"
        )
        assert clear_of_blocks(points, found)
        assert sum(np.abs(points[found == blocks - 1]).max(axis=1) > 0) == 2 * k
    assert tried >= (1 if k in (2, 5) else 2)


def test_a_central_composite_cannot_have_blocks_that_hide_interactions():
    asked = task("central-composite", RANGES[:3], blocks=5)
    (misfit,) = METHODS["central-composite"].misfits(asked)
    assert misfit.message == "this design of 3 variables cannot be divided into 5 blocks"
    assert misfit.hint == "it can be into 2 or 3"


@pytest.mark.parametrize(
    ("k", "blocks", "size"),
    [
        (4, 3, 9), (5, 2, 23), (6, 2, 27), (7, 2, 31), (9, 5, 26), (9, 10, 13), (10, 2, 85), (12, 2, 102),
        (16, 6, 66), (16, 12, 33),
    ],
)  # fmt: skip
def test_box_behnken_designs_have_the_blocks_of_the_paper(k, blocks, size):
    centers = size * blocks - METHODS["box-behnken"].size(task("box-behnken", RANGES[:k], centerPoints=0))
    points, found = divided("box-behnken", RANGES[:k], blocks=blocks, centerPoints=centers)
    assert np.bincount(found).tolist() == [size] * blocks
    assert clear_of_blocks(points, found)
    asked = task("box-behnken", RANGES[:k], blocks=blocks + 2)
    assert [misfit.key for misfit in METHODS["box-behnken"].misfits(asked)] == ["blocks"]


def test_three_variables_of_a_box_behnken_are_one_block():
    (misfit,) = METHODS["box-behnken"].misfits(task("box-behnken", RANGES[:3], blocks=2))
    assert misfit.hint == "remove 'blocks'"


def test_every_method_with_the_option_has_the_way_and_no_other():
    for name, method in METHODS.items():
        assert ("blocks" in method.options) == (method.blocks is not None), name
    assert OPTIONS["blocks"].form["minimum"] == 2
    assert math.log2(OPTIONS["blocks"].form["maximum"]) == 10
