"""`doe stop`: stop the running jobs of a study."""

from pathlib import Path

import click

from doe_compiler.cli.asked import connection_to, on_option, study_argument, study_file


@click.command("stop")
@study_argument
@on_option
def command(study: Path, on: str) -> None:
    """Stop every submitted job of the study that has not ended; what is finished stays."""
    from doe_compiler.actual.jobs import Phase, study_jobs
    from doe_compiler.pipeline.compiling import checked_spec

    path = study_file(study)
    spec, _ = checked_spec(path)
    with connection_to(on, path) as connection:
        running = [job for job in study_jobs(connection.client, spec.study) if job.phase is Phase.SUBMITTED]
        for job in running:
            connection.client.stop(job.id)
            click.echo(f"stopping {job.id}: {job.name}", err=True)
    if not running:
        click.echo("nothing is running", err=True)
