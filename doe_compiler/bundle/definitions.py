"""What the columns of a study are by definition: what a placeholder stands for, whatever it is called.

A constant is its text and format, an expression its tree and format, `doe_seed` the seed behind it; a varied
variable is its name, for its cells are identity. So a name of a constant or an expression is free, and a
design that grows changes no definition.
"""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from fractions import Fraction
from graphlib import TopologicalSorter

from doe_compiler.expressions.parser import names as expression_names
from doe_compiler.expressions.syntax import Binary, Name
from doe_compiler.kernel.canonical import digest
from doe_compiler.spec.model import Constant, Formula, Spec, Variable
from doe_compiler.templates.lowering import DOLLAR_CELL, DOLLAR_NAME

SEED_NAME = "doe_seed"
Define = Callable[[str], str]


def definitions(spec: Spec) -> Define:
    """A function from a column's name to the digest of its definition, 16 hexadecimal digits."""
    by_name = {variable.name: variable for variable in spec.variables}
    derived = {column.name: column for column in spec.derived}
    known: dict[str, str] = {}

    def define(name: str) -> str:
        if name not in known:
            content = (
                {"derived": _over_definitions(derived[name].definition, define)}
                if name in derived
                else _definition(name, by_name.get(name), spec, define)
            )
            known[name] = digest("doe2-column", content)[:16]
        return known[name]

    for name in TopologicalSorter(_reads(spec)).static_order():
        define(name)
    return define


def _over_definitions(definition: object, define: Define) -> object:
    """The definition of a derived column, with those of the columns that it reads in their places."""
    if isinstance(definition, dict) and "column" in definition:
        return {**definition, "column": define(definition["column"])}
    if isinstance(definition, list | tuple):
        return [_over_definitions(inner, define) for inner in definition]
    return definition


def _reads(spec: Spec) -> dict[str, frozenset[str]]:
    """What each expression and each derived column reads, by its name."""
    formulas = {
        v.name: expression_names(v.law.expression) for v in spec.variables if isinstance(v.law, Formula)
    }
    return formulas | {column.name: frozenset(column.reads) for column in spec.derived}


def _definition(name: str, variable: Variable | None, spec: Spec, define: Define) -> object:
    if name == SEED_NAME:
        return {"seed": spec.seed}
    if name == DOLLAR_NAME:
        return {"value": DOLLAR_CELL}
    if variable is None or variable.varies:
        return {"variable": name}
    match variable.law:
        case Constant(text):
            return {"value": text, "format": variable.format}
        case Formula(_, expression):
            read = expression_names(expression)
            return {
                "expression": _tree(expression, read, define),
                "format": variable.format,
                "integer": variable.is_integer,
            }
        case _:
            raise AssertionError(variable.law)


def _tree(node: object, read: frozenset[str], define: Define) -> object:
    """An expression as plain data, each name that it reads replaced by its definition."""
    if isinstance(node, Name):
        return ["column", define(node.name)] if node.name in read else ["constant", node.name]
    if isinstance(node, Binary):
        return _chain(node, read, define)
    if is_dataclass(node):
        values = [getattr(node, entry.name) for entry in fields(node)]
        return [type(node).__name__, *(_tree(value, read, define) for value in values)]
    if isinstance(node, tuple):
        return [_tree(inner, read, define) for inner in node]
    return str(node) if isinstance(node, Fraction) else node


def _chain(node: Binary, read: frozenset[str], define: Define) -> object:
    """`a + b + c`, which may be long, as a flat list."""
    links: list[object] = []
    first: object = node
    while isinstance(first, Binary):
        links.append([first.operator, _tree(first.right, read, define)])
        first = first.left
    return ["Chain", _tree(first, read, define), *reversed(links)]


def told_definition(variable: Variable) -> str | None:
    """The definition of a constant or an expression as a person reads it; None for what varies."""
    match variable.law:
        case Constant(text):
            told = text
        case Formula(source, _):
            told = source
        case _:
            return None
    return f"{told} as {variable.format}" if variable.format else told


def reached_names(spec: Spec) -> frozenset[str]:
    """The columns that reach a run: those named in templates and steps, and those that their expressions read."""
    reads = _reads(spec)
    reached: set[str] = set()
    waiting = [name for analysis in spec.analyses for name in analysis.named_columns]
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        waiting.extend(reads.get(name, ()))
    return frozenset(reached)
