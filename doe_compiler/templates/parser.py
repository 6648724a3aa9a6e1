r"""Text to template: the compiler's reading, with `$${` and `keep`, and the platform's, without.

    "rho ${rho};  U $${U}"  ->  "rho ", rho, ";  U ${U}"

In a template of a study

- `${x}` stands for the text of the cell, `${x?string("0.00")}` for its number by a pattern of Java's
  DecimalFormat; blanks may stand between the parts, the pattern may be in single quotes and has the escapes
  `\" \' \\ \{ \n \r \t \b \f \l \g \a \xHHHH`;
- `$${` is a literal `${`; it is looked for first, so a `$` cannot stand right before a placeholder;
- `${NAME` with a name that the template keeps is left alone, whatever follows the name, so the shell's
  `${NAME}`, `${NAME:-x}` and `${NAME%.*}` all are.

Everything else, line ends and a byte order mark included, is text that stays as it is. The findings' codes
are in `placeholders`. Lines end at LF; columns count characters, a byte order mark not among them.
"""

from collections.abc import Collection

from doe_compiler.kernel.findings import Finding, Place, near_miss
from doe_compiler.templates.placeholders import NAME, Problem, read_placeholder
from doe_compiler.templates.template import Placeholder, Template, TemplateError

_BYTE_ORDER_MARK = "\ufeff"


def parse(text: str, file: str, *, keep: Collection[str] = ()) -> tuple[Template, tuple[Finding, ...]]:
    """The template in `text`, and all that is wrong with it; what is wrong stays in it as text."""
    template, problems = _read(text, frozenset(keep), escapes=True)
    return template, tuple(
        Finding(
            problem.code,
            problem.message,
            problem.hint,
            Place(file, line, column, column + problem.end - problem.start),
        )
        for problem, line, column in problems
    )


def check(template: Template, file: str, names: Collection[str]) -> tuple[Finding, ...]:
    """A finding for every placeholder whose name is not among `names`."""
    known = frozenset(names)
    return tuple(
        Finding(
            "T107",
            f"'{placeholder.name}' is not a variable of the study",
            _hint_for_unknown(placeholder.name, names),
            Place(file, placeholder.line, placeholder.column, placeholder.end_column),
        )
        for placeholder in template.placeholders
        if placeholder.name not in known
    )


def platform_template(text: str) -> Template:
    """The template as the platform reads it: every `${` begins a placeholder.

    Raises TemplateError at the first that does not.
    """
    template, problems = _read(text, frozenset(), escapes=False)
    for problem, line, column in problems:
        raise TemplateError(problem.message, line=line, column=column, hint=problem.hint)
    return template


def _hint_for_unknown(name: str, names: Collection[str]) -> str:
    meant = near_miss(name, sorted(names))
    if meant is not None:
        return f"did you mean '{meant}'?"
    return f"declare it under variables, write $${{{name}}} to leave it to the shell, or list it under keep"


class _Lines:
    """Line and column of offsets that are asked for in rising order."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line = 1
        self._line_start = 1 if text.startswith(_BYTE_ORDER_MARK) else 0
        self._seen = 0

    def place(self, offset: int) -> tuple[int, int]:
        breaks = self._text.count("\n", self._seen, offset)
        if breaks:
            self._line += breaks
            self._line_start = self._text.rfind("\n", self._seen, offset) + 1
        self._seen = offset
        return self._line, offset - self._line_start + 1


def _read(
    text: str, keep: frozenset[str], *, escapes: bool
) -> tuple[Template, list[tuple[Problem, int, int]]]:
    segments: list[str | Placeholder] = []
    problems: list[tuple[Problem, int, int]] = []
    literal: list[str] = []
    lines = _Lines(text)
    at = 0
    while (start := text.find("${", at)) >= 0:
        if escapes and start > at and text[start - 1] == "$":
            literal.append(text[at : start - 1] + "${")
            at = start + 2
            continue
        name = NAME.match(text, start + 2) if keep else None
        if name is not None and name[0] in keep:
            literal.append(text[at : name.end()])
            at = name.end()
            continue
        found = read_placeholder(text, start)
        if isinstance(found, Problem):
            problems.append((found, *lines.place(found.start)))
            literal.append(text[at : found.resume])
            at = found.resume
            continue
        literal.append(text[at:start])
        segments += _joined(literal)
        literal.clear()
        line, column = lines.place(start)
        segments.append(Placeholder(found.name, found.pattern, line, column, column + found.end - start))
        at = found.end
    literal.append(text[at:])
    return Template((*segments, *_joined(literal))), problems


def _joined(literal: list[str]) -> tuple[str, ...]:
    text = "".join(literal)
    return (text,) if text else ()
