"""`doe schema`: print the JSON Schema of studies, plans or policies."""

import click

from doe_compiler.spec.schemas import SCHEMAS, schema_text


@click.command("schema")
@click.argument("schema_name", metavar="[study|plan|policy]", default="study", type=click.Choice(SCHEMAS))
def command(schema_name: str) -> None:
    """Print the JSON Schema of studies, of plans, or of policies; editors complete and check with it."""
    click.echo(schema_text(schema_name), nl=False)
