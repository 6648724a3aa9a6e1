"""Expressions as trees: what the parser makes and the evaluation walks."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Number:
    """A literal number, exact."""

    value: Fraction


@dataclass(frozen=True)
class Text:
    """A literal text, to compare a categorical variable with."""

    value: str


@dataclass(frozen=True)
class Name:
    """A variable of the study, or the constants `pi` and `e`; `offset` is its index in the source."""

    name: str
    offset: int


@dataclass(frozen=True)
class Unary:
    """`-x`, `+x`, `not x`."""

    operator: str
    operand: "Expression"


@dataclass(frozen=True)
class Binary:
    """`x + y` and the like, and the boolean `and`, `or`."""

    operator: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True)
class Comparison:
    """A chain such as `0 < x <= 1`: one operand more than operators."""

    operators: tuple[str, ...]
    operands: tuple["Expression", ...]


@dataclass(frozen=True)
class Conditional:
    """`x if condition else y`."""

    condition: "Expression"
    then: "Expression"
    otherwise: "Expression"


@dataclass(frozen=True)
class Call:
    """A call of one of the known functions."""

    function: str
    arguments: tuple["Expression", ...]


Expression = Number | Text | Name | Unary | Binary | Comparison | Conditional | Call
