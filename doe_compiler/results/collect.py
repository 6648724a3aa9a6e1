"""Collect the results of a study from its submitted jobs: one row a run of the design."""

import shlex
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from doe_compiler.bundle.observation import Phase, SeenJob
from doe_compiler.bundle.pack import Bundle
from doe_compiler.bundle.rows import design_keys
from doe_compiler.bundle.steps import EXIT_NAME
from doe_compiler.bundle.wanted import wanted_of
from doe_compiler.client.answers import RunEntry
from doe_compiler.client.client import Client
from doe_compiler.extraction.told import Told
from doe_compiler.kernel.errors import WrongUsage
from doe_compiler.observe.known import KnownJobs
from doe_compiler.observe.listing import copies, study_jobs, submitted_jobs
from doe_compiler.observe.looking import has_failed, keys_by_run, subject_of
from doe_compiler.results.inputs import InputDifferences
from doe_compiler.results.late import LateCommands
from doe_compiler.results.logs import end_of_log, last_words
from doe_compiler.results.responses import CurrentResponses
from doe_compiler.results.states import RunState, run_state
from doe_compiler.spec.model import Spec, is_generated

_RUNS_A_PAGE = 1000
_MOST_LOGS_ASKED_FOR = 50
_Found = dict[object, deque[tuple[SeenJob, RunEntry]]]


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One run: its number in the design from 1, inputs as text, responses as text, state and place.

    The number is 0 where the design does not have it; `tries` are those that there were, of which it is the last.
    """

    run: int
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    state: RunState
    why: str
    job_id: str | None
    job_run: int | None
    directory: str = ""
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Results:
    """The table of a study; `inputs` are the columns of the design, outputs those of `responses`.

    A row shows the inputs that its run had; `differences` tells where the study says otherwise by now.
    """

    spec: Spec
    inputs: tuple[str, ...]
    rows: tuple[ResultRow, ...]
    differences: tuple[str, ...] = ()

    def count(self, state: RunState) -> int:
        """How many runs are in a state."""
        return sum(row.state is state for row in self.rows)


def collected(
    client: Client,
    bundle: Bundle,
    run_directory: Callable[[str, int], Path | None] = lambda _job, _run: None,
    *,
    kept: MutableMapping[str, str] | None = None,
    late: LateCommands | None = None,
    named: str = "",
    recipe: str | None = None,
    with_derived: bool = False,
) -> Results:
    """The results of the study's present recipe; a row that was never submitted is there as `missing`.

    With `recipe`, the first digits of an older one, they are what that has run; raises WrongUsage if there is none.

    `run_directory` tells where a run's files lie, or None where they are only on the platform. `kept` holds what was
    read later than the run; with `late` responses by command are read. `named` is what the user calls the study: with
    it, rows whose command failed say how their logs end. The columns that templates derive are left out but
    `with_derived`.
    """
    current = CurrentResponses(client, bundle.spec, late=late, kept=kept)
    results = (
        _collected(client, bundle, current) if recipe is None else _of_older(client, bundle, recipe, current)
    )
    most_asked = iter(range(_MOST_LOGS_ASKED_FOR))
    placed = []
    for row in results.rows:
        if row.job_id is None or row.job_run is None:
            placed.append(row)
            continue
        directory = run_directory(row.job_id, row.job_run)
        why = row.why
        has_failed = row.state is RunState.FAILED and row.outputs.get(EXIT_NAME) != "0"
        if named and has_failed and (directory is not None or next(most_asked, None) is not None):
            words = last_words(end_of_log(client, row.job_id, row.job_run, directory))
            see = f" (doe logs {shlex.quote(named)} {row.run})" if recipe is None else ""
            why += f": {words}{see}" if words else ""
        placed.append(replace(row, why=why, directory=str(directory or "")))
    inputs = tuple(name for name in results.inputs if with_derived or not is_generated(name))
    return replace(results, inputs=inputs, rows=tuple(placed))


def place_of(client: Client, bundle: Bundle, number: int) -> tuple[SeenJob, RunEntry] | None:
    """The job that holds a run of the study, by its number in the results, and the run there; None: not submitted."""
    jobs = _submitted(client, bundle)
    if bundle.design is None:
        runs = ((job, run) for job in _of_unit(bundle, jobs) for run in client.all_runs(job.id, _RUNS_A_PAGE))
        return next(islice(runs, number - 1, None), None)
    found = _found(client, bundle, jobs)
    keys = design_keys(bundle.design).tolist()
    key = keys[number - 1]
    held = list(found[key])
    at = keys[: number - 1].count(key)
    return held[at] if at < len(held) else None


def _collected(client: Client, bundle: Bundle, current: CurrentResponses) -> Results:
    jobs = _submitted(client, bundle)
    if bundle.design is None:
        return _platform_sampled(client, bundle, _of_unit(bundle, jobs), current)
    desired = design_keys(bundle.design)
    found = _found(client, bundle, jobs)
    differences = InputDifferences(bundle.texts)
    rows = []
    for index, key in enumerate(desired.tolist()):
        inputs = bundle.design.row(index)
        if not found[key]:
            rows.append(ResultRow(index + 1, inputs, {}, RunState.MISSING, "", None, None))
            continue
        tries = _tries(found[key])
        job, run = found[key].popleft()
        row = _row(current, index + 1, differences.as_run(index + 1, inputs, run), job, run)
        rows.append(replace(row, tries=tries))
    return Results(bundle.spec, bundle.design.names, tuple(rows), differences.told())


def _tries(held: Iterable[tuple[SeenJob, RunEntry]]) -> int:
    return 1 + max(job.mark.generation for job, _ in held)


def _of_older(client: Client, bundle: Bundle, recipe: str, current: CurrentResponses) -> Results:
    """What the jobs of one recipe have run, each run with the inputs that it had, in the order of today's design."""
    jobs = _of_recipe(study_jobs(client, bundle.spec.study), recipe)
    if bundle.design is None:
        return _platform_sampled(client, bundle, jobs, current)
    names = bundle.design.names
    numbers: dict[object, list[int]] = defaultdict(list)
    for index, key in enumerate(design_keys(bundle.design).tolist()):
        numbers[key].append(index + 1)
    rows = []
    for key, held in _found(client, bundle, jobs, with_others=True).items():
        tries = _tries(held)
        for number, (job, run) in zip(numbers.get(key, [0]), held, strict=False):
            had = {v.name: bundle.texts.get(v.display_value, v.display_value) for v in run.variables}
            row = _row(current, number, {name: had.get(name, "") for name in names}, job, run)
            rows.append(replace(row, tries=tries))
    rows.sort(key=lambda row: (row.run == 0, row.run))
    return Results(bundle.spec, names, tuple(rows))


def _of_recipe(jobs: Sequence[SeenJob], recipe: str) -> list[SeenJob]:
    """The submitted jobs of the one recipe that begins with some digits."""
    if not recipe:
        raise WrongUsage(
            "--recipe: it is empty", hint="give the first digits of a recipe, as doe status tells them"
        )
    copied = copies(jobs)
    submitted = [job for job in jobs if not job.is_draft and job.id not in copied]
    known = sorted({job.mark.recipe for job in submitted})
    meant = [each for each in known if each.startswith(recipe.lower())]
    if len(meant) != 1:
        raise WrongUsage(
            f"--recipe {recipe}: {'several recipes begin' if meant else 'no job of the study has a recipe that begins'} so",
            hint=f"there are {', '.join(meant or known)}" if known else "nothing was submitted yet",
        )
    return [job for job in submitted if job.mark.recipe == meant[0]]


def _submitted(client: Client, bundle: Bundle) -> list[SeenJob]:
    """The submitted jobs of the study's present recipe."""
    return submitted_jobs(client, bundle.spec.study, bundle.recipe)


def _of_unit(bundle: Bundle, jobs: Sequence[SeenJob]) -> list[SeenJob]:
    """Of jobs whose rows the platform samples those that sample as the study says."""
    unit = bundle.job(()).unit()
    return [job for job in jobs if job.mark.unit == unit]


def _found(client: Client, bundle: Bundle, jobs: Sequence[SeenJob], *, with_others: bool = False) -> _Found:
    """The runs that there are by the key of their row, those that count first.

    With `with_others` also runs of which no row of the study's variables is known, each by itself.
    """
    subject, known = subject_of(wanted_of(bundle)), KnownJobs()
    found: _Found = defaultdict(deque)
    for job in jobs:
        runs = client.all_runs(job.id, _RUNS_A_PAGE)
        keys = keys_by_run(client, subject, job, known, runs).tolist()
        for run in runs:
            if 0 < run.number <= len(keys):
                _insert(found[keys[run.number - 1]], job, run)
            elif with_others:
                found[job.id, run.number].append((job, run))
    return found


def lacking_runs(client: Client, bundle: Bundle, job: SeenJob) -> dict[int, tuple[str, ...]]:
    """The runs of a job that went well but for required responses, by number, and which they lack."""
    inputs = dict.fromkeys(bundle.design.names if bundle.design else [], "")
    current = CurrentResponses(client, bundle.spec, is_for_retries=True)
    required = [response.name for response in bundle.spec.responses if response.required]
    found = {}
    for run in client.all_runs(job.id, _RUNS_A_PAGE):
        if run.completed is None or has_failed(run):
            continue
        row = _row(current, 0, inputs, job, run)
        if row.state is RunState.FAILED:
            found[run.number] = tuple(name for name in required if name not in row.outputs)
    return found


def _insert(held: deque[tuple[SeenJob, RunEntry]], job: SeenJob, run: RunEntry) -> None:
    """A completed run, or one that will be, comes before one that its job left undone; a later try first."""
    is_alive = run.completed is not None or job.phase is not Phase.FINISHED
    if is_alive and (not held or held[0][0].mark.generation <= job.mark.generation):
        held.appendleft((job, run))
    else:
        held.append((job, run))


def _platform_sampled(
    client: Client, bundle: Bundle, jobs: Sequence[SeenJob], current: CurrentResponses
) -> Results:
    names = tuple(variable.name for variable in bundle.spec.variables)
    rows: list[ResultRow] = []
    for job in jobs:
        for run in client.all_runs(job.id, _RUNS_A_PAGE):
            texts = {variable.name: variable.display_value for variable in run.variables}
            inputs = {name: texts.get(name, "") for name in names}
            rows.append(_row(current, len(rows) + 1, inputs, job, run))
    return Results(bundle.spec, names, tuple(rows))


def _row(
    current: CurrentResponses, number: int, inputs: Mapping[str, str], job: SeenJob, run: RunEntry
) -> ResultRow:
    found = current.outputs(job, run, inputs)
    state, why = run_state(
        is_started=run.started is not None,
        is_completed=run.completed is not None,
        job_is_finished=job.phase is Phase.FINISHED,
        outputs=found.values,
        responses=current.spec.responses,
        told=Told(found.missing, found.notes),
        is_timed_out=found.is_timed_out,
        unread=found.unread,
    )
    return ResultRow(number, inputs, found.values, state, why, job.id, run.number)
