"""What a plan says that apply will do: one action a job or a group of rows, each with its reason.

It follows from the same look and the same account as the steps of an apply (`tables`).
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from doe_compiler.bundle.observation import Holding, Observation, Phase, SeenJob, by_age
from doe_compiler.bundle.rows import Keys
from doe_compiler.plan.account import Account
from doe_compiler.plan.action import Action, Decision, Kind, Reason, Why
from doe_compiler.plan.memory import Memory, Times
from doe_compiler.plan.tables import Situation, Want


@dataclass(frozen=True)
class Wishes:
    """What is done only when it is asked for.

    `only` are the numbers of the runs, from 1, that alone are tried again; `retries` how often a row is tried again at
    most, all tries that there were counted.
    """

    retry_failed: bool = False
    retry_missing: bool = False
    replace: bool = False
    prune: bool = False
    only: tuple[int, ...] = ()
    retries: int | None = None

    @property
    def touches_others(self) -> bool:
        """Whether jobs are to be stopped or deleted that hold nothing that is to be bought."""
        return self.replace or self.prune


NO_WISHES = Wishes()


@dataclass(frozen=True, slots=True)
class Around:
    """What looking closer at the jobs of a study has shown.

    `paid` are the keys of the rows that jobs of older recipes were submitted with, `changes` what tells the nearest of
    them from the study; `unshared` the people who do not see a job yet; `from_here` the jobs that were applied from
    this repository, path and branch; `lacking` which responses runs lack that are to be tried again for it.
    """

    paid: frozenset[int] = frozenset()
    changes: tuple[str, ...] = ()
    unshared: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    from_here: frozenset[str] = frozenset()
    lacking: tuple[str, ...] = ()


def decided(
    seen: Observation, memory: Memory, want: Want, times: Times, around: Around, wishes: Wishes = NO_WISHES
) -> Decision:
    """What to do about the rows that are wanted, as the look has found things and the user has agreed."""
    account = Account(want.keys, seen, memory)
    situation = Situation(seen, memory, want, times, seen.ended, 1)
    missing = account.indices(account.missing)
    actions = [
        *_stops(seen, around, wishes, account),
        *_left_behind(situation, wishes, around),
        *_creations(account, missing, seen, memory, around),
        *_shares(around),
        *_attention(seen, situation, account),
    ]
    return Decision(
        tuple(actions),
        len(want.keys),
        len(want.keys) - len(account.indices(np.minimum(account.due, account.wanted))),
        _failed(account, memory, seen),
    )


def _creations(
    account: Account,
    missing: "np.typing.NDArray[np.intp]",
    seen: Observation,
    memory: Memory,
    around: Around,
) -> list[Action]:
    """The missing rows by how often they were tried, and by whether an older recipe has run them before."""
    groups: dict[tuple[int, bool], list[int]] = defaultdict(list)
    design = account.design
    for index, tries in zip(missing.tolist(), account.tries(missing).tolist(), strict=True):
        groups[tries, not tries and int(design[index]) in around.paid].append(index)
    failed = _keys_of([h.failed for h in seen.holdings])
    lacking = _keys_of([h.lacking for h in seen.holdings])
    has_submitted = any(memory.is_submitted(holding) for holding in seen.holdings)
    has_older = any(not job.is_draft for job in seen.older)
    actions = []
    for (generation, is_paid), rows in sorted(groups.items()):
        kind = Kind.SUPERSEDE if is_paid else Kind.CREATE
        if generation:
            held = {int(design[index]) for index in rows}
            if held & lacking:
                reason = Reason(Why.LACKING, around.lacking)
            else:
                reason = Reason(Why.RETRIED if held & failed else Why.STOPPED)
        elif is_paid or (has_older and not has_submitted):
            reason = Reason(Why.RECIPE_CHANGED, around.changes)
        else:
            reason = Reason(Why.NEW_ROWS if has_submitted else Why.NEW_STUDY)
        actions.append(Action(kind, reason, len(rows), tuple(rows), None, generation))
    return actions


def _keys_of(arrays: list[Keys]) -> frozenset[int]:
    return frozenset(np.concatenate(arrays).tolist()) if arrays else frozenset()


def _stops(seen: Observation, around: Around, wishes: Wishes, account: Account) -> list[Action]:
    """With `replace` the running jobs of older recipes, with `prune` those that hold no wanted row; from here only."""
    found = []
    if wishes.replace:
        found += [(job, Why.OLDER_RECIPE) for job in seen.older]
    if wishes.prune:
        found += [
            (holding.job, Why.NOT_WANTED) for holding in account.holdings if _is_unwanted(account, holding)
        ]
    return [
        Action(Kind.STOP, Reason(why), _runs(job), (), job.id)
        for job, why in found
        if job.phase is Phase.SUBMITTED and job.id in around.from_here
    ]


def _is_unwanted(account: Account, holding: Holding) -> bool:
    return holding.keys is not None and not bool(np.isin(holding.keys, account.design).any())


def _left_behind(situation: Situation, wishes: Wishes, around: Around) -> list[Action]:
    """The drafts whose makers are gone: those that hold missing rows, with `prune` those that nobody wants too."""
    actions = []
    for holding in situation.foreign:
        if not situation.is_left_behind(holding):
            continue
        if situation.account.holds_missing(holding):
            actions.append(
                Action(Kind.DELETE, Reason(Why.LEFT_BEHIND), _runs(holding.job), (), holding.job.id)
            )
        elif wishes.prune and holding.job.id in around.from_here and _is_unwanted(situation.account, holding):
            actions.append(
                Action(Kind.DELETE, Reason(Why.NOT_WANTED), _runs(holding.job), (), holding.job.id)
            )
    return actions


def _shares(around: Around) -> list[Action]:
    return [
        Action(Kind.SHARE, Reason(Why.TO_BE_SHARED), None, (), job_id, 0, emails)
        for job_id, emails in sorted(around.unshared.items())
    ]


def _attention(seen: Observation, situation: Situation, account: Account) -> list[Action]:
    """What a person is to look at; of these only doubles are a change."""

    def told(job: SeenJob, why: Why, *more: str) -> Action:
        return Action(Kind.ATTENTION, Reason(why, more), _runs(job), (), job.id)

    jobs = {holding.job.id: holding.job for holding in account.holdings}
    doubles = [
        replace(
            told(jobs[double.jobs[-1]], Why.DOUBLE, f"keep {double.jobs[0]}", *double.jobs), runs=double.rows
        )
        for double in account.doubles()
    ]
    copies = [told(job, Why.CLONE) for job in seen.copies]
    unknown = [
        told(holding.job, Why.UNKNOWN_STATUS, f"'{holding.job.status}'")
        for holding in account.holdings
        if holding.job.phase is Phase.UNKNOWN
    ]
    claimed = [
        told(holding.job, Why.CLAIMED)
        for holding in situation.foreign
        if not situation.is_left_behind(holding) and account.holds_missing(holding)
    ]
    return [*doubles, *copies, *unknown, *claimed]


def _failed(account: Account, memory: Memory, seen: Observation) -> tuple[int, ...]:
    """The runs, as indices into the design, whose latest try has failed and that are not tried again."""
    failed = [holding.failed for holding in sorted(seen.holdings, key=lambda h: by_age(h.job))]
    keys = np.concatenate(failed) if failed else np.zeros(0, np.uint64)
    if not len(keys):
        return ()
    alive = [account.alive_keys(holding) for holding in account.holdings if memory.is_submitted(holding)]
    is_out = np.isin(account.design, keys) & ~np.isin(account.design, np.concatenate([*alive, keys[:0]]))
    is_out[account.indices(account.missing)] = False
    return tuple(np.flatnonzero(is_out).tolist())


def _runs(job: SeenJob) -> int | None:
    return job.mark.rows.count if job.mark.rows else None
