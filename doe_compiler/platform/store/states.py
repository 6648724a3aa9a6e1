"""The life of a job in one table: where it may stand, what moves it on, and the words that its histories then get.

The words are those of the platform's reference; the diagram in `platform/README.md` is drawn from this table.
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
