"""The short way for arithmetic: where operands are surely numbers, neither sizes nor kinds of results need a look.

    x * 2, "%.3f"|format(x + 1)      with x from a generator   ->   (x * 2), ('%.3f' % (x + 1))

What an expression gives is the same; the guards of the sandbox are left out only where they could not refuse.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame

from doe_compiler.templates.jinja.limits import TooMuch, check_percent
from doe_compiler.templates.jinja.symbols import Deferred
from doe_compiler.templates.jinja.trees import all_of

FLOAT, INTEGER, TEXT = "float", "integer", "text"
_NUMBERS = (FLOAT, INTEGER)
_OPERATORS = {
    nodes.Add: "+",
    nodes.Sub: "-",
    nodes.Mul: "*",
    nodes.Div: "/",
    nodes.FloorDiv: "//",
    nodes.Mod: "%",
}
_CONVERSIONS = re.compile(r"%[-+ #0]*\d*(?:\.\d+)?[diouxXeEfFgG]|%%")
_LARGEST = 1 << 256


class Quick:
    """What is known of the kinds of names; every node that may go the short way is marked `quick` with its kind."""

    def __init__(self, kinds: Mapping[str, str]) -> None:
        self._kinds = dict(kinds)

    def learn(self, name: str, kind: str | None) -> None:
        """A name that has a value of a kind from here on."""
        if kind is not None:
            self._kinds[name] = kind

    def kind(self, node: Any) -> str | None:
        """The kind of a tree's value, where it is sure; its nodes are marked."""
        match node:
            case nodes.Const(value=bool()):
                return None
            case nodes.Const(value=int() as number):
                return INTEGER if abs(number) < _LARGEST else None
            case nodes.Const(value=float()):
                return FLOAT
            case nodes.Name():
                return self._kinds.get(node.name)
            case nodes.Neg() | nodes.Pos():
                return self._marked(node, self.kind(node.node))
            case nodes.Filter():
                return self._filter(node)
            case nodes.CondExpr():
                self.kind(node.test)
                one, other = self.kind(node.expr1), self.kind(node.expr2)
                return one if one == other and node.expr2 is not None else None
            case nodes.BinExpr() if type(node) in _OPERATORS:
                return self._operation(node)
            case _:
                for child in node.iter_child_nodes() if isinstance(node, nodes.Node) else ():
                    self.kind(child)
                return None

    def _operation(self, node: nodes.BinExpr) -> str | None:
        left, right = self.kind(node.left), self.kind(node.right)
        if left not in _NUMBERS or right not in _NUMBERS:
            return None
        if isinstance(node, nodes.Div) or FLOAT in (left, right):
            return self._marked(node, FLOAT)
        # Whole numbers of any size: how large a product may be is looked at.
        return INTEGER if isinstance(node, nodes.Mul) else self._marked(node, INTEGER)

    def _filter(self, node: nodes.Filter) -> str | None:
        kind = self.kind(node.node)
        for arg in node.args:
            self.kind(arg)
        if node.kwargs or node.dyn_args is not None or node.dyn_kwargs is not None:
            return None
        match node.name, node.args:
            case "round", [] if kind == FLOAT:
                return self._marked(node, FLOAT)
            case "round", [nodes.Const(value=int(places))] if kind == FLOAT and abs(places) <= 300:
                return self._marked(node, FLOAT)
            case "abs", [] if kind in _NUMBERS:
                return self._marked(node, kind)
            case "format", [value] if isinstance(node.node, nodes.Const):
                return (
                    self._marked(node, TEXT)
                    if self._is_plain_format(node.node.value, self.kind(value))
                    else None
                )
            case _:
                return None

    @staticmethod
    def _is_plain_format(pattern: object, kind: str | None) -> bool:
        """Whether a printf pattern writes one number, in a bounded width."""
        if not isinstance(pattern, str) or kind != FLOAT:
            return False
        found = _CONVERSIONS.findall(pattern)
        if _CONVERSIONS.sub("", pattern).count("%") or sum(each != "%%" for each in found) != 1:
            return False
        try:
            check_percent(pattern, (0.0,))
        except TooMuch:
            return False
        return True

    @staticmethod
    def _marked(node: Any, kind: str | None) -> str | None:
        if kind is not None:
            node.quick = kind
        return kind


def names_as_numbers(
    deferred: Iterable[Deferred], names: Iterable[str], marked: Callable[[Any], bool]
) -> frozenset[str]:
    """The names that are only ever operands of what goes the short way, so that nobody sees how they are written."""
    numbers = set(names)
    for entry in deferred:
        for statement in entry.statements:
            for node in all_of(statement, nodes.Node):
                if isinstance(node, nodes.Name):
                    continue
                shown = {child.name for child in node.iter_child_nodes() if isinstance(child, nodes.Name)}
                if shown and not marked(node):
                    numbers -= shown
    return frozenset(numbers)


def is_quick(node: Any) -> bool:
    """Whether a node goes the short way."""
    return getattr(node, "quick", None) is not None


class RowGenerator(CodeGenerator):
    """Jinja's generator of Python code, with the short way where a node is marked."""

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if is_quick(node):
            self.write("str(" if node.quick in _NUMBERS else "(")  # type: ignore[attr-defined]
        else:
            super()._output_child_pre(node, frame, finalize)

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if is_quick(node):
            self.write(")")
        else:
            super()._output_child_post(node, frame, finalize)

    def visit_Filter(self, node: nodes.Filter, frame: Frame) -> None:
        """See CodeGenerator."""
        if not is_quick(node):
            super().visit_Filter(node, frame)
            return
        assert node.node is not None
        if node.name == "format":
            self.write("(")
            self.visit(node.node, frame)
            self.write(" % (")
            self.visit(node.args[0], frame)
            self.write(",))")
            return
        self.write("round(" if node.name == "round" else "abs(")
        self.visit(node.node, frame)
        if node.name == "round":
            self.write(", ")
            self.visit(node.args[0] if node.args else nodes.Const(0), frame)
        self.write(")")


def _visitor(
    kind: type[nodes.BinExpr], operator: str
) -> Callable[[RowGenerator, nodes.BinExpr, Frame], None]:
    usual = getattr(CodeGenerator, f"visit_{kind.__name__}")

    def visit(self: RowGenerator, node: nodes.BinExpr, frame: Frame) -> None:
        if not is_quick(node):
            usual(self, node, frame)
            return
        self.write("(")
        self.visit(node.left, frame)
        self.write(f" {operator} ")
        self.visit(node.right, frame)
        self.write(")")

    return visit


for _kind, _operator in _OPERATORS.items():
    setattr(RowGenerator, f"visit_{_kind.__name__}", _visitor(_kind, _operator))
