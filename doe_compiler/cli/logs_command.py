"""`doe logs`: show the log of one run of a study."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from doe_compiler.cli.asked import connection_to, on_option, study_file
from doe_compiler.kernel.errors import PreconditionFailed, WrongUsage

if TYPE_CHECKING:
    from doe_compiler.bundle.pack import Bundle
    from doe_compiler.pipeline.connection import Connection

PAUSE_S = {True: 0.3, False: 2.0}


@click.command("logs")
@click.argument("study", type=click.Path(path_type=Path))
@click.argument("run", type=click.IntRange(1))
@click.option("--follow", "-f", is_flag=True, help="Wait for the run, and go on until it has ended.")
@on_option
def command(study: Path, run: int, follow: bool, on: str) -> None:
    """Show what a run printed; RUN is its number in `doe results`.

    Of a run that is running on a platform elsewhere it shows the last 10,000 lines.
    """
    from doe_compiler.pipeline.compiling import compiled
    from doe_compiler.results.logs import LogReader

    path = study_file(study)
    bundle, _ = compiled(path)
    reader = LogReader()
    was_started = False
    while True:
        with connection_to(on, path, reads_only=True) as connection:
            job_id, number, is_started, has_ended = _look(connection, bundle, run)
            is_over = has_ended or (was_started and not is_started)
            if is_started or has_ended:
                was_started = True
                directory = connection.run_directory(job_id, number)
                reader.more(connection.client, job_id, number, directory, _write, has_ended=has_ended)
            elif not follow and not was_started:
                raise PreconditionFailed(f"run {run} has not started yet", hint="-f waits for it")
            pause_s = PAUSE_S[connection.is_embedded]
        if is_over or not follow:
            return
        time.sleep(pause_s)


def _look(connection: "Connection", bundle: "Bundle", run: int) -> tuple[str, int, bool, bool]:
    """The run's job and its number there, whether it has started, and whether nothing more will come."""
    from doe_compiler.bundle.observation import Phase
    from doe_compiler.results.collect import place_of

    if bundle.design is not None and run > bundle.design.n:
        raise WrongUsage(f"run {run}: the study has {bundle.design.n:,} runs")
    place = place_of(connection.client, bundle, run)
    if place is None:
        raise PreconditionFailed(f"run {run} has not been submitted", hint="doe apply runs what is missing")
    job, entry = place
    has_ended = entry.completed is not None or job.phase is Phase.FINISHED
    return job.id, entry.number, entry.started is not None, has_ended


def _write(chunk: bytes) -> None:
    click.echo(chunk, nl=False)
    if sys.stdout is not None:
        sys.stdout.flush()
