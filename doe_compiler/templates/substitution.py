"""Template and cells to the text of the file that a run reads.

"U ${u} at ${rho?string("0.00")}", u="12.5", rho="1.225"  ->  "U 12.5 at 1.22"
"""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter

from doe_compiler.templates.decimal_format import DecimalFormat, NotANumber, compile_pattern
from doe_compiler.templates.template import Placeholder, Template, TemplateError

_LONGEST_SHOWN_CELL = 60


def substituted(template: Template, cells: Mapping[str, str]) -> str:
    """The text of `template` with the cells of one row, by variable name.

    Raises TemplateError where a name has no cell, or a cell that a pattern formats is not a number.
    """
    return "".join(
        segment if isinstance(segment, str) else _filled(segment, cells) for segment in template.segments
    )


def renderer(template: Template, names: Sequence[str]) -> Callable[[Sequence[str]], str]:
    """A function from the cells of one row, in the order of `names`, to the text.

    It gives what `substituted` gives for the same cells, faster. Raises TemplateError for a placeholder whose
    name is not in `names`; the function raises TemplateError for a cell that a pattern formats and that is not
    a number, and for a row that does not have a cell for each name.
    """
    column_of = {name: column for column, name in enumerate(names)}
    parts, placeholders = _alternating(template)
    for placeholder in placeholders:
        if placeholder.name not in column_of:
            raise _no_cell(placeholder)
    columns = [column_of[placeholder.name] for placeholder in placeholders]
    patterned = [
        (2 * at + 1, found, compile_pattern(found.pattern))
        for at, found in enumerate(placeholders)
        if found.pattern is not None
    ]
    text = "".join(parts)
    pick = _picker(columns)
    width = len(names)

    def render(cells: Sequence[str]) -> str:
        if len(cells) != width:
            message = f"the row has {len(cells)} cells, its header {width} names"
            raise TemplateError(message, line=1, column=1)
        if not columns:
            return text
        filled = parts.copy()
        filled[1::2] = pick(cells)
        for at, placeholder, number_format in patterned:
            filled[at] = _formatted(placeholder, number_format, filled[at])
        return "".join(filled)

    return render


def _picker(columns: Sequence[int]) -> Callable[[Sequence[str]], Sequence[str]]:
    if len(columns) > 1:
        return itemgetter(*columns)
    return lambda cells: [cells[column] for column in columns]


def _alternating(template: Template) -> tuple[list[str], list[Placeholder]]:
    """Literal, blank, literal, blank, …, literal, and the placeholders that belong into the blanks."""
    parts = [""]
    placeholders: list[Placeholder] = []
    for segment in template.segments:
        if isinstance(segment, str):
            parts[-1] += segment
        else:
            placeholders.append(segment)
            parts += ("", "")
    return parts, placeholders


def _filled(placeholder: Placeholder, cells: Mapping[str, str]) -> str:
    if placeholder.name not in cells:
        raise _no_cell(placeholder)
    cell = cells[placeholder.name]
    if placeholder.pattern is None:
        return cell
    return _formatted(placeholder, compile_pattern(placeholder.pattern), cell)


def _formatted(placeholder: Placeholder, number_format: DecimalFormat, cell: str) -> str:
    try:
        return number_format.text(cell)
    except NotANumber as error:
        shown = cell if len(cell) <= _LONGEST_SHOWN_CELL else cell[:_LONGEST_SHOWN_CELL] + "…"
        raise TemplateError(
            f"the cell {shown!r} of '{placeholder.name}' is not a number that the pattern "
            f'"{number_format.pattern}" can format',
            line=placeholder.line,
            column=placeholder.column,
            hint=f"write ${{{placeholder.name}}} for the cell's text as it is",
        ) from error


def _no_cell(placeholder: Placeholder) -> TemplateError:
    return TemplateError(
        f"there is no value for '{placeholder.name}'", line=placeholder.line, column=placeholder.column
    )
