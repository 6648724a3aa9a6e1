"""orthogonal-array: Taguchi's arrays, in which every pair of levels of two columns stands equally often."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import product
from math import prod
from types import MappingProxyType
from typing import TYPE_CHECKING

from doe_compiler.methods.fields import field
from doe_compiler.methods.method import Method, Misfit, Task

if TYPE_CHECKING:
    from doe_compiler.methods.method import Codes

Rows = tuple[tuple[int, ...], ...]

_L12 = (
    "00000000000 00000111111 00111000111 01011011001 01101101010 01110110100 "
    "10110011010 10101110001 10011101100 11100001101 11010100011 11001010110"
)
_L18 = (
    "00000000 00111111 00222222 01001122 01112200 01220011 02010212 02121020 02202101 "
    "10022110 10100221 10211002 11012021 11120102 11201210 12021201 12102012 12210120"
)
# Difference schemes: the differences of two columns take every value equally often.
_D6 = "000000 001122 010212 012021 021201 022110"
_D12 = (
    "000000000000 000011112222 001201220112 002102121021 010222011012 011220100221 "
    "012021022101 012100212210 020121201120 021012202011 021110021202 022212110100"
)
_D10 = "0000000000 0034321412 0102213443 0123401234 0220144313 0241330241 0314242031 0343014122 0411423320 0432132104"


def _typed(text: str) -> Rows:
    return tuple(tuple(map(int, row)) for row in text.split())


def _linear(q: int, coefficients: tuple[tuple[int, ...], ...]) -> Rows:
    """Every combination of elements of a field, and in each column their sum times its coefficients."""
    addition, multiplication = field(q)
    rows = []
    for elements in product(range(q), repeat=len(coefficients[0])):
        row = []
        for column in coefficients:
            total = 0
            for element, factor in zip(elements, column, strict=True):
                total = addition[total][multiplication[element][factor]]
            row.append(total)
        rows.append(tuple(row))
    return tuple(rows)


def _two_level(k: int) -> Rows:
    """Taguchi's columns: number c sums the k elements at the bits of c, of which the lowest is the slowest element."""
    return _linear(2, tuple(tuple(c >> bit & 1 for bit in range(k)) for c in range(1, 1 << k)))


def _developed(scheme: Rows, beside: Rows, q: int) -> Rows:
    """Each row of a difference scheme plus 0 ... q - 1, beside columns that hang on the row of the scheme alone."""
    return tuple(
        (*left, *((entry + shift) % q for entry in row))
        for left, row in zip(beside, scheme, strict=True)
        for shift in range(q)
    )


def _sum_of_schemes(first: Rows, second: Rows, q: int) -> Rows:
    return tuple(tuple((a + b) % q for a in row for b in other) for row in first for other in second)


def _l32_mixed() -> Rows:
    """Nine lines of four levels and a point of two that share nothing in the projective space of 31 points."""
    lines: list[tuple[int, int]] = []

    def search(used: frozenset[int]) -> frozenset[int] | None:
        if len(lines) == 9:
            return used
        u = next(point for point in range(1, 32) if point not in used)
        for first in (u, next((p for p in range(u + 1, 32) if p not in used), 0)):
            for v in range(1, 32):
                line = frozenset({first, v, first ^ v})
                if first and len(line) == 3 and 0 not in line and not line & used:
                    lines.append((first, v))
                    found = search(used | line)
                    if found is not None:
                        return found
                    lines.pop()
        return None

    used = search(frozenset())
    assert used is not None
    left = next(point for point in range(1, 32) if point not in used)
    return tuple(
        (
            (left & x).bit_count() & 1,
            *(((u & x).bit_count() & 1) * 2 + ((v & x).bit_count() & 1) for u, v in lines),
        )
        for x in range(32)
    )


# The 15 columns of L16 in five lines of three, each two of which make the third: a column of four levels each.
_LINES = ((1, 2), (4, 8), (5, 10), (6, 11), (7, 9))


def _with_lines(k: int, count: int) -> Rows:
    """Taguchi's two-level array of 2**k runs, three columns of it made one of four levels, `count` times."""
    lines = _LINES[:count]
    taken = {point for u, v in lines for point in (u, v, u ^ v)}
    left = [point for point in range(1, 1 << k) if point not in taken]
    return tuple(
        (*(2 * row[u - 1] + row[v - 1] for u, v in lines), *(row[point - 1] for point in left))
        for row in _two_level(k)
    )


def _first_two_as_one(rows: Rows, levels: int, others: int) -> Rows:
    """The first two columns as one of all their levels; `others` is from where on the rest stays."""
    return tuple((row[0] * levels + row[1], *row[others:]) for row in rows)


@cache
def array(name: str) -> Rows:
    """The levels, from 0, of an array by its name; raises KeyError for one that is not known."""
    return _MAKERS[name]()


_THREE: Rows = ((1, 0, 0), (0, 1, 0), (1, 1, 0), (2, 1, 0), (0, 0, 1))
_THREE += ((1, 0, 1), (2, 0, 1), (0, 1, 1), (1, 1, 1), (2, 1, 1), (0, 2, 1), (1, 2, 1), (2, 2, 1))

_MAKERS: Mapping[str, Callable[[], Rows]] = MappingProxyType(
    {
        "L4": lambda: _two_level(2),
        "L8": lambda: _two_level(3),
        "L8b": lambda: _with_lines(3, 1),
        "L9": lambda: _linear(3, ((1, 0), (0, 1), (1, 1), (2, 1))),
        "L12": lambda: _typed(_L12),
        "L16": lambda: _two_level(4),
        "L16b": lambda: _linear(4, ((1, 0), (0, 1), (1, 1), (2, 1), (3, 1))),
        **{
            f"L16{letter}": lambda count=count: _with_lines(4, count)  # type: ignore[misc]
            for count, letter in enumerate("cdef", 1)
        },
        "L18": lambda: _typed(_L18),
        "L18b": lambda: _first_two_as_one(_typed(_L18), 3, 2),
        "L25": lambda: _linear(5, ((1, 0), (0, 1), (1, 1), (2, 1), (3, 1), (4, 1))),
        "L27": lambda: _linear(3, _THREE),
        "L27b": lambda: _first_two_as_one(_linear(3, _THREE), 3, 4),
        "L32": lambda: _two_level(5),
        "L32b": _l32_mixed,
        "L36": lambda: _developed(_typed(_D12), _typed(_L12), 3),
        "L50": lambda: _developed(_typed(_D10), tuple((i // 5, i % 5) for i in range(10)), 5),
        "L54": lambda: _developed(
            _sum_of_schemes(_typed(_D6), ((0, 0, 0), (0, 1, 2), (0, 2, 1)), 3), _typed(_L18), 3
        ),
    }
)
ARRAYS = tuple(_MAKERS)
# runs, and columns by their levels: what is needed of an array without making it
SHAPES: Mapping[str, tuple[int, Mapping[int, int]]] = MappingProxyType(
    {
        "L4": (4, {2: 3}),
        "L8": (8, {2: 7}),
        "L8b": (8, {4: 1, 2: 4}),
        "L9": (9, {3: 4}),
        "L12": (12, {2: 11}),
        "L16": (16, {2: 15}),
        "L16b": (16, {4: 5}),
        **{f"L16{letter}": (16, {4: count, 2: 15 - 3 * count}) for count, letter in enumerate("cdef", 1)},
        "L18": (18, {2: 1, 3: 7}),
        "L18b": (18, {6: 1, 3: 6}),
        "L25": (25, {5: 6}),
        "L27": (27, {3: 13}),
        "L27b": (27, {9: 1, 3: 9}),
        "L32": (32, {2: 31}),
        "L32b": (32, {2: 1, 4: 9}),
        "L36": (36, {2: 11, 3: 12}),
        "L50": (50, {2: 1, 5: 11}),
        "L54": (54, {2: 1, 3: 25}),
    }
)


def _needs(task: Task, ranges: int) -> dict[int, int]:
    """How many columns of each number of levels are needed, where ranges take so many levels."""
    needed: dict[int, int] = {}
    for factor in task.factors:
        count = factor.count or ranges
        needed[count] = needed.get(count, 0) + 1
    return needed


def _chosen(task: Task) -> tuple[str, int] | None:
    """The array and the levels of ranges: the one asked for, or the smallest that has the columns."""
    asked = task.options.get("array")
    names = [str(asked)] if asked in SHAPES else list(ARRAYS) if asked is None else []
    for name in sorted(names, key=lambda each: SHAPES[each][0]):
        columns = SHAPES[name][1]
        for ranges in sorted(columns, key=lambda count: (-columns[count], count)):
            if all(columns.get(count, 0) >= number for count, number in _needs(task, ranges).items()):
                return name, ranges
    return None


def _misfits(task: Task) -> Iterator[Misfit]:
    chosen = _chosen(task)
    asked = task.options.get("array")
    if chosen is not None:
        combinations = prod(factor.count or chosen[1] for factor in task.factors)
        size = SHAPES[chosen[0]][0]
        if asked is None and len(task.factors) > 1 and combinations <= size:
            message = f"{chosen[0]} is the smallest array for this and has {size} runs, all combinations are {combinations}"
            yield Misfit(message, f"use method: full-factorial, or say array: {chosen[0]}")
        return
    levels = ", ".join(f"{n} of {count} levels" for count, n in sorted(_needs(task, 3).items()))
    if asked is None:
        yield Misfit(f"no array has {levels}", "use method: d-optimal or latin-hypercube")
        return
    columns = ", ".join(f"{n} of {count} levels" for count, n in SHAPES[str(asked)][1].items())
    fitting = _chosen(Task(task.factors))
    hint = f"use array: {fitting[0]}" if fitting else "use method: d-optimal or latin-hypercube"
    yield Misfit(f"{asked} has {columns}; the study needs {levels}", hint, "array")


def _levels(task: Task) -> "Iterator[Codes]":
    import numpy as np

    chosen = _chosen(task)
    assert chosen is not None
    name, ranges = chosen
    table = np.asarray(array(name), dtype=np.int32)
    counts = table.max(axis=0) + 1
    free = {int(count): iter(np.flatnonzero(counts == count).tolist()) for count in set(counts.tolist())}
    for factor in task.factors:
        yield table[:, next(free[factor.count or ranges])]


def _size(task: Task) -> int:
    chosen = _chosen(task)
    return SHAPES[chosen[0]][0] if chosen is not None else 0


ORTHOGONAL_ARRAY = Method(
    "orthogonal-array",
    "Taguchi's arrays from L4 to L54, mixed levels too: all pairs of levels of two variables equally often. The smallest that fits, or `array`; a range takes the levels of most of its columns.",
    "G. Taguchi, S. Konishi, Orthogonal Arrays and Linear Graphs, ASI Press (1987); A. S. Hedayat, N. J. A. Sloane, J. Stufken, Orthogonal Arrays, Springer (1999)",
    "the rows while the array and the columns of the variables stay",
    ("array", "cross"),
    _size,
    levels=_levels,
    misfits=_misfits,
)
