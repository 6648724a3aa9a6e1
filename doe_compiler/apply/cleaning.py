"""What a plan does beside buying rows: it stops and deletes what it was asked to, and shares jobs."""

from collections.abc import Sequence

from doe_compiler.apply.order import Order
from doe_compiler.apply.writing import Writer, draft_of
from doe_compiler.bundle.observation import Observation, SeenJob
from doe_compiler.observe.around import unshared_jobs
from doe_compiler.observe.listing import marked_jobs, of_recipe
from doe_compiler.observe.looking import Eye
from doe_compiler.plan.action import Decision, Kind, Why
from doe_compiler.plan.memory import Answer

_TRIES = 3


def cleaned(writer: Writer, decisions: Sequence[Decision], seen: Sequence[Observation]) -> None:
    """Stop and delete what the plans name, and nothing else; drafts with missing rows are the protocol's."""
    for decision, observation in zip(decisions, seen, strict=True):
        jobs = {job.id: job for job in observation.jobs}
        for action in decision.of(Kind.STOP):
            writer.stop(draft_of(jobs[action.job_id or ""]))
        for action in decision.of(Kind.DELETE):
            if action.reason.why is Why.NOT_WANTED:
                withdrawn(writer, jobs[action.job_id or ""])


def withdrawn(writer: Writer, job: SeenJob) -> bool:
    """Rule 3: delete a draft whose statuses were just read and are empty; whether it is gone."""
    for _ in range(_TRIES):
        history, tag = writer.has_history(job.id)
        if history.answer is Answer.GONE:
            return True
        if history.answer is not Answer.EMPTY:
            return False
        if writer.delete(draft_of(job), tag).answer in {Answer.DONE, Answer.GONE}:
            return True
    return False


def shared(eye: Eye, writer: Writer, orders: Sequence[Order]) -> None:
    """Let the people whom the studies name see the jobs that they do not see yet."""
    if not any(order.wanted.share for order in orders):
        return
    listed = marked_jobs(eye.client, eye.account)
    for order in orders:
        jobs = of_recipe(listed.get(order.wanted.study, ()), order.wanted.recipe)
        messages = {share.email: share.message for share in order.wanted.share}
        for job_id, emails in unshared_jobs(order.wanted, jobs).items():
            job = next(job for job in jobs if job.id == job_id)
            for email in emails:
                writer.share(draft_of(job), email, messages.get(email, ""))
