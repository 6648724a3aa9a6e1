"""Evaluates an expression over whole columns at once: one array a variable in, one array out."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from doe_compiler.expressions.elementary import FUNCTIONS
from doe_compiler.expressions.exponential import Floats, power
from doe_compiler.expressions.parser import ExpressionError
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
from doe_compiler.kernel.canonical import number_text

Column = npt.NDArray[Any]
Truths = npt.NDArray[np.bool_]

_ROUNDING = 16 * np.finfo(np.float64).eps
_CONSTANTS = {"pi": 3.1415926535897932, "e": 2.7182818284590452}


def evaluate(expression: Expression, columns: Mapping[str, Column], n: int) -> Column:
    """The value of an expression in each of n rows.

    `columns` has an array of shape (n,) for each name: float64 numbers, or an object array of texts.
    The result has shape (n,) and is float64, bool, or an object array of texts. Outside the domain of an
    operation the result is NaN or infinite, as IEEE 754 has it: sqrt(-1), 1/0, log(0). Numbers that differ by
    rounding alone compare as equal, so that `x + y <= 0.3` holds for 0.1 and 0.2: by at most 16 units in the last
    place of the largest term of either side, unless both are whole. Raises
    ExpressionError when a text stands where a number is needed or a name has no column.
    """
    with np.errstate(all="ignore"):
        value = _Evaluation(columns).value(expression)
    return np.array(np.broadcast_to(value, (n,)))


class _Evaluation:
    """Values have shape (n,), or (1,) where they are the same in every row."""

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self.columns = columns

    def value(self, node: Expression) -> Column:
        match node:
            case Number(value):
                return np.asarray([float(value)])
            case Text(value):
                return np.asarray([value], dtype=object)
            case Name():
                return self.column(node)
            case Unary("not", operand):
                return ~self.condition(operand)
            case Unary(operator, operand):
                number = self.number(operand)
                return -number if operator == "-" else number
            case Binary():
                return self.chain(node)
            case Comparison(operators, operands):
                return self.comparison(operators, operands)
            case Conditional(condition, then, otherwise):
                return _chosen(self.condition(condition), self.value(then), self.value(otherwise))
            case Call(function, arguments):
                return FUNCTIONS[function](*(self.number(argument) for argument in arguments))

    def column(self, node: Name) -> Column:
        if node.name in _CONSTANTS:
            return np.asarray([_CONSTANTS[node.name]])
        if node.name not in self.columns:
            raise ExpressionError(f"there is no variable {node.name!r}", node.offset, len(node.name))
        return self.columns[node.name]

    def number(self, node: Expression) -> Floats:
        value = self.value(node)
        if value.dtype == np.float64:
            return value
        if value.dtype == np.bool_:
            raise ExpressionError("a condition stands where a number is needed", hint="write `1 if c else 0`")
        hint = "a text can only be compared with == and !="
        if isinstance(node, Name):
            message = f"{node.name!r} is text where a number is needed"
            raise ExpressionError(message, node.offset, len(node.name), hint)
        raise ExpressionError("a text stands where a number is needed", hint=hint)

    def condition(self, node: Expression) -> Truths:
        value = self.value(node)
        if value.dtype != np.bool_:
            raise ExpressionError("a condition is needed here", hint="compare it, such as `x > 0`")
        return value

    def chain(self, node: Binary) -> Column:
        """Operators that lean to the left, unwound, so that a long sum needs no deep recursion."""
        pending: list[tuple[str, Expression]] = []
        left: Expression = node
        while isinstance(left, Binary):
            pending.append((left.operator, left.right))
            left = left.left
        total: Column = self.condition(left) if pending[-1][0] in ("and", "or") else self.number(left)
        for operator, right in reversed(pending):
            if operator in ("and", "or"):
                truth = self.condition(right)
                total = (total & truth) if operator == "and" else (total | truth)
            else:
                total = _arithmetic(operator, total, self.number(right))
        return total

    def comparison(self, operators: tuple[str, ...], operands: tuple[Expression, ...]) -> Truths:
        values = [self.value(operand) for operand in operands]
        if any(value.dtype == np.float64 for value in values):
            values = [_numbered(operand, value) for operand, value in zip(operands, values, strict=True)]
        result: Truths = np.asarray([True])
        for place, operator in enumerate(operators):
            left, right = values[place : place + 2]
            if left.dtype == right.dtype == np.float64:
                left = _snapped(left, right, [*self.terms(operands[place]), *self.terms(operands[place + 1])])
            result = result & _compared(operator, left, right)
        return result

    def terms(self, node: Expression) -> list[Floats]:
        """The numbers that a sum adds up, or a number by itself."""
        found: list[Floats] = []
        while isinstance(node, Binary) and node.operator in ("+", "-"):
            found.append(self.number(node.right))
            node = node.left
        return [*found, self.number(node)]


def _arithmetic(operator: str, left: Floats, right: Floats) -> Floats:
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return left / right
        case _:
            return power(left, right)


def _snapped(left: Floats, right: Floats, terms: list[Floats]) -> Floats:
    """The left numbers, each set to the right one from which only rounding separates it."""
    apart = np.abs(left - right)
    largest = np.abs(terms[0])
    for term in terms[1:]:
        largest = np.maximum(largest, np.abs(term))
    is_whole = (left == np.floor(left)) & (right == np.floor(right))
    return np.where((apart <= _ROUNDING * largest) & ~is_whole, right, left)


def _compared(operator: str, left: Column, right: Column) -> Truths:
    if left.dtype != right.dtype:
        left, right = _as_texts(left), _as_texts(right)
    if left.dtype == object and operator not in ("==", "!="):
        raise ExpressionError(f"{operator!r} cannot order texts", hint="use == and !=")
    compare = {
        "<": np.less,
        "<=": np.less_equal,
        ">": np.greater,
        ">=": np.greater_equal,
        "==": np.equal,
        "!=": np.not_equal,
    }[operator]
    return np.asarray(compare(left, right), dtype=np.bool_)


def _numbered(operand: Expression, value: Column) -> Column:
    """A literal text that is a number, in the text that numbers are compared by: '1.10' is 1.1 there."""
    if not isinstance(operand, Text):
        return value
    try:
        return np.asarray([number_text(float(operand.value))], dtype=object)
    except ValueError:
        return value


def _as_texts(values: Column) -> Column:
    if values.dtype != np.float64:
        return values
    texts = [number_text(value) if abs(value) < np.inf else "" for value in values.tolist()]
    return np.asarray(texts, dtype=object)


def _chosen(condition: Truths, then: Column, otherwise: Column) -> Column:
    if then.dtype != otherwise.dtype:
        raise ExpressionError("one side of the conditional is a text, the other a number")
    return np.where(condition, then, otherwise)
