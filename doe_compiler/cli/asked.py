"""What several commands ask for in the same words: the study, the platform, the output file."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from doe_compiler.kernel.errors import DoeError, PreconditionFailed, Terminated, WrongUsage
from doe_compiler.kernel.findings import Finding, rendered
from doe_compiler.spec.model import Spec
from doe_compiler.spec.read import find_studies

if TYPE_CHECKING:
    from doe_compiler.bundle.pack import Bundle
    from doe_compiler.pipeline.connection import Connection
    from doe_compiler.plan.decide import Wishes

F = TypeVar("F", bound=Callable[..., object])


def study_argument(function: F) -> F:
    """The study: its file, or a folder that holds one study."""
    return click.argument("study", type=click.Path(path_type=Path), default=Path())(function)


def studies_argument(function: F) -> F:
    """Studies: files, or folders that hold any number of them; the present folder if none is named."""

    def present_folder(
        _context: click.Context, _parameter: click.Parameter, given: tuple[Path, ...]
    ) -> tuple[Path, ...]:
        return given or (Path(),)

    return click.argument(
        "studies", nargs=-1, type=click.Path(path_type=Path), callback=present_folder, metavar="[STUDIES]..."
    )(function)


def plan_options(function: F) -> F:
    """What plan and apply do only if they are asked to."""
    options = (
        target_option,
        click.option(
            "--retry-failed", is_flag=True, help="Run failed rows once more: exit status not 0, or timed out."
        ),
        click.option(
            "--retry-missing", is_flag=True, help="Run rows once more that only lack a required response."
        ),
        click.option(
            "--only",
            metavar="RUN,...",
            callback=_run_numbers,
            help="Of these, only the runs of these numbers.",
        ),
        click.option(
            "--retries",
            type=click.IntRange(min=1),
            metavar="N",
            help="Run no row again more than N times in all.",
        ),
        click.option("--replace", is_flag=True, help="Stop running jobs of an older recipe."),
        click.option(
            "--prune",
            is_flag=True,
            help="Stop running jobs, and delete drafts left behind, that the study, applied from here, no longer wants.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def _run_numbers(_context: click.Context, _parameter: click.Parameter, text: str | None) -> tuple[int, ...]:
    """`3,7-9` as numbers."""
    numbers: list[int] = []
    for part in text.split(",") if text else ():
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise WrongUsage(f"--only {text}: no numbers of runs", hint="such as --only 3,7-9")
        numbers += range(int(first), int(last or first) + 1)
    return tuple(numbers)


def wishes(asked: Mapping[str, object]) -> "Wishes":
    """The answers to `plan_options`, which are the fields of Wishes."""
    from doe_compiler.plan.decide import Wishes

    if (asked["only"] or asked["retries"]) and not (asked["retry_failed"] or asked["retry_missing"]):
        raise WrongUsage(
            "--only and --retries say how --retry-failed or --retry-missing are meant: give one of them"
        )
    values: dict[str, Any] = dict(asked)
    return Wishes(**values)


def target_option(function: F) -> F:
    """Which of the studies."""
    return click.option(
        "--target", "targets", multiple=True, metavar="STUDY", help="Only the study of this name."
    )(function)


def study_files(paths: Sequence[Path], targets: Sequence[str]) -> list[Path]:
    """The studies at some paths; with `targets` those of these names. Two studies of one name are refused."""
    found = find_studies(paths)
    if len(found) == 1 and not targets:
        return found
    return list(named_studies(paths, targets).values())


def named_studies(paths: Sequence[Path], targets: Sequence[str]) -> dict[str, Path]:
    """The studies at some paths by their names; with `targets` those of these names."""
    from doe_compiler.pipeline.compiling import checked_spec

    found = find_studies(paths)
    if not found:
        raise WrongUsage(f"no study in '{paths[0]}'", hint="doe init writes one")
    names: dict[str, Path] = {}
    for path in found:
        spec, _ = checked_spec(path)
        if spec.study in names:
            raise WrongUsage(
                f"'{names[spec.study]}' and '{path}' are both study '{spec.study}'",
                hint="a study's name is its identity: rename one of them",
            )
        names[spec.study] = path
    unknown = [target for target in targets if target not in names]
    if unknown:
        raise WrongUsage(
            f"--target {unknown[0]}: no such study", hint=f"there are {', '.join(sorted(names))}"
        )
    return {name: path for name, path in names.items() if not targets or name in targets}


def compiled_studies(paths: Sequence[Path], targets: Sequence[str]) -> "list[Bundle]":
    """The studies at some paths, compiled; warnings are told."""
    from doe_compiler.pipeline.compiling import compiled

    bundles = []
    for path in study_files(paths, targets):
        bundle, warnings = compiled(path)
        tell_warnings(warnings, bundle.spec)
        bundles.append(bundle)
    return bundles


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


def connection_to(
    on: str, study: Path, rps: float | None = None, *, reads_only: bool = False
) -> "AbstractContextManager[Connection]":
    """Open the platform of `--on`, for a study or a folder of them; `rps` requests a second at most.

    With `reads_only` nothing is written, on this machine either.
    """
    from doe_compiler.pipeline.connection import apart, connected

    folder = study if study.is_dir() else study.parent
    if on == "local" and study.is_dir() and not os.environ.get("DOE_DATA"):
        folder = _folder_of_runs(study)
    told = apart(os.environ, folder) if on == "local" else None
    if told:
        click.echo(f"note: {told}", err=True)
    return _told_of_what_goes_on(
        connected(
            on, environ=os.environ, home=Path.home(), study_folder=folder, rps=rps, reads_only=reads_only
        )
    )


@contextmanager
def _told_of_what_goes_on(opening: "AbstractContextManager[Connection]") -> Iterator["Connection"]:
    """The connection; who interrupts a command is told that it ends no run, where that is so."""
    with opening as connection:
        try:
            yield connection
        except (KeyboardInterrupt, Terminated):
            if connection.goes_on_in and not connection.reads_only:
                told = f"the runs go on in {connection.goes_on_in}: the same command collects them, doe stop ends them"
                click.echo(told, err=True)
            raise


def _folder_of_runs(folder: Path) -> Path:
    """Whose runs a folder of studies goes on with; refuses one in which a study keeps runs of its own."""
    from doe_compiler.pipeline.origin import project_folder

    kept = {project_folder(study.parent) for study in find_studies([folder])}
    apart = sorted(
        kept - {project_folder(folder)} - {study.absolute() for study in folder.absolute().parents}
    )
    owning = [place for place in apart if (place / ".doe" / "platform").is_dir()]
    if len(kept) == 1:
        return kept.pop()
    if owning:
        raise PreconditionFailed(
            f"a study in '{owning[0]}' keeps its runs there, apart from the others in '{folder}'",
            hint=f"name it by itself, move '{owning[0] / '.doe'}' to '{folder}', or set DOE_DATA",
        )
    return folder


def tell_warnings(warnings: list[Finding], spec: Spec) -> None:
    """Warnings on stderr."""
    for finding in warnings:
        click.echo(rendered(finding, spec.lines or {}), err=True)


FORMATS = ("table", "csv", "json")


def format_options(function: F) -> F:
    """In which form a table is answered, and where to."""
    options = (
        click.option(
            "--format",
            "form",
            type=click.Choice(FORMATS),
            help="By default what the suffix of -o says, .csv or .json, or else a table.",
        ),
        click.option(
            "-o", "--output", "file", metavar="FILE", type=click.Path(path_type=Path), help="Write to a file."
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


_OF_OTHERS = frozenset(
    {"xlsx", "xlsm", "xls", "ods", "parquet", "feather", "h5", "hdf5", "mat", "npy", "npz", "db"}
)


def format_of(asked: str | None, file: Path | None) -> str:
    """The form of an answer; raises WrongUsage if the file's suffix says another than was asked for."""
    suffix = "" if file is None else file.suffix.lower().removeprefix(".")
    if suffix in _OF_OTHERS:
        raise WrongUsage(
            f"-o '{file}': {suffix} cannot be written", hint="write a .csv, which such programs read"
        )
    named = suffix if suffix in {"csv", "json"} else None
    if asked and named and asked != named:
        raise WrongUsage(
            f"--format {asked} into '{file}'",
            hint=f"leave --format out, or name a file that does not end in .{named}",
        )
    return asked or named or "table"


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
