"""Carry out the protocol: ask `plan` for the next step of each study, do it, and take the next look.

Nothing is decided here. Steps of all studies are done until each of them wants to look, and one look serves them all.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import NoReturn, TypeVar

from doe_compiler.apply.conduct import Conduct, Receipt
from doe_compiler.apply.looking import Look, looked
from doe_compiler.apply.order import Order
from doe_compiler.apply.upload import Uploads
from doe_compiler.apply.writing import Draft, Outcome, Sending, TooOld, Writer
from doe_compiler.bundle.mark import RECIPE_DIGITS, Mark
from doe_compiler.bundle.payload import with_ids
from doe_compiler.bundle.wanted import ReadyJob
from doe_compiler.kernel.errors import (
    DoeError,
    DoubleSubmit,
    ExitCode,
    NotAllowedIn,
    PreconditionFailed,
    TryAgain,
)
from doe_compiler.observe.looking import Eye
from doe_compiler.plan import memory as remembered
from doe_compiler.plan.memory import Answer, Leaving, Memory, Times
from doe_compiler.plan.steps import Create, Delete, End, Pack, Statuses, Step, Stop, Submit
from doe_compiler.plan.steps import Look as Wait
from doe_compiler.plan.tables import next_step

_CREATING_PART_OF_OWN = 0.25
_Item = TypeVar("_Item")


@dataclass
class _Study:
    """One study on its way: its order, its latest look with what is remembered, and how it ended."""

    order: Order
    look: Look
    drafts: dict[str, Draft] = field(default_factory=dict)
    files: Mapping[str, str] | None = None
    end: End | None = None

    @property
    def memory(self) -> Memory:
        return self.look.memory

    def remember(self, memory: Memory) -> None:
        self.look = replace(self.look, memory=memory)

    def draft(self, job_id: str) -> Draft:
        """A job by its id, made here or seen in the list."""
        if job_id in self.drafts:
            return self.drafts[job_id]
        job = next(job for job in self.look.seen.jobs if job.id == job_id)
        return Draft(job.id, job.name, job.mark)


@dataclass
class Driver:
    """One apply of some studies on one platform.

    `throttle` tells how many submits may be sent at once, and how long to wait for one (None: any number).
    `ends_for` is asked at every look whether the apply is to end, and why.
    """

    eye: Eye
    writer: Writer
    times: Times
    throttle: Callable[[], tuple[int, float]] | None = None
    ends_for: Callable[[Sequence[Look]], Leaving | None] = lambda _looks: None
    _tags: dict[str, str | None] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    @property
    def conduct(self) -> Conduct:
        """How it goes about it."""
        return self.writer.conduct

    def carry_out(self, orders: Sequence[Order], looks: Sequence[Look]) -> None:
        """Submit what the looks have found missing.

        Raises TryAgain, DoubleSubmit, PreconditionFailed and what the platform refuses; my drafts are withdrawn first.
        """
        studies = [_Study(order, look) for order, look in zip(orders, looks, strict=True)]
        try:
            self._drive(studies)
        except BaseException as error:
            self._withdraw(studies, error)
            raise
        self._conclude(studies)

    def _drive(self, studies: Sequence[_Study]) -> None:
        while True:
            waits = [wait for study in studies if study.end is None and (wait := self._until_wait(study))]
            if all(study.end for study in studies):
                return
            self._wait(min(waits, key=lambda wait: wait.pause_s))
            self._look(studies)

    def _until_wait(self, study: _Study) -> Wait | None:
        """Do what can be done without another look; None if nothing is left to do."""
        while True:
            step, memory = next_step(
                study.look.seen,
                study.memory,
                study.order.want,
                self.times,
                self.conduct.clock(),
                self._most(),
            )
            study.remember(memory)
            if isinstance(step, Wait):
                return step
            if isinstance(step, End):
                study.end = step
                return None
            self._do(study, step)

    def _most(self) -> int:
        return 1 << 30 if self.throttle is None else self.throttle()[0]

    def _wait(self, wait: Wait) -> None:
        seconds = wait.pause_s
        if self.throttle is not None and self.throttle()[0] < 1:
            seconds = max(seconds, self.throttle()[1])
        if seconds <= 0:
            return
        self.conduct.tell(Receipt("wait", name=wait.why, seconds=seconds))
        until = self.conduct.clock() + seconds
        while (left := until - self.conduct.clock()) > 0:
            self.conduct.go_on()
            self.conduct.sleep(left)

    def _look(self, studies: Sequence[_Study]) -> None:
        looks = looked(self.eye, [study.order for study in studies], [study.memory for study in studies])
        leaving = self.ends_for(looks)
        for study, look in zip(studies, looks, strict=True):
            study.look = look
            if leaving is not None and study.end is None:
                study.remember(replace(study.memory, leaving=study.memory.leaving or leaving))

    def _do(self, study: _Study, step: Step) -> None:
        match step:
            case Create(packs):
                self._create(study, packs)
            case Submit(job_ids):
                self._submit(study, job_ids)
            case Statuses(job_id):
                outcome, tag = self.writer.has_history(job_id)
                self._tags[job_id] = tag
                if outcome.answer is Answer.DONE and study.memory.was_sent(job_id):
                    self.writer.tell_submitted(study.draft(job_id))
                self._learn(study, step, job_id, outcome)
            case Delete(job_id):
                outcome = self.writer.delete(study.draft(job_id), self._tags.get(job_id))
                self._learn(study, step, job_id, outcome)
            case Stop(job_id):
                self._learn(study, step, job_id, self.writer.stop(study.draft(job_id)))
            case _:
                raise AssertionError(step)

    def _learn(self, study: _Study, step: Step, job_id: str, outcome: Outcome) -> None:
        with self._lock:
            now = self.conduct.clock()
            memory = remembered.learnt(study.memory, step, job_id, outcome.answer, now, outcome.trouble)
            study.remember(memory)

    def _each(self, function: Callable[[_Item], None], items: Sequence[_Item]) -> None:
        """The function over all items, several at a time; the first failure is raised when the last has ended."""
        errors = [
            outcome for _, outcome in self.conduct.each(function, items) if isinstance(outcome, BaseException)
        ]
        if errors:
            raise errors[0]

    # Creates

    def _create(self, study: _Study, packs: Sequence[Pack]) -> None:
        """Make the drafts of a round; none is begun when the first of them is a part of `own` old."""
        uploads = Uploads(self.eye.client, self.conduct.go_on)
        if study.files is None:
            study.files = uploads.ids(study.order.wanted.files)
        began = self.conduct.clock()

        def create(pack: Pack) -> None:
            if self.conduct.clock() - began <= self.times.own * _CREATING_PART_OF_OWN:
                self._create_one(study, pack, uploads)

        self._each(create, packs)

    def _create_one(self, study: _Study, pack: Pack, uploads: Uploads) -> None:
        order = study.order
        ready = order.wanted.job(pack.rows)
        payload = _payload(study, ready, uploads)
        mark = Mark(
            order.wanted.study,
            order.wanted.recipe[:RECIPE_DIGITS],
            ready.rows,
            ready.unit,
            pack.generation,
            "0" * 16,
        )
        sendings: list[Sending] = []

        def sent(sending: Sending) -> None:
            if sendings:
                self._answered(study, sendings[-1].nonce, Outcome(Answer.REFUSED))
            sendings.append(sending)
            with self._lock:
                study.remember(remembered.created(study.memory, sending.nonce, sending.posted))

        try:
            outcome = self.writer.create(ready.title, mark, payload, sent)
        except BaseException:
            if sendings:  # whatever ended it, the draft may have been made
                self._answered(study, sendings[-1].nonce, Outcome(Answer.LOST))
            raise
        if not sendings:
            with self._lock:
                memory = study.memory
                study.remember(replace(memory, leaving=memory.leaving or outcome.trouble))
            return
        self._answered(study, sendings[-1].nonce, outcome)
        if outcome.answer is Answer.DONE:
            study.drafts[outcome.job_id] = Draft(
                outcome.job_id, sendings[-1].name, replace(mark, nonce=sendings[-1].nonce)
            )

    def _answered(self, study: _Study, nonce: str, outcome: Outcome) -> None:
        with self._lock:
            now = self.conduct.clock()
            memory = remembered.answered_create(
                study.memory, nonce, outcome.answer, now, outcome.job_id, outcome.trouble
            )
            study.remember(memory)

    # Submits

    def _submit(self, study: _Study, job_ids: Sequence[str]) -> None:
        own = {each.job_id: each for each in study.memory.own.values()}

        def submit(job_id: str) -> None:
            step, is_sent = Submit((job_id,)), False

            def check() -> None:
                nonlocal is_sent
                is_sent = False
                if self.conduct.clock() - own[job_id].posted > self.times.own:
                    raise TooOld
                is_sent = True

            try:
                outcome = self.writer.submit(study.draft(job_id), check)
            except BaseException:
                if is_sent:  # whatever ended it, the job may have been started
                    self._learn(study, step, job_id, Outcome(Answer.LOST))
                raise
            self._learn(study, step, job_id, outcome)

        self._each(submit, job_ids)

    # The end

    def _withdraw(self, studies: Sequence[_Study], error: BaseException) -> None:
        """Something ended the apply: delete the drafts that it made, as far as the platform still answers."""
        code = error.exit_code if isinstance(error, DoeError) else ExitCode.INTERRUPTED
        leaving = Leaving(code, str(error))
        self.writer = replace(self.writer, conduct=replace(self.conduct, go_on=lambda: None))
        open_ = [study for study in studies if study.end is None and study.memory.own]
        for study in open_:
            study.remember(replace(study.memory, leaving=study.memory.leaving or leaving))
        with suppress(DoeError):
            self._drive(open_)

    def _conclude(self, studies: Sequence[_Study]) -> None:
        """Say what was not as it should be; the worst of it decides the exit code."""
        for study in studies:
            if study.memory.leaving is not None:
                _raise(study.memory.leaving)
        doubles = [
            f"jobs {', '.join(double.jobs)} ({double.rows} rows; keep {double.jobs[0]})"
            for study in studies
            for double in (study.end.doubles if study.end else ())
            if study.memory.bought & set(double.jobs)
        ]
        doubles += [
            f"job {job_id}, whose rows stood in earlier jobs, and which was stopped"
            for study in studies
            for job_id in sorted(study.memory.bought & study.memory.stopped)
        ]
        if doubles:
            raise DoubleSubmit(
                f"rows were submitted twice: {'; '.join(doubles)}",
                hint="the settle time is too short for this platform: doe doctor measures it, --settle sets it",
            )
        beyond = sum(study.end.beyond for study in studies if study.end)
        if beyond:
            raise PreconditionFailed(
                f"{beyond} more rows are missing than the plan had: they vanished or ended meanwhile",
                hint="plan again; they were not submitted",
            )


def _payload(study: _Study, ready: ReadyJob, uploads: Uploads) -> Mapping[str, object]:
    ids = {**(study.files or {}), **uploads.ids(ready.files)}
    return with_origin(with_ids(ready.payload, ids), study.order.origin)


def _raise(leaving: Leaving) -> NoReturn:
    kinds: Mapping[ExitCode, type[DoeError]] = {
        ExitCode.TRY_AGAIN: TryAgain,
        ExitCode.NOT_ALLOWED_IN: NotAllowedIn,
        ExitCode.PRECONDITION: PreconditionFailed,
    }
    raise kinds.get(leaving.code, DoeError)(leaving.words, hint=leaving.hint or "run the same command again")


def with_origin(payload: dict[str, object], origin: str) -> dict[str, object]:
    """The payload with the repository, path and branch that it is applied from in the environment of its runs."""
    analyses = payload["jobanalyses"]
    assert isinstance(analyses, list)
    if not origin or not analyses:
        return payload
    first, *others = analyses
    environment = {**first["envVars"], "DOE_ORIGIN": origin}
    return {**payload, "jobanalyses": [{**first, "envVars": environment}, *others]}
