"""Maximin hypercubes of two variables and few runs, by search with backtracking."""

_MOST_NODES = 30_000


def widest_pair(n: int) -> tuple[list[int], int]:
    """A permutation of 0 ... n - 1 whose points (i, p[i]) are as far apart as a search finds, and their squared distance.

    Up to 14 runs it is the optimum of E. R. van Dam, B. Husslage, D. den Hertog, H. Melissen, Oper. Res. 55 (2007) 158-169.
    """
    best, reached = list(range(n)), 2
    for wanted in sorted({a * a + b * b for a in range(n) for b in range(1, n)}):
        if wanted > 2 * n + 2:
            break
        found = _apart(n, wanted)
        if found is None:
            break
        best, reached = found, wanted
    return best, reached


def _apart(n: int, wanted: int) -> list[int] | None:
    """A permutation with all squared distances at least as wanted, or None if a bounded search finds none."""
    reach = [k for k in range(1, n) if k * k < wanted]
    near = {k: _near_masks(n, k, wanted) for k in reach}
    places = [0] * n
    nodes = _MOST_NODES

    def search(row: int, used: int) -> bool:
        nonlocal nodes
        if row == n:
            return True
        free = (1 << n) - 1 & ~used
        for k in reach:
            if k <= row:
                free &= ~near[k][places[row - k]]
        while free:
            nodes -= 1
            if nodes < 0:
                return False
            lowest = free & -free
            free ^= lowest
            places[row] = lowest.bit_length() - 1
            if search(row + 1, used | lowest):
                return True
        return False

    return places if search(0, 0) else None


def _near_masks(n: int, k: int, wanted: int) -> list[int]:
    """For each place, the places that are too near to it k rows on, as bits."""
    width = next(w for w in range(n + 1) if k * k + w * w >= wanted)
    return [sum(1 << q for q in range(max(0, p - width + 1), min(n, p + width))) for p in range(n)]
