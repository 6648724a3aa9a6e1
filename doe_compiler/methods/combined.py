"""combine: the union of several designs."""

from doe_compiler.methods.method import Method, Task


def _sum_of_parts(_task: Task) -> int:
    raise ValueError("the parts have their own sizes")


COMBINED = Method(
    "combine",
    "The union of several designs, equal rows once: `combine: [{method: central-composite}, {method: latin-hypercube, runs: 20}]` in place of a method.",
    "the user",
    "what stays put in each of the parts",
    ("combine",),
    _sum_of_parts,
)
