"""Several appliers, one study: which drafts must not be submitted, and which rows were submitted twice."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence

from doe_compiler.actual.jobs import ActualJob
from doe_compiler.bundle.rows import Keys
from doe_compiler.plan.decide import Standing


def losing_drafts(desired: Keys, standing: Sequence[Standing], mine: Collection[str]) -> frozenset[str]:
    """Those of my drafts whose rows are taken: by submitted jobs, or by drafts of others that are earlier.

    Rows are counted, so a design that wants a row twice has room for two. A draft of mine that is not shown
    loses too: what cannot be seen must not be submitted.
    """
    room = Counter(desired.tolist())
    for entry in standing:
        if not entry.job.is_draft:
            room.subtract(entry.keys.tolist())
    losing = set(mine) - {entry.job.id for entry in standing}
    for entry in sorted(
        (entry for entry in standing if entry.job.is_draft), key=lambda entry: _age(entry.job)
    ):
        keys = Counter(entry.keys.tolist())
        if all(room[key] >= count for key, count in keys.items()):
            room.subtract(keys)
        elif entry.job.id in mine:
            losing.add(entry.job.id)
    return frozenset(losing)


def losing_units(jobs: Sequence[ActualJob], mine: Collection[str]) -> frozenset[str]:
    """The same for jobs that the platform samples: one submitted job, or else the earliest draft, wins."""
    submitted = [job for job in jobs if not job.is_draft]
    first = min((job for job in jobs if job.is_draft), key=_age, default=None)
    if submitted or first is None:
        return frozenset(mine)
    return frozenset(job_id for job_id in mine if job_id != first.id)


def _age(job: ActualJob) -> tuple[float, str]:
    return (job.created.timestamp(), job.id)


def doubled(desired: Keys, submitted: Sequence[Standing], mine: frozenset[str]) -> tuple[str, ...]:
    """The submitted jobs that hold a row of one of `mine` more often, all together, than it is wanted."""
    wanted = Counter(desired.tolist())
    holders: dict[int, list[str]] = defaultdict(list)
    for entry in submitted:
        for key in entry.keys.tolist():
            holders[key].append(entry.job.id)
    conflicts: set[str] = set()
    for key, ids in holders.items():
        if len(ids) > max(wanted[key], 1) and len(set(ids)) > 1 and not mine.isdisjoint(ids):
            conflicts.update(ids)
    return tuple(sorted(conflicts))
