"""What is sent of a study: padded fields taken into one cell with the text beside them, and only the columns needed.

    GRID    1       ${a}${b}     with a = "     1.5", b = "     2.5"     ->     GRID    ${c}     with c = "1            1.5     2.5"

A cell of a parameter CSV cannot begin or end with a blank. So a derived column whose cells do is joined with what stands
beside it on its line, up to a letter or a number, in the literal text or in another column. Where there is none, its
texts travel by names (`texts.py`). The recipe knows nothing of this: it is made of the columns as they are.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from doe_compiler.design.bounds import travels_by_name
from doe_compiler.design.columns import CodedColumn, Column, FloatColumn, PrintedColumn, TextColumn
from doe_compiler.design.design import Design
from doe_compiler.design.lowering import text_column
from doe_compiler.kernel.canonical import digest
from doe_compiler.spec.model import Spec, TemplateTask, is_generated
from doe_compiler.templates.lowering import needs_dollar
from doe_compiler.templates.template import Placeholder, Template

_ATOM = re.compile(r"\n|[ \t\r]+|\$\{|.", re.DOTALL)
_LARGEST = 1 << 20
_DIGITS = 16

Atom = str | Placeholder


def sent(spec: Spec, design: Design | None) -> tuple[Spec, Design | None]:
    """The study and its rows as they are sent."""
    if design is None or not spec.derived:
        return spec, design
    merging = _Merging(design)
    analyses = tuple(
        replace(
            analysis,
            templates=tuple(replace(task, template=merging.merged(task)) for task in analysis.templates),
        )
        for analysis in spec.analyses
    )
    needed = frozenset().union(*(analysis.named_columns for analysis in analyses))
    has_dollar = any(needs_dollar(task.lowered) for analysis in analyses for task in analysis.templates)
    columns = [
        column
        for column in (*design.columns, *merging.columns.values())
        if not is_generated(column.name)
        or column.name in needed
        or (column.name == "doe_dollar" and has_dollar)
    ]
    return replace(spec, analyses=analyses), replace(design, columns=tuple(columns))


@dataclass
class _Padded:
    """Whether cells of a column begin, and end, with a blank, and are otherwise such as a CSV can hold."""

    left: bool
    right: bool


class _Merging:
    def __init__(self, design: Design) -> None:
        self._columns = {column.name: column for column in design.columns}
        self._padded: dict[str, _Padded | None] = {}
        self.columns: dict[str, Column] = {}

    def merged(self, task: TemplateTask) -> Template:
        """A template whose padded columns are joined with what stands beside them."""
        template = task.lowered
        if not any(self._padding(part) for part in template.placeholders) or not _is_small(template):
            return template
        atoms = list(_atoms(template))
        parts: list[Atom] = []
        at = 0
        for start, end in _united(self._intervals(atoms)):
            name = self._joined(atoms[start:end])
            parts += atoms[at:start]
            parts += atoms[start:end] if name is None else [Placeholder(name, None, 1, 1, 2)]
            at = end
        return Template(tuple(_segments([*parts, *atoms[at:]])))

    def _padding(self, part: Placeholder) -> "_Padded | None":
        """How a derived column is padded; None where it is not, or cannot be joined."""
        if part.name not in self._padded:
            self._padded[part.name] = (
                _padding_of(self._columns[part.name]) if is_generated(part.name) else None
            )
        return self._padded[part.name]

    def _intervals(self, atoms: Sequence[Atom]) -> Iterator[tuple[int, int]]:
        """For each padded column, from where to where it is to be joined."""
        for place, atom in enumerate(atoms):
            padding = self._padding(atom) if isinstance(atom, Placeholder) else None
            if padding is None:
                continue
            start, end = place, place + 1
            if padding.left:
                start = self._beside(atoms, range(place - 1, -1, -1))
            if padding.right:
                end = self._beside(atoms, range(place + 1, len(atoms)))
                end = end + 1 if end >= 0 else end
            if start >= 0 and end >= 0:
                yield start, end

    def _beside(self, atoms: Sequence[Atom], places: Iterable[int]) -> int:
        """The nearest place with something that is no blank; -1 where the line ends before."""
        for place in places:
            atom = atoms[place]
            if isinstance(atom, Placeholder):
                return place if atom.pattern is None else -1
            if atom in {"\n", "${"}:
                return -1
            if atom.strip():
                return place
        return -1

    def _joined(self, atoms: Sequence[Atom]) -> str | None:
        """The name of a column for what stands side by side; None where a CSV could not hold its cells either."""
        n = len(next(iter(self._columns.values())))
        cells = [[atom] * n if isinstance(atom, str) else self._columns[atom.name].cells() for atom in atoms]
        texts = list(map("".join, zip(*cells, strict=True)))
        if any(map(travels_by_name, dict.fromkeys(texts))):
            return None
        content = [atom if isinstance(atom, str) else {"column": atom.name} for atom in atoms]
        name = f"doe_{digest('doe2-merged', content)[:_DIGITS]}"
        self.columns[name] = text_column(name, texts)
        return name


def _is_small(template: Template) -> bool:
    return sum(len(part) for part in template.segments if isinstance(part, str)) <= _LARGEST


def _padding_of(column: Column) -> _Padded | None:
    if isinstance(column, FloatColumn | PrintedColumn):
        return None
    if isinstance(column, TextColumn) and column.is_plain:
        return None
    texts = column.labels if isinstance(column, CodedColumn) else tuple(dict.fromkeys(column.texts))
    padded = _Padded(any(t[:1].isspace() for t in texts), any(t[-1:].isspace() for t in texts))
    if not (padded.left or padded.right) or any(travels_by_name(text.strip(" ")) for text in texts):
        return None
    return padded


def _atoms(template: Template) -> Iterator[Atom]:
    for part in template.segments:
        if isinstance(part, str):
            yield from _ATOM.findall(part)
        else:
            yield part


def _united(intervals: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Intervals that overlap become one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(intervals):
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _segments(atoms: Sequence[Atom]) -> Iterator[Atom]:
    for is_text, group in groupby(atoms, key=lambda atom: isinstance(atom, str)):
        if is_text:
            yield "".join(atom for atom in group if isinstance(atom, str))
        else:
            yield from group
