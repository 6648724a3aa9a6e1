"""One request as the functions behind the addresses see it."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from doe_compiler.kernel.wire import Request
from doe_compiler.platform.api.answers import Refusal, detail, not_found
from doe_compiler.platform.api.runs import run_count
from doe_compiler.platform.store.database import User
from doe_compiler.platform.store.records import DataFolder, Job
from doe_compiler.platform.store.states import RunCall, RunState
from doe_compiler.platform.store.store import Store
from doe_compiler.platform.store.view import View

RUN = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)


def over_quota(quota: int, stored: int) -> Refusal:
    """The 507 of what the quota has no room for."""
    return detail(
        507,
        f"The quota of this server is {quota:,} bytes, and {stored:,} are stored: delete files or jobs first.",
    )


@dataclass(frozen=True, slots=True)
class Call:
    """What the request is about (`ids`, in the order of the address), who asks, and what may be used."""

    store: Store
    folder: DataFolder
    request: Request
    view: View
    viewer: User
    ids: tuple[str, ...]
    submitted: Callable[[], None]
    list_delay_s: float = 0.0
    quota: int | None = None

    def room(self) -> int | None:
        """The bytes that may still be stored; None without a quota. Raises the 507 if there are none."""
        if self.quota is None:
            return None
        stored = self.store.stored_size()
        if stored >= self.quota:
            raise over_quota(self.quota, stored)
        return self.quota - stored

    def job(self) -> Job:
        """The job that the address names, owned by the viewer or shared; raises the 404."""
        job = self.store.job(self.ids[0])
        if job is None or not self.may_see(job):
            raise not_found()
        return job

    def own_job(self) -> Job:
        """The viewer's job that the address names; raises the 404, the 403 for one that is only shared."""
        job = self.job()
        if job.owner != self.viewer.id:
            raise detail(403, "You do not have permission to perform this action.")
        return job

    def may_see(self, job: Job) -> bool:
        """Whether the viewer may see the job."""
        return self.store.may_see_job(self.viewer, job)

    def run_number(self, job: Job) -> int:
        """The number of the run that the address names; raises the 404."""
        if not RUN.fullmatch(self.ids[1]) or int(self.ids[1]) > run_count(job):
            raise not_found()
        return int(self.ids[1])

    def run_for(self, asked: RunCall, job: Job) -> int:
        """The number of the run that the address names, if this may be asked of it; raises the 404 and the 400."""
        number = self.run_number(job)
        self.check_run(asked, job, number)
        return number

    def check_run(self, asked: RunCall, job: Job, number: int) -> None:
        """Raise the 400 for what may not be asked of a run where it stands."""
        run = self.store.runs(job, number, number).get(number)
        state = RunState.WAITING if run is None else run.state(job.state)
        if state not in asked.states:
            raise detail(400, asked.refusal)
