"""`doe init`: write a small commented study that runs as it is."""

import os.path
from pathlib import Path

import click

from doe_compiler.kernel.errors import WrongUsage
from doe_compiler.spec.starter import starter_files


@click.command("init")
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), default=Path())
def command(folder: Path) -> None:
    """Write a small study with its template and solver to DIR (here by default)."""
    files = starter_files()
    there = [name for name in files if os.path.lexists(folder / name)]
    if there:
        raise WrongUsage(
            f"'{folder / there[0]}' exists already", hint="name another folder: doe init my-study"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        click.echo(f"wrote {folder / name}", err=True)
    click.echo(f"next: doe apply {folder}", err=True)
