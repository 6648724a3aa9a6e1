"""`doe import`: write a study from a job that exists."""

import os
from pathlib import Path

import click

from doe_compiler.cli.asked import connection_to, on_option, tell_warnings
from doe_compiler.kernel.errors import InvalidStudy, PreconditionFailed


@click.command("import")
@click.argument("job_id", metavar="JOB_ID")
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@on_option
def command(job_id: str, folder: Path | None, on: str) -> None:
    """Write a study to DIR (new or empty; by default named as the study) that makes jobs like JOB_ID.

    Its templates, scripts, inputs and the table of its runs lie beside it. What the study language cannot say is
    a comment in the study and a warning here. Exit 3 if the study needs a hand before it is valid.
    """
    from doe_compiler.pipeline.compiling import checked_spec
    from doe_compiler.pipeline.connection import platform_folder
    from doe_compiler.pipeline.importing import imported_study

    here = Path.cwd()
    if on == "local" and not platform_folder(os.environ, here).is_dir():
        raise PreconditionFailed(
            f"there are no jobs here: no '{platform_folder(os.environ, here)}'",
            hint="stand where the study was run, or say --on",
        )
    with connection_to(on, here, reads_only=True) as connection:
        written = imported_study(connection.client, job_id, folder)
    for warning in written.warnings:
        click.echo(f"warning: {_printable(warning)}", err=True)
    click.echo(f"wrote {len(written.files)} files to {written.folder}", err=True)
    try:
        spec, findings = checked_spec(written.study)
    except InvalidStudy:
        click.echo("the study needs a hand before it is valid:", err=True)
        raise
    tell_warnings(findings, spec)
    click.echo(f"next: doe plan {written.folder}", err=True)


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)
