"""`doe schema`: print the JSON Schema of studies, plans, policies or configurations."""

import click

from doe_compiler.spec.schemas import SCHEMAS, schema_text


@click.command("schema")
@click.argument(
    "schema_name", metavar="[study|plan|policy|config]", default="study", type=click.Choice(SCHEMAS)
)
def command(schema_name: str) -> None:
    """Print the JSON Schema of studies, of plans, of policies, or of the configuration of a machine; editors complete and check with it."""
    click.echo(schema_text(schema_name), nl=False)
