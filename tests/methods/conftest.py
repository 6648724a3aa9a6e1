"""Tasks for methods."""

from collections.abc import Callable

import pytest

from doe_compiler.generators.streams import Stream
from doe_compiler.methods.method import Factor, Task


@pytest.fixture
def task() -> Callable[..., Task]:
    """A task of d columns named a, b, c, ...; `counts` are those of the columns that enumerate."""

    def _task(d, runs=0, counts=None, seed=7, names=None, dimensions=None, **options) -> Task:
        counts = counts or [0] * d
        names = names or [f"v{index}" for index in range(d)]
        return Task(
            tuple(Factor(name, count) for name, count in zip(names, counts, strict=True)),
            runs,
            options,
            tuple(dimensions or range(1, d + 1)),
            lambda name, purpose: Stream(seed, "study", name, purpose),
        )

    return _task
