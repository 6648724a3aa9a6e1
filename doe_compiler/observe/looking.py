"""Look at the platform: the jobs of studies, the rows that they hold, and what became of those; reads only."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from doe_compiler.bundle.mark import Mark, read_mark
from doe_compiler.bundle.observation import NO_KEYS, Holding, Observation, Phase, SeenJob, by_age
from doe_compiler.bundle.rows import Keys, row_set, text_keys
from doe_compiler.bundle.steps import EXIT_NAME
from doe_compiler.bundle.wanted import Wanted
from doe_compiler.client.client import Client, RunEntry
from doe_compiler.client.errors import NotFound
from doe_compiler.kernel.canonical import sha256_hex
from doe_compiler.kernel.errors import DoeError, NotAllowedIn, PreconditionFailed, TryAgain
from doe_compiler.observe.known import KnownJobs
from doe_compiler.observe.listing import copies, marked_jobs, of_recipe, phase_of
from doe_compiler.observe.rows import Ranges, job_keys

_RUNS_A_PAGE = 1000
_RAN_TO_THE_END = ("Completed successfully", "A run failed")
_MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Subject:
    """What a look is to find of a study.

    `remembered` are jobs, id to name, that are known to have been submitted, and must not be missing; the jobs in
    `forgotten` do not count. With `with_failures` the runs that have failed are looked for.
    """

    wanted: Wanted
    ranges: Ranges
    remembered: Callable[[], Mapping[str, str]] = dict
    forgotten: frozenset[str] = frozenset()
    with_failures: bool = True


def subject_of(wanted: Wanted) -> Subject:
    """A study that is only looked at."""
    return Subject(wanted, Ranges(wanted.keys))


@dataclass(frozen=True)
class Eye:
    """Looks at one platform as one account.

    `clock` are seconds, strictly rising, in suspend too. `abandoned()` are the nonces of makers that are dead. `known` is shared by the looks of one command so that nothing
    is read twice.
    """

    client: Client
    account: str
    clock: Callable[[], float]
    known: KnownJobs = field(default_factory=KnownJobs)
    abandoned: Callable[[], frozenset[str]] = frozenset

    def look(
        self, subjects: Sequence[Subject], submitted: Sequence[frozenset[str]] | None = None
    ) -> tuple[Observation, ...]:
        """One look a study, from one reading of the list; `submitted` are jobs that no list may show as drafts.

        Raises PreconditionFailed if a job that was submitted is gone or cannot be read, TryAgain if a listed one does
        not answer.
        """
        submitted = submitted or [frozenset()] * len(subjects)
        try:
            return self._look(subjects, submitted)
        except _Vanished:
            return self._look(subjects, submitted)

    def _look(
        self, subjects: Sequence[Subject], submitted: Sequence[frozenset[str]]
    ) -> tuple[Observation, ...]:
        begun = self.clock()
        abandoned = self.abandoned()
        listed = marked_jobs(self.client, self.account)
        date = self.client.server_time()
        ended = self.clock()
        date_us = None if date is None else round(date.timestamp() * _MICROSECONDS)
        return tuple(
            replace(
                self._of_study(subject, listed.get(subject.wanted.study, ()), known),
                begun=begun,
                ended=ended,
                date_us=date_us,
                abandoned=abandoned,
            )
            for subject, known in zip(subjects, submitted, strict=True)
        )

    def _of_study(
        self, subject: Subject, jobs: tuple[SeenJob, ...], submitted: frozenset[str]
    ) -> Observation:
        jobs = tuple(job for job in jobs if job.id not in subject.forgotten)
        jobs = tuple(sorted([*jobs, *self._unlisted(subject, jobs)], key=by_age))
        copied = copies(jobs)
        counting = [job for job in jobs if job.id not in copied]
        own = of_recipe(counting, subject.wanted.recipe)
        mine = {job.id for job in own}
        holdings = [self.holding(subject, job, submitted) for job in own]
        return Observation(
            0.0,
            0.0,
            None,
            tuple(holding for holding in holdings if holding is not None),
            tuple(job for job in jobs if job.id in copied),
            tuple(job for job in counting if job.id not in mine),
            jobs,
        )

    def _unlisted(self, subject: Subject, jobs: Sequence[SeenJob]) -> list[SeenJob]:
        """The jobs that are known to have been submitted and that the list does not show: unknown is not absent."""
        shown = {job.id for job in jobs}
        found = []
        for job_id, name in sorted(subject.remembered().items()):
            if job_id in shown or job_id in subject.forgotten:
                continue
            try:
                found.append(self._by_id(subject, job_id))
            except NotFound as error:
                raise PreconditionFailed(
                    f"job {job_id} of study '{subject.wanted.study}' was submitted and is gone: {name}",
                    hint=f"if it was deleted on purpose: doe apply --forget {job_id}",
                ) from error
        return found

    def _by_id(self, subject: Subject, job_id: str) -> SeenJob:
        job = self.client.job(job_id)
        mark = read_mark(job.name)
        if mark is None or mark.study != subject.wanted.study:
            raise PreconditionFailed(
                f"job {job_id} was submitted for study '{subject.wanted.study}' and has lost its mark: "
                f"it is now called {job.name!r}",
                hint=f"doe adopt {job_id} gives it its name back; doe apply --forget {job_id} does without it",
            )
        statuses = self.client.statuses(job_id)
        status = statuses[0].status if statuses else ""
        created = 0 if job.date_inserted is None else round(job.date_inserted.timestamp() * _MICROSECONDS)
        return SeenJob(job_id, job.name, mark, phase_of(status), status, created)

    def holding(
        self, subject: Subject, job: SeenJob, submitted: frozenset[str] = frozenset()
    ) -> Holding | None:
        """A job of the recipe with its rows and what became of them; None for a draft that is gone."""
        is_submitted = not job.is_draft or job.id in submitted
        try:
            keys = self.keys(subject, job)
            if not is_submitted or job.phase is not Phase.FINISHED:
                return Holding(job, keys)
            return self._ended(subject, job, keys)
        except NotFound:
            if is_submitted:
                raise _Vanished(job.id) from None
            return None
        except (NotAllowedIn, TryAgain):
            if is_submitted:
                raise
            return Holding(job, None)
        except DoeError as error:
            if not is_submitted:
                return Holding(job, None)
            raise PreconditionFailed(
                f"the rows of job {job.id} cannot be read: {error.message}",
                hint=f"without them nobody knows what is missing; doe apply --forget {job.id} does without the job",
            ) from error

    def keys(self, subject: Subject, job: SeenJob) -> Keys:
        """The rows that a job holds; not always in the order of its runs."""
        return held_keys(self.client, subject, job, self.known)

    def _ended(self, subject: Subject, job: SeenJob, keys: Keys) -> Holding:
        """A finished job with the rows that it did not complete, and those that failed."""
        ran_to_the_end = (job.reason or "").startswith(_RAN_TO_THE_END)
        if ran_to_the_end and (job.runs_failed == 0 or not subject.with_failures):
            return Holding(job, keys)
        lost = self.known.numbers(f"lost {job.id}", lambda: self._lost(job)) or frozenset()
        failed: frozenset[int] = frozenset()
        if subject.with_failures and job.mark.rows is not None:
            failed = self.known.numbers(f"failed {job.id}", lambda: self._failed(job)) or frozenset()
        if job.mark.rows is None:
            return Holding(job, keys, keys if lost else keys[:0])
        if not lost | failed:
            return Holding(job, keys)
        return Holding(job, keys, self.rows_of(subject, job, lost), self.rows_of(subject, job, failed))

    def rows_of(self, subject: Subject, job: SeenJob, runs: Collection[int]) -> Keys:
        """The keys of the rows of some of a job's runs, which are told by their numbers."""
        if not runs:
            return NO_KEYS
        keys = keys_by_run(self.client, subject, job, self.known)
        return keys[[number - 1 for number in sorted(runs) if number <= len(keys)]]

    def _lost(self, job: SeenJob) -> frozenset[int] | None:
        """The runs of a finished job that were not completed, which its end explains; None while that is not known."""
        left = frozenset(run.number for run in self._runs(job.id) if run.completed is None)
        if not left:
            return left
        reason = job.reason
        if reason is None:
            latest = next(iter(self.client.statuses(job.id)), None)
            reason = "" if latest is None else latest.reason
        if reason.startswith(_RAN_TO_THE_END):
            return frozenset()
        latest = next(iter(self.client.cluster_statuses(job.id)), None)
        return left if latest is None or latest.status == "Stopped" else None

    def _failed(self, job: SeenJob) -> frozenset[int]:
        return frozenset(
            run.number for run in self._runs(job.id) if run.completed is not None and has_failed(run)
        )

    def _runs(self, job_id: str) -> tuple[RunEntry, ...]:
        return self.client.all_runs(job_id, _RUNS_A_PAGE)


def held_keys(client: Client, subject: Subject, job: SeenJob, known: KnownJobs) -> Keys:
    """The rows that a job holds, in the order of the design if its mark tells them; see `keys_by_run`.

    The one row of a job that the platform samples.
    """
    found = _recognised(subject, job.mark)
    return _read_keys(client, subject, job, known) if found is None else found


def keys_by_run(
    client: Client, subject: Subject, job: SeenJob, known: KnownJobs, runs: Sequence[RunEntry] = ()
) -> Keys:
    """The rows that a job holds in the order of its runs, which may not be that of today's design.

    Told by the inputs of its runs where those are the rows that its mark counts and sums, else by its CSV.
    """
    found = _recognised(subject, job.mark)
    if found is not None and len(found) < 2:
        return found
    told = _told_by(runs, subject.wanted, job.mark)
    return _read_keys(client, subject, job, known, asks_runs=not runs) if told is None else told


def _recognised(subject: Subject, mark: Mark) -> Keys | None:
    """The rows of a job as a range of the design, whatever order the job has them in."""
    if mark.rows is None:
        return np.array([int(mark.unit or "0", 16)], np.uint64)
    return subject.ranges.find(mark.rows)


def _told_by(runs: Sequence[RunEntry], wanted: Wanted, mark: Mark) -> Keys | None:
    """The rows by the inputs that the platform shows of all runs of a job, if they are those of its mark."""
    count = mark.rows.count if mark.rows else 0
    runs = sorted((run for run in runs if 0 < run.number <= count), key=lambda run: run.number)
    if not runs or len(runs) != count:
        return None
    inputs = [{each.name: each.display_value for each in reversed(run.variables)} for run in runs]
    names = [*wanted.varied, *(["doe_replicate"] if "doe_replicate" in inputs[0] else [])]
    if any(name not in each for each in inputs for name in names):
        return None
    columns = {name: [wanted.texts.get(each[name], each[name]) for each in inputs] for name in names}
    keys = text_keys(columns, count)
    return keys if row_set(keys) == mark.rows else None


def _read_keys(
    client: Client, subject: Subject, job: SeenJob, known: KnownJobs, *, asks_runs: bool = False
) -> Keys:
    wanted, mark = subject.wanted, job.mark
    name = f"rows {job.id} {mark} {' '.join(wanted.varied)}"
    if wanted.texts:
        name += f" {sha256_hex(' '.join(wanted.texts).encode())}"

    def find() -> Keys:
        told = _told_by(client.all_runs(job.id, _RUNS_A_PAGE), wanted, mark) if asks_runs else None
        return job_keys(client, client.job(job.id), wanted.varied, wanted.texts) if told is None else told

    return known.keys(name, find)


def has_failed(run: RunEntry) -> bool:
    """Whether a completed run has an exit status that is not 0, or none."""
    if run.exit_code is not None:
        return run.exit_code != 0
    told = [each.display_value for each in run.variables if each.name == EXIT_NAME]
    return not told or told[-1] != "0"


class _Vanished(TryAgain):
    """A job that the list shows as submitted does not exist."""

    def __init__(self, job_id: str) -> None:
        super().__init__(
            f"the list of jobs shows job {job_id}, which does not exist", hint="run the same command again"
        )
