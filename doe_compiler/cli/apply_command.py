"""`doe apply`: run what is missing, each run exactly once."""

import json
import secrets
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from doe_compiler.cli.asked import connection_to, on_option, study_argument, study_file, tell_warnings
from doe_compiler.kernel.errors import DoeError, ExitCode, WrongUsage

if TYPE_CHECKING:
    from doe_compiler.apply.protocol import Receipt
    from doe_compiler.bundle.pack import Bundle
    from doe_compiler.pipeline.connection import Connection
    from doe_compiler.pipeline.planning import Planned
    from doe_compiler.results.collect import Results


@click.command("apply")
@study_argument
@on_option
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--no-wait", is_flag=True, help="Submit and leave; doe status shows how far it is.")
@click.option("--json", "as_json", is_flag=True, help="What was done, and the results, as JSON on stdout.")
def command(study: Path, on: str, yes: bool, no_wait: bool, as_json: bool) -> int:
    """Plan, ask, then run what is missing and show the results; a second apply has nothing to do.

    Exit 1 if a run of the study has failed.
    """
    from doe_compiler.cli.shown import plan_text
    from doe_compiler.pipeline.compiling import compiled
    from doe_compiler.pipeline.planning import planned

    path = study_file(study)
    bundle, warnings = compiled(path)
    tell_warnings(warnings, bundle.spec)
    with connection_to(on, path) as connection:
        plan = planned(connection.client, bundle)
        _say(f"{bundle.spec.study} on {connection.host}\n\n{plan_text(plan)}")
        if plan.look.decision.is_empty:
            _say("Nothing to do: every run that the study wants has been submitted.")
        elif not yes:
            _ask()
        receipts = _carried_out(connection, bundle, plan)
        connection.start_runs(not no_wait)
        if no_wait:
            _say(f"Not waiting. See: doe status {path}")
            if as_json:
                click.echo(_document(bundle, receipts, None))
            return ExitCode.DONE
        results = _awaited(connection, bundle)
    _tell(results, bundle, receipts, as_json=as_json)
    return _verdict(results)


def _ask() -> None:
    if not sys.stdin.isatty():
        raise WrongUsage("apply asks before it submits, and there is no terminal", hint="say --yes")
    if not click.confirm("Do this?", err=True):
        raise DoeError("nothing was done")


def _carried_out(connection: "Connection", bundle: "Bundle", plan: "Planned") -> "list[Receipt]":
    from doe_compiler.apply.protocol import Patience, carried_out
    from doe_compiler.bundle.pack import relying_on_exit_codes

    if connection.tells_exit_codes:
        bundle = relying_on_exit_codes(bundle)
    patience = Patience(connection.settle_s, time.sleep, lambda: secrets.token_hex(4))
    return carried_out(connection.client, bundle, plan.look, patience, _say)


def _awaited(connection: "Connection", bundle: "Bundle") -> "Results":
    from doe_compiler.cli.shown import shown_progress
    from doe_compiler.pipeline.waiting import awaited
    from doe_compiler.results.collect import collected

    steps = awaited(
        connection.client,
        bundle,
        still_works=lambda: connection.start_runs(True),
        patience_s=max(connection.settle_s, 1.0),
    )
    shown_progress(steps, _say)
    return collected(connection.client, bundle)


def _tell(results: "Results", bundle: "Bundle", receipts: "list[Receipt]", *, as_json: bool) -> None:
    from doe_compiler.cli.shown import counted, newest_rows, results_table

    if as_json:
        click.echo(_document(bundle, receipts, results))
    else:
        click.echo("\n" + results_table(results, newest_rows()))
    _say(counted(results))


def _verdict(results: "Results") -> int:
    from doe_compiler.results.states import RunState

    return ExitCode.DONE if results.count(RunState.DONE) == len(results.rows) else ExitCode.FAILED


def _document(bundle: "Bundle", receipts: "list[Receipt]", results: "Results | None") -> str:
    from doe_compiler.results.table import as_json

    document: dict[str, object] = {
        "study": bundle.spec.study,
        "recipe": bundle.recipe,
        "receipts": [
            {"action": r.kind.name.lower(), "job": r.job_id, "name": r.name, "runs": r.runs} for r in receipts
        ],
    }
    if results is not None:
        document["results"] = json.loads(as_json(results))
    return json.dumps(document, ensure_ascii=False, indent=1)


def _say(text: str) -> None:
    click.echo(text, err=True)
