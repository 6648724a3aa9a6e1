"""`doe compile`: write the compiled study to a folder."""

from pathlib import Path

import click

from doe_compiler.cli.asked import study_argument, study_file, tell_warnings


@click.command("compile")
@study_argument
@click.option(
    "-o", "--output", "folder", metavar="DIR", required=True, type=click.Path(path_type=Path),
    help="The folder to write; an older bundle in it is replaced.",
)  # fmt: skip
def command(study: Path, folder: Path) -> None:
    """Write job payloads, parameter CSVs, files and a manifest with digests to a folder."""
    from doe_compiler.pipeline.compiling import compiled
    from doe_compiler.pipeline.writing import written

    bundle, warnings = compiled(study_file(study))
    tell_warnings(warnings, bundle.spec)
    paths = written(bundle, folder)
    click.echo(f"wrote {len(paths)} files to {folder}", err=True)
