"""What several commands ask for in the same words: the study, the platform, the output file."""

import os
import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from doe_compiler.kernel.errors import DoeError, WrongUsage
from doe_compiler.kernel.findings import Finding, rendered
from doe_compiler.spec.model import Spec
from doe_compiler.spec.read import find_studies

if TYPE_CHECKING:
    from doe_compiler.pipeline.connection import Connection

F = TypeVar("F", bound=Callable[..., object])


def study_argument(function: F) -> F:
    """The study: its file, or a folder that holds one study."""
    return click.argument("study", type=click.Path(path_type=Path), default=Path())(function)


def on_option(function: F) -> F:
    """Which platform."""
    return click.option(
        "--on",
        default="local",
        show_default=True,
        metavar="local|URL|rescale",
        help="The platform: the embedded one, an address, or the Rescale cloud.",
    )(function)


def study_file(path: Path) -> Path:
    """The one study that a path means; raises WrongUsage if it means none or several."""
    found = find_studies([path])
    if not found:
        raise WrongUsage(f"no study in '{path}'", hint="doe init writes one")
    if len(found) > 1:
        listed = ", ".join(str(file) for file in found[:5])
        raise WrongUsage(f"'{path}' holds {len(found)} studies", hint=f"name one of them: {listed}")
    return found[0]


def connection_to(on: str, study: Path) -> "AbstractContextManager[Connection]":
    """Open the platform of `--on`."""
    from doe_compiler.pipeline.connection import connected

    return connected(on, environ=os.environ, home=Path.home(), study_folder=study.parent)


def tell_warnings(warnings: list[Finding], spec: Spec) -> None:
    """Warnings on stderr."""
    for finding in warnings:
        click.echo(rendered(finding, spec.lines or {}), err=True)


def answer(text: str, file: Path | None) -> None:
    """The answer of a command: to stdout, or whole into a file."""
    if file is None:
        sys.stdout.write(text)
    else:
        write_answer([text.encode()], file)


def write_answer(chunks: Iterable[bytes], file: Path) -> None:
    """Write a file whole or not at all; a device or a pipe is written to, never replaced."""
    try:
        if file.is_dir():
            raise WrongUsage(f"'{file}' is a folder", hint="name a file to write to")
        if file.exists() and not file.is_file():
            _write_into(chunks, file)
        else:
            _replace(chunks, Path(os.path.realpath(file)))
    except BrokenPipeError:
        raise
    except OSError as error:
        raise DoeError(f"cannot write '{file}': {error.strerror or error}") from error


def _write_into(chunks: Iterable[bytes], file: Path) -> None:
    # Without O_NONBLOCK a FIFO that nobody reads would block; with it, it is an error.
    descriptor = os.open(file, os.O_WRONLY | os.O_NONBLOCK)
    os.set_blocking(descriptor, True)
    with os.fdopen(descriptor, "wb") as out:
        out.writelines(chunks)


def _replace(chunks: Iterable[bytes], file: Path) -> None:
    half_made = file.with_name(f".doe-{os.getpid()}.half")
    try:
        with half_made.open("wb") as out:
            out.writelines(chunks)
        half_made.replace(file)
    finally:
        half_made.unlink(missing_ok=True)
