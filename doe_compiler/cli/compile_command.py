"""`doe compile`: write the compiled study to a folder, or check that one still holds it."""

from pathlib import Path

import click

from doe_compiler.cli.asked import study_argument, study_file, tell_warnings
from doe_compiler.kernel.errors import ExitCode, WrongUsage


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
def command(study: Path, folder: Path | None, checked: Path | None) -> int:
    """Write job payloads, parameter CSVs, files and a manifest with digests to a folder; same study, same bytes."""
    from doe_compiler.pipeline.compiling import compiled
    from doe_compiler.pipeline.writing import differences, written

    bundle, warnings = compiled(study_file(study))
    if (folder is None) == (checked is None):
        raise WrongUsage("say where to write, or what to check: -o DIR or --check DIR")
    tell_warnings(warnings, bundle.spec)
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
