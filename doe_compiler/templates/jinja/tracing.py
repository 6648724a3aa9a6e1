"""Lowering: a template is run once, with a symbol for everything that differs from run to run.

    T = {{ t }} K, {{ "%.1f"|format(t * 1.8) }} R     ->   "T = ", t, " K, ", <format of t * 1.8>, " R"

Everything else is evaluated by Jinja itself. Where an expression reads a symbol, the tree is changed so that it is not
evaluated but deferred: its tree, with what it reads of this very moment (loop variables, arguments of macros) put in,
becomes a derived column, and a mark stands for it in the text that is written. An `if` or `for` that hangs on a symbol
is deferred as a whole, as the text that it writes. What cannot be deferred raises NotLowerable: then the whole template
is one derived column.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jinja2 import nodes, pass_context
from jinja2.runtime import Context, Macro

from doe_compiler.templates.jinja.deferring import Deferring
from doe_compiler.templates.jinja.environment import DeckEnvironment, rendered
from doe_compiler.templates.jinja.reduction import Reduction
from doe_compiler.templates.jinja.symbols import Deferred, NotLowerable, Symbol, is_symbolic, mark, segments
from doe_compiler.templates.jinja.trees import copied
from doe_compiler.templates.template import Read

_WORK_OF_A_REDUCTION = 500


@dataclass
class Traced:
    """The text of a template: literals and the names of what stands between them; all that was deferred, in order."""

    segments: list[str | Symbol]
    deferred: dict[str, Deferred] = field(default_factory=dict)


class Tracer(DeckEnvironment):
    """An environment that defers what reads a symbol."""

    OWN = (*DeckEnvironment.OWN, "differs", "repeats_unknown", "deferring", "deferring_text")

    def __init__(self, read: Read) -> None:
        super().__init__(read)
        self.deferred: dict[str, Deferred] = {}
        self._trees: list[tuple[Any, str]] = []
        self._macros: dict[str, dict[str, nodes.Stmt]] = {}
        self.filters = {
            name: made if name[1:] in self.OWN else _refusing(made) for name, made in self.filters.items()
        }
        self.filters[" concatenated"] = _refusing(self.concatenated)
        tests: dict[str, Any] = dict(self.tests)
        self.tests = {name: _refusing(made) for name, made in tests.items()}
        self.binop_table = {sign: _refusing(made) for sign, made in self.binop_table.items()}

    def trace(self, source: str, name: str, values: Mapping[str, object]) -> Traced:
        """Run a template; raises NotLowerable, and whatever an error in it raises."""
        template = self.from_string_named(source, name)
        text = rendered(template, values)
        return Traced(segments(text), self.deferred)

    def from_string_named(self, source: str, name: str) -> Any:
        """A template of that name, which errors tell."""
        code = self.compile(source, name, name)
        return self.template_class.from_code(self, code, self.make_globals(None), None)

    def _generate(
        self, source: nodes.Template, name: str | None, filename: str | None, defer_init: bool = False
    ) -> str:
        self._macros[name or ""] = _definitions(source)
        tree = Deferring(self.keep, name or "").visit(copied(source))
        return super()._generate(tree, name, filename, defer_init)

    def printed(self, value: Any) -> Any:
        """See DeckEnvironment; a symbol is written as its mark."""
        if isinstance(value, Symbol):
            return mark(value)
        if isinstance(value, list | tuple | dict) and is_symbolic(value):
            raise NotLowerable("a list of what differs from run to run is written")
        return super().printed(value)

    def call(self, context: Context, called: Any, *args: Any, **kwargs: Any) -> Any:
        """See DeckEnvironment; only macros may be called with what differs from run to run."""
        if not isinstance(called, Macro | type) and (any(map(is_symbolic, args)) or is_symbolic(kwargs)):
            raise NotLowerable("what differs from run to run is handed to a function")
        return super().call(context, called, *args, **kwargs)

    def keep(self, tree: Any, file: str) -> int:
        """A number for a tree that may be deferred."""
        self._trees.append((tree, file))
        return len(self._trees) - 1

    def differs(self, *values: object) -> bool:
        """Whether an expression over these values is to be deferred, or looked at more closely."""
        return any(is_symbolic(value) or isinstance(value, Macro) for value in values)

    def repeats_unknown(self, value: object, *others: object) -> bool:
        """Whether how often a loop repeats is known for each run only."""
        return (
            isinstance(value, Symbol)
            or (isinstance(value, str) and is_symbolic(value))
            or self.differs(*others)
        )

    @pass_context
    def deferring(self, context: Context, number: int, scope: Mapping[str, object]) -> object:
        """The value of an expression that reads a symbol: another symbol, or a value after all."""
        self.spend(_WORK_OF_A_REDUCTION)
        tree, file = self._trees[number]
        return Reduction(self, context, scope, file).value(tree)

    @pass_context
    def deferring_text(self, context: Context, number: int, scope: Mapping[str, object]) -> object:
        """The text that a statement writes which hangs on a symbol."""
        self.spend(_WORK_OF_A_REDUCTION)
        tree, file = self._trees[number]
        return Reduction(self, context, scope, file).text(tree)

    def defer(
        self,
        statements: Sequence[nodes.Stmt],
        name: str,
        reads: Iterable[str],
        constants: Mapping[str, object],
        file: str,
        code: int,
    ) -> Symbol:
        """A symbol for what the statements leave under a name that is theirs."""
        self.deferred[name] = Deferred(
            name, tuple(statements), tuple(dict.fromkeys(reads)), dict(constants), file, code
        )
        return Symbol(name)

    def new_name(self) -> str:
        """The next name of something deferred."""
        return f"doe{len(self.deferred)}_{len(self._trees)}"

    def macro_of(self, file: str, name: str) -> nodes.Stmt | None:
        """How a macro or an import came by its name at the top of a template."""
        return self._macros.get(file, {}).get(name)


def _refusing(made: Callable[..., Any]) -> Callable[..., Any]:
    """A function that does not take what differs from run to run."""

    def refusing(*args: Any, **kwargs: Any) -> Any:
        if any(map(is_symbolic, args)) or (kwargs and is_symbolic(kwargs)):
            raise NotLowerable("what differs from run to run is needed before the runs are known")
        return made(*args, **kwargs)

    passes = getattr(made, "jinja_pass_arg", None)
    if passes is not None:
        refusing.jinja_pass_arg = passes  # type: ignore[attr-defined]
    return refusing


def _definitions(tree: nodes.Template) -> dict[str, nodes.Stmt]:
    """Macros and imports at the top of a template, by the names that they give."""
    found: dict[str, nodes.Stmt] = {}
    for statement in tree.body:
        match statement:
            case nodes.Macro() | nodes.Import():
                found[statement.name if isinstance(statement, nodes.Macro) else statement.target] = statement
            case nodes.FromImport():
                for name in statement.names:
                    found[name if isinstance(name, str) else name[1]] = statement
            case _:
                pass
    return found
