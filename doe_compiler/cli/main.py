"""The `doe` command: finds the subcommand's file, runs it, and turns errors into words and exit codes."""

import gc
import importlib
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

import click

from doe_compiler import __version__
from doe_compiler.cli.screen import wants_colour
from doe_compiler.kernel.errors import DoeError, ExitCode, InvalidStudy, Terminated
from doe_compiler.kernel.findings import rendered

COMMANDS = {
    "init": "Write a small study to start from.",
    "validate": "Check studies and the files that they name.",
    "design": "Show the table of runs.",
    "render": "Show or write the files that templates become.",
    "compile": "Write job payloads, parameter CSVs and files to a folder.",
    "plan": "Show what apply would do.",
    "show": "Show a saved plan.",
    "apply": "Run what is missing, each run exactly once.",
    "status": "Show how far a study is.",
    "results": "Show inputs and responses of every run.",
    "logs": "Show what a run printed.",
    "stop": "Stop the running jobs of studies.",
    "share": "Let another user see the jobs of studies.",
    "drift": "Show what people did to the jobs behind the study's back.",
    "adopt": "Give a job its mark back, or forget one that was deleted.",
    "gc": "Delete the drafts that appliers have left behind.",
    "doctor": "Examine a platform by what applies depend on.",
    "destroy": "Delete the drafts left behind, or all jobs, of studies.",
    "import": "Write a study from a job that exists.",
    "serve": "Serve the embedded platform over HTTP.",
    "tokens": "Add, list and revoke the tokens of doe serve.",
    "jobs": "List, get, create, submit, update, stop, delete and share jobs.",
    "runs": "List, get, tail and stop the runs of a job, and list their files.",
    "files": "List, upload, download and delete files.",
    "coretypes": "List the kinds of machines.",
    "analyses": "List the software.",
    "completion": "Print the completion script of a shell.",
    "schema": "Print the JSON Schema of studies, plans or policies.",
}


# What a command makes it mostly keeps: to look for garbage while modules load, and at the end, takes a tenth of `doe plan`.
_OBJECTS_BETWEEN_COLLECTIONS = 100_000


class _Commands(click.Group):
    """Loads a command's module when it is asked for, so that `doe --help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        found = importlib.import_module(f"doe_compiler.cli.{cmd_name}_command").command
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # the reader has seen what it wanted; click would exit with 1
            _let_go_of_stdout()
            return ExitCode.DONE

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from doe_compiler.kernel.findings import near_miss

            meant = near_miss(args[0], COMMANDS)
            if meant is None:
                raise
            raise click.UsageError(f"{error.message} Did you mean '{meant}'?", ctx) from error


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="doe")
def main() -> None:
    """Compile a YAML study into simulation jobs and run each wanted simulation exactly once."""


def _terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise Terminated


def run() -> NoReturn:
    """Run the command line and leave with the exit code of what happened."""
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    signal.signal(signal.SIGTERM, _terminate)
    _open_standard_streams()
    try:
        result = main(standalone_mode=False, color=None if wants_colour() else False)
        code = int(result) if isinstance(result, int) else int(ExitCode.DONE)
    except BaseException as error:
        code = _told(error)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _let_go_of_stdout()
    except OSError as error:
        code = _told(error)
        _let_go_of_stdout()
    gc.freeze()
    sys.exit(code)


def _open_standard_streams() -> None:
    """Give a closed standard stream the null device, lest a file that is opened later be taken for it."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def _let_go_of_stdout() -> None:
    """What is still to be written has no reader: the interpreter's own flush is not to fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _told(error: BaseException) -> int:
    """Tell what went wrong on stderr; the exit code. What is not ours is raised on."""
    match error:
        case click.exceptions.Exit():
            return error.exit_code
        case click.UsageError():
            error.show()
            return ExitCode.USAGE
        case click.ClickException():
            error.show()
            return ExitCode.FAILED
        case click.Abort() | KeyboardInterrupt():
            _say("interrupted; what was done stands, the same command goes on")
            return ExitCode.INTERRUPTED
        case Terminated():
            _say("terminated; what was done stands, the same command goes on")
            return ExitCode.TERMINATED
        case InvalidStudy():
            for finding in error.findings:
                _say(rendered(finding, error.lines))
            return error.exit_code
        case DoeError():
            _say(f"error: {error.message}" + (f"\n  hint: {error.hint}" if error.hint else ""))
            return error.exit_code
        case OSError():
            where = f" '{error.filename}'" if error.filename else ""
            _say(f"error: {error.strerror or error}{where}")
            return ExitCode.FAILED
        case MemoryError():
            _say("error: out of memory")
            return ExitCode.FAILED
        case _:
            raise error


def _say(text: str) -> None:
    click.echo(text, err=True)
