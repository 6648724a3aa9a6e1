"""The points of the laws that enumerate, exact from the text of the study and rounded once."""

import math
from fractions import Fraction

from doe_compiler.generators.laws import EnumeratingLaw, FixedRange, Linspace

MAX_POINTS = 10_000_000


def count_of(law: EnumeratingLaw) -> int:
    """How many points a law has; 0 for a range whose maximum is below its minimum."""
    match law:
        case Linspace(_, _, count):
            return max(count, 0)
        case FixedRange(minimum, maximum, increment):
            if increment <= 0:
                return 0
            return max(math.floor((maximum - minimum) / increment) + 1, 0)


def exact_point(law: EnumeratingLaw, index: int) -> Fraction:
    """The point at an index from 0, as a fraction."""
    first, step = _first_and_step(law)
    return first + index * step


def points(law: EnumeratingLaw) -> tuple[float, ...]:
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


def _first_and_step(law: EnumeratingLaw) -> tuple[Fraction, Fraction]:
    match law:
        case Linspace(start, stop, count):
            return start, (stop - start) / (count - 1) if count > 1 else Fraction(0)
        case FixedRange(minimum, _, increment):
            return minimum, increment
