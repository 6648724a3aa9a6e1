"""`doe results`: show inputs and responses of every run."""

from pathlib import Path

import click

from doe_compiler.cli.asked import answer, connection_to, on_option, study_argument, study_file


@click.command("results")
@study_argument
@on_option
@click.option(
    "--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True
)
@click.option(
    "-o", "--output", "file", metavar="FILE", type=click.Path(path_type=Path), help="Write to a file."
)
def command(study: Path, on: str, form: str, file: Path | None) -> None:
    """Show a row a run: its inputs as they went into the templates, its responses, what became of it."""
    from doe_compiler.cli.shown import counted, results_table
    from doe_compiler.pipeline.compiling import compiled
    from doe_compiler.results.collect import collected
    from doe_compiler.results.table import as_csv, as_json

    path = study_file(study)
    bundle, _ = compiled(path)
    with connection_to(on, path) as connection:
        results = collected(connection.client, bundle, connection.run_directory)
    texts = {"csv": as_csv, "json": as_json, "table": results_table}
    answer(texts[form](results), file)
    for difference in results.differences:
        click.echo(f"note: {difference}", err=True)
    click.echo(counted(results), err=True)
