"""Several appliers, one study: which drafts must not be submitted, and which rows were submitted twice."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from doe_compiler.actual.jobs import ActualJob, Holding, by_age
from doe_compiler.plan.ledger import Ledger


def losing_drafts(
    account: Ledger,
    drafts: Sequence[Holding],
    mine: Collection[str],
    claimed: Collection[str] = frozenset(),
) -> frozenset[str]:
    """Those of my drafts that must not be submitted: their rows stand, or an earlier draft shares one.

    Earlier is by creation time, then id. An earlier draft counts whether or not it will win itself: its owner
    may have another design in mind. Rows are counted, so a design that wants a row twice has room for two.
    A draft of mine that is not shown loses too: what cannot be seen must not be submitted. The `claimed`
    drafts, those that a decision register names, come before all others.
    """
    losing = set(mine) - {draft.job.id for draft in drafts}
    taken: Counter[int] = Counter()
    for draft in sorted(drafts, key=lambda draft: (draft.job.id not in claimed, by_age(draft.job))):
        keys = Counter(draft.keys.tolist())
        if draft.job.id in mine and not account.has_room(keys, draft.job.mark.generation, taken):
            losing.add(draft.job.id)
        taken.update(keys)
    return frozenset(losing)


def losing_units(
    jobs: Sequence[ActualJob], mine: Collection[str], claimed: Collection[str] = frozenset()
) -> frozenset[str]:
    """The same for jobs that the platform samples: one submitted job, or else the earliest draft, wins."""
    drafts = sorted(
        (job for job in jobs if job.is_draft), key=lambda job: (job.id not in claimed, by_age(job))
    )
    if not drafts or any(not job.is_draft for job in jobs):
        return frozenset(mine)
    return frozenset(job_id for job_id in mine if job_id != drafts[0].id)


@dataclass(frozen=True, slots=True)
class Doubled:
    """A submitted job with runs (numbers from 1) whose rows stand in an earlier job of the same generation."""

    job: ActualJob
    runs: tuple[int, ...]
    is_whole: bool
    earlier: tuple[str, ...]


def doubled(account: Ledger, submitted: Sequence[Holding]) -> tuple[Doubled, ...]:
    """The later ones of the jobs that hold a row more often, all together, than it is wanted."""
    holders: dict[tuple[int, int], list[str]] = defaultdict(list)
    found = []
    for holding in sorted(submitted, key=lambda holding: by_age(holding.job)):
        stands = Counter(holding.stands.tolist())
        runs, earlier = [], set()
        for number, key in enumerate(holding.keys.tolist(), 1):
            if not stands[key]:
                continue
            stands[key] -= 1
            others = holders[key, holding.job.mark.generation]
            if len(others) >= max(account.wanted.get(key, 0), 1) and any(
                other != holding.job.id for other in others
            ):
                runs.append(number)
                earlier.update(others)
            others.append(holding.job.id)
        if runs:
            whole = len(runs) == len(holding.keys)
            found.append(Doubled(holding.job, tuple(runs), whole, tuple(sorted(earlier - {holding.job.id}))))
    return tuple(found)
