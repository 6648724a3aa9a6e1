"""fractional-factorial: a regular fraction of two levels, by its generators or by its resolution."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from doe_compiler.methods.blocks import (
    MAIN,
    block_words,
    blocks_asked,
    blocks_of_runs,
    two_level_block_misfits,
    with_centers_spread,
)
from doe_compiler.methods.coded import as_indices, center_points, full_signs, two_level_misfits, with_centers
from doe_compiler.methods.fractions_of_two import (
    LETTERS,
    best_fraction,
    defining_words,
    parsed,
    resolution,
)
from doe_compiler.methods.method import Method, Misfit, Task

if TYPE_CHECKING:
    from doe_compiler.methods.method import Codes, Floats

Generators = tuple[tuple[int, int, int], ...]


def generators_of(task: Task) -> Generators:
    """The generators of the fraction, as (factor, factors that define it as bits, sign); raises ValueError."""
    k = len(task.factors)
    given = task.options.get("generators")
    if isinstance(given, list):
        return tuple(parsed(str(text), k) for text in given)
    wanted = task.options.get("resolution", 4)
    return best_fraction(k, wanted if isinstance(wanted, int) else 4)


def _misfits(task: Task) -> Iterator[Misfit]:
    k = len(task.factors)
    yield from two_level_misfits(task, "a fractional factorial")
    if k < 3 or k > len(LETTERS):
        yield Misfit(
            f"a fractional factorial takes 3 to {len(LETTERS)} variables, not {k}", "use another method"
        )
        return
    if "generators" in task.options and "resolution" in task.options:
        yield Misfit("'generators' and 'resolution' both choose the fraction", "remove one", "resolution")
        return
    try:
        generators = generators_of(task)
    except ValueError as error:
        yield Misfit(str(error), "for example generators: [D=AB]", "generators")
        return
    defined = [factor for factor, _, _ in generators]
    if len(set(defined)) < len(defined):
        yield Misfit("a variable is defined twice", "give each one generator", "generators")
    elif any(others >> factor & 1 for _, others, _ in generators for factor in defined):
        yield Misfit("a generator uses a variable that another defines", "use the others only", "generators")
    elif resolution(defining_words(generators)) in (1, 2):
        yield Misfit("two variables would always change together", "choose other generators", "generators")
    else:
        yield from two_level_block_misfits(task, "this fractional factorial", *vectors_of(k, generators))


def fraction(k: int, generators: Generators) -> "Floats":
    """The fraction, shape (2**(k - p), k), in standard order of the factors that no generator defines."""
    import numpy as np

    defined = {factor for factor, _, _ in generators}
    base = [j for j in range(k) if j not in defined]
    signs = full_signs(len(base))
    points = np.empty((len(signs), k))
    points[:, base] = signs
    for factor, others, sign in generators:
        points[:, factor] = sign
        for j in range(k):
            if others >> j & 1:
                points[:, factor] *= points[:, j]
    return points


def vectors_of(k: int, generators: Generators) -> tuple[list[int], int]:
    """The factors as products of those that no generator defines, bits each; and how many these are."""
    defined = {factor: others for factor, others, _ in generators}
    base = [j for j in range(k) if j not in defined]
    places = {j: 1 << place for place, j in enumerate(base)}
    vectors = [
        sum(places[other] for other in base if defined[j] >> other & 1) if j in defined else places[j]
        for j in range(k)
    ]
    return vectors, len(base)


def factorial_blocks(k: int, generators: Generators, count: int, least: int) -> "Codes":
    """The blocks of a fraction's runs in standard order, of which there are 2**count."""
    import numpy as np

    vectors, base = vectors_of(k, generators)
    words = block_words(vectors, base, count, least)
    assert words is not None
    return blocks_of_runs(words, np.arange(1 << base, dtype=np.int32))


def _blocks(task: Task) -> "Codes":
    count = blocks_asked(task).bit_length() - 1
    return with_centers_spread(task, factorial_blocks(len(task.factors), generators_of(task), count, MAIN))


def _coded(task: Task) -> "Floats":
    points = fraction(len(task.factors), generators_of(task))
    return as_indices(task, with_centers(points, center_points(task)))


def _size(task: Task) -> int:
    return (1 << (len(task.factors) - len(generators_of(task)))) + center_points(task)


FRACTIONAL_FACTORIAL = Method(
    "fractional-factorial",
    "A regular fraction of two levels: by `generators`, or the smallest of a `resolution` (4 if not given). A, B, C, ... are the variables in file order (there is no I).",
    "G. E. P. Box, J. S. Hunter, Technometrics 3 (1961) 311-351; NIST/SEMATECH e-Handbook 5.3.3.4",
    "the rows while the generators and the number of variables stay",
    ("generators", "resolution", "centerPoints", "blocks", "cross"),
    _size,
    coded=_coded,
    blocks=_blocks,
    misfits=_misfits,
)
