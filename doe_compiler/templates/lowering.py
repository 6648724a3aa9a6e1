"""Template to the text that the platform reads, which knows placeholders and no way to write a `${`.

"U $${U} is ${u}"  ->  "U ${doe_dollar}{U} is ${u}", with a column `doe_dollar` whose cells are `$`
"""

from collections.abc import Mapping
from dataclasses import dataclass

from doe_compiler.templates.placeholders import Found, read_placeholder, written
from doe_compiler.templates.template import Placeholder, Template

DOLLAR_NAME = "doe_dollar"
DOLLAR_CELL = "$"


def lowered(template: Template) -> str:
    """The text for the platform; placeholders are written canonically.

    The platform's reading of it, with DOLLAR_CELL for DOLLAR_NAME, gives what `substituted` gives for `template`.
    """
    dollar = written(DOLLAR_NAME, None)
    return "".join(
        written(segment.name, segment.pattern)
        if isinstance(segment, Placeholder)
        else segment.replace("${", dollar + "{")
        for segment in merged(template)
    )


def needs_dollar(template: Template) -> bool:
    """Whether the lowered text uses DOLLAR_NAME."""
    return any("${" in segment for segment in merged(template) if isinstance(segment, str))


def merged(template: Template) -> list[str | Placeholder]:
    """The segments with neighbouring literals joined, so that a literal `${` lies within one."""
    merged: list[str | Placeholder] = []
    for segment in template.segments:
        last = merged[-1] if merged else None
        if isinstance(segment, str) and isinstance(last, str):
            merged[-1] = last + segment
        else:
            merged.append(segment)
    return merged


@dataclass(frozen=True, slots=True)
class Raised:
    """A platform's template in the language of studies.

    `strange` are the texts after a `${` that name no variable, left as literals; `has_dollars` says that a `$`
    stood right before a placeholder, which only the given stand-in can say.
    """

    text: str
    strange: tuple[str, ...]
    has_dollars: bool


def raised(text: str, names: Mapping[str, str], dollar: str) -> Raised:
    """The reverse of `lowered`: a template for studies that is lowered to `text`.

        "${x} ${doe_dollar}{U} ${HOME} $${x}"  ->  "${x} $${U} $${HOME} ${DOLLAR}${x}"

    `names` maps the platform's names of variables to the study's; a placeholder that keeps its name keeps its
    text. `dollar` is the name of the variable that holds a `$` for the place right before a placeholder.
    """
    parts: list[str] = []
    strange: list[str] = []
    at, has_dollars = 0, False
    while (start := text.find("${", at)) >= 0:
        literal = text[at:start]
        found = read_placeholder(text, start)
        if isinstance(found, Found) and found.name in names:
            if literal.endswith("$"):
                literal, has_dollars = literal[:-1] + written(dollar, None), True
            name = names[found.name]
            same = text[start : found.end]
            parts += [literal, same if name == found.name else written(name, found.pattern)]
            at = found.end
            continue
        parts += [literal, "$${"]
        if isinstance(found, Found) and found.name == DOLLAR_NAME and text.startswith("{", found.end):
            at = found.end + 1
            continue
        strange.append(text[start : found.end])
        at = start + 2
    return Raised("".join([*parts, text[at:]]), tuple(dict.fromkeys(strange)), has_dollars)
