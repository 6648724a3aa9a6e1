"""From YAML text to a tree of nodes with places: bounded, by the rules of YAML 1.2, with all findings.

`x: {min: 1e-5}` becomes Fields with the key `x`, which holds Fields with the key `min`, which holds a
Scalar with the number 1/100000 at line 1, column 10.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn

import yaml

from doe_compiler.kernel.findings import Finding, Place
from doe_compiler.spec.nodes import Entry, Fields, Items, Node, Scalar
from doe_compiler.spec.scalars import meaning
from doe_compiler.spec.source import split_lines

DEEPEST_NESTING = 64
MOST_NODES = 100_000

_CORE = "tag:yaml.org,2002:"
_SCALAR_TAGS = {
    f"{_CORE}str": (str,),
    f"{_CORE}int": (int,),
    f"{_CORE}float": (int, float),
    f"{_CORE}bool": (bool,),
    f"{_CORE}null": (type(None),),
}
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Stop(Exception):
    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not been read; `size` and `height` count what it expands to."""

    is_mapping: bool
    place: Place
    anchor: str | None
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    key: tuple[str, Place, bool] | None = None
    size: int = 1
    height: int = 1


@dataclass(frozen=True)
class _Anchored:
    node: Node
    size: int
    height: int


def read_tree(text: str, file: str) -> tuple[Node | None, tuple[Finding, ...]]:
    """The tree of the one document in the text and the findings; no tree if it cannot be built."""
    builder = _Builder(file)
    try:
        for event in _events(text, file):
            builder.take(event)
    except _Stop as stop:
        return None, (*builder.findings, stop.finding)
    if builder.root is None or (isinstance(builder.root, Scalar) and builder.root.value is None):
        empty = Finding(
            "E005", f"'{file}' holds no study", "`doe init` writes one to start from", Place(file, 1, 1)
        )
        return None, (*builder.findings, empty)
    return builder.root, tuple(builder.findings)


def _events(text: str, file: str) -> Iterator[yaml.Event]:
    try:
        yield from yaml.parse(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, 1, 1) if mark is None else _in_text(mark.line, mark.column, text, file)
        deep = _too_deep(text, file, place)
        if deep is not None:
            raise _Stop(deep) from None
        context = f" {error.context}" if error.context else ""
        raise _Stop(
            Finding("E006", f"{error.problem or 'not valid YAML'}{context}", _advice(error), place)
        ) from None
    except yaml.reader.ReaderError as error:
        raise _Stop(_unreadable(error, text, file)) from None
    except yaml.YAMLError as error:
        raise _Stop(Finding("E006", f"not valid YAML: {error}", "", Place(file, 1, 1))) from None


_FLOW = re.compile(r"""'(?:[^']|'')*'|"(?:[^"\\]|\\.)*"|(?<!\S)\#[^\n]*|[][{}]""", re.DOTALL)


def _too_deep(text: str, file: str, end: Place) -> Finding | None:
    """The finding of a text with too many brackets open before its parser gave up.

    Parsers read ahead of what they report, and some bound the nesting themselves, each in its own words.
    """
    lines = split_lines(text)
    before = "\n".join([*lines[: end.line - 1], lines[end.line - 1][: end.column]])
    depth = 0
    for found in _FLOW.finditer(before):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found.group(), 0)
        if depth > DEEPEST_NESTING:
            start = found.start()
            line, column = before.count("\n", 0, start) + 1, start - before.rfind("\n", 0, start)
            return Finding("E008", f"nested more than {DEEPEST_NESTING} deep", "", Place(file, line, column))
    return None


def _in_text(line: int, column: int, text: str, file: str) -> Place:
    # At the end of a text without a final line end libyaml counts one line more than there is.
    lines = split_lines(text)
    if line < len(lines):
        return Place(file, line + 1, column + 1)
    return Place(file, len(lines), len(lines[-1]) + 1)


def _advice(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or ""
    if "cannot start any token" in problem:
        return "indent with blanks, not tabs, and quote a text that begins with a special sign"
    if "mapping values are not allowed" in problem:
        return "quote a text that holds ': ', or check the indentation"
    if "undefined alias" in problem:
        return "quote a text that begins with '*'"
    return "check the indentation, and that quotes and brackets are closed"


def _unreadable(error: yaml.reader.ReaderError, text: str, file: str) -> Finding:
    character = error.character
    code = character if isinstance(character, int) else ord(str(character)[:1] or "\0")
    before = text[: text.find(chr(code))] if 0 <= code < 0x110000 and chr(code) in text else ""
    line = before.count("\n") + 1
    place = Place(file, line, len(before) - before.rfind("\n"))
    return Finding("E006", f"the character U+{code:04X} is not allowed in YAML", "remove it", place)


class _Builder:
    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []
        self.root: Node | None = None
        self._open: list[_Open] = []
        self._anchors: dict[str, _Anchored] = {}
        self._documents = 0
        self._count = 0

    def take(self, event: yaml.Event) -> None:
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    self._stop("E012", "a second document begins here", event, "one file is one study")
            case yaml.ScalarEvent():
                self._take_scalar(event)
            case yaml.AliasEvent():
                self._take_alias(event)
            case yaml.CollectionStartEvent():
                self._take_start(event)
            case yaml.CollectionEndEvent():
                self._take_end()
            case _:
                pass

    def _take_start(self, event: yaml.CollectionStartEvent) -> None:
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        if self._wants_key():
            self._stop("E013", "a key must be plain text", event, "quote a text that begins with '{' or '['")
        expected = f"{_CORE}{'map' if is_mapping else 'seq'}"
        if event.tag not in (None, "!", expected):
            self._tag_finding(event)
        if len(self._open) >= DEEPEST_NESTING:
            self._stop("E008", f"nested more than {DEEPEST_NESTING} deep", event)
        self._expect_room(1, event)
        self._open.append(_Open(is_mapping, self._place(event), event.anchor))

    def _take_end(self) -> None:
        done = self._open.pop()
        node = Fields(done.entries, done.place) if done.is_mapping else Items(tuple(done.items), done.place)
        self._add(node, done.anchor, done.size, done.height)

    def _take_alias(self, event: yaml.AliasEvent) -> None:
        if any(opened.anchor == event.anchor for opened in self._open):
            self._stop("E011", f"'*{event.anchor}' stands inside of what it means", event, "write it out")
        known = self._anchors.get(event.anchor or "")
        if known is None:
            self._stop(
                "E006", f"found undefined alias '{event.anchor}'", event, "quote a text that begins with '*'"
            )
        if self._wants_key() and not isinstance(known.node, Scalar):
            self._stop("E013", "a key must be plain text", event)
        if len(self._open) + known.height > DEEPEST_NESTING:
            self._stop("E008", f"nested more than {DEEPEST_NESTING} deep", event)
        self._expect_room(known.size, event)
        self._add(known.node, None, known.size, known.height)

    def _take_scalar(self, event: yaml.ScalarEvent) -> None:
        self._expect_room(1, event)
        place = self._place(event)
        self._add(self._scalar(event, place), event.anchor, 1, 0)

    def _scalar(self, event: yaml.ScalarEvent, place: Place) -> Scalar:
        text: str = event.value
        is_plain = not event.style and event.tag is None
        if is_plain and not self._wants_key():
            read = meaning(text)
            if read.problem:
                self.findings.append(Finding("E010", read.problem, read.hint, place))
            return Scalar(text, read.value, place, False, read.number)
        if event.tag in (None, "!", f"{_CORE}str"):
            return Scalar(text, text, place, bool(event.style) or event.tag is not None)
        read = meaning(text)
        kinds = _SCALAR_TAGS.get(event.tag)
        if kinds is None:
            self._tag_finding(event)
        elif read.problem or type(read.value) not in kinds:
            kind = event.tag.removeprefix(_CORE)
            self.findings.append(
                Finding("E009", f"'{text}' is not what the tag !!{kind} says", "remove the tag", place)
            )
        return Scalar(text, read.value, place, False, read.number)

    def _add(self, node: Node, anchor: str | None, size: int, height: int) -> None:
        if anchor is not None:
            self._anchors[anchor] = _Anchored(node, size, height)
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        parent.size += size
        parent.height = max(parent.height, height + 1)
        if not parent.is_mapping:
            parent.items.append(node)
        elif parent.key is None:
            if isinstance(node, Scalar):
                parent.key = self._key(parent, node)
        else:
            key, place, counts = parent.key
            parent.key = None
            if counts:
                parent.entries[key] = Entry(place, node)

    def _key(self, parent: _Open, node: Scalar) -> tuple[str, Place, bool]:
        key, place = node.text, node.place
        if key == "<<" and not node.is_quoted:
            hint = "write the keys out, or use an alias for the whole value"
            self.findings.append(Finding("E013", "merge keys are not part of YAML 1.2", hint, place))
            return key, place, False
        earlier = parent.entries.get(key)
        if earlier is not None:
            message = f"'{key}' stands twice: first in line {earlier.key_place.line}"
            self.findings.append(Finding("E007", message, "remove one of them", place))
            return key, place, False
        return key, place, True

    def _wants_key(self) -> bool:
        return bool(self._open) and self._open[-1].is_mapping and self._open[-1].key is None

    def _expect_room(self, size: int, event: yaml.Event) -> None:
        self._count += size
        if self._count > MOST_NODES:
            self._stop(
                "E011",
                f"more than {MOST_NODES:,} values, aliases expanded",
                event,
                "put long lists into a table",
            )

    def _place(self, event: yaml.Event) -> Place:
        start, end = event.start_mark, event.end_mark
        assert start is not None
        assert end is not None
        is_in_one_line = end.line == start.line and isinstance(event, yaml.ScalarEvent)
        return Place(self.file, start.line + 1, start.column + 1, end.column + 1 if is_in_one_line else None)

    def _tag_finding(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        shown = str(event.tag).replace(_CORE, "!!")
        hint = "remove it; quote a text that begins with '!'"
        self.findings.append(
            Finding("E009", f"the tag '{shown}' has no meaning here", hint, self._place(event))
        )

    def _stop(self, code: str, message: str, event: yaml.Event, hint: str = "") -> NoReturn:
        raise _Stop(Finding(code, message, hint, self._place(event)))
