"""What apply may do to the jobs of a study: the kinds of actions, their symbols, their reasons."""

import enum
from dataclasses import dataclass


class Kind(enum.Enum):
    """What happens to a job."""

    CREATE = "create"
    SUPERSEDE = "supersede"
    STOP = "stop"
    DELETE = "delete"
    SHARE = "share"
    ATTENTION = "attention"

    @property
    def symbol(self) -> str:
        """The symbol that plans show."""
        return _SYMBOLS[self]


_SYMBOLS = {
    Kind.CREATE: "+",
    Kind.SUPERSEDE: "-/+",
    Kind.STOP: "-",
    Kind.DELETE: "-",
    Kind.SHARE: "~",
    Kind.ATTENTION: "!",
}
CREATING = frozenset({Kind.CREATE, Kind.SUPERSEDE})


class Why(enum.Enum):
    """Why an action is needed; the value is the code for machines."""

    NEW_STUDY = "new-study"
    NEW_ROWS = "new-rows"
    RECIPE_CHANGED = "recipe-changed"
    STOPPED = "stopped"
    RETRIED = "retried"
    LACKING = "lacking"
    LEFT_BEHIND = "left-behind"
    CLAIMED = "claimed"
    NOT_WANTED = "not-wanted"
    OLDER_RECIPE = "older-recipe"
    DOUBLE = "double"
    CLONE = "clone"
    UNKNOWN_STATUS = "unknown-status"
    TO_BE_SHARED = "to-be-shared"


_TEXTS = {
    Why.NEW_STUDY: "a new study",
    Why.NEW_ROWS: "new rows of the design",
    Why.RECIPE_CHANGED: "a new recipe: what a run computes has changed",
    Why.STOPPED: "stopped before it was completed",
    Why.RETRIED: "failed, and is to be tried again",
    Why.LACKING: "lacks a required response, and is to be tried again",
    Why.LEFT_BEHIND: "a draft that its maker has left behind; it was never submitted",
    Why.CLAIMED: "a draft of another applier, who is at it: apply waits for it",
    Why.NOT_WANTED: "the study no longer wants it",
    Why.OLDER_RECIPE: "it runs an older recipe",
    Why.DOUBLE: "its rows were submitted twice",
    Why.CLONE: "a clone of a job of this study, made by a person: left alone",
    Why.UNKNOWN_STATUS: "its status is unknown: it counts as submitted",
    Why.TO_BE_SHARED: "the study shares its jobs",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, and what it was that changed (inputs, templates, commands, fields), if that is known."""

    why: Why
    changes: tuple[str, ...] = ()

    def __str__(self) -> str:
        text = _TEXTS[self.why]
        return f"{text}: {'; '.join(self.changes)}" if self.changes else text


@dataclass(frozen=True, slots=True)
class Action:
    """One step of a plan.

    `rows` are indices into the design; `emails` who is to see the job.
    """

    kind: Kind
    reason: Reason
    runs: int | None
    rows: tuple[int, ...] = ()
    job_id: str | None = None
    generation: int = 0
    emails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """The actions, how many rows are wanted, and how many stand already.

    `failed` are those, as indices into the design, that failed and are not tried again.
    """

    actions: tuple[Action, ...]
    runs_wanted: int
    runs_unchanged: int
    failed: tuple[int, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether apply would do nothing."""
        return all(action.kind is Kind.ATTENTION for action in self.actions)

    @property
    def is_clean(self) -> bool:
        """Whether there is nothing to do, and no row stands more often than anybody wants."""
        return self.is_empty and all(action.reason.why is not Why.DOUBLE for action in self.actions)

    def of(self, *kinds: Kind) -> tuple[Action, ...]:
        """The actions of some kinds, in order."""
        return tuple(action for action in self.actions if action.kind in kinds)
