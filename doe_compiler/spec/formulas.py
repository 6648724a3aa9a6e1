"""Expressions and constraints in their surroundings: known names, no circles, text only compared."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from doe_compiler.expressions.integers import is_whole_arithmetic, large_literal
from doe_compiler.expressions.parser import CONSTANTS, ExpressionError, is_condition, mentioned, names, parse
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
from doe_compiler.kernel.findings import Place, near_miss
from doe_compiler.spec.nodes import Scalar
from doe_compiler.spec.report import Report


@dataclass(frozen=True)
class Written:
    """An expression that has been read, and the scalar that it was written as."""

    source: str
    expression: Expression
    node: Scalar


def read_expression(node: Scalar, report: Report) -> Written | None:
    """The expression in a scalar, or None after a finding."""
    try:
        return Written(node.text, parse(node.text), node)
    except ExpressionError as error:
        report.error("E204", error.message, place_inside(node, error.offset, error.length), error.hint)
        return None


def place_inside(node: Scalar, offset: int, length: int) -> Place:
    """The place of some characters of a scalar, or of the whole when it is not written as it reads."""
    place = node.place
    width = None if place.end_column is None else place.end_column - place.column
    quotes = 1 if node.is_quoted else 0
    if width != len(node.text) + 2 * quotes:
        return place
    start = place.column + quotes + offset
    return Place(place.file, place.line, start, start + max(length, 1))


def check_names(written: Written, variables: frozenset[str], report: Report) -> bool:
    """Whether every name is a variable and none hides a constant."""
    unknown = sorted(names(written.expression) - variables)
    for name in unknown:
        meant = near_miss(name, variables)
        hint = (
            f"did you mean '{meant}'?" if meant else f"the variables are {', '.join(sorted(variables)[:20])}"
        )
        report.error("E205", f"'{name}' is not a variable", _place_of_name(written, name), hint)
    hidden = sorted(mentioned(written.expression) & CONSTANTS & variables)
    for name in hidden:
        message = f"'{name}' is both a variable and a constant of expressions"
        report.error("E205", message, _place_of_name(written, name), "give the variable another name")
    return not unknown and not hidden


def _place_of_name(written: Written, name: str) -> Place:
    offset = next((node.offset for node in _named(written.expression) if node.name == name), 0)
    return place_inside(written.node, offset, len(name))


def check_constraint(written: Written, report: Report) -> bool:
    """Whether the expression is true or false."""
    if is_condition(written.expression):
        return True
    message = "a constraint must be true or false, this is a value"
    report.error("E208", message, written.node.place, "compare it, such as `x > 0`")
    return False


def check_not_condition(written: Written, report: Report) -> bool:
    """Whether the expression is a number or a text."""
    if not is_condition(written.expression):
        return True
    hint = f"write `1 if {written.source} else 0`"
    report.error("E207", "a variable cannot be true or false", written.node.place, hint)
    return False


def circles(formulas: Mapping[str, Written]) -> Iterator[tuple[str, ...]]:
    """The circles of formulas that need each other, each once, from its first name in the file."""
    order = {name: index for index, name in enumerate(formulas)}
    needs = {
        name: sorted(names(written.expression) & formulas.keys(), key=order.__getitem__)
        for name, written in formulas.items()
    }
    done: set[str] = set()
    for start in formulas:
        trail: list[str] = []
        waiting: list[tuple[str, int]] = [(start, 0)]
        while waiting:
            name, depth = waiting.pop()
            del trail[depth:]
            if name in trail:
                yield (*trail[trail.index(name) :], name)
                continue
            if name in done:
                continue
            done.add(name)
            trail.append(name)
            waiting += [(needed, depth + 1) for needed in reversed(needs[name])]


def textual_formulas(formulas: Mapping[str, Written], texts: frozenset[str]) -> frozenset[str]:
    """The names of `texts` and of the formulas whose value is a text."""
    readers: dict[str, list[str]] = {}
    for name, written in formulas.items():
        for needed in names(written.expression):
            readers.setdefault(needed, []).append(name)
    known = set(texts)
    waiting = list(formulas)
    while waiting:
        name = waiting.pop()
        if name not in known and _is_text(formulas[name].expression, known):
            known.add(name)
            waiting += readers.get(name, [])
    return frozenset(known)


def _is_text(node: Expression, texts: set[str]) -> bool:
    match node:
        case Text():
            return True
        case Name(name=name):
            return name in texts
        case Conditional(then=then, otherwise=otherwise):
            return _is_text(then, texts) or _is_text(otherwise, texts)
        case _:
            return False


def check_texts(written: Written, texts: frozenset[str], report: Report) -> bool:
    """Whether names whose cells are text are compared only, not reckoned with."""
    misused = list(dict.fromkeys(_reckoned(written.expression, texts)))
    for name in misused:
        message = f"'{name.name}' holds text, and a number is needed here"
        place = place_inside(written.node, name.offset, len(name.name))
        report.error("E207", message, place, f"compare it, such as {name.name} == 'A'")
    return not misused


def check_exact(written: Written, large: Mapping[str, int], report: Report) -> bool:
    """Whether no whole number is reckoned with in floating point that would change it."""
    if is_whole_arithmetic(written.expression):
        return True
    used = [large[name] for name in sorted(names(written.expression) & large.keys())]
    number = used[0] if used else large_literal(written.expression)
    if number is None:
        return True
    message = f"{number} would be reckoned with in floating point, which has no such number"
    hint = "+, - and * of whole numbers alone are exact; or use smaller numbers"
    report.error("E219", message, written.node.place, hint)
    return False


def _reckoned(node: Expression, texts: frozenset[str], *, needs_number: bool = False) -> Iterator[Name]:
    match node:
        case Name(name=name) if needs_number and name in texts:
            yield node
        case Unary(operand=operand):
            yield from _reckoned(operand, texts, needs_number=True)
        case Binary(left=left, right=right):
            yield from _reckoned(left, texts, needs_number=True)
            yield from _reckoned(right, texts, needs_number=True)
        case Comparison(operators=operators, operands=operands):
            ordered = any(operator not in ("==", "!=") for operator in operators)
            for operand in operands:
                yield from _reckoned(operand, texts, needs_number=ordered)
        case Conditional(condition=condition, then=then, otherwise=otherwise):
            yield from _reckoned(condition, texts)
            yield from _reckoned(then, texts, needs_number=needs_number)
            yield from _reckoned(otherwise, texts, needs_number=needs_number)
        case Call(arguments=arguments):
            for argument in arguments:
                yield from _reckoned(argument, texts, needs_number=True)
        case Name() | Number() | Text():
            pass


def _named(node: Expression) -> Iterator[Name]:
    match node:
        case Name():
            yield node
        case Unary(operand=operand):
            yield from _named(operand)
        case Binary(left=left, right=right):
            yield from _named(left)
            yield from _named(right)
        case Comparison(operands=operands):
            for operand in operands:
                yield from _named(operand)
        case Conditional(condition=condition, then=then, otherwise=otherwise):
            for part in (condition, then, otherwise):
                yield from _named(part)
        case Call(arguments=arguments):
            for argument in arguments:
                yield from _named(argument)
        case Number() | Text():
            pass
