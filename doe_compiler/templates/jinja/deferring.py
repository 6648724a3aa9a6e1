"""Changes the tree of a template so that it asks, at every expression, whether that reads a symbol.

    {{ x * 2 }}   ->   {{ deferring(7, {"x": x}) if differs(x) else x * 2 }}

`differs`, `deferring` and `deferring_text` are methods of the environment that traces.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from doe_compiler.templates.jinja.conditional import Unsaid, values_after
from doe_compiler.templates.jinja.environment import own_filter
from doe_compiler.templates.jinja.trees import all_of, copied, loaded_names

Keep = Callable[[Any, str], int]


class Deferring(NodeTransformer):
    """Changes a template so that it asks, at every expression, whether that reads a symbol."""

    def __init__(self, keep: Keep, file: str) -> None:
        self._keep, self._file = keep, file

    def _expression(self, node: nodes.Expr) -> nodes.Expr:
        names = loaded_names(node)
        if not names:
            return node
        code = node.lineno
        number = self._keep(node, self._file)
        deferred = _asked("deferring", number, names, code)
        differs = own_filter("differs", [nodes.Name(name, "load", lineno=code) for name in names], code)
        return nodes.CondExpr(differs, deferred, node, lineno=code)

    def visit_Output(self, node: nodes.Output) -> nodes.Node:
        """See NodeTransformer."""
        node.nodes = [n if isinstance(n, nodes.TemplateData) else self._expression(n) for n in node.nodes]
        return node

    def visit_Assign(self, node: nodes.Assign) -> nodes.Node:
        """See NodeTransformer."""
        value: Any = node.node
        node.node = self._expression(value)
        return node

    def visit_With(self, node: nodes.With) -> nodes.Node:
        """See NodeTransformer."""
        node.values = [self._expression(value) for value in node.values]
        node.body = self._all(node.body)
        return node

    def visit_Macro(self, node: nodes.Macro) -> nodes.Node:
        """See NodeTransformer."""
        node.defaults = [self._expression(value) for value in node.defaults]
        node.body = self._all(node.body)
        return node

    def visit_CallBlock(self, node: nodes.CallBlock) -> nodes.Node:
        """See NodeTransformer."""
        if isinstance(node.call, nodes.Call):
            node.call.args = [self._expression(value) for value in node.call.args]
            for keyword in node.call.kwargs:
                keyword.value = self._expression(keyword.value)
        node.defaults = [self._expression(value) for value in node.defaults]
        node.body = self._all(node.body)
        return node

    def visit_FilterBlock(self, node: nodes.FilterBlock) -> Any:
        """See NodeTransformer."""
        return self._filtered(node, node.filter, None)

    def visit_AssignBlock(self, node: nodes.AssignBlock) -> Any:
        """See NodeTransformer."""
        if node.filter is None:
            node.body = self._all(node.body)
            return node
        return self._filtered(node, node.filter, node.target)

    def _filtered(self, node: Any, filters: nodes.Filter, target: nodes.Expr | None) -> list[nodes.Node]:
        """The body first, as a text that may hold marks, then the filters on it as an expression."""
        code = node.lineno
        name = f"doe_body_{code}"
        innermost: Any = filters
        while innermost.node is not None:
            innermost = innermost.node
        innermost.node = nodes.Name(name, "load", lineno=code)
        value = self._expression(filters)
        body = nodes.AssignBlock(
            nodes.Name(name, "store", lineno=code), None, self._all(node.body), lineno=code
        )
        last: nodes.Stmt = (
            nodes.Output([value], lineno=code) if target is None else nodes.Assign(target, value, lineno=code)
        )
        return [body, last]

    def visit_If(self, node: nodes.If) -> nodes.Node:
        """See NodeTransformer."""
        tests = [node.test, *(other.test for other in node.elif_)]
        names = list(dict.fromkeys(name for test in tests for name in loaded_names(test)))
        whole = copied(node)
        node.body, node.else_ = self._all(node.body), self._all(node.else_)
        for other in node.elif_:
            other.body = self._all(other.body)
        return self._whole_if(names, whole, node, self._set_behind(whole))

    def _set_behind(self, whole: nodes.If) -> list[nodes.Stmt]:
        """Assignments of the names that an `if` sets, as conditional expressions; nothing where that cannot be said."""
        try:
            values = values_after([whole], {})
        except Unsaid:
            return []
        code = whole.lineno
        own = {name: f"doe_set_{number}_{code}" for number, name in enumerate(values)}
        return [
            *(
                nodes.Assign(
                    nodes.Name(own[name], "store", lineno=code), self._expression(value), lineno=code
                )
                for name, value in values.items()
            ),
            *(
                nodes.Assign(
                    nodes.Name(name, "store", lineno=code),
                    nodes.Name(own[name], "load", lineno=code),
                    lineno=code,
                )
                for name in values
            ),
        ]

    def visit_For(self, node: nodes.For) -> Any:
        """Unrolled where how often it repeats is known; otherwise its text is deferred as a whole."""
        code = node.lineno
        names = loaded_names(node.iter)
        whole = copied(node)
        node.body, node.else_ = self._all(node.body), self._all(node.else_)
        targets = {name.name for name in all_of(node.target, nodes.Name)}
        of_test = [] if node.test is None else [n for n in loaded_names(node.test) if n not in targets]
        if node.recursive or not (names or of_test):
            return node
        given = f"doe_iter_{code}"
        iterated: Any = node.iter
        before = nodes.Assign(
            nodes.Name(given, "store", lineno=code), self._expression(iterated), lineno=code
        )
        node.iter = nodes.Name(given, "load", lineno=code)
        asked = "repeats_unknown" if node.test is None else "differs"
        return [before, self._whole_if([given, *of_test], whole, node, asked=asked)]

    def _whole_if(
        self,
        names: list[str],
        whole: nodes.Stmt,
        node: nodes.Stmt,
        behind: Sequence[nodes.Stmt] = (),
        asked: str = "differs",
    ) -> nodes.Node:
        if not names:
            return node
        code = node.lineno
        number = self._keep(whole, self._file)
        differs = own_filter(asked, [nodes.Name(name, "load", lineno=code) for name in names], code)
        text = nodes.Output([_asked("deferring_text", number, loaded_names(whole), code)], lineno=code)
        return nodes.If(differs, [text, *behind], [], [node], lineno=code)

    def _all(self, body: Sequence[nodes.Node]) -> list[Any]:
        found: list[Any] = []
        for node in body:
            changed: Any = self.visit(node)
            found += changed if isinstance(changed, list) else [changed]
        return found


def _asked(method: str, number: int, names: Iterable[str], code: int) -> nodes.Filter:
    pairs = [
        nodes.Pair(nodes.Const(name, lineno=code), nodes.Name(name, "load", lineno=code), lineno=code)
        for name in names
    ]
    args: list[nodes.Expr] = [nodes.Const(number, lineno=code), nodes.Dict(pairs, lineno=code)]
    return own_filter(method, args, code)
