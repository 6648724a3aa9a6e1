"""Rows as an account: how often each is wanted, how often it stands, how often it was tried in vain."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from doe_compiler.actual.jobs import Holding


@dataclass(frozen=True, slots=True)
class Ledger:
    """By the keys of rows: wanted by the study, standing in submitted jobs, tried and never completed."""

    wanted: Mapping[int, int]
    standing: Mapping[int, int]
    tries: Mapping[int, int]

    def missing(self, key: int) -> int:
        """How many runs of a row are still to be submitted."""
        return max(self.wanted.get(key, 0) - self.standing.get(key, 0), 0)

    def generation(self, key: int) -> int:
        """Which try the next run of a row is, from 0."""
        return self.tries.get(key, 0)

    def has_room(self, keys: Mapping[int, int], generation: int, taken: Mapping[int, int]) -> bool:
        """Whether rows of a generation are all missing, beside those that are `taken`."""
        return bool(keys) and all(
            self.generation(key) == generation and self.missing(key) - taken.get(key, 0) >= count
            for key, count in keys.items()
        )

    def wants_any(self, keys: Iterable[int], taken: Mapping[int, int]) -> bool:
        """Whether at least one of the rows is missing, beside those that are `taken`."""
        return any(self.missing(key) > taken.get(key, 0) for key in keys)


def ledger(desired: Iterable[int], holdings: Sequence[Holding]) -> Ledger:
    """The account of a study: its desired rows against the submitted jobs of its recipe; drafts do not count."""
    standing: Counter[int] = Counter()
    tries: Counter[int] = Counter()
    for holding in holdings:
        if holding.job.is_draft:
            continue
        stands = holding.stands.tolist()
        standing.update(stands)
        if len(stands) < len(holding.keys):
            tries.update(Counter(holding.keys.tolist()) - Counter(stands))
    return Ledger(Counter(desired), standing, tries)
