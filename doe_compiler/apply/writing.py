"""The writes of an apply, one job each: create, change, submit, withdraw, stop, remove; receipts of them.

A write whose answer is lost is never repeated blindly.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from doe_compiler.actual.jobs import ActualJob, Phase, study_jobs
from doe_compiler.apply.conduct import Conduct, Step
from doe_compiler.apply.looking import Order
from doe_compiler.apply.upload import uploaded
from doe_compiler.bundle.mark import RECIPE_DIGITS, Mark, marked_name, read_mark
from doe_compiler.bundle.payload import with_ids
from doe_compiler.bundle.wanted import ReadyJob
from doe_compiler.client.client import Client
from doe_compiler.client.errors import Ambiguous, NotFound, Refused
from doe_compiler.kernel.errors import TryAgain

_TRIES = 3
_STOP_LOOKS = 30


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes for studies on one platform, as a conduct has it."""

    client: Client
    conduct: Conduct

    def created(self, order: Order, ready: ReadyJob, generation: int, files: Mapping[str, str]) -> Step:
        """Create a draft; after an ambiguous answer look for the nonce before another POST under a new one."""
        wanted = order.wanted
        ids = dict(files)
        if ready.parameters is not None:
            ids |= uploaded(self.client, [ready.parameters], self.conduct.go_on)
        payload = with_origin(with_ids(ready.payload, ids), order.origin)
        for _ in range(_TRIES):
            mark = Mark(
                wanted.study,
                wanted.recipe[:RECIPE_DIGITS],
                ready.rows,
                ready.unit,
                generation,
                self.conduct.nonce(),
            )
            name = marked_name(ready.title, mark)
            step = step_of("create", name, mark, request="POST jobs/")
            self.conduct.go_on()
            self.conduct.tell(step)
            try:
                job_id = self.client.create_job({**payload, "name": name}).id
            except Ambiguous:
                self.conduct.tell(replace(step, answer="lost"))
                self.conduct.sleep(self.conduct.settle_s)
                job_id = self._landed(wanted.study, mark.nonce)
            if job_id:
                return self._told(replace(step, job_id=job_id, answer="done"))
        raise TryAgain(
            "the platform did not answer whether the job was created", hint="run the same command again"
        )

    def _landed(self, study: str, nonce: str) -> str:
        """The id of the job that a lost POST has made, empty if it does not show."""
        found = [job for job in study_jobs(self.client, study) if job.mark.nonce == nonce]
        return found[0].id if found else ""

    def changed(self, order: Order, job: ActualJob, ready: ReadyJob, files: Mapping[str, str]) -> bool:
        """Make a draft what the study has now; False if it is gone. A second PUT of the same does no harm."""
        ids = dict(files)
        if ready.parameters is not None:
            ids |= uploaded(self.client, [ready.parameters], self.conduct.go_on)
        payload = with_origin(with_ids(ready.payload, ids), order.origin)
        step = step_of("edit", job.name, job.mark, job_id=job.id, request=f"PUT jobs/{job.id}/")
        for _ in range(_TRIES):
            self.conduct.go_on()
            self.conduct.tell(step)
            try:
                self.client.replace_job(job.id, {**payload, "name": job.name})
            except NotFound:
                self.conduct.tell(replace(step, answer="gone"))
                return False
            except Ambiguous:
                self.conduct.tell(replace(step, answer="lost"))
                continue
            self.conduct.tell(replace(step, answer="done"))
            return True
        raise TryAgain(f"the platform did not answer whether job {job.id} was changed")

    def submitted(self, job_id: str, name: str, mark: Mark) -> Step | None:
        """Submit a draft; None if it is gone. After a lost answer only an empty history allows a repeat."""
        step = step_of("submit", name, mark, job_id=job_id, request=f"POST jobs/{job_id}/submit/")
        for _ in range(_TRIES):
            self.conduct.go_on()
            self.conduct.tell(step)
            try:
                self.client.submit(job_id)
            except NotFound:
                self.conduct.tell(replace(step, answer="gone"))
                return None
            except Refused:
                if self._has_history(job_id):
                    return self._told(replace(step, answer="done"))
                raise
            except Ambiguous:
                self.conduct.tell(replace(step, answer="lost"))
                if self._history_comes(job_id):
                    return self._told(replace(step, answer="done"))
                continue
            return self._told(replace(step, answer="done"))
        raise TryAgain(
            f"the platform did not answer whether job {job_id} was submitted",
            hint="run the same command again",
        )

    def _has_history(self, job_id: str) -> bool:
        try:
            return bool(self.client.statuses(job_id))
        except NotFound:
            return False

    def _history_comes(self, job_id: str) -> bool:
        """Read the statuses until the settle time has passed."""
        until = self.conduct.monotonic() + self.conduct.settle_s
        while True:
            if self._has_history(job_id):
                return True
            left = until - self.conduct.monotonic()
            if left <= 0:
                return False
            self.conduct.sleep(min(left, max(self.conduct.settle_s / 5, 0.05)))

    def withdrawn(self, job: ActualJob) -> bool:
        """Delete a draft; False if another applier submitted it meanwhile, or nobody knows."""
        step = step_of("delete", job.name, job.mark, job_id=job.id, request=f"DELETE jobs/{job.id}/")
        self.conduct.go_on()
        self.conduct.tell(step)
        try:
            self.client.delete(job.id)
        except NotFound:
            answer = "gone"
        except Refused:
            answer = "refused"
        except Ambiguous:
            answer = "lost"
        else:
            answer = "done"
        self.conduct.tell(replace(step, answer=answer))
        return answer in {"done", "gone"}

    def stopped(self, job: ActualJob, runs: tuple[int, ...] = ()) -> None:
        """Ask a job to stop, or some of its runs; asking twice does no harm."""
        step = step_of("stop", job.name, job.mark, job_id=job.id, request=f"POST jobs/{job.id}/stop/")
        self.conduct.go_on()
        self.conduct.tell(step)
        try:
            if runs:
                for number in runs:
                    self.client.stop_run(job.id, number)
            else:
                self.client.stop(job.id)
        except (NotFound, Refused):
            self.conduct.tell(replace(step, answer="refused"))
        except Ambiguous:
            self.conduct.tell(replace(step, answer="lost"))
        else:
            self.conduct.tell(replace(step, answer="done"))

    def removed(self, job: ActualJob) -> bool:
        """Delete a job, stopped first if it runs; False if it did not stop in time."""
        if job.phase not in {Phase.DRAFT, Phase.FINISHED}:
            self.stopped(job)
            for _ in range(_STOP_LOOKS):
                latest = next(iter(self.client.cluster_statuses(job.id)), None)
                if latest is not None and latest.status == "Stopped":
                    break
                self.conduct.sleep(1.0)
        return self.withdrawn(job)

    def shared(self, job: ActualJob, email: str, message: str) -> None:
        """Let a person see a job."""
        step = step_of("share", job.name, job.mark, job_id=job.id, request=f"POST jobs/{job.id}/share/")
        self.conduct.go_on()
        self.conduct.tell(step)
        try:
            self.client.share_job(job.id, email, message)
        except Ambiguous:
            self.conduct.tell(replace(step, answer="lost"))
        else:
            self.conduct.tell(replace(step, answer="done"))

    def renamed(self, job_id: str, name: str) -> None:
        """Give a job a name; asking twice does no harm."""
        mark = read_mark(name)
        assert mark is not None
        step = step_of("rename", name, mark, job_id=job_id, request=f"PATCH jobs/{job_id}/")
        for _ in range(_TRIES):
            self.conduct.go_on()
            self.conduct.tell(step)
            try:
                self.client.change_job(job_id, {"name": name})
            except Ambiguous:
                self.conduct.tell(replace(step, answer="lost"))
                continue
            self.conduct.tell(replace(step, answer="done"))
            return
        raise TryAgain(f"the platform did not answer whether job {job_id} was renamed")

    def _told(self, step: Step) -> Step:
        self.conduct.tell(step)
        return step


def step_of(what: str, name: str, mark: Mark, *, job_id: str = "", request: str = "") -> Step:
    """A step on a job, as its mark describes it."""
    return Step(
        what,
        mark.study,
        job_id,
        name,
        mark.rows.count if mark.rows else None,
        str(mark.rows) if mark.rows else f"p-{mark.unit}",
        mark.recipe,
        mark.generation,
        request,
    )


def with_origin(payload: dict[str, object], origin: str) -> dict[str, object]:
    """The payload with the repository and path that it is applied from in the environment of its runs."""
    analyses = payload["jobanalyses"]
    assert isinstance(analyses, list)
    if not origin or not analyses:
        return payload
    first, *others = analyses
    environment = {**first["envVars"], "DOE_ORIGIN": origin}
    return {**payload, "jobanalyses": [{**first, "envVars": environment}, *others]}
