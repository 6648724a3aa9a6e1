"""FixedRange: minimum, minimum + increment, ... up to and including maximum when it is reached."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from doe_compiler.generators.law import Bounds, Form, Generator, Key, Law, Order, Refusal, Steps
from doe_compiler.kernel.canonical import exact_text


@dataclass(frozen=True)
class FixedRange(Law):
    """minimum, minimum + increment, ... up to and including maximum when it is reached."""

    minimum: Fraction
    maximum: Fraction
    increment: Fraction


def _support(law: FixedRange) -> Bounds:
    return law.minimum, law.maximum


def _count(law: FixedRange) -> int:
    if law.increment <= 0:
        return 0
    return max(math.floor((law.maximum - law.minimum) / law.increment) + 1, 0)


def _refusals(law: FixedRange) -> Iterator[Refusal]:
    if law.minimum == law.maximum:
        message = f"'max' ({exact_text(law.maximum)}) is not above 'min'"
        yield Refusal("max", "E104", message, "widen the range, or use 'value'")


FIXED_RANGE = Generator(
    FixedRange,
    forms=(
        Form(
            "fixedRange",
            "min, min + increment, ... up to max, which is included when it is reached.",
            (
                Key("min", "minimum", "The first point.", 0, wire="minvalue", counts_whole=True),
                Key("max", "maximum", "The bound of the points.", 20, wire="maxvalue"),
                Key("increment", "increment", "The step.", 0.5, wire="increment", above=0, counts_whole=True),
            ),
            {"min": 1, "max": 10, "increment": 1},
        ),
    ),
    support=_support,
    orders=(Order("min", "max", may_be_equal=True),),
    refusals=_refusals,
    steps=Steps(_count, lambda law: (law.minimum, law.increment), "increment"),
)
