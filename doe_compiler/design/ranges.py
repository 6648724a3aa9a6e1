"""Levels of variables that have a range: equally spaced values and coded points, exact and rounded once."""

from collections import Counter
from fractions import Fraction

import numpy as np

from doe_compiler.design.bounds import limits_of
from doe_compiler.design.cell_text import cell_of, enumerates, labels_of, written
from doe_compiler.design.refusal import refused
from doe_compiler.expressions.exponential import log, power
from doe_compiler.generators.laws.log_uniform import LogUniform
from doe_compiler.spec.model import Variable
from doe_compiler.spec.scalars import decimal_number


def ends_of(variable: Variable) -> tuple[Fraction, Fraction]:
    """The low and high of a variable that has a range; a refusal if it has no ends."""
    low, high = limits_of(variable)
    if low is None or high is None:
        message = f"'{variable.name}' has no smallest and largest value to take as low and high"
        raise refused("E528", message, variable.place, "give it Uniform, `lower` and `upper`, or two levels")
    return low, high


def coded_value(variable: Variable, code: float) -> Fraction:
    """The value at a code: -1 is the low, 0 the middle, 1 the high; LogUniform is spaced by its logarithm."""
    low, high = ends_of(variable)
    half = Fraction(code + 1) / 2
    if isinstance(variable.law, LogUniform) and code not in (-1.0, 1.0):
        ratio = power(np.asarray([float(high / low)]), np.asarray([float(half)]))[0]
        return low * Fraction(float(ratio))
    return low + (high - low) * half


def coded_nominal(variable: Variable) -> float | None:
    """Where the nominal value of a variable lies: the index of its level, or its code in a range; None without one."""
    if variable.nominal is None:
        return None
    if enumerates(variable):
        labels = labels_of(variable)
        cell = cell_of(variable, variable.nominal)
        return float(labels.index(cell)) if cell in labels else None
    low, high = limits_of(variable)
    value = decimal_number(variable.nominal)
    if low is None or high is None or value is None or isinstance(variable.law, LogUniform):
        return None
    return float(2 * (value - low) / (high - low) - 1)


def code_of(variable: Variable, cell: str) -> float:
    """Where a cell that the variable can take lies: the index of its level, or its code, -1 ... 1 in a range."""
    value = decimal_number(cell)
    if enumerates(variable):
        labels = labels_of(variable)
        numbers = [decimal_number(label) for label in labels]
        return float(labels.index(cell) if cell in labels else numbers.index(value))
    low, high = ends_of(variable)
    if value is None:
        raise ValueError(f"{cell!r} of '{variable.name}' is not a number")
    if isinstance(variable.law, LogUniform):
        above, whole = log(np.asarray([float(value / low), float(high / low)])).tolist()
        return float(2.0 * above / whole - 1.0)
    return float(2 * (value - low) / (high - low) - 1)


def levels_of_range(variable: Variable, count: int) -> tuple[str, ...]:
    """The cells of `count` equally spaced values from the low to the high of a variable."""
    codes = [-1.0 + 2.0 * index / max(count - 1, 1) for index in range(count)]
    if isinstance(variable.law, LogUniform):
        return cells_of(variable, [coded_value(variable, code) for code in codes])
    low, high = ends_of(variable)
    step = (high - low) / max(count - 1, 1)
    return cells_of(variable, [low + index * step for index in range(count)])


def cells_of(variable: Variable, values: list[Fraction]) -> tuple[str, ...]:
    """The cells of exact values; a refusal where an integer variable would not have a whole number."""
    for value in values:
        if variable.is_integer and value.denominator != 1:
            message = f"'{variable.name}' is an integer, and the design needs the value {float(value):g}"
            raise refused("E527", message, variable.place, "move its ends, or remove type: integer")
    cells = tuple(written(variable, np.asarray([float(value) for value in values])).cells())
    if len(set(cells)) < len(cells):
        twice = Counter(cells).most_common(1)[0][0]
        message = f"two levels of '{variable.name}' are both written {twice!r}"
        raise refused("E502", message, variable.place, "give the format more digits, or widen the range")
    return cells
