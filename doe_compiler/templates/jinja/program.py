"""Derived columns for all rows: one compiled loop over the rows computes what was deferred.

    t * 1.8, "%.1f"|format(_)   with   for t in rows:   ->   ["36.0", "37.8", ...]

The loop is a template of its own, made of the trees that were deferred and compiled by Jinja; so an expression does
there just what it does in the deck.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
from jinja2 import TemplateError, nodes

from doe_compiler.templates.jinja.environment import DeckEnvironment
from doe_compiler.templates.jinja.limits import WORK, Budget, TooMuch
from doe_compiler.templates.jinja.quick import FLOAT, Quick, RowGenerator, is_quick, names_as_numbers
from doe_compiler.templates.jinja.symbols import Deferred
from doe_compiler.templates.jinja.trees import all_of, copied
from doe_compiler.templates.jinja.vectors import Floats, vector_of
from doe_compiler.templates.lowered import Failure, Rows
from doe_compiler.templates.template import Read

_ROWS = "doe_rows"
_WORK_OF_A_ROW = 200_000
_PLACES = 1 << 32  # positions are below it; what is above tells which tree a position belongs to
MOST_FAILURES = 5
_WHOLE_HINT = "give its variable `type: integer`, or write it as {{ x|int }}"
NO_KINDS: Mapping[str, str] = {}


def computed(
    deferred: Sequence[Deferred],
    outputs: Sequence[str],
    rows: Rows,
    n: int,
    read: Read,
    kinds: Mapping[str, str] = NO_KINDS,
) -> tuple[list[Sequence[str] | Floats], list[Failure]]:
    """The outputs, n each: texts, or numbers that print as Python prints them; or the first rows that fail.

    `rows` has the values of every variable that is read, n each; `kinds` tells which are surely numbers.
    """
    vectors = _vectors(deferred, rows, kinds)
    rest = [entry for entry in deferred if entry.name not in vectors]
    loop = [name for name in outputs if name not in vectors]
    texts, failures = _looped(rest, loop, rows, n, read, kinds) if rest else ([], [])
    if failures:
        return [], failures
    found: dict[str, Sequence[str] | Floats] = {**vectors, **dict(zip(loop, texts, strict=True))}
    return [found[name] for name in outputs], []


def _vectors(deferred: Sequence[Deferred], rows: Rows, kinds: Mapping[str, str]) -> dict[str, Floats]:
    """The entries that are plain arithmetic of columns and that no other reads."""
    read_again = {name for entry in deferred for name in entry.reads}
    columns = {
        name: values
        for name, values in rows.items()
        if isinstance(values, np.ndarray) and kinds.get(name) == FLOAT
    }
    found: dict[str, Floats] = {}
    for entry in deferred:
        match entry.statements:
            case (nodes.Assign(node=tree),) if entry.name not in read_again:
                value = vector_of(tree, columns)
                if value is not None:
                    found[entry.name] = value
            case _:
                pass
    return found


def _looped(
    deferred: Sequence[Deferred],
    outputs: Sequence[str],
    rows: Rows,
    n: int,
    read: Read,
    kinds: Mapping[str, str],
) -> tuple[list[list[str]], list[Failure]]:
    names = list(dict.fromkeys(name for entry in deferred for name in entry.reads if name in rows))
    environment = DeckEnvironment(read)
    environment.code_generator_class = RowGenerator
    environment.budget = Budget(WORK + _WORK_OF_A_ROW * n)
    constants: dict[str, object] = {}
    for entry in deferred:
        constants |= entry.constants
    tree = nodes.Template([_loop(deferred, outputs, names, kinds)], lineno=1)
    tree.set_environment(environment)
    template = _compiled(environment, tree)

    def chunks(start: int) -> Iterator[str]:
        columns = [itertools.islice(_listed(rows[name]), start, None) for name in names]
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
    columns = map(_listed, rows.values())
    given: Iterator[tuple[object, ...]] = zip(*columns, strict=True) if names else iter([()] * n)
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


def _listed(values: Sequence[object] | Floats) -> Sequence[object]:
    return values.tolist() if isinstance(values, np.ndarray) else values


def _loop(
    deferred: Sequence[Deferred], outputs: Sequence[str], names: Sequence[str], kinds: Mapping[str, str]
) -> nodes.For:
    read_again = {name for entry in deferred for name in entry.reads}
    values: dict[str, nodes.Expr] = {}
    body: list[nodes.Node] = []
    known = Quick(kinds)
    for number, entry in enumerate(deferred):
        statements = [_placed(copied(statement), number) for statement in entry.statements]
        kind = _learnt(entry, statements, known)
        match statements:
            case [nodes.Assign(node=value)] if (
                entry.name not in read_again and outputs.count(entry.name) == 1
            ):
                values[entry.name] = cast("nodes.Expr", value)
            case _:
                body += statements
                values[entry.name] = _name_of(entry.name, kind)
    body += [nodes.Output([values[name]], lineno=1) for name in outputs]
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


def _learnt(entry: Deferred, statements: Sequence[nodes.Stmt], known: Quick) -> str | None:
    """The kind of what an entry leaves, where it is sure; what may go the short way is marked."""
    match statements:
        case [nodes.Assign(node=value)]:
            kind = known.kind(value)
            known.learn(entry.name, kind)
            return kind
        case _:
            return None


def _name_of(name: str, kind: str | None) -> nodes.Name:
    found = nodes.Name(name, "load", lineno=1)
    if kind is not None:
        found.quick = kind  # type: ignore[attr-defined]
    return found


def numbers_among(deferred: Sequence[Deferred], kinds: Mapping[str, str]) -> frozenset[str]:
    """The columns that are only reckoned with, so that their cells as they are written are not needed."""
    known = Quick(kinds)
    copies = []
    for entry in deferred:
        statements = tuple(copied(statement) for statement in entry.statements)
        _learnt(entry, statements, known)
        copies.append(replace(entry, statements=statements))
    return names_as_numbers(copies, kinds, is_quick)


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
    message = _message(error)
    hint = str(getattr(error, "hint", ""))
    if "CellFloat" in message:
        message, hint = (
            message.replace("'CellFloat' object", "a number that may have a fraction"),
            hint or _WHOLE_HINT,
        )
    return Failure(file, code, message, row, hint)


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
