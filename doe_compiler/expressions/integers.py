"""Sums, differences and products of whole numbers, exact at any size: `2*seed + 1` is no floating-point number."""

from collections.abc import Iterator, Mapping

from doe_compiler.expressions.parser import CONSTANTS
from doe_compiler.expressions.syntax import (
    Binary,
    Call,
    Comparison,
    Conditional,
    Expression,
    Name,
    Number,
    Text,
    Unary,
)
from doe_compiler.kernel.canonical import is_a_float_s


def is_whole_arithmetic(node: Expression) -> bool:
    """Whether an expression has whole numbers and names in it, with + - * between them, and nothing else."""
    match node:
        case Number(value):
            return value.denominator == 1
        case Name(name):
            return name not in CONSTANTS
        case Unary("+" | "-", operand):
            return is_whole_arithmetic(operand)
        case Binary():
            operators, operands = _chain(node)
            return set(operators) <= {"+", "-", "*"} and all(map(is_whole_arithmetic, operands))
        case _:
            return False


def magnitude(node: Expression, largest: Mapping[str, int]) -> int:
    """A bound on all that whole arithmetic comes across, from the largest absolute value of each name."""
    match node:
        case Number(value):
            return abs(value.numerator)
        case Name(name):
            return largest[name]
        case Unary(_, operand):
            return magnitude(operand, largest)
        case Binary():
            operators, operands = _chain(node)
            total = magnitude(operands[0], largest)
            for operator, operand in zip(operators, operands[1:], strict=True):
                right = magnitude(operand, largest)
                total = total * right if operator == "*" else total + right
            return total
        case _:
            raise ValueError("no whole arithmetic")


def whole_value(node: Expression, row: Mapping[str, int]) -> int:
    """The exact value of whole arithmetic in one row."""
    match node:
        case Number(value):
            return value.numerator
        case Name(name):
            return row[name]
        case Unary(operator, operand):
            inner = whole_value(operand, row)
            return -inner if operator == "-" else inner
        case Binary():
            operators, operands = _chain(node)
            total = whole_value(operands[0], row)
            for operator, operand in zip(operators, operands[1:], strict=True):
                right = whole_value(operand, row)
                total = (
                    total * right if operator == "*" else total + right if operator == "+" else total - right
                )
            return total
        case _:
            raise ValueError("no whole arithmetic")


def large_literal(node: Expression) -> int | None:
    """A whole number written in an expression that no float's text says, or None."""
    whole = (number.value.numerator for number in _literals(node) if number.value.denominator == 1)
    return next((number for number in whole if not is_a_float_s(number)), None)


def _literals(node: Expression) -> Iterator[Number]:
    """The numbers that are written in an expression."""
    match node:
        case Number():
            yield node
        case Unary(_, operand):
            yield from _literals(operand)
        case Binary():
            for operand in _chain(node)[1]:
                yield from _literals(operand)
        case Comparison(_, operands):
            for operand in operands:
                yield from _literals(operand)
        case Conditional(condition, then, otherwise):
            for part in (condition, then, otherwise):
                yield from _literals(part)
        case Call(_, arguments):
            for argument in arguments:
                yield from _literals(argument)
        case Name() | Text():
            pass


def _chain(node: Binary) -> tuple[list[str], list[Expression]]:
    """The operators and operands that lean to the left, so that a long sum needs no deep recursion."""
    operators: list[str] = []
    operands: list[Expression] = []
    left: Expression = node
    while isinstance(left, Binary):
        operators.append(left.operator)
        operands.append(left.right)
        left = left.left
    return operators[::-1], [left, *reversed(operands)]
