"""`doe tokens`: who is let in by `doe serve`, changed while it serves."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from doe_compiler.cli.listed import json_option, list_options, show_record, show_rows
from doe_compiler.kernel.errors import PreconditionFailed, WrongUsage

if TYPE_CHECKING:
    from doe_compiler.platform.store.users import Token, Users

LIST = (("id", "id"), ("e-mail", "email"), ("may", "may"), ("from", "from"), ("added", "dateAdded"))
HINT = "doe tokens list shows them"

data_option = click.option(
    "--data", type=click.Path(path_type=Path), help="The data folder (.doe/platform here, or DOE_DATA)."
)


@click.group("tokens")
def command() -> None:
    """Add, list and revoke the tokens of `doe serve`; a server that runs sees it at once."""


@command.command("add")
@click.argument("email")
@click.option(
    "--read-only", is_flag=True, help="A token that looks only: whatever would change something is a 403."
)
@data_option
@json_option
def add(email: str, read_only: bool, data: Path | None, as_json: bool) -> None:
    """Make a token for a user and print it, this once: only a hash of it is kept.

    A user sees what they make themselves and what is shared with them. Several tokens of one address are the same user:
    a read-only one of your own address lets somebody see all of your jobs.
    """
    from doe_compiler.platform.store.users import EMAIL

    if not EMAIL.fullmatch(email):
        raise WrongUsage(f"'{email}' is not an e-mail address")
    users = _users(data, makes=True)
    try:
        token_id, token = users.add_token(email, only_reads=read_only)
    finally:
        users.close()
    if as_json:
        show_record({"id": token_id, "email": email, "readOnly": read_only, "token": token}, as_json=True)
        return
    click.echo(f"token {token_id} of {email}{', which only reads' if read_only else ''}:", err=True)
    click.echo(token)


@command.command("list")
@data_option
@list_options
def list_(data: Path | None, as_json: bool) -> None:
    """List the tokens, without themselves."""
    show_rows(_rows(data, as_json=as_json), LIST, as_json=as_json)


@command.command("revoke")
@click.argument("tokens", nargs=-1, required=True, metavar="ID|EMAIL...")
@data_option
def revoke(tokens: tuple[str, ...], data: Path | None) -> None:
    """Let tokens in no more: by their ids, or all of a user; those of the token file end with their lines there."""
    users = _users(data)
    try:
        known = users.tokens()
        found = [_meant(each, known) for each in tokens]
        for each in {token.id: token for of_one in found for token in of_one}.values():
            users.revoke_token(each.id)
            click.echo(f"revoked {each.id} of {each.email}")
    finally:
        users.close()


def _meant(text: str, known: "list[Token]") -> "list[Token]":
    """The tokens that an id or an e-mail address means; raises WrongUsage if there is none to revoke."""
    found = [each for each in known if text in (each.id, each.email)]
    if not found:
        raise WrongUsage(f"no token '{text}'", hint=HINT)
    revocable = [each for each in found if not each.is_of_file]
    if not revocable:
        raise WrongUsage(
            f"the token '{text}' is of the token file",
            hint="take its line out there, and start the server anew",
        )
    return revocable


def _rows(data: Path | None, *, as_json: bool) -> Iterator[dict[str, object]]:
    users = _users(data, reads_only=True)
    try:
        yield from [_row(each, as_json=as_json) for each in users.tokens()]
    finally:
        users.close()


def _row(token: "Token", *, as_json: bool) -> dict[str, object]:
    from doe_compiler.platform.store.records import iso_date

    row: dict[str, object] = {"id": token.id, "email": token.email}
    date = iso_date(token.added_us)
    if as_json:
        return {**row, "readOnly": token.only_reads, "isOfFile": token.is_of_file, "dateAdded": date}
    return {
        **row,
        "may": "read" if token.only_reads else "change",
        "from": "token file" if token.is_of_file else "tokens add",
        "dateAdded": date,
    }


def _users(data: Path | None, *, makes: bool = False, reads_only: bool = False) -> "Users":
    """The users of the platform in a folder; raises PreconditionFailed where there is none, unless it `makes` one."""
    from doe_compiler.pipeline.connection import platform_folder
    from doe_compiler.platform.api.service import made_folder
    from doe_compiler.platform.store.records import DataFolder
    from doe_compiler.platform.store.users import Users

    folder = DataFolder((data or platform_folder(os.environ, Path())).absolute())
    if not folder.database.exists():
        if not makes:
            raise PreconditionFailed(
                f"there is no platform in '{folder.root}'", hint="--data names its folder"
            )
        click.echo(f"note: there was no platform in '{folder.root}': it is made", err=True)
        made_folder(folder.root)
    return Users(folder.database, durable=True, reads_only=reads_only)
