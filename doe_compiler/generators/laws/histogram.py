"""Histogram: bins between edges, each as likely as its weight and even within."""

import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from doe_compiler.generators.law import Bounds, Drawn, DrawnLaw, Form, Generator, Key, Refusal

if TYPE_CHECKING:
    from doe_compiler.generators.law import Floats


@dataclass(frozen=True)
class Histogram(DrawnLaw):
    """Bins between rising edges, one weight fewer than edges, not all of them 0."""

    edges: tuple[Fraction, ...]
    weights: tuple[Fraction, ...]


def _support(law: Histogram) -> Bounds:
    filled = [index for index, weight in enumerate(law.weights) if weight > 0]
    return law.edges[filled[0]], law.edges[filled[-1] + 1]


def _refusals(law: Histogram) -> Iterator[Refusal]:
    if len(law.edges) < 2 or any(left >= right for left, right in pairwise(law.edges)):
        yield Refusal("edges", "E104", "the edges do not rise from one to the next", "for example [0, 1, 5]")
    if len(law.weights) != len(law.edges) - 1:
        message = f"{len(law.edges)} edges make {max(len(law.edges) - 1, 0)} bins, and there are {len(law.weights)} weights"
        yield Refusal("weights", "E106", message, "give one weight a bin")
    if any(weight < 0 for weight in law.weights) or not any(law.weights):
        yield Refusal("weights", "E106", "weights are not negative, and not all of them are 0", "")


def _cumulative(law: Histogram) -> list[Fraction]:
    """The exact probability below each edge."""
    total = sum(law.weights)
    return [share / total for share in accumulate(law.weights, initial=Fraction(0))]


def _quantile(law: Histogram, u: "Floats") -> "Floats":
    from doe_compiler.generators.truncation import clipped, truncated

    return clipped(truncated(law, _between_tails, _tails, u), *_support(law))


def _between_tails(law: Histogram, p: "Floats", q: "Floats") -> "Floats":
    import numpy as np

    cumulative = _cumulative(law)
    filled = [index for index, weight in enumerate(law.weights) if weight > 0]
    starts = np.asarray([float(cumulative[index]) for index in filled])
    ends_above = np.asarray([float(1 - cumulative[index + 1]) for index in filled])
    left = np.asarray([float(law.edges[index]) for index in filled])
    right = np.asarray([float(law.edges[index + 1]) for index in filled])
    slope = np.asarray(
        [float((law.edges[i + 1] - law.edges[i]) / (cumulative[i + 1] - cumulative[i])) for i in filled]
    )
    bins = np.maximum(np.searchsorted(starts, p, side="right") - 1, 0)
    rising = left[bins] + (p - starts[bins]) * slope[bins]
    falling = right[bins] - (q - ends_above[bins]) * slope[bins]
    values = np.where(p < 0.5, rising, falling)
    inside: Floats = np.minimum(np.maximum(values, left[bins]), right[bins])
    return inside


def _tails(law: Histogram, x: "Floats") -> "tuple[Floats, Floats]":
    import numpy as np

    cumulative = _cumulative(law)
    below = [_below(law, cumulative, Fraction(value)) for value in x.tolist()]
    return np.asarray([float(p) for p in below]), np.asarray([float(1 - p) for p in below])


def _below(law: Histogram, cumulative: list[Fraction], value: Fraction) -> Fraction:
    if value <= law.edges[0]:
        return Fraction(0)
    if value >= law.edges[-1]:
        return Fraction(1)
    index = bisect.bisect_right(law.edges, value) - 1
    share = (value - law.edges[index]) / (law.edges[index + 1] - law.edges[index])
    return cumulative[index] + share * (cumulative[index + 1] - cumulative[index])


def _moment(law: Histogram, order: int) -> Fraction:
    bins = zip(pairwise(law.edges), law.weights, strict=True)
    powers = (
        weight * (right ** (order + 1) - left ** (order + 1)) / ((order + 1) * (right - left))
        for (left, right), weight in bins
    )
    return sum(powers, Fraction(0)) / sum(law.weights)


HISTOGRAM = Generator(
    Histogram,
    forms=(
        Form(
            "histogram",
            "Bins between edges, each as likely as its weight and even within.",
            (
                Key("edges", "edges", "The ends of the bins, rising.", [0, 2, 4, 9], shape="numbers"),
                Key(
                    "weights",
                    "weights",
                    "How likely each bin is, one fewer than edges.",
                    [3, 1, 4],
                    shape="numbers",
                ),
            ),
            {"edges": [0, 1, 2, 5], "weights": [1, 3, 2]},
        ),
    ),
    support=_support,
    drawn=Drawn(
        _quantile,
        _tails,
        mean=lambda law: float(_moment(law, 1)),
        variance=lambda law: float(_moment(law, 2) - _moment(law, 1) ** 2),
    ),
    refusals=_refusals,
)
