"""Rows as the platform makes them of generator variables: those that enumerate crossed, the others drawn."""

from collections.abc import Iterator, Sequence

import numpy as np

from doe_compiler.generators.catalogue import drawn_of, steps_of
from doe_compiler.generators.enumeration import count_of, points
from doe_compiler.generators.law import MAX_POINTS, Law
from doe_compiler.generators.sampling import quantile
from doe_compiler.generators.streams import Stream
from doe_compiler.kernel.canonical import number_text


def row_count(variables: Sequence[tuple[str, Law]], iterations: int) -> int:
    """How many rows `platform_rows` gives, without making them."""
    cells = 1
    for _, law in variables:
        if steps_of(law) is not None:
            cells *= count_of(law)
    is_random = any(drawn_of(law) is not None for _, law in variables)
    return cells * max(iterations, 1) if is_random else cells


def platform_rows(
    variables: Sequence[tuple[str, Law]], iterations: int, seed_key: str
) -> Iterator[tuple[str, ...]]:
    """The rows of a job that the platform samples itself, as texts in the order of `variables`.

    Variables that enumerate are crossed, the first varies slowest; random ones are drawn anew
    `iterations` times (at least once) in each cell, each from its own stream of `seed_key` and its name.
    Raises ValueError for more than ten million rows, or a law without points.
    """
    count = row_count(variables, iterations)
    if count > MAX_POINTS:
        raise ValueError(f"{count:,} rows are more than {MAX_POINTS:,}")
    levels = {
        name: tuple(number_text(point) for point in points(law))
        for name, law in variables
        if steps_of(law) is not None
    }
    strides: dict[str, int] = {}
    stride = max(iterations, 1) if len(levels) < len(variables) else 1
    for name in reversed(levels):
        strides[name] = stride
        stride *= len(levels[name])
    columns: list[list[str]] = []
    for name, law in variables:
        if steps_of(law) is not None:
            index = np.arange(count) // strides[name] % len(levels[name])
            columns.append([levels[name][code] for code in index.tolist()])
        else:
            values = quantile(law, Stream(seed_key, "", name, "platform").uniforms(count))
            columns.append([number_text(value) for value in values.tolist()])
    return zip(*columns, strict=True)
