"""`doe drift`: what people did to the jobs behind the study's back."""

import json
from pathlib import Path

import click

from doe_compiler.cli.asked import (
    compiled_studies,
    connection_to,
    on_option,
    studies_argument,
    target_option,
)
from doe_compiler.cli.tables import wide_option
from doe_compiler.kernel.errors import ExitCode


@click.command("drift")
@studies_argument
@on_option
@target_option
@wide_option
@click.option("--json", "as_json", is_flag=True, help="As JSON on stdout.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 if something has drifted.")
def command(
    studies: tuple[Path, ...], on: str, targets: tuple[str, ...], as_json: bool, detailed_exitcode: bool
) -> int:
    """Show jobs that were renamed, edited, stopped or deleted by people, and their clones of our jobs.

    What was renamed or deleted is known of jobs that were submitted from this checkout.
    """
    from doe_compiler.cli.screen import width
    from doe_compiler.cli.tables import layout, text_table
    from doe_compiler.cli.upkeep import folder_of
    from doe_compiler.pipeline.desk import desk
    from doe_compiler.pipeline.planning import eye_of, order_of
    from doe_compiler.pipeline.upkeep import drifted
    from doe_compiler.plan.decide import NO_WISHES

    bundles = compiled_studies(studies, targets)
    with connection_to(on, studies[0], reads_only=True) as connection:
        at = desk(connection, folder_of(studies[0]))
        orders = [order_of(connection, bundle, NO_WISHES, at) for bundle in bundles]
        found = list(drifted(eye_of(connection, at), orders, at))
    if as_json:
        listed = [
            {"drift": each.drift.value, "study": each.study, "job": each.job_id, "name": each.name,
             "text": each.what}
            for each in found
        ]  # fmt: skip
        click.echo(json.dumps(listed, ensure_ascii=False, indent=1))
    elif found:
        rows = [[each.drift.value, each.study, each.job_id, each.what] for each in found]
        click.echo(text_table(["drift", "study", "job", "what"], rows, None if layout().is_wide else width()))
    else:
        click.echo("no drift: every job is as apply has left it")
    return ExitCode.CHANGES if found and detailed_exitcode else ExitCode.DONE
