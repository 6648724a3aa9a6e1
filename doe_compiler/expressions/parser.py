"""Reads an expression such as `2*h if shape == "box" else pi*d**2/4` into its tree, without numpy.

    or < and < not < comparisons < + - < * / < unary - < **

as in Python; a conditional binds loosest. Kinds are checked here: a condition is no number and a text can
only be compared.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

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
from doe_compiler.kernel.findings import near_miss

MAX_LENGTH = 4000
MAX_TOKENS = 500
MAX_NESTING = 64

CONSTANTS = frozenset({"pi", "e"})

# The smallest and the largest number of arguments of every function; None is no limit.
ARITIES: dict[str, tuple[int, int | None]] = {
    "abs": (1, 1),
    "sqrt": (1, 1),
    "exp": (1, 1),
    "log": (1, 1),
    "log10": (1, 1),
    "sin": (1, 1),
    "cos": (1, 1),
    "tan": (1, 1),
    "asin": (1, 1),
    "acos": (1, 1),
    "atan": (1, 1),
    "atan2": (2, 2),
    "sinh": (1, 1),
    "cosh": (1, 1),
    "tanh": (1, 1),
    "min": (2, None),
    "max": (2, None),
    "floor": (1, 1),
    "ceil": (1, 1),
    "round": (1, 2),
    "pow": (2, 2),
    "hypot": (2, None),
}

_KEYWORDS = frozenset({"and", "or", "not", "if", "else"})
_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")

_TOKEN = re.compile(
    r"""(?P<blank>\s+)
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<name>[^\W\d]\w*)
    |(?P<text>"[^"\n]*"|'[^'\n]*')
    |(?P<sign>\*\*|<=|>=|==|!=|&&|\|\||//|[-+*/<>(),=!^%&|~.\[\]{}:;?@"'$])""",
    re.VERBOSE,
)

# Signs of other languages, and what to write here.
_FOREIGN_SIGNS = {
    "^": "write ** for a power",
    "&&": "write and",
    "&": "write and",
    "||": "write or",
    "|": "write or",
    "!": "write not",
    "~": "write not",
    "=": "write == to compare",
    "//": "write floor(x / y)",
    "%": "write x - y*floor(x / y)",
    "?": "write `x if condition else y`",
    "$": "write the name alone, without ${ }",
    "{": "write the name alone, without ${ }",
    ".": "an expression reads numbers only: no attributes",
    "[": "an expression reads numbers only: no subscripts",
    '"': "the text has no closing quote",
    "'": "the text has no closing quote",
}


class ExpressionError(ValueError):
    """What is wrong with an expression: `length` characters at index `offset` of its source."""

    def __init__(self, message: str, offset: int = 0, length: int = 1, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.length = length
        self.hint = hint


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    offset: int

    def error(self, message: str, hint: str = "") -> ExpressionError:
        return ExpressionError(message, self.offset, max(len(self.text), 1), hint)


def parse(source: str) -> Expression:
    """The tree of an expression.

    Raises ExpressionError for what is not understood, not allowed, longer than 4000 characters or 500
    words and signs, or nested deeper than 64.
    """
    if len(source) > MAX_LENGTH:
        raise ExpressionError(
            f"the expression has {len(source)} characters, more than {MAX_LENGTH}",
            length=len(source),
            hint="split it into several variables",
        )
    tokens = _tokens(source)
    if len(tokens) == 1:
        raise ExpressionError("the expression is empty", hint="write a number, a name or a formula")
    if len(tokens) > MAX_TOKENS + 1:
        raise tokens[MAX_TOKENS].error(
            f"the expression has more than {MAX_TOKENS} words and signs", "split it into several variables"
        )
    parser = _Parser(tokens)
    expression = parser.conditional()
    parser.expect_end()
    return expression


def names(expression: Expression) -> frozenset[str]:
    """The variables that an expression reads; the constants `pi` and `e` are not among them."""
    return mentioned(expression) - CONSTANTS


def mentioned(expression: Expression) -> frozenset[str]:
    """Every name in an expression, `pi` and `e` included."""
    return frozenset(node.name for node in _nodes(expression) if isinstance(node, Name))


def has_text(expression: Expression) -> bool:
    """Whether an expression names a text."""
    return any(isinstance(node, Text) for node in _nodes(expression))


def is_condition(expression: Expression) -> bool:
    """Whether the value is true or false rather than a number or a text."""
    return _kind(expression) == "condition"


def _nodes(expression: Expression) -> Iterator[Expression]:
    waiting: list[Expression] = [expression]
    while waiting:
        node = waiting.pop()
        yield node
        match node:
            case Unary(_, operand):
                waiting.append(operand)
            case Binary(_, left, right):
                waiting += (left, right)
            case Comparison(_, operands):
                waiting += operands
            case Conditional(condition, then, otherwise):
                waiting += (condition, then, otherwise)
            case Call(_, arguments):
                waiting += arguments
            case Number() | Text() | Name():
                pass


def _kind(node: Expression) -> str:
    match node:
        case Comparison() | Unary("not", _) | Binary("and" | "or", _, _):
            return "condition"
        case Text():
            return "text"
        case Name():
            return "any"
        case Conditional(_, then, otherwise):
            return _kind(otherwise) if _kind(then) == "any" else _kind(then)
        case Number() | Unary() | Binary() | Call():
            return "number"


def _tokens(source: str) -> list[_Token]:
    tokens: list[_Token] = []
    offset = 0
    while offset < len(source):
        match = _TOKEN.match(source, offset)
        if match is None:
            raise ExpressionError(f"{source[offset]!r} means nothing here", offset)
        token = _Token(match.lastgroup or "", match.group(), offset)
        if token.kind == "sign" and token.text in _FOREIGN_SIGNS:
            raise token.error(f"{token.text!r} means nothing in an expression", _FOREIGN_SIGNS[token.text])
        if token.kind != "blank":
            tokens.append(token)
        offset = match.end()
    tokens.append(_Token("end", "", len(source)))
    return tokens


class _Parser:
    """Precedence climbing over the tokens; every method leaves the position behind what it read."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.position = 0
        self.nesting = 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.position]

    def accept(self, *texts: str) -> _Token | None:
        token = self.token
        if token.text not in texts or token.kind not in ("sign", "name"):
            return None
        self.position += 1
        return token

    def expect(self, text: str, after: str) -> None:
        if self.accept(text) is None:
            found = f"not {self.token.text!r}" if self.token.text else "not the end"
            raise self.token.error(f"{text!r} is expected {after}, {found}")

    def expect_end(self) -> None:
        token = self.token
        if token.kind == "end":
            return
        before = self.tokens[self.position - 1]
        if before.kind == "number" and token.kind in ("name", "number"):
            raise token.error(
                f"{before.text!r} is followed by {token.text!r}",
                f"write {before.text}*{token.text}" if token.kind == "name" and token.text[0] != "_" else "",
            )
        if token.text == "(":
            raise token.error("only a function can be called", "write * to multiply")
        raise token.error(f"{token.text!r} is not expected here", "is an operator missing?")

    def conditional(self) -> Expression:
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise self.token.error(f"the expression is nested deeper than {MAX_NESTING}")
        then = self.disjunction()
        mark = self.accept("if")
        if mark is not None:
            condition = self.disjunction()
            _require_condition(condition, mark)
            self.expect("else", "after `x if condition`")
            otherwise = self.conditional()
            kinds = {_kind(then), _kind(otherwise)} - {"any"}
            if len(kinds) > 1:
                raise mark.error(f"one side of the conditional is a {max(kinds)}, the other a {min(kinds)}")
            then = Conditional(condition, then, otherwise)
        self.nesting -= 1
        return then

    def disjunction(self) -> Expression:
        left = self.conjunction()
        while mark := self.accept("or"):
            right = self.conjunction()
            _require_condition(left, mark)
            _require_condition(right, mark)
            left = Binary("or", left, right)
        return left

    def conjunction(self) -> Expression:
        left = self.negation()
        while mark := self.accept("and"):
            right = self.negation()
            _require_condition(left, mark)
            _require_condition(right, mark)
            left = Binary("and", left, right)
        return left

    def negation(self) -> Expression:
        marks: list[_Token] = []
        while mark := self.accept("not"):
            marks.append(mark)
        self._check_run(marks)
        operand = self.comparison()
        for mark in reversed(marks):
            _require_condition(operand, mark)
            operand = Unary("not", operand)
        return operand

    def comparison(self) -> Expression:
        operands = [self.sum()]
        marks: list[_Token] = []
        while mark := self.accept(*_COMPARISONS):
            marks.append(mark)
            operands.append(self.sum())
            _require_comparable(operands[-2], mark)
            _require_comparable(operands[-1], mark)
        if not marks:
            return operands[0]
        return Comparison(tuple(mark.text for mark in marks), tuple(operands))

    def sum(self) -> Expression:
        left = self.product()
        while mark := self.accept("+", "-"):
            left = _arithmetic(mark, left, self.product())
        return left

    def product(self) -> Expression:
        left = self.signed()
        while mark := self.accept("*", "/"):
            left = _arithmetic(mark, left, self.signed())
        return left

    def signed(self) -> Expression:
        marks: list[_Token] = []
        while mark := self.accept("-", "+"):
            marks.append(mark)
        self._check_run(marks)
        operand = self.power()
        for mark in reversed(marks):
            _require_number(operand, mark)
            operand = Unary(mark.text, operand)
        return operand

    def power(self) -> Expression:
        base = self.atom()
        mark = self.accept("**")
        if mark is None:
            return base
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise mark.error(f"the expression is nested deeper than {MAX_NESTING}")
        exponent = self.signed()
        self.nesting -= 1
        return _arithmetic(mark, base, exponent)

    def atom(self) -> Expression:
        token = self.token
        if self.accept("("):
            inner = self.conditional()
            self.expect(")", "to close the bracket")
            return inner
        if token.kind == "number":
            self.position += 1
            return Number(_number(token))
        if token.kind == "text":
            self.position += 1
            return Text(token.text[1:-1])
        if token.kind == "name" and token.text not in _KEYWORDS:
            self.position += 1
            return self.call(token) if self.accept("(") else Name(token.text, token.offset)
        if token.kind == "end":
            raise token.error("the expression ends too early", "a number or a name is missing at the end")
        raise token.error(f"a number or a name is expected, not {token.text!r}")

    def call(self, function: _Token) -> Expression:
        if function.text not in ARITIES:
            known = near_miss(function.text, ARITIES)
            hint = f"did you mean {known}?" if known else f"known are {', '.join(ARITIES)}"
            raise function.error(f"there is no function {function.text!r}", hint)
        arguments: list[Expression] = []
        if not self.accept(")"):
            arguments.append(self.conditional())
            while self.accept(","):
                arguments.append(self.conditional())
            self.expect(")", f"after the arguments of {function.text}")
        least, most = ARITIES[function.text]
        if len(arguments) < least or (most is not None and len(arguments) > most):
            wanted = (
                str(least) if most == least else f"{least} or more" if most is None else f"{least} to {most}"
            )
            raise function.error(f"{function.text} takes {wanted} arguments, not {len(arguments)}")
        for argument in arguments:
            _require_number(argument, function)
        return Call(function.text, tuple(arguments))

    def _check_run(self, marks: list[_Token]) -> None:
        if len(marks) > MAX_NESTING:
            raise marks[MAX_NESTING].error(f"the expression is nested deeper than {MAX_NESTING}")


def _number(token: _Token) -> Fraction:
    text = token.text
    if re.match(r"0\d", text):
        raise token.error(f"{text!r} begins with a zero", f"write {text.lstrip('0') or '0'}")
    value = float(text)
    if value == float("inf"):
        raise token.error(f"{text} is too large for a number")
    if value == 0 and re.search(r"[1-9]", re.split("[eE]", text)[0]):
        raise token.error(f"{text} is too small for a number")
    mantissa, _, exponent = text.lower().partition("e")
    # A zero mantissa may carry any exponent; the fraction of `0e999999999` would never be built.
    return Fraction(text) if value else Fraction(mantissa) * (0 if exponent else 1)


def _arithmetic(mark: _Token, left: Expression, right: Expression) -> Expression:
    _require_number(left, mark)
    _require_number(right, mark)
    return Binary(mark.text, left, right)


def _require_number(node: Expression, mark: _Token) -> None:
    kind = _kind(node)
    if kind in ("any", "number"):
        return
    hint = (
        "write `1 if condition else 0`"
        if kind == "condition"
        else "a text can only be compared with == and !="
    )
    raise mark.error(f"{mark.text!r} needs a number, not a {kind}", hint)


def _require_condition(node: Expression, mark: _Token) -> None:
    if _kind(node) != "condition":
        raise mark.error(
            f"{mark.text!r} needs a condition, not a number or a text", "compare it, such as `x > 0`"
        )


def _require_comparable(node: Expression, mark: _Token) -> None:
    kind = _kind(node)
    if kind == "condition":
        raise mark.error(f"{mark.text!r} cannot compare conditions", "join them with and, or, not")
    if kind == "text" and mark.text not in ("==", "!="):
        raise mark.error(f"{mark.text!r} cannot order texts", "a text can only be compared with == and !=")
