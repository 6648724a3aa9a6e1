"""`doe results`: show inputs and responses of every run."""

import os
from pathlib import Path

import click

from doe_compiler.cli.asked import (
    answer,
    connection_to,
    format_of,
    format_options,
    on_option,
    study_argument,
    study_file,
)
from doe_compiler.cli.screen import width
from doe_compiler.cli.tables import layout, table_options


@click.command("results")
@study_argument
@on_option
@format_options
@table_options
@click.option(
    "--best",
    "most",
    metavar="N",
    type=click.IntRange(min=1),
    help="Only the N best runs, by the responses' goal.",
)
@click.option(
    "--extract",
    "extracts",
    is_flag=True,
    help="Read responses that were added later from the stored outputs, those by command in a scratch copy, and keep them.",
)
@click.option(
    "--recipe",
    metavar="DIGITS",
    help="What an older recipe has run; the first digits, as doe status tells them.",
)
@click.option("--derived", "with_derived", is_flag=True, help="Also the columns that templates derive.")
def command(
    study: Path,
    on: str,
    form: str | None,
    file: Path | None,
    most: int | None,
    recipe: str | None,
    *,
    extracts: bool,
    with_derived: bool,
) -> None:
    """Show a row a run: its inputs as they went into the templates, its responses, what became of it."""
    from doe_compiler.cli.shown import counted, plural, results_table
    from doe_compiler.pipeline.compiling import compiled
    from doe_compiler.pipeline.desk import kept_readings
    from doe_compiler.results.collect import collected
    from doe_compiler.results.goals import best, uncompared
    from doe_compiler.results.late import LateCommands
    from doe_compiler.results.table import as_csv, as_json

    chosen, asked = format_of(form, file), layout()
    if chosen != "table":
        asked.check_is_for_people(chosen)
    path = study_file(study)
    bundle, _ = compiled(path)
    with connection_to(on, path, reads_only=True) as connection:
        kept = kept_readings(connection, path.parent, reads_only=not extracts)
        where = connection.run_directory
        late = LateCommands(bundle.spec, where, os.environ) if extracts else None
        results = collected(
            connection.client,
            bundle,
            where,
            kept=kept,
            late=late,
            named=str(study),
            recipe=recipe,
            with_derived=with_derived,
        )
    shown = results if most is None else best(results, most)
    if chosen == "table":
        answer(results_table(shown, None, None if file else width(), asked), file)
    else:
        answer({"csv": as_csv, "json": as_json}[chosen](shown), file)
    for difference in results.differences:
        click.echo(f"note: {difference}", err=True)
    if most is not None and (left_out := uncompared(results)):
        click.echo(
            f"note: {plural(left_out, 'run')} without a number to compare left out of --best", err=True
        )
    click.echo(counted(results), err=True)
