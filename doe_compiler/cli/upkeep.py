"""What the commands that look after jobs have in common: the desk, the writer, and how a step is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from doe_compiler.kernel.errors import TryAgain

if TYPE_CHECKING:
    from doe_compiler.apply.conduct import Receipt
    from doe_compiler.apply.writing import Outcome, Writer
    from doe_compiler.pipeline.connection import Connection
    from doe_compiler.pipeline.desk import Desk


def folder_of(path: Path) -> Path:
    """The folder of a study, or of studies."""
    return path if path.is_dir() else path.parent


@contextmanager
def writing(connection: "Connection", at: "Desk") -> "Iterator[Writer]":
    """A writer that tells what it does, and finishes the write in flight when it is interrupted."""
    from doe_compiler.cli.interruption import halting
    from doe_compiler.pipeline.applying import Hands, writer

    with halting() as halt:
        yield writer(connection, at, Hands(_tell, halt.go_on, halt.sleep))


def carried_out(outcome: "Outcome") -> None:
    """Raise unless a write was carried out, or had nothing to do."""
    from doe_compiler.plan.memory import Answer

    if outcome.answer in {Answer.DONE, Answer.GONE}:
        return
    trouble = outcome.trouble
    raise TryAgain(trouble.words if trouble else "the platform did not do it", hint="say the same again")


def _tell(step: "Receipt") -> None:
    from doe_compiler.cli.shown import step_text

    text = step_text(step)
    if text:
        click.echo(text, err=True)
