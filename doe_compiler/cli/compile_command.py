"""`doe compile`: write the compiled study to a folder, or check that one still holds it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from doe_compiler.cli.asked import study_argument, study_file, tell_warnings
from doe_compiler.kernel.errors import ExitCode, WrongUsage

if TYPE_CHECKING:
    from doe_compiler.bundle.pack import Bundle


@click.command("compile")
@study_argument
@click.option(
    "-o", "--output", "folder", metavar="DIR", type=click.Path(path_type=Path),
    help="The folder to write; an older bundle in it is replaced.",
)  # fmt: skip
@click.option(
    "--check", "checked", metavar="DIR", type=click.Path(path_type=Path),
    help="Write nothing: exit 2, and list the files, if a folder holds anything else than would be written.",
)  # fmt: skip
@click.option(
    "--explain",
    "explains",
    is_flag=True,
    help="Tell how each template reaches its runs, and what that costs.",
)
def command(study: Path, folder: Path | None, checked: Path | None, *, explains: bool) -> int:
    """Write job payloads, parameter CSVs, files and a manifest with digests to a folder; same study, same bytes."""
    from doe_compiler.pipeline.compiling import compiled
    from doe_compiler.pipeline.writing import differences, written

    bundle, warnings = compiled(study_file(study))
    if sum((folder is not None, checked is not None, explains)) != 1:
        raise WrongUsage("say where to write, what to check, or to explain: -o DIR, --check DIR or --explain")
    tell_warnings(warnings, bundle.spec)
    if explains:
        _explain(bundle)
        return ExitCode.DONE
    if folder is not None:
        paths = written(bundle, folder)
        click.echo(f"wrote {len(paths)} files to {folder}", err=True)
        return ExitCode.DONE
    assert checked is not None
    found = differences(bundle, checked)
    for line in found:
        click.echo(line)
    click.echo(f"{checked} {'differs from' if found else 'holds'} the compiled study", err=True)
    return ExitCode.CHANGES if found else ExitCode.DONE


def _explain(bundle: "Bundle") -> None:
    from doe_compiler.bundle.explaining import explained

    for entry in explained(bundle.spec, bundle.design):
        way = "a text a run" if entry.reason else "placeholders"
        click.echo(
            f"{entry.target} from {entry.source} ({entry.syntax}): {way}, {entry.size:,} bytes of template"
        )
        if entry.reason:
            click.echo(f"  because {entry.reason} ({entry.reason_at})")
        if entry.names:
            click.echo(f"  columns of the study: {', '.join(entry.names)}")
        for column in entry.columns:
            by_name = ", by name" if column.travels_by_name else ""
            click.echo(
                f"  {column.name}: {column.bytes_a_run:.1f} bytes a run{by_name}: {column.shown} ({column.place})"
            )
