"""`doe share`: let another user see the jobs of studies."""

from pathlib import Path

import click

from doe_compiler.cli.asked import connection_to, named_studies, on_option, studies_argument, target_option
from doe_compiler.kernel.errors import WrongUsage


@click.command("share")
@click.argument("email")
@studies_argument
@on_option
@target_option
@click.option("--message", default="", help="What the user is told.")
def command(email: str, studies: tuple[Path, ...], on: str, targets: tuple[str, ...], message: str) -> None:
    """Share the submitted jobs of the studies with the user of an e-mail address, each once.

    `job.share` of a study does it in every apply.
    """
    from doe_compiler.apply.writing import draft_of
    from doe_compiler.cli.shown import plural
    from doe_compiler.cli.upkeep import carried_out, folder_of, writing
    from doe_compiler.pipeline.desk import desk
    from doe_compiler.pipeline.upkeep import jobs_of, unshared

    if "@" not in email:
        raise WrongUsage(f"'{email}' is no e-mail address", hint="doe share EMAIL [STUDIES]...")
    named = named_studies(studies, targets)
    with connection_to(on, studies[0]) as connection:
        at = desk(connection, folder_of(studies[0]))
        jobs = unshared(jobs_of(connection.client, at.account, list(named)), email)
        with writing(connection, at) as writer:
            for job in jobs:
                carried_out(writer.share(draft_of(job), email, message))
    click.echo(f"{plural(len(jobs), 'job')} shared with {email}", err=True)
