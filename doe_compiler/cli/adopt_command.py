"""`doe adopt`: make a job count as one of its study, or stop missing one that was deleted."""

import secrets
from pathlib import Path

import click

from doe_compiler.cli.asked import compiled_studies, connection_to, on_option, studies_argument


@click.command("adopt")
@click.argument("job_id", metavar="JOB")
@studies_argument
@on_option
@click.option("--forget", is_flag=True, help="The job was deleted on purpose: do not miss it any more.")
def command(job_id: str, studies: tuple[Path, ...], on: str, forget: bool) -> None:
    """Give a job its mark back, so that its rows count as run and are not paid for again.

    For a job that a person has renamed, or cloned from one of ours. A job that was submitted from this
    checkout gets its name back; any other must be just what one of STUDIES would create.
    """
    from doe_compiler.cli.upkeep import folder_of, writing
    from doe_compiler.pipeline.desk import desk
    from doe_compiler.pipeline.planning import order_of
    from doe_compiler.pipeline.upkeep import adopted_name, forgotten
    from doe_compiler.plan.decide import NO_WISHES

    with connection_to(on, studies[0]) as connection:
        at = desk(connection, folder_of(studies[0]))
        if forget:
            step = forgotten(at.receipts, job_id)
            click.echo(f"forgotten: {step.name}; its rows are missing now", err=True)
            return
        is_known = at.receipts.name_of(job_id) is not None
        orders = [
            order_of(connection, bundle, NO_WISHES, at.receipts)
            for bundle in ([] if is_known else compiled_studies(studies, ()))
        ]
        name = adopted_name(connection.client, job_id, orders, at.receipts, secrets.token_hex(4))
        with writing(connection, at) as writer:
            writer.renamed(job_id, name)
    click.echo(f"{job_id} is {name}", err=True)
