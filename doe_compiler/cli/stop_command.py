"""`doe stop`: stop the running jobs of studies."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from doe_compiler.cli.asked import connection_to, named_studies, on_option, studies_argument, target_option

if TYPE_CHECKING:
    from doe_compiler.bundle.observation import SeenJob


@click.command("stop")
@studies_argument
@on_option
@target_option
def command(studies: tuple[Path, ...], on: str, targets: tuple[str, ...]) -> None:
    """Stop every submitted job of the studies that has not ended; what is finished stays.

    Rows that were not completed are missing then: the next apply runs them. The command waits some seconds for the
    jobs' ends and tells which have not ended by then.
    """
    from doe_compiler.apply.writing import draft_of
    from doe_compiler.cli.upkeep import carried_out, folder_of, writing
    from doe_compiler.pipeline.desk import desk
    from doe_compiler.pipeline.upkeep import jobs_of, running, still_stopping
    from doe_compiler.plan.memory import OURS

    named = named_studies(studies, targets)
    with connection_to(on, studies[0]) as connection:
        at = desk(connection, folder_of(studies[0]))
        jobs = running(jobs_of(connection.client, at.account, list(named)))
        with writing(connection, at) as writer:
            for job in jobs:
                click.echo(f"stopping {job.id}: {job.name}", err=True)
                carried_out(writer.stop(draft_of(job)))
            if jobs:
                connection.start_runs(True)
                left = still_stopping(writer, jobs) if connection.times() is OURS else jobs
                if left:
                    connection.start_runs(False)
                _tell(jobs, left)
    if not jobs:
        click.echo("nothing is running", err=True)


def _tell(jobs: "Sequence[SeenJob]", left: "Sequence[SeenJob]") -> None:
    waiting = {job.id for job in left}
    for job in jobs:
        word = (
            "is told to stop and has not ended yet: doe status tells when"
            if job.id in waiting
            else "has ended"
        )
        click.echo(f"{job.id} {word}", err=True)
