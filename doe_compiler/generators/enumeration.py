"""The points of the laws that enumerate, exact from the text of the study and rounded once."""

import math
from fractions import Fraction

from doe_compiler.generators.catalogue import steps_of
from doe_compiler.generators.law import MAX_POINTS, Law


def count_of(law: Law) -> int:
    """How many points a law has; 0 for a range whose maximum is below its minimum, and for a law that is drawn."""
    steps = steps_of(law)
    return 0 if steps is None else steps.count(law)


def exact_point(law: Law, index: int) -> Fraction:
    """The point at an index from 0, as a fraction."""
    first, step = _first_and_step(law)
    return first + index * step


def points(law: Law) -> tuple[float, ...]:
    """All points in order, each the exact value rounded once: 0 to 1 by 0.1 holds 0.3.

    Raises ValueError for a law without points or with more than ten million.
    """
    count = count_of(law)
    if count < 1:
        raise ValueError("there is no point between the ends")
    if count > MAX_POINTS:
        raise ValueError(f"{count:,} points are more than {MAX_POINTS:,}")
    first, step = _first_and_step(law)
    denominator = math.lcm(first.denominator, step.denominator)
    start = first.numerator * (denominator // first.denominator)
    stride = step.numerator * (denominator // step.denominator)
    # The quotient of two integers is correctly rounded, whatever their size.
    return tuple((start + index * stride) / denominator for index in range(count))


def _first_and_step(law: Law) -> tuple[Fraction, Fraction]:
    steps = steps_of(law)
    if steps is None:
        raise ValueError(f"{type(law).__name__} does not enumerate")
    return steps.first_and_step(law)
