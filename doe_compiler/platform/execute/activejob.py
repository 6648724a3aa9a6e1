"""A job while it is being run: which runs are left, which are prepared, which are running, and how it ends."""

import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from doe_compiler.platform.execute.inputs import InputError, RunFiles, run_files
from doe_compiler.platform.execute.journal import Entry, Journal, journal_entries
from doe_compiler.platform.execute.launcher import End, JobPlace, Kind, Launcher, Room
from doe_compiler.platform.execute.measuring import LARGE
from doe_compiler.platform.execute.outputs import (
    OutputFilter,
    Outputs,
    log_line,
    output_sizes,
    outputs_up_to,
    printed_variables,
    variables_in,
    wipe,
)
from doe_compiler.platform.execute.reading import ReadFrom, Variables, mark_untouched, read_from
from doe_compiler.platform.execute.settings import RUN, Settings
from doe_compiler.platform.execute.sharing import Sharing
from doe_compiler.platform.execute.steps import steps_of_job
from doe_compiler.platform.execute.supervisor import Signal
from doe_compiler.platform.store.blobs import blob_path
from doe_compiler.platform.store.form import JobForm, form_of
from doe_compiler.platform.store.records import DataFolder, Job, Run, RunEnd, now_us
from doe_compiler.platform.store.runuser import CLOSED, PASSED, RunUser
from doe_compiler.platform.store.states import Reason
from doe_compiler.platform.store.store import Store
from doe_compiler.platform.store.tables import rows_from
from doe_compiler.templates.template import TemplateError

AHEAD = 2
NOT_STARTED = 126
STOPPED = "The run was stopped by the user."
GRACE_S = 2.0


@dataclass(slots=True)
class Started:
    """A run that was started; `has_begun` says whether its process is known to be running."""

    number: int
    slot: int
    started_us: int = 0
    has_begun: bool = False
    is_recorded: bool = False
    kill_at: float | None = None

    def as_run(self) -> Run:
        """The run as it is recorded meanwhile."""
        return Run(self.number, self.started_us, None, 0, 0, 0, ())


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that ended; `completed_us` is None if it was stopped. `read` are its variables if they were read already."""

    number: int
    slot: int
    started_us: int
    completed_us: int | None
    exit_status: int
    read: Variables = ()
    is_read: bool = False


@dataclass(slots=True)
class ActiveJob:
    """The state of one job in the executor; see the module."""

    job: Job
    place: JobPlace
    room: Room
    files: RunFiles | None
    failure: str
    rows: Iterator[tuple[int, Sequence[str]]]
    row: Callable[[int], Sequence[str]]
    journal: Journal
    deadline: float | None
    free_slots: list[int]
    kept: OutputFilter
    stopped_runs: set[int] = field(default_factory=set)
    prepared: deque[int] = field(default_factory=deque)
    running: dict[int, Started] = field(default_factory=dict)
    ended: deque[Ended] = field(default_factory=deque)
    read_from: ReadFrom | None = None
    untouched: tuple[str, ...] = ()
    being_read: int = 0
    sharing: Sharing | None = None
    is_exhausted: bool = False
    ending: str | None = None
    shortfall: str = ""

    @property
    def is_done(self) -> bool:
        """Whether nothing of the job is left to do."""
        return self.is_exhausted and not (self.prepared or self.running or self.ended or self.being_read)

    @property
    def has_runs_left(self) -> bool:
        """Whether a run is running or may still start; the others may be being read or measured."""
        return bool(self.running or self.prepared or not self.is_exhausted)

    @property
    def leaves_cores(self) -> bool:
        """Whether the job cannot start another run now, so that a later job may."""
        return (self.is_exhausted and not self.prepared) or not self.free_slots

    def prepare_next(self) -> bool:
        """Make the next run's work directory ready; False if there is nothing to prepare now."""
        if self.is_exhausted or len(self.prepared) >= AHEAD:
            return False
        following = next(self.rows, None)
        if following is None:
            self.is_exhausted = True
            return False
        number, cells = following
        problem = self.failure
        try:
            self._make_home(number)
            self._enter_new_directory(self.place.directory(number))
            if self.files is not None:
                self.files.place(cells)
                mark_untouched(self.untouched)
        except TemplateError as error:
            problem = f"A template cannot be filled in: {error}"
        except OSError as error:
            problem = f"The work directory cannot be made: {error.strerror} ({error.filename})"
        if self.place.user is not None:
            self._give(self.place.user, number)
        if problem:
            self._end_unstarted(number, problem)
        elif number in self.stopped_runs:
            self._end_unstarted(number, STOPPED)
        elif self.place.form.is_template_dry_run:
            self.ended.append(Ended(number, 0, now_us(), now_us(), 0))
        else:
            self.prepared.append(number)
        return True

    def _make_home(self, number: int) -> None:
        """The run's own HOME, beside its directory so that what lies there is no output; `work` leads to the directory."""
        home = self.place.home(number)
        if home:
            if os.path.lexists(home):
                wipe(home)
            os.mkdir(home, 0o700)  # noqa: PTH102
            os.symlink(self.place.directory(number), f"{home}/work")  # noqa: PTH211

    def _enter_new_directory(self, directory: str) -> None:
        mode = 0o777 if self.place.user is None else 0o700
        try:
            os.mkdir(directory, mode)  # noqa: PTH102 (a thousand times a second)
        except FileExistsError:
            os.chdir("/")
            wipe(directory)
            os.mkdir(directory, mode)  # noqa: PTH102
        os.chdir(directory)

    def _give(self, user: RunUser, number: int) -> None:
        """Hand what was prepared over to the user of the runs."""
        for directory in filter(os.path.lexists, (self.place.home(number), self.place.directory(number))):
            user.give(directory)

    def _end_unstarted(self, number: int, problem: str) -> None:
        log_line(self.place.directory(number), problem, self.place.user)
        self.ended.append(Ended(number, 0, now_us(), now_us(), NOT_STARTED))

    def start_prepared(self, launcher: Launcher) -> int | None:
        """Start the run that was prepared first in a free slot; its seat, None if it was not to start."""
        number = self.prepared.popleft()
        if number in self.stopped_runs:
            self._end_unstarted(number, STOPPED)
            return None
        slot = self.free_slots.pop()
        seat = launcher.start(self.place, number, slot)
        self.running[seat] = Started(number, slot)
        return seat

    def began(self, seat: int, started_us: int) -> None:
        """Take note that the run of a seat has begun."""
        run = self.running[seat]
        run.started_us, run.has_begun = started_us, True

    def end_of(self, end: End) -> None:
        """Take note of how it went on with a run; all its processes have ended."""
        run = self.running.pop(end.seat)
        self.shortfall = self.shortfall or end.reason
        if end.kind is Kind.NOT_STARTED:
            self.free_slots.append(run.slot)
            is_stopped = run.number in self.stopped_runs
            self._end_unstarted(
                run.number, STOPPED if is_stopped else f"The run cannot be started: {end.problem}"
            )
        elif end.kind is Kind.AGAIN:
            self.free_slots.append(run.slot)
            self._begin_again(run.number)
        elif end.kind is Kind.NEVER:
            self.free_slots.append(run.slot)
            wipe(self.place.directory(run.number))
        else:
            self._end_started(run, end)

    def _end_started(self, run: Started, end: End) -> None:
        exit_status = end.status if end.status >= 0 else 128 - end.status
        is_stopped = run.kill_at is not None and run.number not in self.stopped_runs
        if end.kind is Kind.CUT_OFF or (exit_status and is_stopped):
            self.ended.append(Ended(run.number, run.slot, run.started_us, None, 0))
        else:
            self.journal.add(Entry(run.number, run.slot, run.started_us, end.ended_us, exit_status))
            read = () if end.printed is None else variables_in(end.printed)
            self.ended.append(
                Ended(
                    run.number,
                    run.slot,
                    run.started_us,
                    end.ended_us,
                    exit_status,
                    read,
                    end.printed is not None,
                )
            )
        if not self.place.steps.has_post_process:
            self.free_slots.append(run.slot)

    def _begin_again(self, number: int) -> None:
        if self.ending is None:
            self.rows = chain([(number, self.row(number))], self.rows)
            self.is_exhausted = False

    def wanted_of(self, ended: Ended) -> ReadFrom | None:
        """What is to be read of the ended run before it is collected; nothing of one that never ran."""
        is_wanted = ended.slot and ended.completed_us is not None and not ended.is_read
        return self.read_from if is_wanted else None

    def cleared(self, ended: Ended) -> Outputs | None:
        """Tidy up after the run, which is done before it is collected; its outputs, None if they take long to measure."""
        if self.place.has_own_homes:
            wipe(self.place.home(ended.number))
        if self.place.user is not None:
            with self.place.reached(ended.number) as folder:
                folder.take_back()
        with self.place.reached(ended.number) as folder:
            if not self.kept.keeps_all:
                self.kept.apply(folder)
            return outputs_up_to(folder, LARGE)

    def sizes_of(self, ended: Ended) -> Outputs:
        """The outputs of a run that is cleared, without their md5."""
        with self.place.reached(ended.number) as folder:
            return output_sizes(folder)

    def collected(self, ended: Ended, read: Variables, outputs: Outputs) -> RunEnd:
        """What the ended run left behind; `read` is what its outputs say."""
        if self.sharing is not None and self.sharing.is_any and ended.slot:
            with self.place.reached(ended.number) as folder:
                if folder.root >= 0:
                    self.sharing.apply(folder.root, outputs)
        variables: tuple[tuple[str, str], ...] = ()
        if self.place.steps.has_post_process and ended.slot:
            variables = printed_variables(self.place.post_output(ended.slot))
        variables = tuple({**dict(variables), **dict(read)}.items()) if read else variables
        run = Run(
            ended.number,
            ended.started_us,
            ended.completed_us,
            ended.exit_status,
            len(outputs),
            sum(size for _, size, _ in outputs),
            variables,
        )
        return RunEnd(run, outputs)

    def release_slot(self, ended: Ended) -> None:
        """Let the next run have the slot, once what the post-processing printed is recorded."""
        if self.place.steps.has_post_process and 0 < ended.slot <= self.room.most_at_a_time:
            self.free_slots.append(ended.slot)

    def end_early(self, reason: str, launcher: Launcher) -> None:
        """Start nothing more and ask what is running to end; `kill_overdue` ends what does not."""
        if self.ending is not None:
            return
        self.ending = reason
        self.is_exhausted = True
        os.chdir("/")
        for number in self.prepared:
            wipe(self.place.directory(number))
        self.prepared.clear()
        for seat, run in self.running.items():
            run.kill_at = time.monotonic() + GRACE_S
            launcher.signal(seat, Signal(signal.SIGTERM))

    def stop_runs(self, numbers: set[int], launcher: Launcher) -> None:
        """Ask the runs to end; those that wait will not start. They fail, the others go on."""
        for seat, run in self.running.items():
            if run.number in numbers and run.kill_at is None:
                run.kill_at = time.monotonic() + GRACE_S
                launcher.signal(seat, Signal(signal.SIGTERM, STOPPED))
        self.stopped_runs |= numbers

    def kill_overdue(self, now_s: float, launcher: Launcher) -> None:
        """Kill the runs that were asked to end and have not in two seconds."""
        for seat, run in self.running.items():
            if run.kill_at is not None and now_s >= run.kill_at:
                launcher.signal(seat, Signal(signal.SIGKILL))

    def reason(self, store: Store) -> str:
        """The reason of the job's completion."""
        if self.ending is not None:
            return self.ending
        if self.failure:
            return f"{Reason.RUN_FAILED}: {self.failure}"
        if self.shortfall:
            return self.shortfall
        return Reason.RUN_FAILED if store.has_failed_runs(self.job.key) else Reason.SUCCESS

    def close(self) -> None:
        """Remove what is needed only while the job runs."""
        os.chdir("/")
        self.journal.close()
        for path in Path(self.place.folder).glob("post*"):
            path.unlink(missing_ok=True)
        if (Path(self.place.folder) / "inputs").exists():
            wipe(f"{self.place.folder}/inputs")
        if self.place.user is not None:
            os.chmod(self.place.folder, CLOSED)  # noqa: PTH101


def activated(
    store: Store, folder: DataFolder, job: Job, launcher: Launcher, settings: Settings
) -> ActiveJob:
    """The job, ready to go on where it was left: what is recorded or in the journal does not run again."""
    home = launcher.home(job.id)
    store.start_job(job.key, now_us())
    store.forget_interrupted_runs(job.key)
    form = form_of(job.body)
    files, failure, names = _prepared_files(store, folder, job, form, home)
    is_completed = bytearray(job.expected_runs + 1)
    for number in store.completed_runs(job.key):
        is_completed[number] = 1
    unrecorded = [each for each in journal_entries(home) if not is_completed[each.run]]
    for entry in unrecorded:
        is_completed[entry.run] = 1
    user = folder.run_user()
    if user is not None:
        home.chmod(PASSED)
    environment = os.environ if user is None else user.environment(os.environ)
    place = JobPlace(
        job.id,
        str(home),
        form,
        steps_of_job(form, job.id, environment, settings.prologues),
        job.expected_runs,
        settings.home == RUN,
        user,
    )
    room = launcher.room(form, job.expected_runs)
    handed = list(launcher.handed(place, is_completed))
    for run in handed:
        is_completed[run.number] = 1
    asked = read_from(form)
    untouched = asked.untouched(files.paths(rendered=False)) if asked and files else ()
    taken = {run.slot for run in handed}
    slots = [slot for slot in range(room.most_at_a_time, 0, -1) if slot not in taken]
    active = ActiveJob(
        job=job,
        place=place,
        room=room,
        files=files,
        failure=failure,
        rows=_remaining_rows(store, folder, job, names, is_completed),
        row=lambda number: _row(store, folder, job, names, number),
        journal=Journal(home),
        deadline=None if room.walltime_s is None else time.monotonic() + room.walltime_s,
        free_slots=slots,
        kept=OutputFilter(
            form.resource_filters,
            files.paths(rendered=True) if files else (),
            files.paths(rendered=False) if files else (),
        ),
        stopped_runs=store.run_stops(job.key),
        read_from=asked,
        untouched=untouched,
        sharing=Sharing(files.originals(), home / "inputs", untouched) if files else None,
        running={run.seat: Started(run.number, run.slot) for run in handed},
    )
    for entry in unrecorded:
        active.free_slots = [slot for slot in active.free_slots if slot != entry.slot]
        active.ended.append(Ended(entry.run, entry.slot, entry.started_us, entry.ended_us, entry.exit_status))
    if not place.steps.has_post_process:
        active.free_slots = slots
    return active


def _prepared_files(
    store: Store, folder: DataFolder, job: Job, form: JobForm, home: Path
) -> tuple[RunFiles | None, str, Sequence[str]]:
    """The files of the runs, or why they cannot be had, and the names of the columns."""
    index = store.table(job.table_sha512) if job.table_sha512 else None
    names = index.names if index else ()
    try:
        files = run_files(
            form,
            store.files_by_id(form.run_file_ids),
            lambda file: blob_path(folder.blobs, file.sha512),
            names,
            home / "inputs",
        )
    except InputError as error:
        return None, str(error), names
    except OSError as error:
        return None, f"the input files cannot be read: {error.strerror}", names
    return files, "", names


def _remaining_rows(
    store: Store, folder: DataFolder, job: Job, names: Sequence[str], is_completed: bytearray
) -> Iterator[tuple[int, Sequence[str]]]:
    if not names or job.table_sha512 is None:
        return iter([(1, ())] if not is_completed[1] else [])
    index = store.table(job.table_sha512)
    assert index is not None
    first = is_completed.find(0, 1)
    if first < 0:
        return iter(())
    rows = rows_from(blob_path(folder.blobs, job.table_sha512), index, first)
    return ((number, row) for number, row in enumerate(rows, first) if not is_completed[number])


def _row(store: Store, folder: DataFolder, job: Job, names: Sequence[str], number: int) -> Sequence[str]:
    """The cells of a run."""
    if not names or job.table_sha512 is None:
        return ()
    index = store.table(job.table_sha512)
    assert index is not None
    return next(iter(rows_from(blob_path(folder.blobs, job.table_sha512), index, number)))
