"""Runs as tasks of Slurm job arrays: submitted once, whatever is killed, and told of by marks beside the runs.

prepared runs -> items -> an array (list written, then sbatch) -> claims and ends of the tasks -> ends of the runs
^                                                |
'---- what did not begin, or was interrupted <---'  squeue: the task is not there any more
"""

import math
import os
import signal
import statistics
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from json import dumps
from pathlib import Path

from doe_compiler.platform.execute.launcher import End, Handed, JobPlace, Kind, Room
from doe_compiler.platform.execute.outputs import log_line, wipe
from doe_compiler.platform.execute.settings import Settings
from doe_compiler.platform.execute.slurm.arrays import Array, ArrayFiles, Item
from doe_compiler.platform.execute.slurm.commands import (
    Slurm,
    SlurmAwayError,
    SlurmFullError,
    SlurmRefusedError,
    TaskState,
)
from doe_compiler.platform.execute.slurm.fates import MOST_ATTEMPTS, Fate, fate_of
from doe_compiler.platform.execute.slurm.jobs import SeatOf, SlurmJob
from doe_compiler.platform.execute.slurm.options import sbatch_options
from doe_compiler.platform.execute.slurm.reading import WANTED
from doe_compiler.platform.execute.slurm.task import mpi_shim, script
from doe_compiler.platform.execute.supervisor import Signal
from doe_compiler.platform.execute.tie import Tie
from doe_compiler.platform.store.form import JobForm
from doe_compiler.platform.store.records import DataFolder, now_us

TICK_S = 0.2
LONGEST_SCAN_S = 5.0
SCAN_GROWTH = 1.3
SCAN_SHARE = 20  # of the time at most a twentieth goes into looking at marks
SHORTEST_DELAY_S, LONGEST_DELAY_S = 2.0, 300.0
LONGEST_POLL = 10  # times the configured time
SOON_S = 2.0
NAMES_A_CALL = 200
TASK_S = 180.0
MOST_KNOWN, MOST_UNKNOWN = 1000, 50
TASKS_PER_SLOT = 10
OURS = "doe"


class SlurmLauncher:
    """Starts runs by sbatch. Nothing of it ends with the executor: the next one finds the arrays by their names."""

    tick_s = TICK_S
    cores = sys.maxsize

    def __init__(self, folder: DataFolder, _tie: Tie, settings: Settings) -> None:
        self._settings = settings
        self._folder = folder
        self._slurm = Slurm()
        self._platform = sha256(os.fsencode(folder.root)).hexdigest()[:8]
        self._jobs: dict[str, SlurmJob] = {}
        self._seats: dict[int, SeatOf] = {}
        self._next_seat = 1
        self._begun: deque[tuple[int, int]] = deque()
        self._told: deque[End] = deque()
        self._next_scan = 0.0
        self._scan_s = TICK_S
        self._poll_s = settings.slurm.poll_s
        self._next_poll = 0.0
        self._complaint = ""

    def home(self, job_id: str) -> Path:
        """The folder of a job's runs, where all nodes see it; the data folder leads there."""
        link = self._folder.jobs / job_id
        if self._settings.slurm.runs and not link.exists():
            target = Path(self._settings.slurm.runs) / f"doe-{self._platform}" / job_id
            target.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                link.unlink()
            link.symlink_to(target, target_is_directory=True)
        link.mkdir(parents=True, exist_ok=True)
        return link.resolve()

    def room(self, _form: JobForm, expected_runs: int) -> Room:
        """All runs at once: how many run at a time is the array's to say."""
        return Room(0, expected_runs, None)

    def handed(self, place: JobPlace, completed: bytearray) -> Iterable[Handed]:
        """The runs of arrays that are not over."""
        job = self._job(place)
        latest: dict[int, Item] = {}
        for array, is_over in job.files.arrays():
            array.name = self._name(place, array.number)
            array.was_tried = True
            job.next_number = max(job.next_number, array.number + 1)
            if not is_over:
                job.arrays.append(array)
            for item in (item for task in array.tasks for item in task):
                job.attempts[item.run] = max(job.attempts.get(item.run, 0), item.attempt)
                if not is_over and not completed[item.run]:
                    latest[item.run] = item
        self._next_poll = 0.0
        return [Handed(item.run, item.slot, self._seat(job, item)) for item in latest.values()]

    def start(self, place: JobPlace, number: int, slot: int) -> int:
        """Let the run wait for the job's next array."""
        job = self._job(place)
        job.attempts[number] = job.attempts.get(number, 0) + 1
        item = Item(number, job.attempts[number], slot)
        job.waiting.append(item)
        return self._seat(job, item)

    def send(self, place: JobPlace, *, is_whole: bool) -> None:
        """Make an array of what waits if it is all or fills one, and submit what is not submitted."""
        job = self._jobs.get(place.id)
        if job is None:
            return
        try:
            self._fill(job, is_whole=is_whole)
            for array in job.arrays:
                if time.monotonic() < array.retry_at:
                    continue
                if array.is_to_cancel and array.job_id:
                    self._slurm.cancel(array.job_id)
                    array.is_to_cancel = False
                elif not array.job_id and not job.is_cancelled:
                    self._submit(job, array)
        except SlurmAwayError as error:
            self._complain(str(error))

    def begun(self) -> Iterator[tuple[int, int]]:
        """The runs that tasks have claimed."""
        while self._begun:
            yield self._begun.popleft()

    def ends(self) -> Iterator[End]:
        """What the marks tell, looked at now and then."""
        now = time.monotonic()
        if now >= self._next_scan:
            news = [self._scan(job) for job in self._jobs.values()]
            took = time.monotonic() - now
            wait_s = TICK_S if any(news) else min(SCAN_GROWTH * self._scan_s, LONGEST_SCAN_S)
            self._scan_s = max(wait_s, SCAN_SHARE * took)
            self._next_scan = now + self._scan_s
        while self._told:
            yield self._told.popleft()

    def lost(self) -> Iterator[End]:
        """What becomes of the runs whose tasks are gone, by what squeue tells; it is asked rarely."""
        if time.monotonic() >= self._next_poll and any(job.arrays for job in self._jobs.values()):
            try:
                self._poll()
                self._complaint = ""
            except (SlurmAwayError, SlurmFullError, SlurmRefusedError) as error:
                self._complain(str(error))
                self._back_off()
        while self._told:
            yield self._told.popleft()

    def signal(self, seat: int, which: Signal) -> None:
        """Stop a run, or where its log is told nothing all of its job; what no task has claimed never begins."""
        found = self._seats.get(seat)
        if found is None or found.job.is_cancelled:
            return
        if which.number == signal.SIGTERM and not which.text:
            self._cancel(found.job)
        elif which.number == signal.SIGTERM:
            if not self._withdrawn(found, Kind.NOT_STARTED, which.text):
                log_line(found.job.place.directory(found.item.run), which.text)
                found.job.files.stop(found.item)
                self._tell_to_stop(found)
        elif time.monotonic() >= found.tell_at:
            self._tell_to_stop(found)

    def over(self, place: JobPlace) -> None:
        """Forget the job, all of whose runs have ended; a task that comes late finds nothing to do."""
        job = self._jobs.pop(place.id, None)
        if job is not None:
            wipe(str(job.files.folder))

    def close(self) -> Iterator[End]:
        """Nothing ends with the executor."""
        return iter(())

    def _job(self, place: JobPlace) -> SlurmJob:
        if place.id not in self._jobs:
            self._jobs[place.id] = SlurmJob(place, ArrayFiles(place.folder))
        return self._jobs[place.id]

    def _seat(self, job: SlurmJob, item: Item) -> int:
        number = self._next_seat
        self._next_seat += 1
        self._seats[number] = SeatOf(number, job, item)
        job.seats[item.mark] = self._seats[number]
        return number

    def _name(self, place: JobPlace, number: int) -> str:
        return f"doe-{self._platform}-{place.id}-{number}"

    def _tell(self, seat: SeatOf, end: End) -> None:
        """Tell of the end of a seat, once."""
        del self._seats[seat.number]
        del seat.job.seats[seat.item.mark]
        self._told.append(end)

    # Submitting

    def _fill(self, job: SlurmJob, *, is_whole: bool) -> None:
        if not job.waiting or job.is_cancelled:
            return
        size = self._runs_per_task(job)
        if not is_whole and len(job.waiting) < size:
            return
        most = self._slurm.max_array_size * size
        while job.waiting and (is_whole or len(job.waiting) >= most):
            items = [job.waiting.popleft() for _ in range(min(most, len(job.waiting)))]
            tasks = [items[first : first + size] for first in range(0, len(items), size)]
            array = Array(job.next_number, tasks, self._name(job.place, job.next_number))
            job.next_number += 1
            if not job.is_written:
                self._write(job)
            job.files.intend(array)
            job.arrays.append(array)

    def _runs_per_task(self, job: SlurmJob) -> int:
        """So many that a task takes some minutes, as far as the job's runs have told; few tasks for each slot else."""
        if job.goes_singly:
            return 1
        if self._settings.slurm.runs_per_task:
            return self._settings.slurm.runs_per_task
        if job.durations_s:
            return max(1, min(MOST_KNOWN, int(TASK_S / max(statistics.median(job.durations_s), 0.001))))
        slots = job.place.form.slots
        return max(1, min(MOST_UNKNOWN, math.ceil(job.place.expected_runs / (TASKS_PER_SLOT * slots))))

    def _write(self, job: SlurmJob) -> None:
        """The script of the job's tasks and what they read."""
        job.files.make()
        folder = job.files.folder
        prefix = ""
        uses_mpi = job.place.form.uses_mpi
        if uses_mpi and self._settings.slurm.mpi == "srun":
            (folder / "mpi").mkdir(exist_ok=True)
            for name in ("mpirun", "mpiexec"):
                (folder / "mpi" / name).write_text(mpi_shim())
                (folder / "mpi" / name).chmod(0o755)
            prefix = str(folder / "mpi")
        if job.reads:
            (folder / WANTED).write_text(dumps(job.place.form.output_reading))
        (folder / "task.sh").write_text(script(job.place, prefix=prefix, reads=job.reads))
        job.is_written = True

    def _submit(self, job: SlurmJob, array: Array) -> None:
        try:
            if array.was_tried:
                array.job_id = next((state.job_id for state in self._slurm.states([array.name])), "")
            if not array.job_id:
                array.was_tried = True
                if not job.is_written:
                    self._write(job)
                options = sbatch_options(job.place, array, self._settings)
                arguments = (job.place.folder, str(job.files.list_of(array)))
                array.job_id = self._slurm.submit(options, str(job.files.folder / "task.sh"), arguments)
        except (SlurmAwayError, SlurmFullError) as error:
            array.delay_s = min(max(2 * array.delay_s, SHORTEST_DELAY_S), LONGEST_DELAY_S)
            array.retry_at = time.monotonic() + array.delay_s
            self._complain(str(error))
        except SlurmRefusedError as error:
            for item in (item for task in array.tasks for item in task):
                if item.mark in job.seats:
                    self._withdrawn(job.seats[item.mark], Kind.NOT_STARTED, f"Slurm refuses it: {error}")
            self._settle_told(job)
        else:
            job.files.acknowledge(array)
            self._scan_s = TICK_S
            self._poll_s = self._settings.slurm.poll_s
            self._next_poll = min(self._next_poll, time.monotonic() + self._poll_s)

    # Stopping

    def _cancel(self, job: SlurmJob) -> None:
        job.is_cancelled = True
        job.waiting.clear()
        for seat in list(job.seats.values()):
            self._withdrawn(seat, Kind.NEVER, "")
        for array in job.arrays:
            array.is_to_cancel = True
        self._settle_told(job)
        self._next_poll = min(self._next_poll, time.monotonic() + SOON_S)

    def _withdrawn(self, seat: SeatOf, kind: Kind, problem: str, reason: str = "") -> bool:
        """Claim a run, so that no task begins it, and tell so; False if a task was first."""
        seat.job.files.make()
        if not seat.job.files.claim(seat.item, OURS):
            return False
        with suppress(ValueError):
            seat.job.waiting.remove(seat.item)
        self._tell(seat, End(seat.number, 0, now_us(), kind, problem, reason=reason))
        return True

    def _tell_to_stop(self, seat: SeatOf) -> None:
        seat.tell_at = time.monotonic() + 5 * SOON_S
        claimed = seat.job.files.claimed_by(seat.item)
        if claimed is not None:
            try:
                self._slurm.tell(*claimed)
            except SlurmAwayError as error:
                self._complain(str(error))

    # Looking

    def _scan(self, job: SlurmJob) -> bool:
        """Look at the marks of a job; whether there were new ones."""
        if not job.seats or not job.arrays:
            return False
        names = frozenset(job.files.names())
        is_news = len(names) != job.mark_count
        job.mark_count = len(names)
        for mark, seat in list(job.seats.items()):
            if not seat.has_begun and f"claim-{mark}" in names:
                seat.has_begun = True
                seat.began_us = job.files.began_us(seat.item)
                self._begun.append((seat.number, seat.began_us))
            if seat.ended is None and f"end-{mark}" in names:
                seat.ended = job.files.end_of(seat.item)
                if seat.ended is not None:
                    job.durations_s.append((seat.ended[1] - seat.began_us) / 1e6)
            if seat.ended is not None and (not job.reads or f"read-{mark}" in names):
                self._ended(seat)
        self._settle_told(job)
        return is_news

    def _ended(self, seat: SeatOf) -> None:
        assert seat.ended is not None
        status, ended_us = seat.ended
        printed = seat.job.files.printed(seat.item) if seat.job.reads else None
        self._tell(seat, End(seat.number, status, ended_us, printed=printed))

    def _settle_told(self, job: SlurmJob) -> None:
        """Close the arrays of which every run was told of."""
        for array in list(job.arrays):
            for index, task in enumerate(array.tasks, 1):
                if index not in array.settled and not any(item.mark in job.seats for item in task):
                    array.settled.add(index)
            if array.is_over and not (array.is_to_cancel and array.job_id):
                job.arrays.remove(array)
                job.files.close(array)

    def _poll(self) -> None:
        """Ask squeue for all arrays at once, and settle the tasks that have been gone for long enough."""
        arrays = {array.name: (job, array) for job in self._jobs.values() for array in job.arrays}
        states: dict[str, list[TaskState]] = {name: [] for name in arrays}
        names = list(arrays)
        for first in range(0, len(names), NAMES_A_CALL):
            for state in self._slurm.states(names[first : first + NAMES_A_CALL]):
                states.get(state.name, []).append(state)
        self._back_off()
        for name, (job, array) in arrays.items():
            if array.job_id:
                self._compare(job, array, states[name])

    def _compare(self, job: SlurmJob, array: Array, states: list[TaskState]) -> None:
        now = time.monotonic()
        alive = {index for state in states if not state.is_gone for index in state.tasks}
        gone = {index: state.state for state in states if state.is_gone for index in state.tasks}
        patience_s = SOON_S if job.is_cancelled else self._settings.slurm.poll_s
        due = []
        for index in range(1, len(array.tasks) + 1):
            if index in alive or index in array.settled:
                array.away.pop(index, None)
            elif now - array.away.setdefault(index, now) >= patience_s:
                due.append(index)
        if array.away:
            self._next_poll = min(self._next_poll, now + max(patience_s / 2, 0.5))
        if not due:
            return
        if any(index not in gone for index in due):
            gone = {**self._slurm.accounted(array.job_id), **gone}
        self._scan(job)
        for index in due:
            if index not in array.settled:
                self._settle(job, array.tasks[index - 1], gone.get(index, ""))
                array.settled.add(index)
        self._settle_told(job)

    def _settle(self, job: SlurmJob, task: list[Item], state: str) -> None:
        """Decide what becomes of the runs of a task that is not there any more."""
        is_first = True
        for item in task:
            is_claimed = job.files.is_claimed(item)
            seat = job.seats.get(item.mark)
            if seat is not None and seat.ended is not None:
                self._ended(seat)
            elif seat is not None and is_claimed:
                self._carry_out(
                    seat, fate_of(state, item.attempt, is_first=is_first, is_ours=job.is_cancelled)
                )
            elif seat is not None:
                self._not_begun(seat, state)
            is_first = is_first and not is_claimed

    def _carry_out(self, seat: SeatOf, fate: Fate) -> None:
        directory = seat.job.place.directory(seat.item.run)
        if fate.kind is Kind.AGAIN:
            seat.job.goes_singly = seat.job.goes_singly or fate.goes_singly
            apart = f"{directory}.{seat.item.attempt}"
            with suppress(OSError):
                os.rename(directory, apart)  # noqa: PTH104 - what is left of the task may still write there
            wipe(apart)
        elif fate.problem:
            log_line(directory, fate.problem)
        end = End(seat.number, fate.status, now_us(), fate.kind, fate.problem, reason=fate.reason)
        self._tell(seat, end)

    def _not_begun(self, seat: SeatOf, state: str) -> None:
        """Let a run that no task has claimed wait for another array, under a new mark; a task that comes late finds the old."""
        job, item = seat.job, seat.item
        fate = fate_of(state, item.attempt, is_first=True, is_ours=job.is_cancelled)
        if job.is_cancelled or fate.is_cancelled:
            self._withdrawn(seat, Kind.NEVER, "", fate.reason)
        elif item.attempt >= MOST_ATTEMPTS:
            problem = (
                f"{item.attempt} tasks of Slurm were gone before it began ({state or 'unknown to Slurm'}); "
                f"do the nodes see {job.place.folder}? {job.files.folder / 'tasks.log'} may tell"
            )
            self._withdrawn(seat, Kind.NOT_STARTED, problem)
        elif job.files.claim(item, OURS):
            del job.seats[item.mark]
            job.attempts[item.run] = item.attempt + 1
            seat.item = Item(item.run, item.attempt + 1, item.slot)
            job.seats[seat.item.mark] = seat
            job.waiting.append(seat.item)
        else:
            self._carry_out(seat, fate)

    def _back_off(self) -> None:
        self._next_poll = time.monotonic() + self._poll_s
        self._poll_s = min(2 * self._poll_s, LONGEST_POLL * self._settings.slurm.poll_s)

    def _complain(self, text: str) -> None:
        """Tell the executor's log, once for each trouble."""
        if text != self._complaint:
            self._complaint = text
            sys.stderr.write(f"Slurm: {text}\n")
            sys.stderr.flush()
