"""`doe adopt`: make a submitted job count as one of its study."""

import secrets
from pathlib import Path

import click

from doe_compiler.cli.asked import compiled_studies, connection_to, on_option, studies_argument


@click.command("adopt")
@click.argument("job_id", metavar="JOB")
@studies_argument
@on_option
def command(job_id: str, studies: tuple[Path, ...], on: str) -> None:
    """Give a job its mark back, so that its rows count as run and are not paid for again.

    For a job that a person has renamed, or copied from one of ours and submitted. A job that was submitted from this
    checkout gets its name back; any other must be just what one of STUDIES would create. Drafts are refused.
    """
    from doe_compiler.bundle.mark import read_mark
    from doe_compiler.cli.upkeep import carried_out, folder_of, writing
    from doe_compiler.pipeline.desk import desk
    from doe_compiler.pipeline.planning import order_of
    from doe_compiler.pipeline.upkeep import adopted_name
    from doe_compiler.plan.decide import NO_WISHES

    with connection_to(on, studies[0]) as connection:
        at = desk(connection, folder_of(studies[0]))
        bundles = [] if job_id in at.submitted() else compiled_studies(studies, ())
        orders = [order_of(connection, bundle, NO_WISHES, at) for bundle in bundles]
        name = adopted_name(connection.client, job_id, orders, at, secrets.randbits(32))
        mark = read_mark(name)
        assert mark is not None
        with writing(connection, at) as writer:
            carried_out(writer.rename(job_id, name, mark))
    click.echo(f"{job_id} is {name}", err=True)
