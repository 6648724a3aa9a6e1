"""Decide what apply will do: one action a job, each with its reason."""

from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from doe_compiler.actual.jobs import ActualJob, Holding, Phase, by_age
from doe_compiler.bundle.rows import Keys
from doe_compiler.plan.action import Action, Decision, Kind, Reason, Why
from doe_compiler.plan.ledger import Ledger, ledger
from doe_compiler.plan.rivals import doubled


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is done only when it is asked for."""

    retry_failed: bool = False
    replace: bool = False
    prune: bool = False


NO_WISHES = Wishes()


@dataclass(frozen=True, slots=True)
class Existing:
    """What there is of a study: its jobs, and what looking closer at some of them has shown.

    `holdings` are the jobs of the recipe with their rows; `clones` those that a person made of our jobs and
    that have not ended, `copied` those that were submitted: their rows exist too;
    `older` the jobs of other recipes, `paid` the keys of the rows that those were submitted with, and
    `changes` what tells the newest of them from the study. `edited` are the fields in which a draft differs
    from what the study has now, `unshared` the people who do not see a job yet, `prunable` the jobs that were
    applied from this repository and path.
    """

    holdings: tuple[Holding, ...] = ()
    copied: tuple[Holding, ...] = ()
    clones: tuple[ActualJob, ...] = ()
    older: tuple[ActualJob, ...] = ()
    paid: frozenset[int] = frozenset()
    changes: tuple[str, ...] = ()
    edited: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unshared: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    prunable: frozenset[str] = frozenset()

    @property
    def drafts(self) -> tuple[Holding, ...]:
        """The drafts of the recipe, oldest first."""
        return tuple(
            sorted((h for h in self.holdings if h.job.is_draft), key=lambda holding: by_age(holding.job))
        )

    @property
    def submitted(self) -> tuple[Holding, ...]:
        """The submitted jobs of the recipe."""
        return tuple(holding for holding in self.holdings if not holding.job.is_draft)


def decided(desired: Keys, existing: Existing, wishes: Wishes = NO_WISHES) -> Decision:
    """What to do about n desired rows with keys of shape (n,)."""
    indices: dict[int, deque[int]] = defaultdict(deque)
    for index, key in enumerate(desired.tolist()):
        indices[key].append(index)
    account = ledger(desired.tolist(), [*existing.holdings, *existing.copied])
    unchanged = 0
    for holding in [*existing.submitted, *existing.copied]:
        for key in holding.stands.tolist():
            if indices[key]:
                indices[key].popleft()
                unchanged += 1
    adopted, partly_wanted = _drafts(account, existing, indices)
    missing = sorted(index for left in indices.values() for index in left)
    actions = [
        *_stops(account, existing, wishes),
        *partly_wanted,
        *adopted,
        *_creations(desired, missing, account, existing),
        *_unwanted(account, existing, wishes),
        *_shares(existing),
        *_attention(existing),
    ]
    return Decision(tuple(actions), len(desired), unchanged)


def _drafts(
    account: Ledger, existing: Existing, indices: dict[int, deque[int]]
) -> tuple[list[Action], list[Action]]:
    adopted, partly_wanted = [], []
    taken: Counter[int] = Counter()
    for draft in existing.drafts:
        keys = Counter(draft.keys.tolist())
        if account.has_room(keys, draft.job.mark.generation, taken):
            taken.update(keys)
            rows = tuple(indices[key].popleft() for key in draft.keys.tolist())
            adopted.append(_adoption(draft.job, existing, len(rows), rows))
        elif account.wants_any(keys, taken):
            partly_wanted.append(
                Action(Kind.DELETE, Reason(Why.PARTLY_WANTED), len(draft.keys), (), draft.job.id)
            )
    return adopted, partly_wanted


def _adoption(job: ActualJob, existing: Existing, runs: int | None, rows: tuple[int, ...]) -> Action:
    changes = existing.edited.get(job.id, ())
    kind, why = (Kind.EDIT, Why.DRAFT_EDITED) if changes else (Kind.SUBMIT, Why.DRAFT_FOUND)
    return Action(kind, Reason(why, changes), runs, rows, job.id, job.mark.generation)


def _creations(desired: Keys, missing: Sequence[int], account: Ledger, existing: Existing) -> list[Action]:
    """The missing rows by their generation, and by whether an older recipe has run them before."""
    groups: dict[tuple[int, bool], list[int]] = defaultdict(list)
    for index in missing:
        key = int(desired[index])
        generation = account.generation(key)
        groups[generation, not generation and key in existing.paid].append(index)
    failed = {key for holding in existing.submitted for key in holding.failed.tolist()}
    actions = []
    for (generation, is_paid), rows in sorted(groups.items()):
        kind = Kind.SUPERSEDE if is_paid else Kind.CREATE
        if generation:
            is_retry = any(int(desired[index]) in failed for index in rows)
            reason = Reason(Why.RETRIED if is_retry else Why.STOPPED)
        elif is_paid or (existing.older and not existing.submitted):
            reason = Reason(Why.RECIPE_CHANGED, existing.changes)
        else:
            reason = Reason(Why.NEW_ROWS if existing.submitted else Why.NEW_STUDY)
        actions.append(Action(kind, reason, len(rows), tuple(rows), None, generation))
    return actions


def _stops(account: Ledger, existing: Existing, wishes: Wishes) -> list[Action]:
    """The later ones of doubled rows, and with `replace` the running jobs of older recipes."""
    actions = []
    for double in doubled(account, existing.submitted):
        if double.job.phase is not Phase.SUBMITTED:
            continue
        runs = () if double.is_whole else double.runs
        reason = Reason(Why.DOUBLE, tuple(f"first by {job_id}" for job_id in double.earlier))
        actions.append(Action(Kind.STOP, reason, len(double.runs), (), double.job.id, 0, runs))
    if wishes.replace:
        actions += [
            Action(Kind.STOP, Reason(Why.OLDER_RECIPE), _runs(job), (), job.id)
            for job in existing.older
            if job.phase is Phase.SUBMITTED
        ]
    return actions


def _unwanted(account: Ledger, existing: Existing, wishes: Wishes) -> list[Action]:
    """With `prune`, the jobs of which the study wants no row, if they were applied from here."""
    if not wishes.prune:
        return []
    unwanted = [
        holding.job
        for holding in existing.holdings
        if not any(account.wanted.get(key, 0) for key in holding.keys.tolist())
    ]
    return [
        Action(Kind.DELETE, Reason(Why.NOT_WANTED), _runs(job), (), job.id)
        for job in sorted([*unwanted, *existing.older], key=by_age)
        if job.id in existing.prunable
    ]


def _shares(existing: Existing) -> list[Action]:
    return [
        Action(Kind.SHARE, Reason(Why.TO_BE_SHARED), None, (), job_id, 0, (), emails)
        for job_id, emails in sorted(existing.unshared.items())
    ]


def _attention(existing: Existing) -> list[Action]:
    clones = [Action(Kind.ATTENTION, Reason(Why.CLONE), _runs(job), (), job.id) for job in existing.clones]
    unknown = [
        Action(Kind.ATTENTION, Reason(Why.UNKNOWN_STATUS, (f"'{h.job.status}'",)), _runs(h.job), (), h.job.id)
        for h in existing.holdings
        if h.job.phase is Phase.UNKNOWN
    ]
    return [*clones, *unknown]


def _runs(job: ActualJob) -> int | None:
    return job.mark.rows.count if job.mark.rows else None


def decided_unit(jobs: Sequence[ActualJob], existing: Existing, wishes: Wishes = NO_WISHES) -> Decision:
    """What to do about a job that the platform samples itself: `jobs` are those of the same generators."""
    submitted = [job for job in jobs if not job.is_draft]
    drafts = sorted((job for job in jobs if job.is_draft), key=by_age)
    actions: list[Action] = []
    if wishes.replace:
        actions += [
            Action(Kind.STOP, Reason(Why.OLDER_RECIPE), None, (), job.id)
            for job in existing.older
            if job.phase is Phase.SUBMITTED
        ]
    if drafts and not submitted:
        actions.append(_adoption(drafts[0], existing, None, ()))
    elif not submitted:
        reason = Reason(Why.RECIPE_CHANGED, existing.changes) if existing.older else Reason(Why.NEW_STUDY)
        kind = Kind.SUPERSEDE if any(not job.is_draft for job in existing.older) else Kind.CREATE
        actions.append(Action(kind, reason, None))
    actions += [*_shares(existing), *_attention(existing)]
    if wishes.prune:
        actions += [
            Action(Kind.DELETE, Reason(Why.NOT_WANTED), None, (), job.id)
            for job in existing.older
            if job.id in existing.prunable
        ]
    return Decision(tuple(actions), None, 0)
