"""`doe stop`: stop the running jobs of studies."""

from pathlib import Path

import click

from doe_compiler.cli.asked import connection_to, named_studies, on_option, studies_argument, target_option


@click.command("stop")
@studies_argument
@on_option
@target_option
def command(studies: tuple[Path, ...], on: str, targets: tuple[str, ...]) -> None:
    """Stop every submitted job of the studies that has not ended; what is finished stays.

    Rows that were not completed are missing then: the next apply runs them.
    """
    from doe_compiler.apply.writing import draft_of
    from doe_compiler.cli.upkeep import carried_out, folder_of, writing
    from doe_compiler.pipeline.desk import desk
    from doe_compiler.pipeline.upkeep import jobs_of, running

    named = named_studies(studies, targets)
    with connection_to(on, studies[0]) as connection:
        at = desk(connection, folder_of(studies[0]))
        jobs = running(jobs_of(connection.client, at.account, list(named)))
        with writing(connection, at) as writer:
            for job in jobs:
                click.echo(f"stopping {job.id}: {job.name}", err=True)
                carried_out(writer.stop(draft_of(job)))
    if not jobs:
        click.echo("nothing is running", err=True)
