"""`doe analyses`: the software of a platform."""

from collections.abc import Mapping

import click

from doe_compiler.cli.asked import on_option
from doe_compiler.cli.listed import list_options, platform_of, show_rows


@click.command("analyses")
@on_option
@list_options
def command(on: str, as_json: bool) -> None:
    """List the software with the codes of its versions."""
    with platform_of(on, reads_only=True) as platform:
        rows = platform.client.rows("analyses")
        if as_json:
            show_rows(rows, (), as_json=True)
            return
        columns = (("code", "code"), ("name", "name"), ("versions", "codes"))
        show_rows(({**row, "codes": _codes(row)} for row in rows), columns, as_json=False)


def _codes(row: Mapping[str, object]) -> list[str]:
    versions = row.get("versions")
    return [str(each.get("versionCode")) for each in versions] if isinstance(versions, list) else []
