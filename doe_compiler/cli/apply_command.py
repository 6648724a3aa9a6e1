"""`doe apply`: run what is missing, each run exactly once."""

import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from doe_compiler.cli.asked import (
    compiled_studies,
    connection_to,
    on_option,
    plan_options,
    studies_argument,
    wishes,
)
from doe_compiler.kernel.errors import DoeError, ExitCode, WrongUsage

if TYPE_CHECKING:
    from doe_compiler.apply.conduct import Receipt
    from doe_compiler.apply.looking import Look
    from doe_compiler.apply.order import Order
    from doe_compiler.bundle.pack import Bundle
    from doe_compiler.cli.events import Events
    from doe_compiler.pipeline.connection import Connection
    from doe_compiler.pipeline.desk import Desk
    from doe_compiler.pipeline.plan_file import SavedPlan
    from doe_compiler.plan.action import Decision
    from doe_compiler.plan.decide import Wishes


@dataclass(frozen=True, slots=True)
class _Work:
    """What is to be applied: orders with their looks; the bundles are for the results (none: a foreign plan)."""

    orders: "Sequence[Order]"
    looks: "Sequence[Look]"
    decisions: "Sequence[Decision]"
    bundles: "Sequence[Bundle]"
    document: dict[str, Any]
    at: "Desk"
    is_saved: bool = False

    @property
    def is_empty(self) -> bool:
        return all(decision.is_empty for decision in self.decisions)


@click.command("apply")
@studies_argument
@on_option
@plan_options
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--no-wait", is_flag=True, help="Submit and leave; doe status shows how far it is.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    metavar="S",
    help="Begin and wait for nothing more after S seconds.",
)
@click.option(
    "--fail-fast",
    type=click.IntRange(min=1),
    metavar="N",
    help="Once N more runs have failed, submit nothing more and stop what runs.",
)
@click.option(
    "--settle",
    type=click.FloatRange(min=0),
    metavar="S",
    help="Seconds between a draft's creation and the look that judges it (0 on our platform, 30 elsewhere).",
)
@click.option(
    "--forget",
    "forgotten",
    multiple=True,
    metavar="JOB",
    help="This job does not count: it was deleted, say.",
)
@click.option("--parallelism", type=click.IntRange(1, 64), metavar="N", help="Writes at a time (4).")
@click.option("--rps", type=click.FloatRange(min=0.01), metavar="R", help="Requests a second at most.")
@click.option("--json", "as_json", is_flag=True, help="Events and results as JSON lines on stdout.")
@click.option(
    "--json-into",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The same into a file.",
)
def command(
    studies: tuple[Path, ...],
    on: str,
    targets: tuple[str, ...],
    yes: bool,
    no_wait: bool,
    timeout: float | None,
    fail_fast: int | None,
    settle: float | None,
    forgotten: tuple[str, ...],
    parallelism: int | None,
    rps: float | None,
    as_json: bool,
    json_into: Path | None,
    **wished: object,
) -> int:
    """Plan, ask, then run what is missing and show the results; a second apply has nothing to do.

    STUDIES are study files, folders of them, or one plan that was saved by doe plan -o: then exactly that
    plan is applied, without asking, or nothing. Exit 1 if a run has failed.
    """
    from doe_compiler.cli.interruption import halting
    from doe_compiler.cli.plan_shown import plan_text, summary_line
    from doe_compiler.cli.shown import shown_progress
    from doe_compiler.pipeline.applying import Hands, Pace, completed

    if no_wait and fail_fast:
        raise WrongUsage("--fail-fast watches the runs, and --no-wait leaves them: give one of them")
    saved = _saved(studies, targets, wished)
    with _events(as_json, json_into) as events:
        bundles = [] if saved else compiled_studies(studies, targets)
        place = _place_of(saved) if saved else studies[0]
        with connection_to(on, place, rps) as connection:
            work = (
                _from_plan(connection, saved)
                if saved
                else _planned(connection, bundles, wishes(wished), forgotten)
            )
            if not as_json:
                _say(plan_text(work.document))
            if events:
                events.plan(work.document, summary_line(work.document))
            if work.is_empty:
                _say(_nothing_new(connection, work))
            elif not yes and not work.is_saved:
                _ask()
            with halting() as halt:
                completed(
                    connection,
                    work.at,
                    work.orders,
                    work.looks,
                    work.decisions,
                    pace=Pace(settle, parallelism, fail_fast, timeout),
                    hands=Hands(lambda step: _tell(step, events), halt.go_on, halt.sleep),
                    watch=None if no_wait else lambda steps: shown_progress(steps, _say),
                )
            if no_wait:
                _say("\n".join(["Not waiting.", *_see_also(work, on)]))
                return ExitCode.DONE
            return _results(connection, work, events, as_json=as_json)


@contextmanager
def _events(as_json: bool, into: Path | None) -> "Iterator[Events | None]":
    """The events, if they are asked for; an error is the last of them."""
    if not as_json and into is None:
        yield None
        return
    from doe_compiler.cli.events import Events

    file = into.open("w", encoding="utf-8") if into else None
    try:
        streams = [*([sys.stdout] if as_json else []), *([file] if file else [])]
        events = Events(streams)
        try:
            yield events
        except DoeError as error:
            events.error(error)
            raise
    finally:
        if file:
            file.close()


def _saved(
    paths: tuple[Path, ...], targets: tuple[str, ...], wished: dict[str, object]
) -> "SavedPlan | None":
    """The saved plan, if that is what is to be applied."""
    from doe_compiler.pipeline.origin import project_folder
    from doe_compiler.pipeline.plan_file import is_plan, read_plan

    if len(paths) != 1 or not is_plan(paths[0]):
        return None
    if targets or any(wished.values()):
        raise WrongUsage("a saved plan is applied as it is", hint="give --target and the like to doe plan")
    return read_plan(paths[0], root=project_folder(Path.cwd()))


def _place_of(plan: "SavedPlan") -> Path:
    """The folder of the studies of a plan, where their data lies or will; this folder if they are not here."""
    from doe_compiler.pipeline.origin import project_folder

    root = project_folder(Path.cwd())
    common = Path(os.path.commonpath([(root / file).parent for file in plan.files]))
    if not common.is_dir():
        return Path()
    return next((each for each in (common, *common.parents) if (each / ".doe" / "platform").is_dir()), common)


def _planned(
    connection: "Connection", bundles: "Sequence[Bundle]", wished: "Wishes", forgotten: tuple[str, ...]
) -> _Work:
    from doe_compiler.pipeline.desk import desk
    from doe_compiler.pipeline.origin import project_folder
    from doe_compiler.pipeline.plan_file import plan_document
    from doe_compiler.pipeline.planning import planned

    at = desk(connection, Path(bundles[0].spec.file).parent)
    for job_id in forgotten:
        at.forget(job_id)
    plan = planned(connection, bundles, wished, at)
    return _Work(
        [study.order for study in plan.studies],
        [study.look for study in plan.studies],
        [study.decision for study in plan.studies],
        bundles,
        plan_document(plan, root=project_folder(Path.cwd()), with_contents=False),
        at,
    )


def _from_plan(connection: "Connection", plan: "SavedPlan") -> _Work:
    from doe_compiler.apply.looking import looked
    from doe_compiler.pipeline.desk import desk
    from doe_compiler.pipeline.origin import project_folder
    from doe_compiler.pipeline.planning import decision_of, eye_of

    root = project_folder(Path.cwd())
    at = desk(connection, (root / plan.files[0]).parent)
    plan.check(connection.host, at.account)
    plan.check_policies(root)
    orders = [
        replace(order, origin=connection.origin(root / file))
        for order, file in zip(plan.orders, plan.files, strict=True)
    ]
    looks = looked(eye_of(connection, at), orders)
    plan.check_looks(looks)
    return _Work(
        orders,
        looks,
        [decision_of(connection, order, look, at.known) for order, look in zip(orders, looks, strict=True)],
        _same_bundles(root, plan.files, orders),
        dict(plan.document),
        at,
        is_saved=True,
    )


def _same_bundles(root: Path, files: Sequence[str], orders: "Sequence[Order]") -> "list[Bundle]":
    """The studies of a plan as they lie here, where they are still those; for the results only."""
    from doe_compiler.pipeline.compiling import compiled

    bundles = []
    for file, order in zip(files, orders, strict=True):
        try:
            bundle, _ = compiled(root / file)
        except (DoeError, OSError):
            continue
        if (bundle.spec.study, bundle.recipe) == (order.wanted.study, order.wanted.recipe):
            bundles.append(bundle)
    return bundles


def _nothing_new(connection: "Connection", work: _Work) -> str:
    """What is said where there is nothing to submit; runs that were interrupted go on all the same."""
    from doe_compiler.pipeline.waiting import unfinished

    far = unfinished(connection.client, work.orders, work.looks, work.at.known)
    if not far.left:
        return "Nothing to do: every run that is wanted has been submitted."
    return f"Nothing to submit. {_left(connection, far.left)}"


def _left(connection: "Connection", left: int) -> str:
    from doe_compiler.cli.plan_shown import left_text

    return left_text(left, connection.is_executing(), "going on with", connection.goes_on_in)


def _see_also(work: _Work, on: str) -> list[str]:
    """How to look at each study that lies here."""
    elsewhere = "" if on == "local" else f" --on {shlex.quote(on)}"
    return [f"See: doe status {shlex.quote(bundle.spec.file)}{elsewhere}" for bundle in work.bundles]


def _ask() -> None:
    if not sys.stdin.isatty():
        raise WrongUsage(
            "apply asks before it submits, and there is no terminal",
            hint="say --yes, or give it a saved plan",
        )
    if not click.confirm("Do this?", err=True):
        raise DoeError("nothing was done")


def _tell(step: "Receipt", events: "Events | None") -> None:
    from doe_compiler.cli.shown import step_text

    if events:
        events.step(step)
    text = step_text(step)
    if text:
        _say(text)


def _results(connection: "Connection", work: _Work, events: "Events | None", *, as_json: bool) -> int:
    import json

    from doe_compiler.cli.screen import width
    from doe_compiler.cli.shown import counted, newest_rows, results_table
    from doe_compiler.pipeline.desk import kept_readings
    from doe_compiler.results.collect import collected
    from doe_compiler.results.states import RunState
    from doe_compiler.results.table import as_json as table_as_json

    code = ExitCode.DONE
    for bundle in work.bundles:
        kept = kept_readings(connection, Path(bundle.spec.file).parent)
        results = collected(connection.client, bundle, kept=kept)
        if events:
            events.tell(
                "outputs",
                f"{bundle.spec.study}: {counted(results)}",
                study=bundle.spec.study,
                outputs={
                    "results": {
                        "sensitive": False,
                        "type": "dynamic",
                        "value": json.loads(table_as_json(results)),
                    }
                },
            )
        if not as_json:
            with suppress(BrokenPipeError):  # the exit code is to tell of the runs
                click.echo("\n" + results_table(results, newest_rows(), width(), command="doe results "))
        _say(f"{bundle.spec.study}: {counted(results)}" if len(work.bundles) > 1 else counted(results))
        if results.count(RunState.DONE) != len(results.rows):
            code = ExitCode.FAILED
    if len(work.bundles) < len(work.orders):
        _say(
            "The studies of this plan are not the ones in this folder: doe results shows theirs where they are."
        )
    return code


def _say(text: str) -> None:
    click.echo(text, err=True)
