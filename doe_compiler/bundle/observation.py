"""What a look at the platform found of a study: its jobs, the rows that they hold, and when it was taken."""

import enum
from dataclasses import dataclass, field

import numpy as np

from doe_compiler.bundle.mark import Mark
from doe_compiler.bundle.rows import Keys

NO_KEYS: Keys = np.zeros(0, np.uint64)


class Phase(enum.Enum):
    """How far a job is; an UNKNOWN status word counts as submitted."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    STOPPING = "stopping"
    FINISHED = "finished"
    UNKNOWN = "unknown"

    @property
    def is_open(self) -> bool:
        """Whether a job may still do something: it is a draft, or runs."""
        return self in {Phase.DRAFT, Phase.SUBMITTED}


@dataclass(frozen=True, slots=True)
class SeenJob:
    """A job with a mark, as the list shows it.

    `created_us` are microseconds since 1970 by the platform's stamp; `reason` why it ended and `runs_failed` how
    many of its runs have failed, where the list tells it (None: it does not).
    """

    id: str
    name: str
    mark: Mark
    phase: Phase
    status: str
    created_us: int
    reason: str | None = None
    shared_with: tuple[str, ...] = ()
    runs_failed: int | None = None

    @property
    def is_draft(self) -> bool:
        """Whether the list shows it as not submitted."""
        return self.phase is Phase.DRAFT


def by_age(job: SeenJob) -> tuple[int, str]:
    """The order in which jobs were created, the same for everybody who looks."""
    return (job.created_us, job.id)


@dataclass(frozen=True, slots=True, eq=False)
class Holding:
    """A job with the keys of its rows in any order, shape (n,); None: they cannot be read.

    `lost` are the keys of the rows that it ended without completing, `failed` of those whose command failed,
    `lacking` of those that lack a required response (known only where it was asked); all are part of `keys`.
    """

    job: SeenJob
    keys: Keys | None
    lost: Keys = field(default_factory=lambda: NO_KEYS)
    failed: Keys = field(default_factory=lambda: NO_KEYS)
    lacking: Keys = field(default_factory=lambda: NO_KEYS)


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """One look at a study.

    `begun` and `ended` are seconds of the applier's own clock, `date_us` the platform's at the answer (None: it
    told none). `abandoned` are nonces whose makers are known to be dead. `holdings` are the jobs of the recipe in the order of their creation; `copies` those that a person
    made of our jobs; `older` the jobs of other recipes, `jobs` all of them.
    """

    begun: float
    ended: float
    date_us: int | None
    holdings: tuple[Holding, ...] = ()
    copies: tuple[SeenJob, ...] = ()
    older: tuple[SeenJob, ...] = ()
    jobs: tuple[SeenJob, ...] = ()
    abandoned: frozenset[str] = frozenset()
