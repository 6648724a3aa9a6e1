"""sobol: points in a digital net of base 2, even in every projection onto few variables."""

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from doe_compiler.methods.method import Method, Task, runs_asked
from doe_compiler.methods.sequences import BITS, dimension_misfits, in_turn, is_scrambled, within

if TYPE_CHECKING:
    from doe_compiler.methods.method import Floats, Next
    from doe_compiler.methods.sequences import Words


@cache
def _primitive(dimension: int) -> tuple[int, tuple[int, ...]]:
    """The polynomial's inner coefficients as bits, and the first direction numbers, of a dimension from 2 on."""
    text = files("doe_compiler.methods").joinpath("joe_kuo.txt").read_text(encoding="ascii")
    fields = text.splitlines()[dimension - 1].split()
    return int(fields[2]), tuple(int(field) for field in fields[3:])


def direction_numbers(dimension: int) -> list[int]:
    """The direction numbers of a dimension from 1 on, as whole numbers of 52 bits, most significant first.

    Joe, Kuo, ACM Trans. Math. Softw. 29 (2003) 49-57, equation (2): m_k = 2 a_1 m_{k-1} ^ ... ^ 2**s m_{k-s} ^ m_{k-s}.
    """
    if dimension == 1:
        return [1 << (BITS - 1 - k) for k in range(BITS)]
    coefficients, given = _primitive(dimension)
    degree = len(given)
    m = list(given)
    for k in range(degree, BITS):
        value = m[k - degree] ^ (m[k - degree] << degree)
        for i in range(1, degree):
            if coefficients >> (degree - 1 - i) & 1:
                value ^= m[k - i] << i
        m.append(value)
    return [number << (BITS - 1 - k) for k, number in enumerate(m)]


def _begin(task: Task) -> "Next":
    columns = [
        scrambled(task, factor.name, "sobol scramble", dimension)
        if is_scrambled(task)
        else (direction_numbers(dimension), 0)
        for factor, dimension in zip(task.factors, task.dimensions, strict=True)
    ]

    def column(j: int, first: int, n: int) -> "Floats":
        return within(points_of(*columns[j], first, n), is_middle=is_scrambled(task))

    return in_turn(task, column)


def scrambled(task: Task, name: str, purpose: str, dimension: int) -> tuple[list[int], int]:
    """The direction numbers of a dimension times a random lower triangular matrix of bits, and a random shift.

    J. Matoušek, J. Complexity 14 (1998) 527-556. The matrix and the shift are the column's, so that no other changes it.
    """
    words = task.draw(name, purpose).words(BITS + 1).tolist()
    rows = [(words[k] >> (64 - BITS) & -(1 << (BITS - k))) | (1 << (BITS - 1 - k)) for k in range(BITS)]
    rows = [row & ((1 << BITS) - 1) for row in rows]
    scrambled = []
    for number in direction_numbers(dimension):
        value = 0
        for k, row in enumerate(rows):
            value |= ((row & number).bit_count() & 1) << (BITS - 1 - k)
        scrambled.append(value)
    return scrambled, words[BITS] >> (64 - BITS)


def points_of(directions: list[int], shift: int, first: int, n: int) -> "Words":
    """The points first ... first + n - 1 in Gray code order (Antonov, Saleev 1979), by doubling what is there."""
    import numpy as np

    end = first + n
    points = np.empty(n, dtype=np.uint64)
    if first == 0:
        points[:1] = shift
        known = 1
        for k in range(max(end - 1, 0).bit_length()):
            more = min(known, n - known)
            np.bitwise_xor(
                points[known - 1 :: -1][:more], np.uint64(directions[k]), out=points[known : known + more]
            )
            known += more
        return points
    index = np.arange(first, end, dtype=np.uint64)
    gray = index ^ (index >> np.uint64(1))
    points[:] = shift
    for k in range(end.bit_length()):
        bit = (gray >> np.uint64(k)) & np.uint64(1)
        points ^= bit * np.uint64(directions[k])
    return points


SOBOL = Method(
    "sobol",
    "A scrambled net of base 2: even in every variable and every few of them; best for 2**k runs.",
    "S. Joe, F. Y. Kuo, SIAM J. Sci. Comput. 30 (2008) 2635-2654; scrambling: J. Matoušek, J. Complexity 14 (1998) 527-556",
    "n runs are the first n of n + m; a variable keeps its column while it keeps its dimension, which is its place in the file, or `dimension`",
    ("runs", "scramble", "skip", "constraints", "cross", "correlation", "correlationBy"),
    runs_asked,
    unit=_begin,
    misfits=dimension_misfits,
    is_sequence=True,
)
