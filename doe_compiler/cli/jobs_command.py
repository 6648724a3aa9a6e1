"""`doe jobs`: the jobs of a platform, one by one."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from doe_compiler.cli.asked import on_option
from doe_compiler.cli.listed import (
    confirmed,
    json_option,
    list_options,
    page_size_option,
    platform_of,
    show_record,
    show_rows,
)
from doe_compiler.kernel.errors import WrongUsage

LIST = (
    ("id", "id"),
    ("status", "jobStatus.content"),
    ("cluster", "clusterStatusDisplay.content"),
    ("created", "dateInserted"),
    ("owner", "owner"),
    ("name", "name"),
)
STATUS = (("status", "status"), ("date", "statusDate"), ("reason", "statusReason"))
FILE = (("id", "id"), ("size", "decryptedSize"), ("md5", "md5"), ("path", "relativePath"))
INSTANCE = (("id", "id"), ("status", "status"), ("core type", "coreType"), ("cores", "cores"))
LOG = (("date", "date"), ("message", "message"))
LARGEST_PAYLOAD = 32 << 20


@click.group("jobs")
def command() -> None:
    """Look at and act on the jobs of a platform, whoever made them."""


@command.command("list")
@click.option("--state", help="draft, active, complete, not_completed or all.")
@click.option("--job-status", help="Only jobs with this status, such as Completed.")
@click.option("--search", help="Only jobs with this text in their name.")
@click.option("--ordering", help="dateInserted, name, jobStatus or storage; with a minus the largest first.")
@page_size_option
@on_option
@list_options
def list_(
    state: str | None,
    job_status: str | None,
    search: str | None,
    ordering: str | None,
    page_size: int,
    on: str,
    as_json: bool,
) -> None:
    """List jobs, newest first, page by page as they come."""
    asked = {"state": state, "job_status": job_status, "search": search, "ordering": ordering}
    query = {name: value for name, value in asked.items() if value is not None}
    with platform_of(on, reads_only=True) as platform:
        rows = platform.client.rows("jobs", query=query, page_size=page_size)
        show_rows(rows, LIST, as_json=as_json)


@command.command("get")
@click.argument("job_id")
@on_option
@json_option
def get(job_id: str, on: str, as_json: bool) -> None:
    """Show a whole job."""
    with platform_of(on, reads_only=True) as platform:
        show_record(platform.client.record("jobs", job_id), as_json=as_json)


@command.command("files")
@click.argument("job_id")
@click.option("--search", help="Only files with this text in their path.")
@page_size_option
@on_option
@list_options
def files(job_id: str, search: str | None, page_size: int, on: str, as_json: bool) -> None:
    """List the output files of all runs."""
    query = {"search": search} if search else {}
    with platform_of(on, reads_only=True) as platform:
        rows = platform.client.rows("jobs", job_id, "files", query=query, page_size=page_size)
        show_rows(rows, (*FILE, ("stored as", "path")), as_json=as_json)


@command.command("create")
@click.argument("payload", type=click.Path(path_type=Path, allow_dash=True))
@on_option
@json_option
def create(payload: Path, on: str, as_json: bool) -> None:
    """Create a draft from a file of JSON, `-` for stdin; prints its id."""
    body = _payload(payload)
    with platform_of(on) as platform:
        job = platform.client.create_job(body)
        if as_json:
            show_record(platform.client.record("jobs", job.id), as_json=True)
        else:
            click.echo(job.id)


@command.command("update")
@click.argument("job_id")
@click.argument("payload", type=click.Path(path_type=Path, allow_dash=True), required=False)
@click.option("--name", help="The new name; a job that was submitted can only be renamed.")
@click.option(
    "--replace", is_flag=True, help="Make the draft anew from the file (PUT), not only what it holds."
)
@on_option
def update(job_id: str, payload: Path | None, name: str | None, replace: bool, on: str) -> None:
    """Change a draft by what a file of JSON holds, or rename any job."""
    body = dict(_payload(payload)) if payload else {}
    if name is not None:
        body["name"] = name
    if not body:
        raise WrongUsage("nothing to change", hint="name a file of JSON, or say --name")
    if replace and not payload:
        raise WrongUsage(
            "--replace makes the whole draft anew", hint="name a file of JSON that holds all of it"
        )
    with platform_of(on) as platform:
        change = platform.client.replace_job if replace else platform.client.change_job
        change(job_id, body)


def _payload(path: Path) -> Mapping[str, object]:
    try:
        content = sys.stdin.buffer.read(LARGEST_PAYLOAD) if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise WrongUsage(f"'{path}' cannot be read: {error.strerror}") from error
    try:
        body = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise WrongUsage(f"'{path}' is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise WrongUsage(f"'{path}' holds no object", hint='a job as the API has it: {"name": ...}')
    return body


@command.command("submit")
@click.argument("job_id")
@on_option
def submit(job_id: str, on: str) -> None:
    """Start a draft: from here on it costs money."""
    with platform_of(on) as platform:
        platform.client.submit(job_id)
        platform.start_runs(False)


@command.command("stop")
@click.argument("job_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
@on_option
def stop(job_id: str, yes: bool, on: str) -> None:
    """Stop a running job; what is finished stays."""
    confirmed(f"Stop the job {job_id}?", yes=yes)
    with platform_of(on) as platform:
        platform.client.stop(job_id)
        platform.start_runs(False)


@command.command("delete")
@click.argument("job_ids", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@on_option
def delete(job_ids: tuple[str, ...], yes: bool, on: str) -> None:
    """Delete drafts or jobs that have ended, with their outputs."""
    confirmed(f"Delete {', '.join(job_ids)} and all outputs?", yes=yes)
    with platform_of(on) as platform:
        for job_id in job_ids:
            platform.client.delete(job_id)


@command.command("share")
@click.argument("job_id")
@click.argument("email")
@click.option("--message", default="", help="What they are told.")
@on_option
def share(job_id: str, email: str, message: str, on: str) -> None:
    """Let another user see a job, its files and its outputs."""
    if "@" not in email:
        raise WrongUsage(f"'{email}' is no e-mail address", hint="doe jobs share JOB EMAIL")
    with platform_of(on) as platform:
        platform.client.share_job(job_id, email, message)


# name: (the last word of the address, the help, the columns)
HISTORIES = {
    "statuses": ("statuses", "The history of a job, newest first.", STATUS),
    "cluster-statuses": ("cluster_statuses", "The history of a job's cluster, newest first.", STATUS),
    "instances": ("instances", "The machines of a job.", INSTANCE),
    "logs": ("logs", "What happened to a job, oldest first.", LOG),
}


def _add_history(name: str, address: str, told: str, columns: Sequence[tuple[str, str]]) -> None:
    @command.command(name, help=told)
    @click.argument("job_id")
    @on_option
    @list_options
    def history(job_id: str, on: str, as_json: bool) -> None:
        with platform_of(on, reads_only=True) as platform:
            show_rows(platform.client.rows("jobs", job_id, address), columns, as_json=as_json)


for _name, (_address, _told, _columns) in HISTORIES.items():
    _add_history(_name, _address, _told, _columns)


@command.command("tags")
@click.argument("job_id")
@click.option("--add", multiple=True, help="Tag the job first.")
@on_option
@list_options
def tags(job_id: str, add: tuple[str, ...], on: str, as_json: bool) -> None:
    """The tags of a job."""
    with platform_of(on, reads_only=not add) as platform:
        for tag in add:
            platform.client.tag_job(job_id, tag)
        show_rows(platform.client.rows("jobs", job_id, "tags"), (("tag", "name"),), as_json=as_json)


@command.command("custom-fields")
@click.argument("job_id")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Set a field first.")
@on_option
@list_options
def custom_fields(job_id: str, settings: tuple[str, ...], on: str, as_json: bool) -> None:
    """The custom fields of a job."""
    pairs = [setting.partition("=") for setting in settings]
    if not all(name and equals for name, equals, _ in pairs):
        raise WrongUsage("--set wants NAME=VALUE")
    with platform_of(on, reads_only=not settings) as platform:
        for name, _, value in pairs:
            platform.client.set_custom_field(job_id, name, value)
        rows = platform.client.custom_fields(job_id)
        show_rows(rows, (("field", "name"), ("value", "value")), as_json=as_json)
