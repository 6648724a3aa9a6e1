"""`doe runs`: the runs of a job."""

import sys
import time

import click

from doe_compiler.cli.asked import on_option
from doe_compiler.cli.jobs_command import FILE
from doe_compiler.cli.listed import (
    confirmed,
    json_option,
    list_options,
    page_size_option,
    platform_of,
    show_record,
    show_rows,
)

LIST = (
    ("run", "id"),
    ("started", "dateStarted"),
    ("completed", "dateCompleted"),
    ("exit", "exitCode"),
    ("files", "outputFileCount"),
    ("bytes", "outputFileSize"),
)
ENTRY = (("size", "size"), ("path", "path"))
RUN = click.argument("run", type=click.IntRange(1))
LOG = "process_output.log"
MOST_LINES = 10_000
PAUSE_S = 2.0


@click.group("runs")
def command() -> None:
    """Look at and stop the runs of a job."""


@command.command("list")
@click.argument("job_id")
@page_size_option
@on_option
@list_options
def list_(job_id: str, page_size: int, on: str, as_json: bool) -> None:
    """List the runs of a job, page by page as they come."""
    with platform_of(on, reads_only=True) as platform:
        rows = platform.client.rows("jobs", job_id, "runs", page_size=page_size)
        show_rows(rows, LIST, as_json=as_json)


@command.command("get")
@click.argument("job_id")
@RUN
@on_option
@json_option
def get(job_id: str, run: int, on: str, as_json: bool) -> None:
    """Show a run with its variables."""
    with platform_of(on, reads_only=True) as platform:
        record = platform.client.record("jobs", job_id, "runs", str(run))
        if as_json:
            show_record(record, as_json=True)
            return
        variables = record.get("variables")
        shown = {name: value for name, value in record.items() if name != "variables"}
        for each in variables if isinstance(variables, list) else []:
            shown[str(each.get("name"))] = each.get("displayValue")
        show_record(shown, as_json=False)


@command.command("tail")
@click.argument("job_id")
@RUN
@click.argument("path", default=LOG)
@click.option(
    "--lines",
    "-n",
    default=20,
    show_default=True,
    type=click.IntRange(0, MOST_LINES),
    help="So many.",
)
@click.option("--follow", "-f", is_flag=True, help="Go on until the run has ended.")
@on_option
def tail(job_id: str, run: int, path: str, lines: int, follow: bool, on: str) -> None:
    """Show the last lines of a file of a run; its log by default."""
    from doe_compiler.results.logs import new_lines

    shown, has_ended = _looked(on, job_id, run, path, MOST_LINES if follow else lines)
    sys.stdout.write("".join(shown[max(0, len(shown) - lines) :]))
    while follow and not has_ended:
        sys.stdout.flush()
        time.sleep(PAUSE_S)
        now, has_ended = _looked(on, job_id, run, path, MOST_LINES)
        sys.stdout.write("".join(new_lines(shown, now)))
        shown = now


def _looked(on: str, job_id: str, run: int, path: str, lines: int) -> tuple[tuple[str, ...], bool]:
    """The last lines, and whether the run had ended before they were read (nothing runs without an executor)."""
    with platform_of(on, reads_only=True) as platform:
        is_executing = platform.is_executing() or bool(platform.goes_on_in)
        record = platform.client.record("jobs", job_id, "runs", str(run))
        has_ended = record.get("dateCompleted") is not None or not is_executing
        return platform.client.tail(job_id, run, path, lines), has_ended


@command.command("files")
@click.argument("job_id")
@RUN
@click.option("--search", help="Only files with this text in their path.")
@click.option("--now", is_flag=True, help="What lies in the work directory of a running run.")
@page_size_option
@on_option
@list_options
def files(
    job_id: str, run: int, search: str | None, now: bool, page_size: int, on: str, as_json: bool
) -> None:
    """List the output files of a run."""
    query = {"search": search} if search else {}
    last = "directory-contents" if now else "files"
    with platform_of(on, reads_only=True) as platform:
        rows = platform.client.rows("jobs", job_id, "runs", str(run), last, query=query, page_size=page_size)
        show_rows(rows, ENTRY if now else FILE, as_json=as_json)


@command.command("stop")
@click.argument("job_id")
@RUN
@click.option("--yes", is_flag=True, help="Do not ask.")
@on_option
def stop(job_id: str, run: int, yes: bool, on: str) -> None:
    """Stop one run; the others go on."""
    confirmed(f"Stop run {run} of the job {job_id}?", yes=yes)
    with platform_of(on) as platform:
        platform.client.stop_run(job_id, run)
        platform.start_runs(False)


@command.command("snapshot")
@click.argument("job_id")
@RUN
@on_option
def snapshot(job_id: str, run: int, on: str) -> None:
    """List what a running run has written so far among its output files."""
    with platform_of(on) as platform:
        platform.client.snapshot(job_id, run)
