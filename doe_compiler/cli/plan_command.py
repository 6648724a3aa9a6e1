"""`doe plan`: show what apply would do."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from doe_compiler.cli.asked import connection_to, on_option, study_argument, study_file, tell_warnings
from doe_compiler.kernel.errors import ExitCode

if TYPE_CHECKING:
    from doe_compiler.pipeline.planning import Planned


@click.command("plan")
@study_argument
@on_option
@click.option("--json", "as_json", is_flag=True, help="The plan as JSON on stdout.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 if there is something to do.")
def command(study: Path, on: str, as_json: bool, detailed_exitcode: bool) -> int:
    """Show what apply would do, and why; nothing is written to the platform."""
    from doe_compiler.cli.shown import plan_text
    from doe_compiler.pipeline.compiling import compiled
    from doe_compiler.pipeline.planning import planned

    path = study_file(study)
    bundle, warnings = compiled(path)
    tell_warnings(warnings, bundle.spec)
    with connection_to(on, path) as connection:
        plan = planned(connection.client, bundle)
        if as_json:
            click.echo(json.dumps(plan_document(plan, connection.host), ensure_ascii=False, indent=1))
        else:
            click.echo(f"{bundle.spec.study} on {connection.host}\n\n{plan_text(plan)}")
    has_changes = not plan.look.decision.is_empty
    return ExitCode.CHANGES if has_changes and detailed_exitcode else ExitCode.DONE


def plan_document(plan: "Planned", host: str) -> dict[str, object]:
    """The plan as plain data."""
    decision = plan.look.decision
    return {
        "study": plan.bundle.spec.study,
        "host": host,
        "recipe": plan.bundle.recipe,
        "runsWanted": decision.runs_wanted,
        "runsUnchanged": decision.runs_unchanged,
        "actions": [
            {
                "action": action.kind.name.lower(),
                "symbol": action.kind.value,
                "reason": action.reason,
                "runs": action.runs,
                "rows": [row + 1 for row in action.rows],
                "job": action.job_id,
                "generation": action.generation,
            }
            for action in decision.actions
        ],
        "jobsToCreate": plan.new_jobs,
        "coreHours": {"expected": plan.new.core_hours, "atMost": plan.new.most_core_hours},
        "cost": {"expected": plan.new.cost, "atMost": plan.new.most_cost},
    }
