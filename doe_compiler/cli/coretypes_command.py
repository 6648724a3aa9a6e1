"""`doe coretypes`: the kinds of machines."""

import click

from doe_compiler.cli.asked import on_option
from doe_compiler.cli.listed import list_options, platform_of, show_rows

COLUMNS = (
    ("code", "code"),
    ("name", "name"),
    ("cores", "cores"),
    ("price", "price"),
    ("low priority", "lowPriorityPrice"),
    ("memory", "memory"),
)


@click.command("coretypes")
@on_option
@list_options
def command(on: str, as_json: bool) -> None:
    """List the core types with their prices per core-hour and their memory in MB."""
    with platform_of(on, reads_only=True) as platform:
        show_rows(platform.client.rows("coretypes"), COLUMNS, as_json=as_json)
