"""`doe status`: show how far a study is."""

import json
from pathlib import Path

import click

from doe_compiler.cli.asked import connection_to, on_option, study_argument, study_file
from doe_compiler.cli.screen import width
from doe_compiler.cli.tables import layout, table_options, text_table
from doe_compiler.kernel.errors import ExitCode

TITLES = ("job", "status", "runs", "recipe", "created")


@click.command("status")
@study_argument
@on_option
@table_options
@click.option("--json", "as_json", is_flag=True, help="As JSON on stdout.")
def command(study: Path, on: str, as_json: bool) -> int:
    """Show the study's jobs, old recipes included, and how many runs are done."""
    from doe_compiler.cli.plan_shown import left_text
    from doe_compiler.cli.shown import counted
    from doe_compiler.observe.listing import created_at, of_recipe, study_jobs
    from doe_compiler.pipeline.compiling import compiled
    from doe_compiler.pipeline.desk import kept_readings
    from doe_compiler.results.collect import collected
    from doe_compiler.results.states import RunState

    path, asked, titles = study_file(study), layout(), list(TITLES)
    if as_json:
        asked.check_is_for_people("--json")
    places = asked.places(titles)
    bundle, _ = compiled(path)
    with connection_to(on, path, reads_only=True) as connection:
        jobs = study_jobs(connection.client, bundle.spec.study)
        present = {job.id for job in of_recipe(jobs, bundle.recipe)}
        kept = kept_readings(connection, path.parent)
        is_executing, goes_on_in = connection.is_executing(), connection.goes_on_in
        results = collected(connection.client, bundle, kept=kept)
    unfinished = results.count(RunState.WAITING) + results.count(RunState.RUNNING)
    if as_json:
        document = {
            "study": bundle.spec.study,
            "runs": {state.value: results.count(state) for state in RunState},
            "unfinished": {"runs": unfinished, "isExecuting": is_executing} if unfinished else None,
            "jobs": [
                {
                    "id": job.id,
                    "name": job.name,
                    "status": job.status or None,
                    "isDraft": job.is_draft,
                    "recipe": job.mark.recipe,
                    "presentRecipe": job.id in present,
                    "created": created_at(job).isoformat(),
                }
                for job in jobs
            ],
        }
        click.echo(json.dumps(document, ensure_ascii=False, indent=1))
        return ExitCode.DONE
    rows = [
        [
            job.id,
            job.status or "draft",
            str(job.mark.rows.count) if job.mark.rows else "",
            "present" if job.id in present else f"older: {job.mark.recipe[:8]}",
            f"{created_at(job):%Y-%m-%d %H:%M:%S}",
        ]
        for job in jobs
    ]
    if rows:
        if places is not None:
            titles, rows = (
                [titles[place] for place in places],
                [[row[place] for place in places] for row in rows],
            )
        click.echo(text_table(titles, rows, None if asked.is_wide else width()))
    click.echo(counted(results))
    if unfinished and not is_executing:
        click.echo(left_text(unfinished, is_executing, goes_on_in=goes_on_in))
    return ExitCode.DONE
