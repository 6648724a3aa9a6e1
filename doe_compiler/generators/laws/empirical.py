"""Empirical: the values of a column of a file, each as likely as it is frequent."""

import bisect
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from doe_compiler.generators.law import Bounds, Drawn, DrawnLaw, Form, Generator, Key

if TYPE_CHECKING:
    from doe_compiler.generators.law import Floats


@dataclass(frozen=True)
class Empirical(DrawnLaw):
    """Rising values and how often each was seen."""

    values: tuple[Fraction, ...]
    counts: tuple[int, ...]


def _of_column(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    seen = Counter(parameters["column"])
    values = tuple(sorted(seen))
    return {"values": values, "counts": tuple(seen[value] for value in values)}


def _support(law: Empirical) -> Bounds:
    return law.values[0], law.values[-1]


def _kept(law: Empirical) -> tuple[int, int]:
    """The first and behind the last of the values within the truncation."""
    first = 0 if law.lower is None else bisect.bisect_left(law.values, law.lower)
    end = len(law.values) if law.upper is None else bisect.bisect_right(law.values, law.upper)
    return first, end


def _quantile(law: Empirical, u: "Floats") -> "Floats":
    import numpy as np

    from doe_compiler.generators.truncation import nearest

    first, end = _kept(law)
    if first >= end:
        raise ValueError("the bounds leave no probability")
    below = list(accumulate(law.counts[first:end]))
    index = np.searchsorted(np.asarray(below, dtype=np.float64), u * float(below[-1]), side="right")
    values = np.asarray([nearest(value) for value in law.values[first:end]])
    return values[np.minimum(index, len(values) - 1)]


def _tails(law: Empirical, x: "Floats") -> "tuple[Floats, Floats]":
    import numpy as np

    total = sum(law.counts)
    below = [sum(law.counts[: bisect.bisect_left(law.values, Fraction(value))]) for value in x.tolist()]
    return np.asarray([p / total for p in below]), np.asarray([1 - p / total for p in below])


def _mass(law: Empirical) -> float:
    first, end = _kept(law)
    return sum(law.counts[first:end]) / sum(law.counts)


def _moment(law: Empirical, order: int) -> Fraction:
    pairs = zip(law.values, law.counts, strict=True)
    return sum((value**order * count for value, count in pairs), Fraction(0)) / sum(law.counts)


EMPIRICAL = Generator(
    Empirical,
    forms=(
        Form(
            "empirical",
            "The values that stand in a column of a CSV file, each as likely as it is frequent.",
            (
                Key("file", "values", "The CSV file, relative to the study.", "measured2.csv", shape="path"),
                Key("column", "values", "The column of the file.", "gust", shape="text"),
            ),
            {"file": "measured.csv", "column": "speed"},
            _of_column,
        ),
    ),
    support=_support,
    drawn=Drawn(
        _quantile,
        _tails,
        mean=lambda law: float(_moment(law, 1)),
        variance=lambda law: float(_moment(law, 2) - _moment(law, 1) ** 2),
        mass=_mass,
    ),
)
