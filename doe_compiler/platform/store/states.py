"""The lives of a job and of a run in tables: where they may stand, what moves them on, and what may be asked of them there.

The words that a job's histories get are those of the platform's reference; a run has no words there, its dates tell. The
diagrams in `platform/README.md` are drawn from these tables.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


class JobState(enum.Enum):
    """Where a job stands between its creation and its end."""

    DRAFT = "draft"
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"


class Reason:
    """The words of `statusReason` on a completed job."""

    SUCCESS = "Completed successfully"
    RUN_FAILED = "A run failed"
    STOPPED = "Stopped by the user"
    WALLTIME = "Walltime exceeded"
    CANCELLED = "Cancelled in Slurm"


class Event(enum.Enum):
    """What moves a job on: calls of the API, and the executor when it takes the job up and when it is through."""

    SUBMIT = "submit"
    STOP = "stop"
    START = "taken up"
    FINISH = "through"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Move:
    """Where an event leads from a place; None: the job is no more.

    `words` go into the job's history, `cluster` into that of its cluster; `reason` is that of the last word, where the event
    itself brings none.
    """

    to: JobState | None
    words: tuple[str, ...] = ()
    cluster: tuple[str, ...] = ()
    asks_for_stop: bool = False
    reason: str | None = None


Place = tuple[JobState, bool]
"""A state, and whether the job's stop was asked for."""

DRAFT, QUEUED, RUNNING = (JobState.DRAFT, False), (JobState.QUEUED, False), (JobState.RUNNING, False)
STOPPING, FINISHED, STOPPED = (JobState.RUNNING, True), (JobState.FINISHED, False), (JobState.FINISHED, True)
GOES = ("Stopping", "Stopped")
NAMES: Mapping[Place, str] = MappingProxyType(
    {
        DRAFT: "draft",
        QUEUED: "queued",
        RUNNING: "running",
        STOPPING: "stopping",
        FINISHED: "finished",
        STOPPED: "stopped",
    }
)
MOVES: Mapping[tuple[Place, Event], Move] = MappingProxyType(
    {
        (DRAFT, Event.SUBMIT): Move(JobState.QUEUED, ("Pending", "Queued"), ("Not Started",)),
        (DRAFT, Event.DELETE): Move(None),
        (QUEUED, Event.START): Move(
            JobState.RUNNING, ("Started", "Validated", "Executing"), ("Starting", "Started")
        ),
        (QUEUED, Event.STOP): Move(
            JobState.FINISHED, ("Completed",), ("Stop Requested", *GOES), True, Reason.STOPPED
        ),
        (RUNNING, Event.STOP): Move(JobState.RUNNING, ("Stopping",), ("Stop Requested",), True),
        (RUNNING, Event.FINISH): Move(JobState.FINISHED, ("Completed",), ("Stop Requested", *GOES)),
        (STOPPING, Event.FINISH): Move(JobState.FINISHED, ("Completed",), GOES),
        (FINISHED, Event.DELETE): Move(None),
        (STOPPED, Event.DELETE): Move(None),
    }
)
"""All that can happen; an event that a place does not know changes nothing."""

OF_THE_REFERENCE = ("Force Stop", "Waiting for Queue", "Waiting for Cluster")
"""Words of the reference that no job has here; lists may be asked for them."""

JOB_STATUSES = (*dict.fromkeys(word for move in MOVES.values() for word in move.words), *OF_THE_REFERENCE)


class RunState(enum.Enum):
    """Where a run stands; of one that was cut off nobody knows how it would have ended."""

    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"
    CUT_OFF = "cut off"


class RunEvent(enum.Enum):
    """What moves a run on: its first process, its end, the end of its job before that, and the death of an executor."""

    START = "start"
    END = "end"
    CUT = "the job ends"
    INTERRUPT = "the executor is killed"


RUN_MOVES: Mapping[tuple[RunState, RunEvent], RunState] = MappingProxyType(
    {
        (RunState.WAITING, RunEvent.START): RunState.RUNNING,
        (RunState.RUNNING, RunEvent.END): RunState.ENDED,
        (RunState.RUNNING, RunEvent.CUT): RunState.CUT_OFF,
        (RunState.RUNNING, RunEvent.INTERRUPT): RunState.WAITING,
    }
)


class RunCall(enum.Enum):
    """What may be asked of a run, in which states; and what is said in the others."""

    STOP = (frozenset({RunState.WAITING, RunState.RUNNING}), "The run has ended.")
    SNAPSHOT = (frozenset({RunState.RUNNING}), "The run is not running.")
    LOOK = (frozenset(RunState) - {RunState.WAITING}, "The run has not started.")
    DELETE_OUTPUT = (frozenset({RunState.ENDED, RunState.CUT_OFF}), "The run has not ended.")

    @property
    def states(self) -> frozenset[RunState]:
        """Where it may be asked."""
        return self.value[0]

    @property
    def refusal(self) -> str:
        """The detail of the 400."""
        return self.value[1]


def run_state(job: JobState, *, has_started: bool, has_ended: bool) -> RunState:
    """The state of a run by what is recorded of it and of its job."""
    if has_ended:
        return RunState.ENDED
    if not has_started:
        return RunState.WAITING
    return RunState.CUT_OFF if job is JobState.FINISHED else RunState.RUNNING


def run_diagram() -> str:
    """The table of runs as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", '    state "cut off" as cut_off', "    [*] --> waiting: submit"]
    for (state, event), to in RUN_MOVES.items():
        lines.append(f"    {_id(state)} --> {_id(to)}: {event.value}")
    return "\n".join(lines) + "\n"


def _id(state: RunState) -> str:
    return state.value.replace(" ", "_")


def words_at(state: JobState) -> str:
    """The last word of the cluster's history of a job that stands there, not asked to stop; empty for a draft."""
    return next(
        (move.cluster[-1] for move in MOVES.values() if move.to is state and not move.asks_for_stop), ""
    )


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {NAMES[DRAFT]}: create"]
    for (place, event), move in MOVES.items():
        to = "[*]" if move.to is None else NAMES[move.to, place[1] or move.asks_for_stop]
        words = f" / {', '.join(move.words)}" if move.words else ""
        lines.append(f"    {NAMES[place]} --> {to}: {event.value}{words}")
    return "\n".join(lines) + "\n"
