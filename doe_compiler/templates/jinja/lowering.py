"""A template in Jinja to literals and columns: which of the study's variables, and which derived ones.

x = {{ x }}, y = {{ 2*x }}   ->   "x = ${x}, y = ${doe_5a0f…}"   and the column doe_5a0f… of `2*x`
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from jinja2 import nodes

from doe_compiler.kernel.canonical import digest, sha256_hex
from doe_compiler.templates.jinja.canonical import constant, plain_tree
from doe_compiler.templates.jinja.environment import DeckEnvironment
from doe_compiler.templates.jinja.places import Text
from doe_compiler.templates.jinja.program import computed, failure_of, numbers_among, rendered_rows
from doe_compiler.templates.jinja.symbols import Deferred, NotLowerable, Symbol
from doe_compiler.templates.jinja.tracing import Tracer
from doe_compiler.templates.jinja.trees import TABLE_FILTERS, all_of, loaded_names, named_files, own_files
from doe_compiler.templates.jinja.vectors import Floats
from doe_compiler.templates.lowered import Derived, Failure, Lowered, Rows
from doe_compiler.templates.template import Placeholder, Read, Source, Template

DERIVED_PREFIX = "doe_"
NAME_DIGITS = 16


@dataclass(frozen=True)
class Evaluation:
    """Computes the derived columns of a template; without `deferred` the whole of it is one."""

    source: Source
    deferred: tuple[Deferred, ...]
    outputs: Mapping[str, str]
    constants: Mapping[str, object]
    reads: tuple[str, ...]
    kinds: Mapping[str, str]

    @cached_property
    def numbers(self) -> frozenset[str]:
        """See Program."""
        return numbers_among(self.deferred, self.kinds) if self.deferred else frozenset()

    def texts(
        self, rows: Rows, n: int, wanted: Sequence[str]
    ) -> tuple[dict[str, Sequence[str] | Floats], list[Failure]]:
        """The cells of the wanted derived columns, n each; or the first rows that fail."""
        if not self.deferred:
            if not wanted:
                return {}, []
            environment = DeckEnvironment(self.source.read)
            template = named_template(environment, self.source)
            texts, failures = rendered_rows(environment, template, rows, self.constants, n)
            return {wanted[0]: texts}, failures
        outputs = [self.outputs[name] for name in wanted]
        columns, failures = computed(self.deferred, outputs, rows, n, self.source.read, self.kinds)
        return dict(zip(wanted, columns, strict=True)) if not failures else {}, failures


def named_template(environment: DeckEnvironment, source: Source) -> Any:
    """The compiled template under its name, which errors tell."""
    code = environment.compile(source.text, source.file, source.file)
    return environment.template_class.from_code(environment, code, environment.make_globals(None), None)


def lowered(
    source: Source,
    constants: Mapping[str, object],
    kinds: Mapping[str, tuple[str, str]],
    numeric: Collection[str] = (),
) -> Lowered | Failure:
    """The lowered form; `constants` are the values of what is the same in all runs.

    `kinds` has, for every variable that differs from run to run, what its values are, and its unit; `numeric` are those
    of them of which no value can be a text.
    """
    files = _Files(source.read)
    tracer = Tracer(files.read)
    values = {**constants, **{name: Symbol(name) for name in kinds}}
    try:
        traced = tracer.trace(source.text, source.file, values)
    except NotLowerable as reason:
        at = failure_of(reason, source.file)
        line = Text(source.text).place(at.position)[0] if at.file == source.file else 1
        return _whole(source, files, constants, kinds, str(reason), line)
    except Exception as error:
        return failure_of(error, source.file)
    entries = traced.deferred
    definitions: dict[str, object] = {}
    try:
        for name, entry in entries.items():
            definitions[name] = _definition(entry, definitions, kinds, files)
    except NotLowerable as reason:
        return _whole(source, files, constants, kinds, str(reason), 1)
    names = {
        name: DERIVED_PREFIX + digest("doe2-derived", made)[:NAME_DIGITS]
        for name, made in definitions.items()
    }
    reads: dict[str, tuple[str, ...]] = {}
    for name, entry in entries.items():
        reads[name] = tuple(dict.fromkeys(r for read in entry.reads for r in reads.get(read, (read,))))
    template = Template(
        tuple(
            _placeholder(names.get(segment.name, segment.name)) if isinstance(segment, Symbol) else segment
            for segment in traced.segments
        )
    )
    written = [s.name for s in traced.segments if isinstance(s, Symbol) and s.name in entries]
    outputs = {names[name]: name for name in written}
    columns = tuple(
        Derived(names[name], definitions[name], reads[name], *_shown(source, files, entries[name]))
        for name in dict.fromkeys(outputs.values())
    )
    needed = tuple(dict.fromkeys(read for entry in entries.values() for read in entry.reads if read in kinds))
    sure = {
        name: kind for name, (kind, _) in kinds.items() if kind in ("float", "integer") and name in numeric
    }
    program = Evaluation(source, tuple(entries.values()), outputs, constants, needed, sure)
    return Lowered(template, columns, program)


def _shown(source: Source, files: "_Files", entry: Deferred) -> tuple[str, tuple[str, int, int]]:
    """What stands in a template for a derived column, and where."""
    text = Text(source.text if entry.file == source.file else files.texts.get(entry.file, ""))
    return text.written(entry.code), (source.shown(entry.file), *text.place(entry.code))


def _placeholder(name: str) -> Placeholder:
    return Placeholder(name, None, 1, 1, 2)


class _Files:
    """What a template reads of other files, remembered."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self.texts: dict[str, str] = {}

    def read(self, path: str) -> str:
        """The text of a file; raises LookupError with the reason."""
        if path not in self.texts:
            self.texts[path] = self._read(path)
        return self.texts[path]


def _definition(
    entry: Deferred, definitions: Mapping[str, object], kinds: Mapping[str, tuple[str, str]], files: _Files
) -> object:
    """A deferred tree as plain data: names of the study as they are, of the moment as what they are."""
    converts = any(_converts(statement) for statement in entry.statements)

    def stands_for(name: str) -> object:
        if name in entry.constants:
            return constant(entry.constants[name])
        if name in definitions and name in entry.reads:
            return definitions[name]
        if name in kinds and name in entry.reads:
            return _column(name, kinds, converts)
        return name

    if any(_names_no_table(statement) for statement in entry.statements):
        raise NotLowerable("which table is read hangs on a run's variables")
    trees = [plain_tree(_target_free(statement), stands_for) for statement in entry.statements]
    used = sorted({path for statement in entry.statements for path in named_files(statement)})
    return ["jinja", trees, [[path, _file_digest(path, files)] for path in used]]


def _names_no_table(tree: Any) -> bool:
    return any(node.name in TABLE_FILTERS and not own_files(node) for node in all_of(tree, nodes.Filter))


def _converts(tree: Any) -> bool:
    """Whether a tree converts units, so that those of the variables count."""
    return any(node.name == "to" for node in all_of(tree, nodes.Filter))


def _column(name: str, kinds: Mapping[str, tuple[str, str]], converts: bool) -> object:
    kind, unit = kinds[name]
    return {"column": name, "kind": kind, **({"unit": unit} if converts and unit else {})}


def _target_free(statement: nodes.Stmt) -> Any:
    """A statement without the name that it leaves its value under."""
    match statement:
        case nodes.Assign():
            return statement.node
        case nodes.AssignBlock():
            return statement.body
        case _:
            return statement


def _file_digest(path: str, files: _Files, seen: tuple[str, ...] = ()) -> object:
    """A file by content: a table's cells, a template's tree and what that names."""
    try:
        text = files.read(path)
    except LookupError:
        return None
    if path in seen or path.endswith(".csv"):
        return sha256_hex(text.encode("utf-8", "surrogatepass"))
    try:
        tree = DeckEnvironment(files.read).parse(text)
    except Exception:
        return sha256_hex(text.encode("utf-8", "surrogatepass"))
    inner = [[other, _file_digest(other, files, (*seen, path))] for other in sorted(set(named_files(tree)))]
    return [plain_tree(tree), inner]


def _whole(
    source: Source,
    files: _Files,
    constants: Mapping[str, object],
    kinds: Mapping[str, tuple[str, str]],
    reason: str,
    line: int,
) -> Lowered:
    """The template as one column, which is its text for each run."""
    environment = DeckEnvironment(files.read)
    tree = environment.parse(source.text)
    known = sorted({*named_files(tree), *files.texts})
    used = [[path, _file_digest(path, files)] for path in known]
    names = {
        *loaded_names(tree),
        *(n for path in files.texts for n in _names_in(environment, files.texts[path])),
    }
    reads = tuple(sorted(name for name in names if name in kinds))
    said = [[name, _column(name, kinds, _converts(tree))] for name in reads]
    same = [[name, constant(constants[name])] for name in sorted(names) if name in constants]
    definition = ["jinja-whole", plain_tree(tree), used, said, same]
    name = DERIVED_PREFIX + digest("doe2-derived", definition)[:NAME_DIGITS]
    allowed = frozenset(files.texts)

    def read(path: str) -> str:
        if path not in allowed:
            raise LookupError("which file is read hangs on a run's variables: name each in an if")
        return files.read(path)

    program = Evaluation(replace(source, read=read), (), {name: ""}, constants, reads, {})
    return Lowered(
        Template((_placeholder(name),)),
        (Derived(name, definition, reads, "the whole template", (source.shown(source.file), 1, 1)),),
        program,
        reason,
        line,
    )


def _names_in(environment: DeckEnvironment, text: str) -> list[str]:
    try:
        return loaded_names(environment.parse(text))
    except Exception:
        return []
