"""The sandbox in which templates run: Jinja's own, with what it does not bound bounded, and nothing of the machine."""

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import BaseLoader, StrictUndefined, TemplateNotFound, nodes, pass_context
from jinja2.lexer import TokenStream
from jinja2.runtime import Context, Undefined, markup_join
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedFormatter
from jinja2.visitor import NodeTransformer

from doe_compiler.templates.jinja.deck_filters import DECK_FILTERS
from doe_compiler.templates.jinja.limits import (
    BINARY,
    INTERCEPTED,
    Budget,
    bounded_filters,
    check_call,
    check_width,
    is_allowed,
    sized,
)
from doe_compiler.templates.jinja.places import restore_returns, tokens
from doe_compiler.templates.jinja.tables import NotInTable, Table, read_table
from doe_compiler.templates.template import Read

_PRINTED = (str, int, float, type(None))


class NotPrintable(Exception):
    """What would be written is no text, number or list, such as a function."""


def _require_printable(value: object) -> None:
    if isinstance(value, Undefined):
        str(value)  # raises, saying what is not defined
    elif isinstance(value, list | tuple | dict):
        for inner in value:
            _require_printable(inner)
        if isinstance(value, dict):
            for inner in value.values():
                _require_printable(inner)
    elif not isinstance(value, _PRINTED):
        kind = type(value).__name__
        raise NotPrintable(f"a {kind} cannot be written, only texts, numbers and lists of them")


class Files(BaseLoader):
    """Templates by their path in the study's folder, read by a function that raises LookupError."""

    def __init__(self, read: Read) -> None:
        self._read = read

    def get_source(self, _environment: Any, template: str) -> tuple[str, str, None]:
        """See BaseLoader."""
        try:
            return self._read(template), template, None
        except LookupError as error:
            raise TemplateNotFound(template, str(error.args[0])) from error


class _Formatter(SandboxedFormatter):
    def format_field(self, value: Any, format_spec: str) -> Any:
        check_width(format_spec)
        return super().format_field(value, format_spec)


@pass_context
def _printed(context: Context, value: Any) -> Any:
    environment = context.environment
    assert isinstance(environment, DeckEnvironment)
    return environment.printed(value)


class DeckEnvironment(ImmutableSandboxedEnvironment):
    """Renders templates of decks; `read` gives the files that they name, `tables` the cells of a CSV file.

    Names that are not defined are errors, line ends and the final newline stay, nothing is escaped.
    """

    intercepted_binops = INTERCEPTED
    OWN: tuple[str, ...] = ("spend", "concatenated")

    def __init__(self, read: Read) -> None:
        super().__init__(
            undefined=StrictUndefined,
            keep_trailing_newline=True,
            autoescape=False,
            loader=Files(read),
            finalize=_printed,
            cache_size=-1,
            auto_reload=False,
            optimized=False,  # which would fold the counting of work away
        )
        self.budget = Budget()
        self.read = read
        self._tables: dict[str, Table] = {}
        self.filters = {
            **bounded_filters(),
            **DECK_FILTERS,
            **{f" {name}": getattr(self, name) for name in self.OWN},
        }
        self.binop_table = dict(BINARY)
        del self.globals["lipsum"]

    def printed(self, value: Any) -> Any:
        """What an expression writes, if it is something that can be written."""
        if isinstance(value, str):
            self.budget.spend(len(value))
        elif not isinstance(value, int | float):
            _require_printable(value)
        return value

    def table(self, path: str) -> Table:
        """A CSV file of the study's folder; raises LookupError with the reason."""
        if path not in self._tables:
            try:
                text = self.read(path)
            except LookupError as error:
                raise NotInTable(f"{path} {error.args[0]}", "".join(map(str, error.args[1:]))) from error
            self._tables[path] = read_table(text, path)
        return self._tables[path]

    def spend(self, work: int) -> str:
        """Count work, from within a template."""
        return self.budget.spend(work)

    def concatenated(self, *values: Any) -> str:
        """The operator `~`."""
        length = sum(len(value if isinstance(value, str) else str(value)) for value in values)
        sized(length)
        self.budget.spend(length)
        return markup_join(values)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """See SandboxedEnvironment."""
        return super().is_safe_attribute(obj, attr, value) and is_allowed(obj, attr)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """See SandboxedEnvironment; widths are bounded."""
        owner = getattr(value, "__self__", None)
        if not isinstance(owner, str) or getattr(value, "__name__", "") not in ("format", "format_map"):
            return None
        text = str(owner)

        def formatted(*args: Any, **kwargs: Any) -> str:
            return _Formatter(self).vformat(text, args, kwargs)

        return formatted

    def call(self, context: Context, called: Any, *args: Any, **kwargs: Any) -> Any:
        """See SandboxedEnvironment; the sizes of what methods of texts make are bounded."""
        return super().call(context, called, *check_call(called, args), **kwargs)

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, _state: str | None = None
    ) -> TokenStream:
        return tokens(self.lexer, source, name, filename)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = restore_returns(super()._parse(source, name, filename))
        result = _Guarded().visit(tree)
        assert isinstance(result, nodes.Template)
        return result


class _Guarded(NodeTransformer):
    """Makes every repetition count its work, and `~` a call that looks at sizes."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        """See NodeTransformer."""
        self.generic_visit(node)
        return own_filter("concatenated", node.nodes, node.lineno)

    def visit_For(self, node: nodes.For) -> nodes.Node:
        """See NodeTransformer."""
        return self._counted(node)

    def visit_Macro(self, node: nodes.Macro) -> nodes.Node:
        """See NodeTransformer."""
        return self._counted(node)

    def visit_CallBlock(self, node: nodes.CallBlock) -> nodes.Node:
        """See NodeTransformer."""
        return self._counted(node)

    def _counted(self, node: Any) -> nodes.Node:
        written = sum(
            len(data.data) for statement in node.body for data in statement.find_all(nodes.TemplateData)
        )
        written += sum(len(data.data) for data in node.body if isinstance(data, nodes.TemplateData))
        self.generic_visit(node)
        count = nodes.ExprStmt(
            own_filter("spend", [nodes.Const(written + 8, lineno=node.lineno)], node.lineno),
            lineno=node.lineno,
        )
        node.body = [count, *node.body]
        result: nodes.Node = node
        return result


def own_filter(method: str, args: list[nodes.Expr], lineno: int) -> nodes.Filter:
    """A call of one of the environment's OWN methods, in a tree: as a filter, which costs least and no user can name."""
    return nodes.Filter(args[0], f" {method}", args[1:], [], None, None, lineno=lineno)


def rendered(template: Any, values: Mapping[str, object]) -> str:
    """A template's text for some values."""
    context = template.new_context(dict(values))
    return "".join(template.root_render_func(context))
