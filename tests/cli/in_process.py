"""Run `doe` in this process as its entry point does, and walk its commands by click's own objects."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from doe_compiler.cli import main as entry

COLUMNS = "70"


@dataclass(frozen=True)
class Done:
    """What a command answered."""

    code: int
    stdout: str
    stderr: str


def run_doe(monkeypatch, capfdbinary, folder: Path, *arguments: object) -> Done:
    """What `doe` answers in a folder; an exception that it does not turn into words is raised."""
    with monkeypatch.context() as here:
        here.chdir(folder)
        here.setattr(sys, "argv", ["doe", *map(str, arguments)])
        for name in [name for name in os.environ if name.startswith(("RESCALE_", "DOE_"))]:
            here.delenv(name)
        here.setenv("HOME", str(folder))
        here.setenv("COLUMNS", COLUMNS)
        here.setattr(entry.signal, "signal", lambda *_: None)
        capfdbinary.readouterr()
        try:
            entry.run()
        except SystemExit as left:
            code = left.code
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        return Done(int(code or 0), out.decode(), err.decode())


def leaves(
    command: click.Command = entry.main, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by the words that call it."""
    if not isinstance(command, click.Group):
        yield " ".join(path), command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from leaves(found, (*path, name))


LEAVES = dict(leaves())


def options_of(name: str) -> dict[str, click.Option]:
    """The options of a command by their longest spelling."""
    return {max(p.opts, key=len): p for p in LEAVES[name].params if isinstance(p, click.Option)}
