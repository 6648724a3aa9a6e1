"""`doe plan`: show what apply would do."""

import json
from pathlib import Path

import click

from doe_compiler.cli.asked import (
    compiled_studies,
    connection_to,
    on_option,
    plan_options,
    studies_argument,
    wishes,
    write_answer,
)
from doe_compiler.kernel.errors import ExitCode


@click.command("plan")
@studies_argument
@on_option
@plan_options
@click.option("--json", "as_json", is_flag=True, help="The plan as JSON on stdout.")
@click.option(
    "--markdown",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A comment for a pull request.",
)
@click.option(
    "-o",
    "--output",
    "plan_file",
    metavar="PLANFILE",
    type=click.Path(path_type=Path),
    help="Save the plan: doe apply PLANFILE does just that.",
)
@click.option(
    "--detailed-exitcode", is_flag=True, help="Exit 2 if there is something to do, or runs have not ended."
)
def command(
    studies: tuple[Path, ...],
    on: str,
    targets: tuple[str, ...],
    as_json: bool,
    markdown: Path | None,
    plan_file: Path | None,
    detailed_exitcode: bool,
    **wished: object,
) -> int:
    """Show what apply would do, and why; nothing is written to the platform.

    + create and submit, -/+ run again by a new recipe, - stop or delete, ~ share, ! needs a person. STUDIES are study files or folders of them.
    """
    from doe_compiler.cli.plan_shown import left_text, plan_markdown, plan_text
    from doe_compiler.pipeline.desk import desk
    from doe_compiler.pipeline.origin import project_folder
    from doe_compiler.pipeline.plan_file import plan_document, without_contents, written_plan
    from doe_compiler.pipeline.planning import planned
    from doe_compiler.pipeline.waiting import unfinished

    bundles = compiled_studies(studies, targets)
    with connection_to(on, studies[0], reads_only=True) as connection:
        at = desk(connection, Path(bundles[0].spec.file).parent)
        plan = planned(connection, bundles, wishes(wished), at)
        document = plan_document(plan, root=project_folder(Path.cwd()))
        is_executing, goes_on_in = connection.is_executing(), connection.goes_on_in
        far = unfinished(
            connection.client,
            [study.order for study in plan.studies],
            [study.look for study in plan.studies],
            at.known,
        )
    left = left_text(far.left, is_executing, goes_on_in=goes_on_in) if far.left else ""
    if plan_file:
        write_answer([written_plan(document)], plan_file)
    if markdown:
        write_answer([plan_markdown(document, left).encode()], markdown)
    if as_json:
        ending = {"runs": far.left, "isExecuting": is_executing}
        shown = {**without_contents(document), "unfinished": ending if far.left else None}
        click.echo(json.dumps(shown, ensure_ascii=False, indent=1, sort_keys=True))
    else:
        click.echo(plan_text(document) + (f"\n{left}" if left else ""))
    has_work = not plan.is_empty or far.left > 0
    return ExitCode.CHANGES if detailed_exitcode and has_work else ExitCode.DONE
