"""r-sequence: multiples of powers of a generalised golden ratio."""

import decimal
from functools import cache
from typing import TYPE_CHECKING

from doe_compiler.methods.method import Method, Task, runs_asked
from doe_compiler.methods.sequences import BITS, in_turn, is_scrambled, within

if TYPE_CHECKING:
    from doe_compiler.methods.method import Floats, Next

_WORD = 64


@cache
def steps(d: int) -> tuple[int, ...]:
    """phi**-j for j = 1 ... d as fractions of 2**64, where phi is the positive root of x**(d + 1) = x + 1."""
    with decimal.localcontext(decimal.Context(prec=60)):
        phi = decimal.Decimal(2)
        for _ in range(200):
            phi -= (phi ** (d + 1) - phi - 1) / ((d + 1) * phi**d - 1)
        return tuple(int(phi**-j * (1 << _WORD)) for j in range(1, d + 1))


def _begin(task: Task) -> "Next":
    sizes = steps(max(len(task.factors), 1))
    shifts = [
        task.draw(factor.name, "r-sequence shift").words(1)[0].item()
        if is_scrambled(task)
        else 1 << (_WORD - 1)
        for factor in task.factors
    ]

    def column(j: int, first: int, n: int) -> "Floats":
        import numpy as np

        words = np.arange(first + 1, first + n + 1, dtype=np.uint64)
        words *= np.uint64(sizes[j])
        words += np.uint64(shifts[j])
        words >>= np.uint64(_WORD - BITS)
        return within(words)

    return in_turn(task, column)


R_SEQUENCE = Method(
    "r-sequence",
    "Multiples of powers of a generalised golden ratio: even for any number of runs, and simple to check by hand.",
    "M. Roberts, The unreasonable effectiveness of quasirandom sequences (2018)",
    "n runs are the first n of n + m; a variable more or less changes the ratio, and so all columns",
    ("runs", "scramble", "skip", "constraints", "cross", "correlation", "correlationBy"),
    runs_asked,
    unit=_begin,
    is_sequence=True,
)
