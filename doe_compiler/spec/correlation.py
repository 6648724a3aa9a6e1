"""The `correlation` of a design: pairs or a matrix of rank correlations that can all hold at once."""

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

from doe_compiler.kernel.findings import near_miss
from doe_compiler.spec.model import Correlation
from doe_compiler.spec.nodes import Fields, Items, Scalar
from doe_compiler.spec.report import Report

Matrix = list[list[Fraction]]


def read_correlation(
    section: Fields, sampled: Sequence[str], crossed: Sequence[str], report: Report
) -> Correlation | None:
    """The rank correlations of a design whose method samples these variables, or None without any or after findings."""
    node = section.fields("correlation")
    if node is None:
        if section.get("correlationBy") is not None:
            message = "'correlationBy' has no meaning without 'correlation'"
            report.error("E116", message, section.key_place("correlationBy"), "remove it")
        return None
    before = len(report.findings)
    pairs = dict(_of_matrix(node, report) if "matrix" in node.entries else _of_pairs(node, report))
    for name in dict.fromkeys(name for pair in pairs for name in pair):
        _check_name(name, node, sampled, crossed, report)
    if len(report.findings) > before:
        return None
    names = tuple(name for name in sampled if any(name in pair for pair in pairs))
    matrix = [
        [Fraction(1) if a == b else pairs.get((a, b), pairs.get((b, a), Fraction(0))) for b in names]
        for a in names
    ]
    if not _is_possible(names, matrix, section, report):
        return None
    by = section.text("correlationBy")
    return Correlation(names, tuple(map(tuple, matrix)), by) if names else None


def _check_name(
    name: str, node: Fields, sampled: Sequence[str], crossed: Sequence[str], report: Report
) -> None:
    if name in crossed:
        message = f"'{name}' is crossed, so it is independent of all others"
        report.error("E223", message, node.place, "take it out of 'cross' or out of 'correlation'")
    elif name not in sampled:
        meant = near_miss(name, sampled)
        hint = (
            f"did you mean '{meant}'?" if meant else "only variables that the method draws can be correlated"
        )
        report.error("E223", f"'{name}' is not a variable that is drawn", node.place, hint)


def _of_pairs(node: Fields, report: Report) -> Iterator[tuple[tuple[str, str], Fraction]]:
    seen: set[frozenset[str]] = set()
    for key, entry in node.entries.items():
        first, slash, second = (part.strip() for part in key.partition("/"))
        value = entry.node.number if isinstance(entry.node, Scalar) else None
        if not slash or not first or not second or first == second:
            report.error(
                "E223", f"'{key}' is not a pair of variables", entry.key_place, "write it as a/b: 0.3"
            )
        elif value is None or not -1 < value < 1:
            report.error(
                "E223", f"the correlation of '{key}' is not a number above -1 and below 1", entry.node.place
            )
        elif frozenset((first, second)) in seen:
            report.error("E120", f"the pair '{key}' stands twice", entry.key_place, "remove one of them")
        else:
            seen.add(frozenset((first, second)))
            yield (first, second), value


def _of_matrix(node: Fields, report: Report) -> Iterator[tuple[tuple[str, str], Fraction]]:
    names = [item.text for item in node.items("variables") if isinstance(item, Scalar)]
    place = node.key_place("matrix")
    rows = [
        [item.number for item in row if isinstance(item, Scalar) and item.number is not None]
        for row in node.items("matrix")
        if isinstance(row, Items)
    ]
    if set(node.entries) != {"variables", "matrix"} or len(set(names)) < len(names):
        message = "a matrix stands beside the names of its variables, each once"
        report.error("E223", message, place, "{variables: [a, b], matrix: [[1, 0.3], [0.3, 1]]}")
        return
    if len(rows) != len(names) or any(len(row) != len(names) for row in rows):
        report.error("E223", f"the matrix is not {len(names)} rows of {len(names)} numbers", place)
        return
    for i, first in enumerate(names):
        for j, second in enumerate(names):
            if i == j and rows[i][j] != 1:
                report.error(
                    "E223", f"the diagonal of the matrix is 1, and '{first}' has {float(rows[i][j]):g}", place
                )
            elif i < j and rows[i][j] != rows[j][i]:
                message = f"the matrix is not symmetric: {first}/{second} is {float(rows[i][j]):g} and {float(rows[j][i]):g}"
                report.error("E223", message, place)
            elif i < j and not -1 < rows[i][j] < 1:
                report.error("E223", f"the correlation of '{first}/{second}' is not between -1 and 1", place)
            elif i < j:
                yield (first, second), rows[i][j]


def _is_possible(names: Sequence[str], matrix: Matrix, section: Fields, report: Report) -> bool:
    """Whether variables can be so correlated: the matrix, and that of the normal scores, are positive definite."""
    scores = [[_score(value) for value in row] for row in matrix]
    failing = min(_first_failing([[float(v) for v in row] for row in matrix]), _first_failing(scores))
    if failing == len(names):
        return True
    together = ", ".join(names[: failing + 1])
    message = f"the correlations of {together} cannot hold together: their matrix is not positive definite"
    factor = _largest_factor(scores)
    hint = f"with all of them {math.floor(factor * 100) / 100:g} times as large they could"
    if failing == 2:
        low, high = _interval(matrix[0][1], matrix[0][2], matrix[1][2])
        hint = f"with the others as they are, {names[1]}/{names[2]} lies between {low:.3g} and {high:.3g}; or {hint}"
    report.error("E223", message, section.key_place("correlation"), hint)
    return False


def _score(value: Fraction) -> float:
    """The correlation of normal scores that has this correlation of ranks (Pearson 1907): 2 sin(pi rho / 6)."""
    return 1.0 if value == 1 else 2.0 * math.sin(math.pi * float(value) / 6.0)


def _first_failing(matrix: list[list[float]]) -> int:
    """The first row at which Cholesky's factorisation fails; the number of rows if it does not."""
    lower: list[list[float]] = []
    for i, row in enumerate(matrix):
        own: list[float] = []
        for j in range(i + 1):
            rest = row[j] - sum(a * b for a, b in zip(own, (own if j == i else lower[j]), strict=False))
            if j < i:
                own.append(rest / lower[j][j])
            elif rest <= 1e-12:
                return i
            else:
                own.append(math.sqrt(rest))
        lower.append(own)
    return len(matrix)


def _largest_factor(matrix: list[list[float]]) -> float:
    """How much of the correlations is possible, by halving."""
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        part = [[1.0 if i == j else middle * v for j, v in enumerate(row)] for i, row in enumerate(matrix)]
        low, high = (middle, high) if _first_failing(part) == len(matrix) else (low, middle)
    return low


def _interval(first: Fraction, second: Fraction, _third: Fraction) -> tuple[float, float]:
    """Between which values the third correlation of three variables lies."""
    width = math.sqrt(float((1 - first**2) * (1 - second**2)))
    return float(first * second) - width, float(first * second) + width
