"""Finite fields, and the Hadamard and conference matrices that quadratic residues make (Paley 1933)."""

from functools import cache
from itertools import product

Rows = tuple[tuple[int, ...], ...]


def prime_power(q: int) -> tuple[int, int] | None:
    """(p, m) with q = p**m and p prime, or None."""
    for p in range(2, q + 1):
        if q % p == 0:
            m, rest = 0, q
            while rest % p == 0:
                m, rest = m + 1, rest // p
            return (p, m) if rest == 1 else None
    return None


@cache
def field(q: int) -> tuple[Rows, Rows]:
    """The tables of addition and multiplication of the field of q elements, which are 0 ... q - 1.

    An element's digits in base p are the coefficients of its polynomial. Raises ValueError if q is no prime power.
    """
    power = prime_power(q)
    if power is None:
        raise ValueError(f"there is no field of {q} elements")
    p, m = power
    digits = [tuple(element // p**i % p for i in range(m)) for element in range(q)]
    number = {digit: element for element, digit in enumerate(digits)}
    addition = tuple(
        tuple(number[tuple((a + b) % p for a, b in zip(digits[x], digits[y], strict=True))] for y in range(q))
        for x in range(q)
    )
    for tail in product(range(p), repeat=m):
        table = tuple(
            tuple(number[_product(digits[x], digits[y], tail, p)] for y in range(q)) for x in range(q)
        )
        if all(0 not in row[1:] for row in table[1:]):
            return addition, table
    raise ValueError(f"there is no field of {q} elements")


def _product(a: tuple[int, ...], b: tuple[int, ...], tail: tuple[int, ...], p: int) -> tuple[int, ...]:
    """The product of two polynomials modulo x**m + tail."""
    m = len(a)
    whole = [0] * (2 * m - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            whole[i + j] += x * y
    for i in range(2 * m - 2, m - 1, -1):
        for j, coefficient in enumerate(tail):
            whole[i - m + j] -= whole[i] * coefficient
    return tuple(value % p for value in whole[:m])


@cache
def jacobsthal(q: int) -> Rows:
    """Q[i][j] is 1 where i - j is a square of the field of q elements (q odd), -1 where not, 0 on the diagonal."""
    addition, multiplication = field(q)
    squares = {multiplication[x][x] for x in range(1, q)}
    minus = [row.index(0) for row in addition]
    return tuple(
        tuple(0 if i == j else 1 if addition[i][minus[j]] in squares else -1 for j in range(q))
        for i in range(q)
    )


@cache
def conference(order: int) -> Rows | None:
    """A conference matrix C: zeros on the diagonal, -1 and 1 elsewhere, C'C = (order - 1) I; None if none is made here.

    Paley's, and the doubling of a skew one, [[C, C + I], [C - I, -C]].
    """
    if order >= 2 and order % 2 == 0 and prime_power(order - 1) is not None:
        q = order - 1
        sign = 1 if q % 4 == 1 else -1
        core = jacobsthal(q)
        return ((0, *([1] * q)), *((sign, *row) for row in core))
    half = conference(order // 2) if order % 8 == 0 else None
    if half is None or any(half[i][j] != -half[j][i] for i in range(order // 2) for j in range(i)):
        return None
    n = order // 2
    upper = [tuple(row) + tuple(row[j] + (i == j) for j in range(n)) for i, row in enumerate(half)]
    lower = [
        tuple(row[j] - (i == j) for j in range(n)) + tuple(-x for x in row) for i, row in enumerate(half)
    ]
    return tuple(upper + lower)


@cache
def hadamard(order: int) -> Rows | None:
    """A Hadamard matrix whose first column is 1, or None if none is made here.

    Sylvester's doubling and Paley's two kinds: C + I of a skew conference matrix, and the second from a symmetric one.
    """
    if order == 2:
        return ((1, 1), (1, -1))
    if order % 4 or order < 4:
        return None
    made: Rows | None = None
    c = conference(order)
    if c is not None:
        made = tuple(tuple(x + (i == j) for j, x in enumerate(row)) for i, row in enumerate(c))
    elif order % 8 == 4 and (c := conference(order // 2)) is not None:
        made = tuple(
            tuple(value for x in row for value in ((1, -1) if x == 0 else (x, x)))
            if upper
            else tuple(value for x in row for value in ((-1, -1) if x == 0 else (x, -x)))
            for row in c
            for upper in (True, False)
        )
    elif (half := hadamard(order // 2)) is not None:
        made = tuple(row + row for row in half) + tuple(row + tuple(-x for x in row) for row in half)
    return None if made is None else tuple(tuple(x * row[0] for x in row) for row in made)
