"""`doe doctor`: examine a platform by what applies depend on."""

import json

import click

from doe_compiler.cli.asked import on_option
from doe_compiler.kernel.errors import ExitCode

_COLOURS = {"ok": "green", "warning": "yellow", "bad": "red"}


@click.command("doctor")
@on_option
@click.option("--spend", is_flag=True, help="Submit a job of one short command too, which is paid for.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON a check.")
def command(on: str, spend: bool, as_json: bool) -> int:
    """Examine a platform: the key, clocks, how soon the list shows a draft, names, pages, and what a submit answers.

    It creates drafts, which cost nothing, and deletes them. At last it tells the settle time to use. Exit 1 if
    something is in the way of an apply.
    """
    import secrets

    from doe_compiler.cli.interruption import halting
    from doe_compiler.cli.listed import platform_of
    from doe_compiler.pipeline.doctor import Check, Verdict, examined

    code = ExitCode.DONE
    with platform_of(on) as connection, halting() as halt:
        for found in examined(connection, lambda: secrets.randbits(32), spends=spend, sleep=halt.sleep):
            if isinstance(found, Check):
                code = ExitCode.FAILED if found.verdict is Verdict.BAD else code
                line: dict[str, object] = {
                    "check": found.name,
                    "verdict": found.verdict.value,
                    "text": found.text,
                }
                verdict = click.style(found.verdict.value.rjust(7), fg=_COLOURS[found.verdict.value])
                text = f"{verdict}  {found.name}: {found.text}"
            elif found.settle_s is None:
                line, text = {"settle": None}, "no settle time could be measured"
            else:
                line = {"settle": found.settle_s}
                text = f"settle time to use: --settle {found.settle_s:g} (apply's own: {connection.times().settle:g})"
            click.echo(json.dumps(line, ensure_ascii=False) if as_json else text)
    return code
