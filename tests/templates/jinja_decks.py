"""Renders templates as Jinja does for each run, and by lowering them and putting in cells as the platform does."""

from doe_compiler.templates.jinja.environment import DeckEnvironment, rendered
from doe_compiler.templates.jinja.lowering import lowered, named_template
from doe_compiler.templates.jinja.values import Kind, value_of
from doe_compiler.templates.lowered import Failure
from doe_compiler.templates.template import Source


def reader(files):
    def read(path):
        if path not in files:
            raise LookupError("does not exist")
        return files[path]

    return read


def values(rows, kinds):
    """Rows of cells as what Jinja sees of them."""
    return {
        name: [value_of(cell, kinds.get(name, Kind.BY_CELL)) for cell in cells]
        for name, cells in rows.items()
    }


def by_jinja(text, rows, constants, files=None, kinds=None):
    """The text of each run, or the error that it gives."""
    source = Source(text, "deck", "", (), reader(files or {}))
    environment = DeckEnvironment(source.read)
    columns = values(rows, kinds or {})
    n = len(next(iter(rows.values())))
    found = []
    for row in range(n):
        try:
            template = named_template(environment, source)
            found.append(
                rendered(template, {**constants, **{name: column[row] for name, column in columns.items()}})
            )
        except Exception as error:
            found.append(error)
    return found


def lowered_deck(text, rows, constants, files=None, kinds=None):
    """The lowered template, or a Failure."""
    source = Source(text, "deck", "", (), reader(files or {}))
    return lowered(
        source, constants, {name: ((kinds or {}).get(name, Kind.BY_CELL).value, "") for name in rows}
    )


def by_lowering(text, rows, constants, files=None, kinds=None):
    """The text of each run by the lowered template, or the failures."""
    found = lowered_deck(text, rows, constants, files, kinds)
    if isinstance(found, Failure):
        return [found]
    n = len(next(iter(rows.values())))
    texts, failures = found.program.texts(
        values(rows, kinds or {}), n, [column.name for column in found.columns]
    )
    if failures:
        return failures
    cells = {**rows, **texts}
    return [
        "".join(part if isinstance(part, str) else cells[part.name][row] for part in found.template.segments)
        for row in range(n)
    ]
