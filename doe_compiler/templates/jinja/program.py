"""Derived columns for all rows: one compiled loop over the rows computes what was deferred.

    t * 1.8, "%.1f"|format(_)   with   for t in rows:   ->   ["36.0", "37.8", ...]

The loop is a template of its own, made of the trees that were deferred and compiled by Jinja; so an expression does
there just what it does in the deck.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from jinja2 import TemplateError, nodes

from doe_compiler.templates.jinja.environment import DeckEnvironment
from doe_compiler.templates.jinja.limits import WORK, Budget, TooMuch
from doe_compiler.templates.jinja.symbols import Deferred
from doe_compiler.templates.jinja.trees import all_of, copied
from doe_compiler.templates.lowered import Failure, Rows
from doe_compiler.templates.template import Read

_ROWS = "doe_rows"
_WORK_OF_A_ROW = 200_000
_PLACES = 1 << 32  # positions are below it; what is above tells which tree a position belongs to
MOST_FAILURES = 5


def computed(
    deferred: Sequence[Deferred], outputs: Sequence[str], rows: Rows, n: int, read: Read
) -> tuple[list[list[str]], list[Failure]]:
    """The texts of the outputs, a list each of n; or the first rows that fail.

    `rows` has the values of every variable that is read, n each.
    """
    names = list(dict.fromkeys(name for entry in deferred for name in entry.reads if name in rows))
    environment = DeckEnvironment(read)
    environment.budget = Budget(WORK + _WORK_OF_A_ROW * n)
    constants: dict[str, object] = {}
    for entry in deferred:
        constants |= entry.constants
    tree = nodes.Template([_loop(deferred, outputs, names)], lineno=1)
    tree.set_environment(environment)
    template = _compiled(environment, tree)

    def chunks(start: int) -> Iterator[str]:
        columns = [itertools.islice(rows[name], start, None) for name in names]
        given = zip(*columns, strict=True) if columns else itertools.repeat((), n - start)
        return iter(template.root_render_func(template.new_context({**constants, _ROWS: given})))

    width = len(outputs) + 1  # a line end after each row: rows are counted by it if nothing else is written
    texts: list[str] = []
    failures: list[Failure] = []
    start = 0
    while True:
        found: list[str] = []
        try:
            found.extend(chunks(start))
        except Exception as error:
            row = start + len(found) // width
            failures.append(_failure(error, deferred, row))
            start = row + 1
            if start >= n or len(failures) == MOST_FAILURES:
                return [], failures
            continue
        texts = found
        break
    if failures:
        return [], failures
    return [texts[place::width] for place in range(len(outputs))], []


def rendered_rows(
    environment: DeckEnvironment, template: Any, rows: Rows, constants: Mapping[str, object], n: int
) -> tuple[list[str], list[Failure]]:
    """The text of a whole template for each of n rows; or the first rows that fail."""
    names = list(rows)
    texts: list[str] = []
    failures: list[Failure] = []
    given: Iterator[tuple[object, ...]] = zip(*rows.values(), strict=True) if names else iter([()] * n)
    for row, values in enumerate(given):
        environment.budget = Budget()
        context = template.new_context({**constants, **dict(zip(names, values, strict=True))})
        try:
            texts.append("".join(template.root_render_func(context)))
        except Exception as error:
            failures.append(failure_of(error, template.name or "", row))
            if len(failures) == MOST_FAILURES:
                break
    return ([], failures) if failures else (texts, [])


def _loop(deferred: Sequence[Deferred], outputs: Sequence[str], names: Sequence[str]) -> nodes.For:
    body: list[nodes.Node] = []
    for number, entry in enumerate(deferred):
        body += [_placed(copied(statement), number) for statement in entry.statements]
    body += [nodes.Output([nodes.Name(name, "load", lineno=1)], lineno=1) for name in outputs]
    body.append(nodes.Output([nodes.TemplateData("\n", lineno=1)], lineno=1))
    target = nodes.Tuple([nodes.Name(name, "store", lineno=1) for name in names], "store", lineno=1)
    return nodes.For(
        target if names else nodes.Name("doe_row", "store", lineno=1),
        nodes.Name(_ROWS, "load", lineno=1),
        body,
        [],
        None,
        False,
        lineno=1,
    )


def _placed(tree: nodes.Stmt, number: int) -> nodes.Stmt:
    for node in all_of(tree, nodes.Node):
        node.lineno = (number + 1) * _PLACES + (node.lineno or 1)
    return tree


def _compiled(environment: DeckEnvironment, tree: nodes.Template) -> Any:
    source = environment.compile(tree, "doe rows", "doe rows", raw=True)
    code = compile(source, "doe rows", "exec")
    return environment.template_class.from_code(environment, code, environment.make_globals(None), None)


def _failure(error: Exception, deferred: Sequence[Deferred], row: int) -> Failure:
    found = failure_of(error, "", row)
    number, code = divmod(found.position, _PLACES)
    if found.file == "doe rows" and number:
        return replace(found, file=deferred[number - 1].file, position=code)
    return found


def failure_of(error: BaseException, file: str, row: int | None = None) -> Failure:
    """What failed and where: the innermost template that was running, or where Jinja's own error says."""
    code = getattr(error, "lineno", None) or 1
    file = getattr(error, "name", None) or file if isinstance(error, TemplateError) and code > 1 else file
    trace = error.__traceback__
    while trace is not None:
        template = trace.tb_frame.f_globals.get("__jinja_template__")
        if template is not None:
            code, file = template.get_corresponding_lineno(trace.tb_lineno), template.name or file
        trace = trace.tb_next
    return Failure(file, code, _message(error), row, str(getattr(error, "hint", "")))


def _message(error: BaseException) -> str:
    match error:
        case RecursionError():
            return "it is nested too deeply, or calls itself without end"
        case MemoryError():
            return "it needs more memory than there is"
        case TooMuch():
            return str(error)
        case KeyError():
            return f"there is no entry {error}"
        case _:
            return str(error) or type(error).__name__
