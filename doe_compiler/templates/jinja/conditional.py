"""What an `if` leaves behind: the names that it sets, as conditional expressions.

{% if x > 2 %}{% set k = 1 %}{% else %}{% set k = x %}{% endif %}   ->   k = 1 if x > 2 else x
"""

from collections.abc import Iterable, Mapping
from typing import Any

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from doe_compiler.templates.jinja.symbols import NotLowerable
from doe_compiler.templates.jinja.trees import all_of, copied


class Unsaid(Exception):
    """What a statement sets cannot be said as an expression."""


def values_after(body: Iterable[Any], known: Mapping[str, nodes.Expr]) -> dict[str, nodes.Expr]:
    """The names that statements set, with what they are behind them; `known` are those set before."""
    now = dict(known)
    for node in body:
        match node:
            case nodes.Assign(target=nodes.Name(name=name)):
                now[name] = _PutIn(now).visit(copied(node.node))
            case nodes.If():
                now |= _values_after_if(node, now)
            case nodes.Assign() | nodes.AssignBlock() | nodes.Macro() | nodes.Import() | nodes.FromImport():
                raise Unsaid
            case _:
                pass
    return now


def _values_after_if(node: nodes.If, now: Mapping[str, nodes.Expr]) -> dict[str, nodes.Expr]:
    tests = [_PutIn(now).visit(copied(test)) for test in (node.test, *(other.test for other in node.elif_))]
    branches = [values_after(body, now) for body in (node.body, *(other.body for other in node.elif_))]
    otherwise = values_after(node.else_, now)
    found = {}
    for name in dict.fromkeys(name for branch in (*branches, otherwise) for name in branch):
        before: nodes.Expr = now.get(name, nodes.Name(name, "load", lineno=node.lineno))
        value = otherwise.get(name, before)
        for test, branch in zip(reversed(tests), reversed(branches), strict=True):
            value = nodes.CondExpr(test, branch.get(name, before), value, lineno=node.lineno)
        found[name] = value
    return found


class _PutIn(NodeTransformer):
    """Puts expressions in the place of names."""

    def __init__(self, values: Mapping[str, nodes.Expr]) -> None:
        self._values = values

    def visit_Name(self, node: nodes.Name) -> nodes.Node:
        """See NodeTransformer."""
        return copied(self._values.get(node.name, node)) if node.ctx == "load" else node


def require_closed(tree: Any) -> None:
    """Refuse a statement whose effect on what stands behind it cannot be said."""
    if all_of(tree, nodes.NSRef):
        raise NotLowerable("a namespace is changed where a run's variables decide")
    if all_of(tree, (nodes.Block, nodes.Extends, nodes.Import, nodes.FromImport, nodes.Include)):
        raise NotLowerable("another file or a block hangs on a run's variables")
    if isinstance(tree, nodes.If):
        try:
            values_after([tree], {})
        except Unsaid:
            raise NotLowerable("a block or several names are set where a run's variables decide") from None
