"""Levels of variables that have a range: equally spaced values and coded points, exact and rounded once."""

from fractions import Fraction

import numpy as np

from doe_compiler.design.bounds import limits_of
from doe_compiler.design.cell_text import written
from doe_compiler.design.refusal import refused
from doe_compiler.spec.model import Variable


def ends_of(variable: Variable) -> tuple[Fraction, Fraction]:
    """The low and high of a variable that has a range; a refusal if it has no ends."""
    low, high = limits_of(variable)
    if low is None or high is None:
        message = f"'{variable.name}' has no smallest and largest value to take as low and high"
        raise refused("E528", message, variable.place, "give it Uniform, `lower` and `upper`, or two levels")
    return low, high


def levels_of_range(variable: Variable, count: int) -> tuple[str, ...]:
    """The cells of `count` equally spaced values from the low to the high of a variable."""
    low, high = ends_of(variable)
    step = (high - low) / max(count - 1, 1)
    return cells_of(variable, [low + index * step for index in range(count)])


def cells_of(variable: Variable, values: list[Fraction]) -> tuple[str, ...]:
    """The cells of exact values; a refusal where an integer variable would not have a whole number."""
    for value in values:
        if variable.is_integer and value.denominator != 1:
            message = f"'{variable.name}' is an integer, and the design needs the value {float(value):g}"
            raise refused("E527", message, variable.place, "move its ends, or remove type: integer")
    return tuple(written(variable, np.asarray([float(value) for value in values])).cells())
