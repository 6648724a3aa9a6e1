"""Linspace: equally spaced points, both ends included."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from doe_compiler.generators.law import MAX_POINTS, Bounds, Form, Generator, Key, Law, Refusal, Steps
from doe_compiler.kernel.canonical import exact_text


@dataclass(frozen=True)
class Linspace(Law):
    """`count` equally spaced points, both ends included."""

    start: Fraction
    stop: Fraction
    count: int


def _support(law: Linspace) -> Bounds:
    return min(law.start, law.stop), max(law.start, law.stop)


def _first_and_step(law: Linspace) -> tuple[Fraction, Fraction]:
    return law.start, (law.stop - law.start) / (law.count - 1) if law.count > 1 else Fraction(0)


def _refusals(law: Linspace) -> Iterator[Refusal]:
    if law.start == law.stop and law.count > 1:
        message = f"'stop' ({exact_text(law.stop)}) equals 'start', so the {law.count} points are one"
        yield Refusal("stop", "E104", message, "say count: 1, or another 'stop'")
    if law.start != law.stop and law.count < 2:
        message = "'count' must be at least 2 to hold both ends"
        yield Refusal("count", "E106", message, "say count: 2, or use 'value'")


LINSPACE = Generator(
    Linspace,
    forms=(
        Form(
            "linspace",
            "Equally spaced points, both ends included.",
            (
                Key("start", "start", "The first point.", -1, wire="minvalue", counts_whole=True),
                Key("stop", "stop", "The last point.", 2, wire="maxvalue", counts_whole=True),
                Key(
                    "count",
                    "count",
                    "How many points.",
                    5,
                    wire="count",
                    shape="integer",
                    least=1,
                    most=MAX_POINTS,
                ),
            ),
            {"start": 0, "stop": 1, "count": 11},
        ),
    ),
    support=_support,
    steps=Steps(lambda law: max(law.count, 0), _first_and_step, "count"),
    refusals=_refusals,
)
