"""The steps of an apply: what `next_step` may ask for; each is one kind of call, or a wait."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pack:
    """A job to be created: the indices of its rows in the design, and which try of them it is (from 0)."""

    rows: tuple[int, ...]
    generation: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """Look at the platform, after a pause of some seconds; `why` is for people."""

    pause_s: float = 0.0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Create:
    """Create a draft for each pack."""

    packs: tuple[Pack, ...]


@dataclass(frozen=True, slots=True)
class Submit:
    """Submit drafts."""

    job_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statuses:
    """Read whether a job was submitted."""

    job_id: str


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a draft whose statuses were just read and are empty."""

    job_id: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop a job that this apply submitted and all of whose rows stand in earlier jobs."""

    job_id: str


@dataclass(frozen=True, slots=True)
class Double:
    """Rows that stand in more jobs than anybody wants; `jobs` hold them, the one to keep first."""

    jobs: tuple[str, ...]
    rows: int


@dataclass(frozen=True, slots=True)
class End:
    """Nothing is left to do; `beyond` rows are missing that the user was not asked about."""

    doubles: tuple[Double, ...] = ()
    beyond: int = 0


Step = Look | Create | Submit | Statuses | Delete | Stop | End
