"""The queue of an executor: one loop that prepares runs, has them started, and records how they ended."""

import os
import signal
import time
from functools import partial
from pathlib import Path

from doe_compiler.platform.execute.activejob import ActiveJob, Ended, activated
from doe_compiler.platform.execute.launcher import End, Launcher
from doe_compiler.platform.execute.local import available_cores
from doe_compiler.platform.execute.measuring import Measures
from doe_compiler.platform.execute.orphans import end_orphans
from doe_compiler.platform.execute.outputs import Outputs, wipe, wipe_job
from doe_compiler.platform.execute.reading import Readings, Variables
from doe_compiler.platform.execute.settings import Settings
from doe_compiler.platform.execute.tie import Tie
from doe_compiler.platform.store.records import DataFolder, Job, RunEnd, now_us
from doe_compiler.platform.store.states import Reason
from doe_compiler.platform.store.store import Store

IDLE_S = 1.0
LARGEST_BATCH = 200


def execute_queue(store: Store, folder: DataFolder, tie: Tie, launcher: Launcher, settings: Settings) -> None:
    """Run the queued jobs in the order of their submits until there is none, or the tie is cut.

    A later job starts when the earlier ones leave room.
    """
    _sweep(store, folder)
    loop = _Loop(store, folder, tie, launcher, settings)
    try:
        loop.run()
    finally:
        loop.abandon()


def _sweep(store: Store, folder: DataFolder) -> None:
    """Remove what is left of deleted jobs."""
    ids = store.job_ids()
    for path in folder.jobs.iterdir():
        if path.name not in ids:
            wipe_job(path)


class _Loop:
    def __init__(
        self, store: Store, folder: DataFolder, tie: Tie, launcher: Launcher, settings: Settings
    ) -> None:
        self._store = store
        self._launcher = launcher
        self._folder = folder
        self._tie = tie
        self._settings = settings
        self._free_cores = launcher.cores
        self._readings: Readings[tuple[ActiveJob, Ended]] = Readings(
            tie, available_cores(), folder.run_user()
        )
        self._measures: Measures[tuple[ActiveJob, Ended, Variables]] = Measures(tie)
        self._jobs: list[ActiveJob] = []
        self._job_of: dict[int, ActiveJob] = {}
        self._unrecorded: dict[int, list[RunEnd]] = {}
        self._unrecorded_count = 0
        self._changes = -1

    def run(self) -> None:
        """Go on until there is nothing to do for a second, or the tie is cut."""
        next_tick = 0.0
        last_work = time.monotonic()
        while not self._tie.is_cut:
            self._reap()
            self._start()
            is_busy = (
                self._take_readings() or self._take_measures() or self._collect_one() or self._prepare_one()
            )
            now = time.monotonic()
            if now >= next_tick or not is_busy:
                self._tick(now)
                next_tick = time.monotonic() + self._launcher.tick_s
            if self._jobs:
                last_work = now
            elif now - last_work > IDLE_S:
                return
            if not is_busy and not any(job.ended or job.prepared for job in self._jobs):
                self._tie.sleep(self._launcher.tick_s)
            elif not is_busy:
                self._tie.sleep(self._launcher.tick_s if self._job_of else 0)

    def _reap(self) -> None:
        for end in self._launcher.ends():
            self._end(end)
            self._start()

    def _end(self, end: End) -> None:
        self._note_begun()
        job = self._job_of.pop(end.seat)
        self._free_cores += job.room.cores_per_run
        job.end_of(end)

    def _start(self) -> None:
        for job in self._jobs:
            while job.prepared and job.free_slots:
                if job.room.cores_per_run > self._free_cores:
                    return
                seat = job.start_prepared(self._launcher)
                if seat is not None:
                    self._occupy(seat, job)

    def _occupy(self, seat: int, job: ActiveJob) -> None:
        self._job_of[seat] = job
        self._free_cores -= job.room.cores_per_run

    def _collect_one(self) -> bool:
        for job in self._jobs:
            if job.ended:
                ended = job.ended.popleft()
                wanted = job.wanted_of(ended)
                if wanted is None:
                    self._collect(job, ended, ended.read)
                else:
                    job.being_read += 1
                    self._readings.ask((job, ended), job.place.directory(ended.number), wanted)
                return True
        return False

    def _take_readings(self) -> bool:
        found = list(self._readings.answers())
        for (job, ended), variables in found:
            job.being_read -= 1
            self._collect(job, ended, variables)
        return bool(found)

    def _collect(self, job: ActiveJob, ended: Ended, read: Variables = ()) -> None:
        outputs = job.cleared(ended)
        if outputs is None and job.ending is None:
            job.being_read += 1
            self._measures.ask((job, ended, read), partial(job.place.reached, ended.number))
        else:
            outputs = job.sizes_of(ended) if outputs is None else outputs
            self._take(job, job.collected(ended, read, outputs), ended)

    def _take(self, job: ActiveJob, end: RunEnd, ended: Ended) -> None:
        self._unrecorded.setdefault(job.job.key, []).append(end)
        self._unrecorded_count += 1
        self._settle(job, ended)

    def _take_measures(self) -> bool:
        found = list(self._measures.answers())
        for (job, ended, read), outputs in found:
            self._take_measured(job, ended, read, outputs)
        return bool(found)

    def _take_measured(self, job: ActiveJob, ended: Ended, read: Variables, outputs: Outputs | None) -> None:
        """Collect a run whose outputs are measured; where that was cut short, by their sizes alone."""
        job.being_read -= 1
        outputs = job.sizes_of(ended) if outputs is None else outputs
        self._take(job, job.collected(ended, read, outputs), ended)

    def _end_early(self, job: ActiveJob, reason: str) -> None:
        job.end_early(reason, self._launcher)
        for _, ended, read in list(self._measures.cancelled(lambda ticket: ticket[0] is job)):
            self._take_measured(job, ended, read, None)

    def _settle(self, job: ActiveJob, ended: Ended) -> None:
        if job.place.steps.has_post_process:
            self._record()
            job.release_slot(ended)
        elif self._unrecorded_count >= LARGEST_BATCH:
            self._record()

    def _prepare_one(self) -> bool:
        return not self._readings.are_behind and any(job.prepare_next() for job in self._jobs)

    def _note_begun(self) -> None:
        for seat, started_us in self._launcher.begun():
            self._job_of[seat].began(seat, started_us)

    def _record(self) -> None:
        self._note_begun()
        started = []
        for job in self._jobs:
            for run in job.running.values():
                if run.has_begun and not run.is_recorded:
                    run.is_recorded = True
                    started.append((job.job.key, run.as_run()))
        if started or self._unrecorded:
            self._store.record_runs(started, self._unrecorded)
            self._unrecorded = {}
            self._unrecorded_count = 0

    def _tick(self, now: float) -> None:
        self._record()
        for end in self._launcher.lost():
            self._end(end)
        for job in [each for each in self._jobs if each.is_done]:
            self._jobs.remove(job)
            end_orphans(Path(job.place.folder))
            job.close()
            self._launcher.over(job.place)
            self._store.finish_job(job.job.key, job.reason(self._store), now_us())
        changes = self._store.change_count()
        if changes != self._changes:
            self._changes = changes
            self._stop_requested()
        for job in self._jobs:
            job.kill_overdue(now, self._launcher)
            if job.deadline is not None and now >= job.deadline and job.has_runs_left:
                self._end_early(job, Reason.WALLTIME)
            self._launcher.send(job.place, is_whole=job.is_exhausted and not job.prepared)
        self._activate_next()

    def _stop_requested(self) -> None:
        for job in self._jobs:
            current = self._store.job(job.job.id)
            if current is not None and current.stop_requested:
                self._end_early(job, Reason.STOPPED)
            job.stop_runs(self._store.run_stops(job.job.key), self._launcher)
        active = {job.job.key for job in self._jobs}
        for waiting in self._store.stopping_jobs():
            if waiting.key not in active:
                self._activate(waiting)

    def _activate_next(self) -> None:
        """Take up the next job while cores are free that the active ones leave."""
        if self._free_cores <= 0 or not all(job.leaves_cores for job in self._jobs):
            return
        active = {job.job.key for job in self._jobs}
        waiting = [job for job in self._store.live_jobs(len(active) + 1) if job.key not in active]
        if waiting:
            self._activate(waiting[0])

    def _activate(self, waiting: Job) -> None:
        """Take up a job, only to end it if its stop was asked for while no executor had it."""
        job = activated(self._store, self._folder, waiting, self._launcher, self._settings)
        self._jobs.append(job)
        for seat in job.running:
            self._occupy(seat, job)
        if waiting.stop_requested:
            job.end_early(Reason.STOPPED, self._launcher)

    def abandon(self) -> None:
        """Let the launcher go, and record what has ended.

        What has not been read or measured yet stands in the journal; the next executor does it.
        """
        os.chdir("/")
        self._readings.close()
        self._measures.close()
        self._note_begun()
        for end in self._launcher.close():
            job = self._job_of.pop(end.seat)
            if end.status == -signal.SIGKILL:
                job.running.pop(end.seat)
            else:
                job.end_of(end)
        for job in self._jobs:
            while job.ended:
                ended = job.ended.popleft()
                outputs = job.cleared(ended) if job.wanted_of(ended) is None else None
                if outputs is not None:
                    collected = job.collected(ended, ended.read, outputs)
                    self._unrecorded.setdefault(job.job.key, []).append(collected)
                    if job.place.steps.has_post_process:
                        self._record()
            for number in job.prepared:
                wipe(job.place.directory(number))
        self._record()
