"""`doe show`: show a saved plan."""

import json
from pathlib import Path

import click

from doe_compiler.cli.asked import write_answer


@click.command("show")
@click.argument("plan_file", metavar="PLANFILE", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="As JSON on stdout, without payloads.")
@click.option(
    "--markdown", metavar="FILE", type=click.Path(path_type=Path), help="As a comment for a pull request."
)
def command(plan_file: Path, as_json: bool, markdown: Path | None) -> None:
    """Show a plan that was saved by doe plan -o; needs no platform and no study."""
    from doe_compiler.cli.plan_shown import plan_markdown, plan_text
    from doe_compiler.pipeline.plan_file import plan_digest, plan_from, without_contents

    document = plan_from(plan_file)
    if markdown:
        write_answer([plan_markdown(document).encode()], markdown)
    if as_json:
        click.echo(json.dumps(without_contents(document), ensure_ascii=False, indent=1, sort_keys=True))
    else:
        click.echo(plan_text(document))
    if plan_digest(document) != document.get("sha256"):
        click.echo("warning: this plan has been changed since it was made; apply will refuse it", err=True)
