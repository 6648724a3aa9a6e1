"""What several commands ask for in the same words: the study, the platform, the output file."""

import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from doe_compiler.kernel.errors import WrongUsage
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
        return
    half_made = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        half_made.write_text(text, encoding="utf-8", newline="\n")
        half_made.replace(file)
    finally:
        half_made.unlink(missing_ok=True)
