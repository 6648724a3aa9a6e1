"""`doe render`: the files that templates become, of one run or of all."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from doe_compiler.cli.asked import study_argument, study_file
from doe_compiler.kernel.errors import DoeError, ExitCode, InvalidStudy, WrongUsage
from doe_compiler.kernel.findings import rendered

if TYPE_CHECKING:
    from doe_compiler.design.design import Design
    from doe_compiler.spec.model import Spec


@click.command("render")
@study_argument
@click.option(
    "--run", "number", type=click.IntRange(min=1), metavar="N", help="Of this run only, by its number."
)
@click.option(
    "-o", "--output", "folder", metavar="DIR", type=click.Path(path_type=Path),
    help="The folder to write to: run1, run2, … in it, or the files of --run. Without it they are shown.",
)  # fmt: skip
@click.option(
    "--diff",
    "pair",
    nargs=2,
    type=click.IntRange(min=1),
    metavar="N M",
    help="What tells the files of two runs apart.",
)
@click.option(
    "--watch", is_flag=True, help="Render again whenever a file of the study is edited, until Ctrl-C."
)
def command(
    study: Path, number: int | None, folder: Path | None, pair: tuple[int, int] | None, *, watch: bool
) -> int:
    """Render the templates of a study, as its runs will read them; nothing is sent or run."""
    from doe_compiler.pipeline.rendering import edits

    path = study_file(study)
    if pair is not None and (number is not None or folder is not None):
        raise WrongUsage("--diff N M shows two runs: leave --run and -o out")
    if number is None and folder is None and pair is None:
        raise WrongUsage("say which run, or where to write all: --run N, -o DIR or --diff N M")
    if not watch:
        _render(path, number, folder, pair)
        return ExitCode.DONE
    edited = edits(path.parent, folder)  # begun before the first rendering, so that no edit is missed
    _told(path, number, folder, pair)
    for _ in edited:
        click.echo(f"--- {path} again", err=True)
        _told(path, number, folder, pair)
    return ExitCode.DONE


def _told(path: Path, number: int | None, folder: Path | None, pair: tuple[int, int] | None) -> None:
    """Render; what is wrong is told, and does not end the watch."""
    try:
        _render(path, number, folder, pair)
    except InvalidStudy as error:
        for finding in error.findings:
            click.echo(rendered(finding, error.lines), err=True)
    except DoeError as error:
        click.echo(f"error: {error}", err=True)


def _render(path: Path, number: int | None, folder: Path | None, pair: tuple[int, int] | None) -> None:
    from doe_compiler.pipeline.compiling import checked_spec, designed
    from doe_compiler.pipeline.rendering import differences, write_runs

    spec, _ = checked_spec(path)
    design = designed(spec)
    if design is None:
        raise WrongUsage("the platform samples this study, so the values of its runs are not known here")
    for one in pair or ([number] if number else []):
        if one > design.n:
            raise WrongUsage(f"there is no run {one}: the study has {design.n}")
    if pair is not None:
        for line in differences(spec, design, *pair):
            click.echo(line)
    elif folder is not None:
        count = write_runs(spec, design, folder, [number] if number else None)
        click.echo(f"wrote {count} files to {folder}", err=True)
    elif number is not None:
        _show(spec, design, number)


def _show(spec: "Spec", design: "Design", number: int) -> None:
    """The one deck as it is, so that it can be piped; of several each under its path."""
    from doe_compiler.pipeline.rendering import contents

    found = contents(spec, design, number)
    out = sys.stdout.buffer
    for target, content in found:
        if len(found) > 1:
            out.write(f"==> {target} <==\n".encode())
        out.write(content)
        if len(found) > 1 and not content.endswith(b"\n"):
            out.write(b"\n")
    out.flush()
