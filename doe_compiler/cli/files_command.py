"""`doe files`: the files of a platform."""

from collections.abc import Iterable
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
    ("type", "typeId"),
    ("size", "decryptedSize"),
    ("md5", "md5"),
    ("uploaded", "dateUploaded"),
    ("name", "name"),
)


@click.group("files")
def command() -> None:
    """List, upload, download and delete files."""


@command.command("list")
@click.option("--search", help="Only files with this text in their name.")
@page_size_option
@on_option
@list_options
def list_(search: str | None, page_size: int, on: str, as_json: bool) -> None:
    """List the uploads, newest first, page by page as they come."""
    query = {"search": search} if search else {}
    with platform_of(on, reads_only=True) as platform:
        show_rows(platform.client.rows("files", query=query, page_size=page_size), LIST, as_json=as_json)


@command.command("get")
@click.argument("file_id")
@on_option
@json_option
def get(file_id: str, on: str, as_json: bool) -> None:
    """Show what is known of a file."""
    with platform_of(on, reads_only=True) as platform:
        show_record(platform.client.record("files", file_id), as_json=as_json)


@command.command("upload")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--type", "type_id", default=1, show_default=True, type=click.IntRange(1), help="1 input, 2 template, …"
)
@on_option
@json_option
def upload(paths: tuple[Path, ...], type_id: int, on: str, as_json: bool) -> None:
    """Upload files; prints id and name of each."""
    for path in paths:
        if not path.is_file():
            raise WrongUsage(f"'{path}' is not a file")
    with platform_of(on) as platform:
        for path in paths:
            entry = platform.client.upload(path, path.name, type_id)
            if as_json:
                show_record(platform.client.record("files", entry.id), as_json=True)
            else:
                click.echo(f"{entry.id}  {entry.name}")


@command.command("download")
@click.argument("file_ids", nargs=-1)
@click.option("--job", "job_id", help="The output files of a job instead.")
@click.option("--run", type=click.IntRange(1), help="Of one run of the job only.")
@click.option("--search", help="Of the job: only files with this text in their path.")
@click.option("-o", "target", type=click.Path(path_type=Path), help="A file, or a folder for several.")
@on_option
def download(
    file_ids: tuple[str, ...],
    job_id: str | None,
    run: int | None,
    search: str | None,
    target: Path | None,
    on: str,
) -> None:
    """Download files by id, or the outputs of a job into runN/ folders; what is there whole is left alone."""
    from doe_compiler.pipeline.downloading import Wanted, downloaded, outputs_of_job

    if bool(file_ids) == bool(job_id):
        raise WrongUsage("name files by their ids, or a job by --job", hint="doe files list shows the ids")
    if file_ids and not (run is None and search is None):
        raise WrongUsage("--run and --search are for the outputs of a job", hint="name the job by --job")
    with platform_of(on, reads_only=True) as platform:
        client = platform.client
        wanted: Iterable[Wanted]
        if job_id:
            wanted = outputs_of_job(client, job_id, run, search or "", target or Path(job_id))
        elif len(file_ids) == 1 and target is not None and not target.is_dir():
            wanted = [Wanted(client.file(file_ids[0]), target)]
        else:
            entries = [client.file(file_id) for file_id in file_ids]
            wanted = [Wanted(entry, (target or Path()) / Path(entry.name).name) for entry in entries]
        for path in downloaded(client, wanted):
            click.echo(path)


@command.command("rename")
@click.argument("file_id")
@click.argument("name")
@on_option
def rename(file_id: str, name: str, on: str) -> None:
    """Give an upload another name."""
    with platform_of(on) as platform:
        platform.client.change_file(file_id, {"name": name})


@command.command("delete")
@click.argument("file_ids", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@on_option
def delete(file_ids: tuple[str, ...], yes: bool, on: str) -> None:
    """Delete files."""
    confirmed(f"Delete {', '.join(file_ids)}?", yes=yes)
    with platform_of(on) as platform:
        for file_id in file_ids:
            platform.client.delete_file(file_id)


@command.command("thin")
@click.argument("job_ids", nargs=-1, required=True, metavar="JOB...")
@click.option(
    "--keep", required=True, type=click.Choice(["responses"]), help="What stays beside values and logs."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@on_option
def thin(job_ids: tuple[str, ...], keep: str, yes: bool, on: str) -> None:
    """Delete the outputs of ended runs of jobs but logs and the files that their responses are read from.

    The runs' values stay, and so do their inputs; what is deleted cannot be had back.
    """
    from doe_compiler.cli.shown import plural
    from doe_compiler.pipeline.thinning import spare_outputs

    with platform_of(on) as platform:
        spare = [entry for job_id in job_ids for entry in spare_outputs(platform.client, job_id)]
        told = f"{plural(len(spare), 'output')} of {', '.join(job_ids)}, {sum(each.size for each in spare):,} bytes"
        if not spare:
            click.echo(f"nothing to delete: keeping {keep}, all outputs stay", err=True)
            return
        confirmed(f"Delete {told}?", yes=yes)
        for entry in spare:
            platform.client.delete_file(entry.id)
    click.echo(f"deleted {told}", err=True)
