"""A template in Jinja read and checked: what its syntax, and that of the files it names, is wrong in, and unknown names.

| code | what is wrong |
| --- | --- |
| T201 | it is not Jinja, or a file that it names cannot be read or is not |
| T202 | it reads a name that nothing gives a value |
| T203 | it cannot be evaluated, whatever the run |
| T204 | it cannot be evaluated for a run |
"""

from collections.abc import Collection, Mapping

from jinja2 import nodes
from jinja2.meta import find_undeclared_variables

from doe_compiler.kernel.findings import Finding, Place, near_miss
from doe_compiler.templates.jinja.environment import DeckEnvironment
from doe_compiler.templates.jinja.lowering import lowered
from doe_compiler.templates.jinja.places import Text
from doe_compiler.templates.jinja.program import failure_of
from doe_compiler.templates.jinja.trees import NAMING, all_of, loaded, own_files
from doe_compiler.templates.lowered import Failure
from doe_compiler.templates.template import Placeholder, Source, Unlowered

__all__ = ["checked", "lowered", "parse", "told"]

_MOST_FILES = 200
_LONGEST_SHOWN = 80


def parse(source: Source) -> tuple[Unlowered | None, tuple[Finding, ...], Mapping[str, str]]:
    """The template, what is wrong with it and with the files that it names, and their texts by the names shown."""
    environment = DeckEnvironment(source.read)
    findings: list[Finding] = []
    texts = {source.file: source.text}
    names: set[str] = set()
    waiting = [source.file]
    while waiting:
        path = waiting.pop(0)
        tree = _tree(environment, source, texts[path], path, findings)
        if tree is None:
            continue
        names |= find_undeclared_variables(tree) - environment.globals.keys()
        for node in all_of(tree, NAMING):
            named = own_files(node)
            is_needed = len(named) == 1 and not getattr(node, "ignore_missing", False)
            for inner in named:
                if inner in texts:
                    continue
                try:
                    texts[inner] = source.read(inner)
                except LookupError as error:
                    if is_needed:
                        told = Text(texts[path])
                        message, hint = f"'{inner}' {error.args[0]}", "".join(map(str, error.args[1:]))
                        findings.append(_at(source, path, told, node.lineno, "T201", message, hint))
                    continue
                if not isinstance(node, nodes.Filter) and len(texts) <= _MOST_FILES:
                    waiting.append(inner)
    template = (
        None if findings else Unlowered(source, frozenset(names), _placeholders(environment, source, names))
    )
    return template, tuple(findings), {source.shown(path): text for path, text in texts.items()}


def _placeholders(
    environment: DeckEnvironment, source: Source, names: Collection[str]
) -> tuple[Placeholder, ...]:
    text = Text(source.text)
    found = []
    for name, node in loaded(environment.parse(source.text, source.file, source.file)).items():
        if name in names:
            line, column = text.place(node.lineno)
            found.append(Placeholder(name, None, line, column, column + len(name)))
    return tuple(found)


def _tree(
    environment: DeckEnvironment, source: Source, text: str, file: str, findings: list[Finding]
) -> nodes.Template | None:
    try:
        tree = environment.parse(text, file, file)
        environment.compile(tree, file, file, raw=True)
    except Exception as error:
        failed = failure_of(error, file)
        findings.append(_at(source, file, Text(text), failed.position, "T201", failed.message))
        return None
    return tree


def _at(
    source: Source, file: str, text: Text, position: int, code: str, message: str, hint: str = ""
) -> Finding:
    line, column = text.place(position)
    return Finding(code, message, hint, Place(source.shown(file), line, column, column + 1))


def checked(template: Unlowered, file: str, names: Collection[str]) -> tuple[Finding, ...]:
    """A finding for every name that is read and is neither among `names` nor set or asked for in the template `file`."""
    source = template.source
    environment = DeckEnvironment(source.read)
    tree = environment.parse(source.text, source.file, source.file)
    known = frozenset(names) | _asked_for(tree)
    findings = []
    for found in template.placeholders:
        if found.name not in known and found.name in find_undeclared_variables(tree):
            meant = near_miss(found.name, sorted(names))
            hint = (
                f"did you mean '{meant}'?"
                if meant
                else "declare it under variables, or set it in the template"
            )
            place = Place(file, found.line, found.column, found.end_column)
            findings.append(Finding("T202", f"'{found.name}' is not a variable of the study", hint, place))
    return tuple(findings)


def _asked_for(tree: nodes.Template) -> frozenset[str]:
    """The names that a template itself takes for perhaps undefined."""
    asked = [
        node.node
        for node in all_of(tree, (nodes.Test, nodes.Filter))
        if node.name in ("defined", "undefined", "default", "d")
    ]
    return frozenset(node.name for node in asked if isinstance(node, nodes.Name))


def told(source: Source, failure: Failure, *, code: str, where: str = "") -> Finding:
    """A finding of what fails in a template, or in a file that it names, with the expression."""
    try:
        text = source.text if failure.file == source.file else source.read(failure.file)
    except LookupError:
        text = ""
    expression = Text(text).tag(failure.position)
    shown = expression if len(expression) <= _LONGEST_SHOWN else expression[:_LONGEST_SHOWN] + "…"
    message = f"`{shown}` fails{where}: {failure.message}"
    return _at(source, failure.file, Text(text), failure.position, code, message, failure.hint)
