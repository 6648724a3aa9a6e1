"""The writes of an apply, each one call: what came of it as an answer that the protocol knows, and a receipt.

A write whose answer is lost is never repeated blindly.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from doe_compiler.apply.conduct import Conduct, Receipt
from doe_compiler.bundle.mark import Mark, marked_name, nonce_of
from doe_compiler.bundle.observation import SeenJob
from doe_compiler.client.client import Client
from doe_compiler.client.errors import Ambiguous, NotFound, Refused
from doe_compiler.kernel.errors import DoeError, NotAllowedIn, TryAgain
from doe_compiler.plan.memory import Answer, Leaving


class TooOld(Exception):
    """A draft outgrew the time to submit it while its submit waited to be sent."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a call, and why if it was refused."""

    answer: Answer
    trouble: Leaving | None = None
    job_id: str = ""


@dataclass(frozen=True, slots=True)
class Sending:
    """One sending of a POST: its nonce, and the time before it."""

    nonce: str
    posted: float
    name: str


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes on one platform, as a conduct has it."""

    client: Client
    conduct: Conduct

    def create(
        self, title: str, mark: Mark, payload: Mapping[str, object], sent: Callable[[Sending], None]
    ) -> Outcome:
        """Create a draft. Every sending has a nonce of its own, which `sent` hears of before it leaves."""
        receipt = receipt_of("create", "", mark, request="POST jobs/")

        def named() -> Mapping[str, object]:
            nonlocal receipt
            self.conduct.go_on()
            posted = self.conduct.clock()
            time = self.client.server_time()
            nonce = nonce_of(time.timestamp() if time else 0.0, self.conduct.chance())
            name = marked_name(title, replace(mark, nonce=nonce))
            self.conduct.sign(nonce)
            sent(Sending(nonce, posted, name))
            receipt = replace(receipt, name=name)
            self.conduct.tell(receipt)
            return {**payload, "name": name}

        def call() -> str:
            return self.client.create_job(named).id

        return self._outcome(call, lambda: receipt)

    def submit(self, job: "Draft", check: Callable[[], None]) -> Outcome:
        """Submit a draft; `check` is called right before every sending and may raise TooOld."""

        def still() -> None:
            self.conduct.go_on()
            check()

        def call() -> str:
            self.client.submit(job.id, still)
            return ""

        receipt = receipt_of(
            "submit", job.name, job.mark, job_id=job.id, request=f"POST jobs/{job.id}/submit/"
        )
        self.conduct.tell(receipt)
        try:
            return self._outcome(call, lambda: receipt)
        except TooOld:
            return Outcome(Answer.TOO_OLD)

    def tell_submitted(self, job: "Draft") -> None:
        """A submit that was not answered has had its effect."""
        self.conduct.tell(
            receipt_of(
                "submit",
                job.name,
                job.mark,
                job_id=job.id,
                request=f"GET jobs/{job.id}/statuses/",
                answer="done",
            )
        )

    def has_history(self, job_id: str) -> tuple[Outcome, str | None]:
        """Whether a job was submitted, and the tag of its being a draft, where the platform has such."""
        try:
            statuses, tag = self.client.draft_tag(job_id)
        except NotFound:
            return Outcome(Answer.GONE), None
        return Outcome(Answer.DONE if statuses else Answer.EMPTY), tag

    def delete(self, job: "Draft", tag: str | None) -> Outcome:
        """Delete a draft, under the condition that it still is one where the platform knows that."""
        self.conduct.go_on()
        receipt = receipt_of("delete", job.name, job.mark, job_id=job.id, request=f"DELETE jobs/{job.id}/")
        self.conduct.tell(receipt)

        def call() -> str:
            self.client.delete(job.id, tag)
            return ""

        return self._outcome(call, lambda: receipt)

    def stop(self, job: "Draft", runs: tuple[int, ...] = ()) -> Outcome:
        """Ask a job to stop, or some of its runs; asking twice does no harm."""
        self.conduct.go_on()
        receipt = receipt_of("stop", job.name, job.mark, job_id=job.id, request=f"POST jobs/{job.id}/stop/")
        self.conduct.tell(receipt)

        def call() -> str:
            for number in runs:
                self.client.stop_run(job.id, number)
            if not runs:
                self.client.stop(job.id)
            return ""

        return self._outcome(call, lambda: receipt)

    def share(self, job: "Draft", email: str, message: str) -> Outcome:
        """Let a person see a job."""
        self.conduct.go_on()
        receipt = receipt_of("share", job.name, job.mark, job_id=job.id, request=f"POST jobs/{job.id}/share/")
        self.conduct.tell(receipt)

        def call() -> str:
            self.client.share_job(job.id, email, message)
            return ""

        return self._outcome(call, lambda: receipt)

    def rename(self, job_id: str, name: str, mark: Mark) -> Outcome:
        """Give a job a name; asking twice does no harm."""
        self.conduct.go_on()
        receipt = receipt_of("rename", name, mark, job_id=job_id, request=f"PATCH jobs/{job_id}/")
        self.conduct.tell(receipt)

        def call() -> str:
            self.client.change_job(job_id, {"name": name})
            return ""

        return self._outcome(call, lambda: receipt)

    def _outcome(self, call: Callable[[], str], receipt: Callable[[], Receipt]) -> Outcome:
        try:
            outcome = Outcome(Answer.DONE, job_id=call())
        except NotFound:
            outcome = Outcome(Answer.GONE)
        except NotAllowedIn as error:
            outcome = Outcome(Answer.FORBIDDEN, _trouble(error))
        except Refused as error:
            outcome = Outcome(Answer.REFUSED, _trouble(error))
        except TryAgain as error:
            outcome = Outcome(Answer.REFUSED, _trouble(error))
        except Ambiguous as error:
            outcome = Outcome(Answer.LOST, _trouble(error))
        told = receipt()
        self.conduct.tell(replace(told, job_id=told.job_id or outcome.job_id, answer=outcome.answer.value))
        return outcome


@dataclass(frozen=True, slots=True)
class Draft:
    """The job that a write is about."""

    id: str
    name: str
    mark: Mark


def draft_of(job: SeenJob) -> Draft:
    """A job that was seen, to be written to."""
    return Draft(job.id, job.name, job.mark)


def _trouble(error: DoeError) -> Leaving:
    return Leaving(error.exit_code, error.message, error.hint)


def receipt_of(
    what: str, name: str, mark: Mark, *, job_id: str = "", request: str = "", answer: str = ""
) -> Receipt:
    """A receipt about a job, as its mark describes it."""
    return Receipt(
        what,
        mark.study,
        job_id,
        name,
        mark.rows.count if mark.rows else None,
        str(mark.rows) if mark.rows else f"p-{mark.unit}",
        mark.recipe,
        mark.generation,
        request,
        answer,
    )
