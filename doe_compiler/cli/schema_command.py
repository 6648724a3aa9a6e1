"""`doe schema`: print the JSON Schema of studies."""

import click

from doe_compiler.spec.schemas import schema_text


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of studies; editors complete and check with it."""
    click.echo(schema_text("study"), nl=False)
