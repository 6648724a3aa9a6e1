"""A plan and an apply that have nothing to do, with 100 to 10,000 jobs on the platform; a first apply; a cold plan.

The jobs hold a run each, are created and submitted by an apply, and are then set to ended in the database: nothing is
executed. Requests are counted where the embedded platform answers them, the rest is of the whole command, on a RAM disk
if there is one.
"""

import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.timing import in_turn, peak_mb, process_s, show
from doe_compiler.client.client import Client
from doe_compiler.client.pacing import Scope, seconds_for
from doe_compiler.kernel.wire import Request, Response
from doe_compiler.pipeline.applying import Hands, Pace, applied
from doe_compiler.pipeline.compiling import compiled
from doe_compiler.pipeline.connection import Connection
from doe_compiler.pipeline.desk import desk
from doe_compiler.pipeline.planning import planned
from doe_compiler.plan.decide import Wishes
from doe_compiler.plan.memory import OURS
from doe_compiler.platform.api.service import open_platform

DOE = str(Path(sys.executable).parent / "doe")
STUDY = """\
doe: 1
study: many
variables: {{x: {{generator: Uniform, min: 0, max: 1}}}}
design: {{method: monte-carlo, runs: {runs}}}
analyses:
  - analysis: {{code: user_included}}
    command: "true"
    hardware: {{coreType: standard-plus, slots: 2}}
    templates: [{{source: deck.template, target: deck.txt}}]
job: {{runsPerJob: {runs_per_job}}}
"""
ENDED = """
UPDATE jobs SET state = 'finished', status = 'Completed', status_reason = 'Completed successfully', turn = NULL,
    cluster_status = 'Stopped', runs_completed = expected_runs, runs_failed = 0
"""


def study_in(folder: Path, runs: int, runs_per_job: int) -> Path:
    """A new folder with a study."""
    folder.mkdir(parents=True)
    (folder / "deck.template").write_text("x = ${x}\n")
    (folder / "study.yaml").write_text(STUDY.format(runs=runs, runs_per_job=runs_per_job))
    return folder


@contextmanager
def counting(folder: Path) -> Iterator[tuple[Connection, Counter[str]]]:
    """The embedded platform of a study, on which nobody executes, with the requests that it answers."""
    platform = open_platform(folder / ".doe" / "platform")
    requests: Counter[str] = Counter()

    def answer(request: Request) -> Response:
        path = request.path.split("?")[0]
        requests["submit" if path.endswith("/submit/") else request.method] += 1
        return platform.answer(request)

    client = Client.embedded(answer)
    try:
        yield (
            Connection(
                client, "local", lambda: OURS, lambda _tied: None, lambda _job, _run: None,
                reads_outputs=lambda: True, is_embedded=True,
            ),
            requests,
        )  # fmt: skip
    finally:
        client.close()
        platform.close()


def plan_requests(folder: Path, *, applies: bool = False) -> Counter[str]:
    """The requests of a plan, or of an apply that is not waited for."""
    bundle, _ = compiled(folder / "study.yaml")
    with counting(folder) as (connection, requests):
        at = desk(connection, folder)
        plan = planned(connection, [bundle], Wishes(), at)
        if applies:
            applied(
                connection, at, [each.order for each in plan.studies], [each.look for each in plan.studies],
                [each.decision for each in plan.studies], pace=Pace(), hands=Hands(lambda _receipt: None, lambda: None, time.sleep),
            )  # fmt: skip
    return requests


def end_all(folder: Path) -> None:
    """Set every job to ended."""
    database = sqlite3.connect(folder / ".doe" / "platform" / "platform.sqlite")
    with database:
        database.execute(ENDED)
    database.close()


def nothing_to_do(parent: Path, jobs: int) -> list[tuple[str, str, str, str]]:
    """The rows of the table for one number of jobs."""
    folder = study_in(parent / f"{jobs}", jobs, 1)
    plan_requests(folder, applies=True)
    end_all(folder)
    rows = []
    for name, command in (
        ("plan", [DOE, "plan", str(folder)]),
        ("apply", [DOE, "apply", str(folder), "--yes", "--no-wait"]),
    ):
        requests = plan_requests(folder, applies=name == "apply").total()
        seconds = in_turn({name: lambda command=command: process_s(command)}, rounds=3)[name]
        told = f"{seconds:.2f} s, {peak_mb(command):.0f} MB"
        rows.append(
            (f"{name} with {jobs:,} jobs", f"{requests} requests", told, "2 s" if jobs == 10_000 else "")
        )
    return rows


def first_apply(parent: Path) -> list[tuple[str, str, str, str]]:
    """10,000 runs as 10 jobs, and what 10,000 jobs would need for the cloud's throttles alone."""
    folder = study_in(parent / "first", 10_000, 1000)
    began = time.perf_counter()
    requests = plan_requests(folder, applies=True)
    seconds = time.perf_counter() - began
    return [
        ("10,000 runs as 10 jobs, in this process", f"{requests['submit']} submits", f"{seconds:.2f} s", ""),
        ("... their submits by the cloud's throttle", "", f"{seconds_for(Scope.SUBMITS, 10):.0f} s", ""),
        (
            "10,000 jobs, their submits by that throttle",
            "10000 submits",
            f"{seconds_for(Scope.SUBMITS, 10_000):.0f} s",
            "",
        ),
    ]


def cold_plan(parent: Path) -> list[tuple[str, str, str, str]]:
    """A plan of 1,000 runs that nobody has run, against an import of what it needs and Dakota's check."""
    folder = study_in(parent / "cold", 1000, 1000)
    imports = [sys.executable, "-c", "import click, yaml, jsonschema, numpy, httpx2, sqlite3"]
    subjects = {
        "import click, yaml, jsonschema, numpy, httpx2, sqlite3": imports,
        "doe plan of 1,000 runs": [DOE, "plan", str(folder)],
    }
    dakota = shutil.which("dakota")
    if dakota:
        (folder / "study.in").write_text(DAKOTA)
        subjects["dakota -check"] = [dakota, "-check", "-i", str(folder / "study.in")]
    taken = in_turn({name: lambda c=command: process_s(c) for name, command in subjects.items()}, rounds=9)
    rows = [
        (name, "", f"{seconds:.2f} s", "0.25 s" if "plan" in name else "") for name, seconds in taken.items()
    ]
    if not dakota:
        rows.append(("dakota -check", "", "not installed", ""))
    return rows


DAKOTA = """\
method
  sampling
    samples = 1000
    seed = 7
variables
  uniform_uncertain = 1
    lower_bounds = 0
    upper_bounds = 1
interface
  fork
    analysis_drivers = 'true'
responses
  response_functions = 1
  no_gradients
  no_hessians
"""


def main() -> None:
    parent = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=parent) as name:
        rows = [("what", "requests", "taken", "aim")]
        for jobs in (100, 1_000, 10_000):
            rows += nothing_to_do(Path(name), jobs)
        show("Nothing to do (whole commands; apply with --no-wait)", rows)
        show("A first apply", [("what", "requests", "taken", "aim"), *first_apply(Path(name))])
        show("A cold plan (whole processes)", [("what", "", "taken", "aim"), *cold_plan(Path(name))])
