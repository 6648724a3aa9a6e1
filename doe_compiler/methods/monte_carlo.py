"""monte-carlo: independent points."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from doe_compiler.methods.method import Method, Task, runs_asked

if TYPE_CHECKING:
    from doe_compiler.methods.method import Floats, Next


def _begin(task: Task) -> "Next":
    streams = [task.draw(factor.name, "monte-carlo") for factor in task.factors]

    def following(n: int) -> "Iterator[Floats]":
        return (stream.uniforms(n) for stream in streams)

    return following


MONTE_CARLO = Method(
    "monte-carlo",
    "Independent points, each variable from its own random stream.",
    "N. Metropolis, S. Ulam, J. Amer. Statist. Assoc. 44 (1949) 335-341",
    "everything: n runs are the first n of n + m, and no column hangs on another",
    ("runs", "constraints", "cross", "correlation", "correlationBy"),
    runs_asked,
    unit=_begin,
    is_sequence=True,
)
