"""One expression or statement at one moment of a trace: what it reads of the moment is put in, the rest is deferred."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from jinja2 import nodes
from jinja2.runtime import Context, LoopContext, Macro, Undefined
from jinja2.utils import Namespace, missing
from jinja2.visitor import NodeTransformer

from doe_compiler.templates.jinja.conditional import require_closed
from doe_compiler.templates.jinja.environment import own_filter
from doe_compiler.templates.jinja.symbols import NotLowerable, Symbol, is_live, is_symbolic, segments
from doe_compiler.templates.jinja.trees import all_of, copied, loaded_names


class Tracing(Protocol):
    """What a reduction needs of the environment that traces."""

    globals: Any
    binop_table: Any
    undefined: Any

    def getattr(self, obj: Any, attribute: str) -> Any:
        """An attribute of a value."""

    def getitem(self, obj: Any, argument: Any) -> Any:
        """An entry of a value."""

    def call(self, context: Context, called: Any, *args: Any, **kwargs: Any) -> Any:
        """The result of a call."""

    def new_name(self) -> str:
        """The next name of something deferred."""

    def macro_of(self, file: str, name: str) -> nodes.Stmt | None:
        """How a macro or an import came by its name."""

    def defer(
        self,
        statements: Sequence[nodes.Stmt],
        name: str,
        reads: Iterable[str],
        constants: Mapping[str, object],
        file: str,
        code: int,
    ) -> Symbol:
        """A symbol for what the statements leave under a name."""


@dataclass
class Value:
    """A part of an expression that this moment decides."""

    value: Any
    lineno: int = 1


_DECIDED = (Value, nodes.Const)


def _is_decided(part: Any) -> bool:
    """Whether nothing in a reduced part is open; helpers such as operands of comparisons are looked into."""
    if isinstance(part, nodes.Helper):
        fields = [getattr(part, name) for name in part.fields]
        return all(_is_decided(inner) for inner in fields if isinstance(inner, Value | nodes.Node))
    return isinstance(part, _DECIDED) and not is_live(part.value)


def _is_data(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_data, value))
    if isinstance(value, dict):
        return all(map(_is_data, value)) and all(map(_is_data, value.values()))
    return value is None or isinstance(value, str | int | float)


def _with_constants(node: Any) -> Any:
    """A tree with decided parts as constants of Jinja."""
    copy = copied(node)
    for name in node.fields:
        inner = getattr(node, name)
        setattr(copy, name, [_constant(i) for i in inner] if isinstance(inner, list) else _constant(inner))
    return copy


def _constant(part: Any) -> Any:
    if isinstance(part, Value):
        return nodes.Const(part.value, lineno=1)
    return _with_constants(part) if isinstance(part, nodes.Helper) else part


class Reduction:
    """One expression or statement at one moment: what it reads of the moment is put in, what is left is deferred."""

    def __init__(self, tracer: Tracing, context: Context, scope: Mapping[str, object], file: str) -> None:
        self._tracer, self._context, self._scope, self._file = tracer, context, scope, file
        self._reads: list[str] = []
        self._constants: dict[str, object] = {}
        self._whole: nodes.Expr | None = None
        self._depth = 0

    def value(self, tree: nodes.Expr) -> object:
        """The value of an expression, or a symbol for it; a text may hold marks."""
        if isinstance(tree, nodes.Name):
            return self._scope.get(tree.name)
        if isinstance(tree, nodes.Tuple | nodes.List):
            items = [
                Reduction(self._tracer, self._context, self._scope, self._file).value(i) for i in tree.items
            ]
            return tuple(items) if isinstance(tree, nodes.Tuple) else items
        self._whole = tree
        reduced = self._reduced(tree)
        if isinstance(reduced, Value):
            return reduced.value
        if isinstance(reduced, nodes.Name):
            return Symbol(reduced.name)
        return self._deferred(reduced)

    def _deferred(self, tree: Any) -> Symbol:
        name = self._tracer.new_name()
        target = nodes.Name(name, "store", lineno=tree.lineno)
        statement = nodes.Assign(target, tree, lineno=tree.lineno)
        return self._tracer.defer([statement], name, self._reads, self._constants, self._file, tree.lineno)

    def _reduced(self, node: Any) -> Any:
        """A tree without what this moment decides, or a Value."""
        match node:
            case nodes.Const() | nodes.TemplateData():
                return node
            case nodes.Name():
                return self._name(node)
            case nodes.Getattr():
                owner = self._reduced(node.node)
                if isinstance(owner, Value):
                    return self._given(self._tracer.getattr(owner.value, node.attr), node)
                return nodes.Getattr(owner, node.attr, node.ctx, lineno=node.lineno)
            case nodes.Getitem():
                owner, place = self._reduced(node.node), self._reduced(node.arg)
                if isinstance(owner, Value) and is_live(owner.value) and isinstance(place, nodes.Const):
                    return self._given(self._tracer.getitem(owner.value, place.value), node)
                return nodes.Getitem(
                    self._held(owner, node), self._held(place, node), node.ctx, lineno=node.lineno
                )
            case nodes.Call():
                return self._call(node)
            case nodes.CondExpr():
                return self._chosen(node)
            case nodes.And() | nodes.Or():
                return self._both(node)
            case _:
                return self._of_parts(node)

    def _chosen(self, node: nodes.CondExpr) -> Any:
        test = self._reduced(node.test)
        if not isinstance(test, _DECIDED):
            return nodes.CondExpr(test, self._late(node.expr1), self._late(node.expr2), lineno=node.lineno)
        chosen = node.expr1 if test.value else node.expr2
        return Value(self._tracer.undefined()) if chosen is None else self._reduced(chosen)

    def _both(self, node: nodes.And | nodes.Or) -> Any:
        left = self._reduced(node.left)
        if not isinstance(left, _DECIDED):
            return type(node)(left, self._late(node.right), lineno=node.lineno)
        goes_on = bool(left.value) == isinstance(node, nodes.And)
        return self._reduced(node.right) if goes_on else Value(left.value)

    def _of_parts(self, node: Any) -> Any:
        """An operation on its reduced operands, carried out where all of them are decided."""
        copy = copied(node)
        parts: list[Any] = []

        def part(inner: Any) -> Any:
            reduced = self._of_parts(inner) if isinstance(inner, nodes.Helper) else self._reduced(inner)
            parts.append(reduced)
            return reduced

        for name in node.fields:
            inner = getattr(node, name)
            if isinstance(inner, nodes.Node):
                setattr(copy, name, part(inner))
            elif isinstance(inner, list):
                setattr(copy, name, [part(i) if isinstance(i, nodes.Node) else i for i in inner])
        if isinstance(node, nodes.Helper):
            return copy
        if all(map(_is_decided, parts)):
            decided = self._carried_out(_with_constants(copy))
            if decided is not None:
                return decided
        return self._as_tree(copy)

    def _carried_out(self, node: Any) -> "Value | None":
        try:
            if isinstance(node, nodes.BinExpr):
                left, right = _plain(node.left), _plain(node.right)
                made = self._tracer.binop_table[node.operator](left, right)
            else:
                made = node.as_const(nodes.EvalContext(self._context.environment, None))
        except NotLowerable:
            raise
        except Exception:
            return None  # a run will say what is wrong with it
        return Value(made) if _is_data(made) else None

    def _as_tree(self, node: Any) -> Any:
        """A tree whose parts were reduced, with what is decided written into it."""
        for name in node.fields:
            inner = getattr(node, name)
            if isinstance(inner, list):
                setattr(node, name, [self._as_part(i) for i in inner])
            else:
                setattr(node, name, self._as_part(inner))
        return node

    def _as_part(self, part: Any) -> Any:
        if isinstance(part, Value):
            return self._held(part, part)
        return self._as_tree(part) if isinstance(part, nodes.Helper) else part

    def _late(self, node: nodes.Expr | None) -> Any:
        """An operand that Jinja evaluates only in some runs, so nothing in it may be called now."""
        if node is None:
            return None
        self._depth += 1
        reduced = self._held(self._reduced(node), node)
        self._depth -= 1
        return reduced

    def _name(self, node: nodes.Name) -> Any:
        value = self._scope.get(node.name)
        if node.name in self._tracer.globals and value is self._tracer.globals[node.name]:
            return node
        return self._given(value, node)

    def _given(self, value: object, node: Any) -> Any:
        """What stands for a value of the moment."""
        if isinstance(value, Symbol):
            self._reads.append(value.name)
            return nodes.Name(value.name, "load", lineno=node.lineno)
        if isinstance(value, str) and is_symbolic(value):
            return self._joined(value, node)
        if isinstance(value, list | tuple) and is_symbolic(value):
            items = [self._held(self._given(item, node), node) for item in value]
            return (nodes.List if isinstance(value, list) else nodes.Tuple)(
                *((items,) if isinstance(value, list) else (items, "load")), lineno=node.lineno
            )
        if is_symbolic(value) and not is_live(value):
            raise NotLowerable("a table of what differs from run to run is used")
        return Value(value)

    def _joined(self, text: str, node: Any) -> Any:
        """A text with marks, as the concatenation of its parts."""
        parts: list[nodes.Expr] = []
        for segment in segments(text):
            if isinstance(segment, Symbol):
                self._reads.append(segment.name)
                parts.append(nodes.Name(segment.name, "load", lineno=node.lineno))
            else:
                parts.append(nodes.Const(segment, lineno=node.lineno))
        empty = nodes.Const("", lineno=node.lineno)
        return own_filter("concatenated", [*parts, empty], node.lineno)

    def _held(self, reduced: Any, node: Any) -> Any:
        """A reduced part as a tree: values of the moment are written into it or stand under names of their own."""
        if not isinstance(reduced, Value):
            return reduced
        value = reduced.value
        if type(value) in (str, int, bool, type(None)):
            return nodes.Const(value, lineno=node.lineno)
        if isinstance(value, Undefined):
            return nodes.Name(value._undefined_name or "undefined", "load", lineno=node.lineno)
        if is_live(value):
            raise NotLowerable(f"a {type(value).__name__} is used with what differs from run to run")
        for name, known in self._constants.items():
            if known is value:
                return nodes.Name(name, "load", lineno=node.lineno)
        name = f"{self._tracer.new_name()}c{len(self._constants)}"
        self._constants[name] = value
        return nodes.Name(name, "load", lineno=node.lineno)

    def _call(self, node: nodes.Call) -> Any:
        called = self._reduced(node.node)
        args = [self._reduced(arg) for arg in node.args]
        kwargs = [(keyword.key, self._reduced(keyword.value)) for keyword in node.kwargs]
        if isinstance(called, Value):
            if isinstance(called.value, Undefined):
                called = self._held(called, node)
            elif self._depth:
                raise NotLowerable("whether something is called hangs on a run's variables")
            elif node.dyn_args is not None or node.dyn_kwargs is not None:
                raise NotLowerable("a function is called with a list of arguments")
            elif isinstance(called.value, Macro):
                given = [self._argument(arg) for arg in args]
                named = {key: self._argument(value) for key, value in kwargs}
                written = self._tracer.call(self._context, called.value, *given, **named)
                return Value(written) if node is self._whole else self._given(written, node)
            elif all(isinstance(a, Value | nodes.Const) for a in (*args, *(v for _, v in kwargs))):
                given = [_plain(arg) for arg in args]
                named = {key: _plain(value) for key, value in kwargs}
                return self._given(self._tracer.call(self._context, called.value, *given, **named), node)
            else:
                raise NotLowerable("what differs from run to run is handed to a function")
        held = [self._held(reduced, arg) for reduced, arg in zip(args, node.args, strict=True)]
        keywords = [
            nodes.Keyword(key, self._held(reduced, keyword.value), lineno=keyword.lineno)
            for (key, reduced), keyword in zip(kwargs, node.kwargs, strict=True)
        ]
        more = [
            None if extra is None else self._held(self._reduced(extra), extra)
            for extra in (node.dyn_args, node.dyn_kwargs)
        ]
        return nodes.Call(called, held, keywords, *more, lineno=node.lineno)

    def _argument(self, reduced: Any) -> object:
        if isinstance(reduced, Value | nodes.Const):
            return _plain(reduced)
        if isinstance(reduced, nodes.Name) and reduced.name in self._reads:
            return Symbol(reduced.name)
        return self._deferred(reduced)

    def text(self, tree: Any) -> object:
        """A symbol for the text that a statement writes."""
        require_closed(tree)
        code = tree.lineno
        before, tree = self._bound(tree)
        name = self._tracer.new_name()
        body = [*before, tree]
        block = nodes.AssignBlock(nodes.Name(name, "store", lineno=code), None, body, lineno=code)
        return self._tracer.defer([block], name, self._reads, self._constants, self._file, code)

    def _bound(self, tree: Any) -> tuple[list[nodes.Stmt], Any]:
        """Assignments of what a statement reads of the moment, and the statement with loop.index and such put in."""
        tree = _LoopsPutIn(self).visit(copied(tree))
        before: list[nodes.Stmt] = []
        done: set[str] = set()
        code = tree.lineno

        def bind(name: str, value: object) -> None:
            if name in done:
                return
            done.add(name)
            if isinstance(value, Undefined) or value is self._tracer.globals.get(name):
                return
            if isinstance(value, Symbol) and value.name == name:
                self._reads.append(name)
                return
            if is_live(value):
                before.append(self._definition_of(name, bind))
                return
            held = self._held(self._given(value, tree), tree)
            before.append(nodes.Assign(nodes.Name(name, "store", lineno=code), held, lineno=code))

        for name in loaded_names(tree):
            if name in self._scope:
                bind(name, self._scope[name])
        return before, tree

    def _definition_of(self, name: str, bind: Callable[[str, object], None]) -> nodes.Stmt:
        """How a macro or an import came by its name, once what the macro reads itself is bound."""
        made = self._tracer.macro_of(self._file, name)
        if made is None or getattr(made, "with_context", False):
            raise NotLowerable(f"'{name}' is used where what is written hangs on a run's variables")
        if isinstance(made, nodes.Macro):
            own = {found.name for found in all_of(made, nodes.Name) if found.ctx in ("store", "param")}
            for inner in loaded_names(made):
                value = self._context.resolve_or_missing(inner)
                if inner in own or value is missing:
                    continue
                if inner in self._scope and self._scope[inner] is not value:
                    raise NotLowerable(
                        f"the macro '{name}' and what calls it mean different things by '{inner}'"
                    )
                bind(inner, value)
        return copied(made)


class _LoopsPutIn(NodeTransformer):
    """Puts the values of `loop.index` and such into a statement within the loop."""

    def __init__(self, reduction: Reduction) -> None:
        self._reduction = reduction

    def visit_For(self, node: nodes.For) -> nodes.Node:
        """A loop inside has a loop variable of its own."""
        node.iter = self.visit(node.iter)
        return node

    def visit_Getattr(self, node: nodes.Getattr) -> nodes.Node:
        """See NodeTransformer."""
        scope = self._reduction._scope
        owner = scope.get(node.node.name) if isinstance(node.node, nodes.Name) else None
        if isinstance(owner, LoopContext | Namespace):
            held: nodes.Node = self._reduction._held(self._reduction._reduced(node), node)
            return held
        self.generic_visit(node)
        return node


def _plain(reduced: Any) -> Any:
    return reduced.value
