"""`doe gc`: delete drafts that nobody submitted, and contents that nothing needs."""

from pathlib import Path

import click

from doe_compiler.cli.asked import connection_to, named_studies, on_option, studies_argument, target_option


@click.command("gc")
@studies_argument
@on_option
@target_option
@click.option(
    "--older-than",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    metavar="H",
    help="Hours since a draft was created, at least.",
)
@click.option("--all", "of_all", is_flag=True, help="Of every study on the account, not only of these.")
@click.option("--dry-run", is_flag=True, help="Show them, delete nothing.")
def command(
    studies: tuple[Path, ...],
    on: str,
    targets: tuple[str, ...],
    older_than: float,
    of_all: bool,
    dry_run: bool,
) -> None:
    """Delete the drafts that appliers have left behind; a draft costs nothing, and apply makes it again.

    Only drafts with our mark are deleted, never a submitted job or a person's clone, and never one that is so young
    that its maker may still submit it. On this machine's platform the contents of deleted files and jobs that nothing
    needs any more are removed, too, whatever study they were of.
    """
    from doe_compiler.apply.cleaning import withdrawn
    from doe_compiler.cli.shown import plural
    from doe_compiler.cli.upkeep import folder_of, writing
    from doe_compiler.observe.listing import created_at
    from doe_compiler.pipeline.desk import desk
    from doe_compiler.pipeline.upkeep import jobs_of, left_behind

    names = None if of_all else list(named_studies(studies, targets))
    with connection_to(on, studies[0], reads_only=dry_run) as connection:
        at = desk(connection, folder_of(studies[0]))
        jobs = jobs_of(connection.client, at.account, names)
        drafts = left_behind(jobs, connection.client, connection.times(), older_than * 3600)
        with writing(connection, at) as writer:
            gone = 0
            for draft in drafts:
                click.echo(f"  - {draft.id}  {created_at(draft):%Y-%m-%d %H:%M}  {draft.name}", err=True)
                gone += not dry_run and withdrawn(writer, draft)
        files, size = connection.free_contents(dry_run)
    if dry_run:
        click.echo(f"{plural(len(drafts), 'draft')} could be deleted", err=True)
    else:
        click.echo(f"{plural(gone, 'draft')} deleted", err=True)
    if files:
        verb = "could be freed" if dry_run else "freed"
        click.echo(f"{plural(files, 'content')} of deleted files and jobs {verb}: {size:,} bytes", err=True)
