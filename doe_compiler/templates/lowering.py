"""Template to the text that the platform reads, which knows placeholders and no way to write a `${`.

"U $${U} is ${u}"  ->  "U ${doe_dollar}{U} is ${u}", with a column `doe_dollar` whose cells are `$`
"""

from doe_compiler.templates.placeholders import written
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
        for segment in _merged(template)
    )


def needs_dollar(template: Template) -> bool:
    """Whether the lowered text uses DOLLAR_NAME."""
    return any("${" in segment for segment in _merged(template) if isinstance(segment, str))


def _merged(template: Template) -> list[str | Placeholder]:
    """The segments with neighbouring literals joined, so that a `${` lies within one."""
    merged: list[str | Placeholder] = []
    for segment in template.segments:
        last = merged[-1] if merged else None
        if isinstance(segment, str) and isinstance(last, str):
            merged[-1] = last + segment
        else:
            merged.append(segment)
    return merged
