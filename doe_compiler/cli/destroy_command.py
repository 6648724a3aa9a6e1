"""`doe destroy`: delete the drafts that were left behind, or all jobs, of studies."""

from pathlib import Path

import click

from doe_compiler.cli.asked import connection_to, named_studies, on_option, studies_argument, target_option
from doe_compiler.kernel.errors import TryAgain


@click.command("destroy")
@studies_argument
@on_option
@target_option
@click.option("--jobs", "with_jobs", is_flag=True, help="Submitted jobs too, with their results.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def command(studies: tuple[Path, ...], on: str, targets: tuple[str, ...], with_jobs: bool, yes: bool) -> None:
    """Delete the drafts left behind; with --jobs every submitted job and its results too, stopping first what runs.

    Jobs of all recipes are deleted; a person's clones are not. After --jobs, apply runs and pays for
    everything anew.
    """
    from doe_compiler.cli.listed import confirmed
    from doe_compiler.cli.shown import plural
    from doe_compiler.cli.upkeep import folder_of, writing
    from doe_compiler.pipeline.desk import desk
    from doe_compiler.pipeline.upkeep import deleted, jobs_of, left_behind

    named = named_studies(studies, targets)
    with connection_to(on, studies[0]) as connection:
        at = desk(connection, folder_of(studies[0]))
        every = jobs_of(connection.client, at.account, list(named))
        jobs = [
            *left_behind(every, connection.client, connection.times()),
            *(job for job in every if with_jobs and not job.is_draft),
        ]
        for job in jobs:
            click.echo(f"  - {job.id}  {job.status or 'draft'}  {job.name}", err=True)
        if not jobs:
            click.echo("nothing to delete", err=True)
            return
        results = " and their results" if with_jobs else ""
        confirmed(
            f"Delete {plural(len(jobs), 'job' if with_jobs else 'draft')}{results} on {connection.host}?",
            yes=yes,
        )
        with writing(connection, at) as writer:
            left = deleted(writer, jobs)
    if left:
        raise TryAgain(
            f"{plural(len(left), 'job')} could not be deleted: {', '.join(job.id for job in left)}",
            hint="a job that is still stopping can be deleted later: say the same again",
        )
