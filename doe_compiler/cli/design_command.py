"""`doe design`: show the table of runs, what it is like, and what other methods would make."""

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
from doe_compiler.spec.model import Spec, is_generated

if TYPE_CHECKING:
    from doe_compiler.design.design import Design


@click.command("design")
@study_argument
@format_options
@table_options
@click.option("--derived", "with_derived", is_flag=True, help="Also the columns that templates derive.")
@click.option("--summary", "is_summary", is_flag=True, help="Only what the design is like, without its rows.")
@click.option("--compare", "is_compared", is_flag=True, help="What other methods would make of the study.")
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Draw a scatter matrix: .svg, .png or .html.",
)
def command(
    study: Path,
    form: str | None,
    file: Path | None,
    plot: Path | None,
    *,
    with_derived: bool,
    is_summary: bool,
    is_compared: bool,
) -> None:
    """Show the table of runs, every cell as it goes into the templates, and what the design is like."""
    from doe_compiler.pipeline.compiling import checked_spec, designed

    form, asked = format_of(form, file), layout()
    if form != "table":
        asked.check_is_for_people(form)
    answers = {"--summary": is_summary, "--compare": is_compared, "--plot": plot is not None}
    chosen = [name for name, is_asked in answers.items() if is_asked]
    if len(chosen) > 1:
        raise WrongUsage(f"{' and '.join(chosen)} are different answers", hint="ask for one of them")
    if chosen and with_derived:
        raise WrongUsage(f"--derived has no effect on {chosen[0]}", hint="it adds columns to the rows")
    if asked.columns and (is_summary or is_compared):
        raise WrongUsage(f"--columns has no effect on {chosen[0]}", hint="it chooses columns of the rows")
    if plot is not None and (file is not None or form != "table"):
        raise WrongUsage("--plot writes a picture into its own file", hint="leave --format and -o out")
    if form == "csv" and (is_summary or is_compared):
        raise WrongUsage("--format csv has the rows only", hint="use --format json")
    spec, warnings = checked_spec(study_file(study))
    tell_warnings(warnings, spec)
    if is_compared:
        _answer_compared(spec, form, file)
        return
    design = designed(spec)
    if design is None:
        raise WrongUsage(
            "the platform samples this study itself (sampling: platform)",
            hint="doe results shows the rows once they have run",
        )
    if plot is not None:
        _draw(spec, design, plot)
        return
    if not with_derived:
        design = design.without(is_generated)
    if form == "csv":
        _answer_csv(design, file)
    elif form == "json":
        _answer_json(spec, design, file, is_summary=is_summary)
    else:
        _answer_table(spec, design, file, is_summary=is_summary)


def _answer_table(spec: Spec, design: "Design", file: Path | None, *, is_summary: bool) -> None:
    from doe_compiler.cli.design_shown import alias_text, block_text, summary_text
    from doe_compiler.design.measure import measures

    asked = layout()
    columns = None if file or asked.is_wide else width()
    aliases = alias_text(spec) + block_text(spec)
    summary = summary_text(measures(spec, design), columns) + (f"\n{aliases}" if aliases else "")
    if is_summary:
        answer(summary, file)
        return
    units = {variable.name: variable.unit for variable in spec.variables}
    header = ["run", *(f"{n} [{units[n]}]" if units.get(n) else n for n in design.names)]
    table = ([str(number), *row] for number, row in enumerate(_rows(design), 1))
    places = asked.places(header)
    if places is not None:
        table = ([row[place] for place in places] for row in table)
        header = [header[place] for place in places]
    answer(text_table(header, table, columns) + "\n" + summary, file)


def _answer_json(spec: Spec, design: "Design", file: Path | None, *, is_summary: bool) -> None:
    from doe_compiler.cli.design_shown import summary_json
    from doe_compiler.design.measure import measures

    names = list(design.names)
    document: dict[str, object] = {"study": spec.study, "method": spec.design.method}
    document["summary"] = summary_json(measures(spec, design))
    if not is_summary:
        document["columns"] = names
        document["runs"] = [dict(zip(names, row, strict=True)) for row in _rows(design)]
    answer(json.dumps(document, ensure_ascii=False, indent=1) + "\n", file)


def _answer_compared(spec: Spec, form: str, file: Path | None) -> None:
    from doe_compiler.cli.design_shown import compared_json, compared_text
    from doe_compiler.pipeline.designs import compared

    found = compared(spec)
    if form == "json":
        document = {"study": spec.study, "methods": compared_json(found)}
        answer(json.dumps(document, ensure_ascii=False, indent=1) + "\n", file)
        return
    answer(compared_text(found, None if file or layout().is_wide else width()), file)


def _draw(spec: Spec, design: "Design", plot: Path) -> None:
    from doe_compiler.results.scatter import FORMS, scatter_matrix

    form = plot.suffix.lower().lstrip(".")
    if form not in FORMS:
        raise WrongUsage(f"--plot: '{plot.name}' ends in none of .svg, .png and .html")
    wanted = layout().columns
    if wanted:
        layout().places(design.names)
        design = design.without(lambda name: name not in wanted)
    write_answer(iter([scatter_matrix(spec, design, form)]), plot)


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
