"""Decide what apply will do: one action a job, each with its reason."""

import enum
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass

from doe_compiler.actual.jobs import ActualJob
from doe_compiler.bundle.rows import Keys


class Kind(enum.Enum):
    """What happens to a job; the value is the symbol that plans show."""

    CREATE = "+"
    SUBMIT = ">"
    DELETE = "-"


@dataclass(frozen=True, slots=True)
class Action:
    """One step of a plan: rows are indices into the design, empty for a job that the platform samples."""

    kind: Kind
    reason: str
    runs: int | None
    rows: tuple[int, ...] = ()
    job_id: str | None = None
    generation: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """A job of the study's recipe with the keys of the rows that stand in it."""

    job: ActualJob
    keys: Keys


@dataclass(frozen=True, slots=True)
class Decision:
    """The actions, how many runs are wanted (None: the platform samples), and how many are there already."""

    actions: tuple[Action, ...]
    runs_wanted: int | None
    runs_unchanged: int

    @property
    def is_empty(self) -> bool:
        """Whether apply would do nothing."""
        return not self.actions


def decided(
    desired: Keys, standing: Sequence[Standing], older: Sequence[ActualJob], tried: Sequence[Keys]
) -> Decision:
    """What to do about n desired rows with keys of shape (n,).

    `standing` are the jobs of the same recipe with their rows that exist; `older` the study's jobs of other
    recipes; `tried` the rows that stopped jobs never completed, each a try that counts as a generation.
    """
    wanted: dict[int, deque[int]] = defaultdict(deque)
    for index, key in enumerate(desired.tolist()):
        wanted[key].append(index)
    submitted = [entry for entry in standing if not entry.job.is_draft]
    drafts = [entry for entry in standing if entry.job.is_draft]
    unchanged = 0
    for entry in submitted:
        for key in entry.keys.tolist():
            if wanted[key]:
                wanted[key].popleft()
                unchanged += 1
    actions: list[Action] = []
    for entry in drafts:
        needed = Counter(entry.keys.tolist())
        held = len(entry.keys)
        if held and all(len(wanted[key]) >= count for key, count in needed.items()):
            rows = tuple(wanted[key].popleft() for key in entry.keys.tolist())
            actions.append(
                Action(
                    Kind.SUBMIT,
                    "this draft was created and not submitted",
                    held,
                    rows,
                    entry.job.id,
                    entry.job.mark.generation,
                )
            )
        else:
            actions.insert(
                0, Action(Kind.DELETE, "a draft that is wanted only in part", held, (), entry.job.id)
            )
    missing = sorted(index for indices in wanted.values() for index in indices)
    actions += _creations(desired, missing, older, submitted, tried)
    return Decision(tuple(actions), len(desired), unchanged)


def _creations(
    desired: Keys,
    missing: list[int],
    older: Sequence[ActualJob],
    submitted: Sequence[Standing],
    tried: Sequence[Keys],
) -> list[Action]:
    """The missing rows by their generation: how often a row was tried and stopped before it completed."""
    tries: Counter[int] = Counter()
    for keys in tried:
        tries.update(keys.tolist())
    by_generation: dict[int, list[int]] = defaultdict(list)
    for index in missing:
        by_generation[tries[int(desired[index])]].append(index)
    creations = []
    for generation, rows in sorted(by_generation.items()):
        if generation:
            reason = "stopped before it was completed"
        elif submitted:
            reason = "new rows of the design"
        elif older:
            reason = "a new recipe: what a run computes has changed"
        else:
            reason = "a new study"
        creations.append(Action(Kind.CREATE, reason, len(rows), tuple(rows), None, generation))
    return creations


def decided_unit(unit: str, jobs: Sequence[ActualJob], older: Sequence[ActualJob]) -> Decision:
    """What to do about a job that the platform samples itself: same generators, same job."""
    same = [job for job in jobs if job.mark.unit == unit]
    submitted = [job for job in same if not job.is_draft]
    if submitted:
        return Decision((), None, 0)
    if same:
        reason = "this draft was created and not submitted"
        return Decision((Action(Kind.SUBMIT, reason, None, (), same[0].id),), None, 0)
    reason = "a new recipe: what a run computes has changed" if older or jobs else "a new study"
    return Decision((Action(Kind.CREATE, reason, None),), None, 0)
