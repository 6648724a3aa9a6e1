"""Runs on this machine: each a child of a supervisor, at most as many as the cores of this process."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from doe_compiler.platform.execute.guardian import Guardian
from doe_compiler.platform.execute.launcher import End, Handed, JobPlace, Room
from doe_compiler.platform.execute.orphans import end_orphans
from doe_compiler.platform.execute.outputs import log_line
from doe_compiler.platform.execute.seats import Seats
from doe_compiler.platform.execute.settings import Settings
from doe_compiler.platform.execute.supervisor import Request, Signal
from doe_compiler.platform.execute.tie import Tie
from doe_compiler.platform.store.form import JobForm
from doe_compiler.platform.store.records import DataFolder, now_us

TICK_S = 0.05


def available_cores() -> int:
    """How many cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on macOS
    return len(affinity(0)) if affinity else os.cpu_count() or 1


class LocalLauncher:
    """Starts runs as processes; all of them end with the executor. Whatever a killed one left is ended first."""

    tick_s = TICK_S

    def __init__(self, folder: DataFolder, tie: Tie, _settings: Settings) -> None:
        end_orphans(folder.jobs)
        self.cores = available_cores()
        self._folder = folder
        self._guardian = Guardian(folder.jobs)
        self._user = folder.run_user()
        self._seats = Seats(tie, (self._guardian.tie,), self._user)
        self._directories: dict[int, str] = {}
        self._begun: list[tuple[int, int]] = []

    def home(self, job_id: str) -> Path:
        """The folder of a job's runs, in the data folder."""
        home = self._folder.jobs / job_id
        home.mkdir(parents=True, exist_ok=True)
        return home

    def room(self, form: JobForm, expected_runs: int) -> Room:
        """As many runs as the job's slots and the machine's cores allow."""
        cores_per_run = min(self.cores, form.cores_per_run)
        most = max(1, min(form.slots, self.cores // cores_per_run, expected_runs))
        return Room(cores_per_run, most, None if form.walltime_h is None else form.walltime_h * 3600)

    def handed(self, _place: JobPlace, _completed: bytearray) -> Iterable[Handed]:
        """None: the runs of an executor end with it."""
        return ()

    def start(self, place: JobPlace, number: int, slot: int) -> int:
        """Start the run at once."""
        directory = place.directory(number)
        if self._user is not None and place.steps.has_post_process:
            self._user.make_file(place.post_output(slot))
        arguments, environment = place.steps.of_run(directory, place.post_output(slot), place.home(number))
        started_us = now_us()
        seat = self._seats.start(Request(directory, arguments, place.steps.fallback, environment))
        self._directories[seat] = directory
        self._begun.append((seat, started_us))
        return seat

    def send(self, _place: JobPlace, *, is_whole: bool) -> None:
        """Nothing waits."""

    def begun(self) -> Iterator[tuple[int, int]]:
        """What was started."""
        begun, self._begun = self._begun, []
        return iter(begun)

    def ends(self) -> Iterator[End]:
        """What the supervisors tell."""
        return self._seats.ends()

    def lost(self) -> Iterator[End]:
        """The runs whose supervisors were killed; what is left of them is ended."""
        for end in self._seats.lost():
            if end.problem and end.status:
                directory = self._directories[end.seat]
                end_orphans(Path(directory))
                log_line(directory, end.problem, self._user)
            yield end

    def signal(self, seat: int, which: Signal) -> None:
        """Signal the run's process group."""
        self._seats.signal(seat, which)

    def over(self, _place: JobPlace) -> None:
        """Nothing is kept."""

    def close(self) -> Iterator[End]:
        """Kill what is running; it is started again by the next executor."""
        yield from self._seats.close()
        end_orphans(self._folder.jobs)
        self._guardian.dismiss()
