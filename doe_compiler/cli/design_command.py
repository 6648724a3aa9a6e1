"""`doe design`: show the table of runs."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from doe_compiler.cli.asked import (
    answer,
    format_of,
    format_options,
    study_argument,
    study_file,
    tell_warnings,
    write_answer,
)
from doe_compiler.cli.screen import width
from doe_compiler.cli.tables import layout, table_options, text_table
from doe_compiler.kernel.errors import WrongUsage
from doe_compiler.spec.model import is_generated

if TYPE_CHECKING:
    from doe_compiler.design.design import Design


@click.command("design")
@study_argument
@format_options
@table_options
@click.option("--derived", "with_derived", is_flag=True, help="Also the columns that templates derive.")
def command(study: Path, form: str | None, file: Path | None, *, with_derived: bool) -> None:
    """Show the table of runs, every cell as it goes into the templates."""
    from doe_compiler.pipeline.compiling import checked_spec, designed

    form, asked = format_of(form, file), layout()
    if form != "table":
        asked.check_is_for_people(form)
    spec, warnings = checked_spec(study_file(study))
    tell_warnings(warnings, spec)
    design = designed(spec)
    if design is None:
        raise WrongUsage(
            "the platform samples this study itself (sampling: platform)",
            hint="doe results shows the rows once they have run",
        )
    if not with_derived:
        design = design.without(is_generated)
    if form == "csv":
        _answer_csv(design, file)
    elif form == "json":
        names = list(design.names)
        rows = [dict(zip(names, row, strict=True)) for row in _rows(design)]
        document = {"study": spec.study, "method": spec.design.method, "columns": names, "runs": rows}
        answer(json.dumps(document, ensure_ascii=False, indent=1) + "\n", file)
    else:
        units = {variable.name: variable.unit for variable in spec.variables}
        header = ["run", *(f"{n} [{units[n]}]" if units.get(n) else n for n in design.names)]
        table = ([str(number), *row] for number, row in enumerate(_rows(design), 1))
        places = asked.places(header)
        if places is not None:
            table = ([row[place] for place in places] for row in table)
            header = [header[place] for place in places]
        answer(text_table(header, table, None if file or asked.is_wide else width()), file)


def _rows(design: "Design") -> "list[tuple[str, ...]]":
    if not design.columns:
        return [()] * design.n
    return list(zip(*(column.cells(0, design.n) for column in design.columns), strict=True))


def _answer_csv(design: "Design", file: Path | None) -> None:
    from doe_compiler.design.csv_text import csv_chunks

    if file is None:
        for chunk in csv_chunks(design, is_quoted=True):
            sys.stdout.buffer.write(chunk)
        return
    write_answer(csv_chunks(design, is_quoted=True), file)
