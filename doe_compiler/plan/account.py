"""Rows as an account: how many copies are wanted, lost, submitted, claimed; by whole arrays, for 100,000 rows.

Equal rows add up, so everything here is a number of copies of a row; a row is a place in the sorted keys of all rows
that the design or any job holds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from doe_compiler.bundle.observation import Holding, Observation
from doe_compiler.bundle.rows import Keys
from doe_compiler.plan.memory import Memory
from doe_compiler.plan.steps import Double

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Places:
    """The rows of a job: places of shape (k,), each once, and how often the job holds them."""

    at: NDArray[np.intp]
    copies: Counts


class Account:
    """The rows of a study by one look, as an apply remembers the rest; counts are of shape (u,), a place a row."""

    def __init__(self, wanted: Keys, seen: Observation, memory: Memory) -> None:
        self.design = wanted
        self._memory = memory
        self.holdings = tuple(h for h in seen.holdings if h.job.id not in memory.gone)
        held = [h.keys for h in self.holdings if h.keys is not None]
        agreed = [] if memory.agreed is None else [memory.agreed.rows, *memory.agreed.lost.values()]
        self._rows = np.unique(np.concatenate([wanted, *held, *agreed]))
        self.wanted = self._count([wanted])
        submitted = [h for h in self.holdings if memory.is_submitted(h)]
        self.submitted = self._count([h.keys for h in submitted if h.keys is not None])
        if memory.agreed is None:
            self.lost = self._count([h.lost for h in submitted])
            bound = None
        else:
            self.lost = self._count(
                [memory.agreed.lost[h.job.id] for h in submitted if h.job.id in memory.agreed.lost]
            )
            bound = self._count([memory.agreed.rows])
        self.room = self.wanted + self.lost - self.submitted
        self.due = np.maximum(self.room, 0)
        self.missing = self.due if bound is None else np.minimum(self.due, bound)

    def _count(self, keys: Sequence[Keys]) -> Counts:
        found = [each for each in keys if len(each)]
        if not found:
            return np.zeros(len(self._rows), np.int64)
        places = np.searchsorted(self._rows, np.concatenate(found))
        return np.bincount(places, minlength=len(self._rows)).astype(np.int64)

    def places(self, holding: Holding) -> Places:
        """The rows of a job; one whose rows cannot be read holds every row that is wanted as often as wanted."""
        if holding.keys is None:
            at = np.flatnonzero(self.wanted)
            return Places(at, self.wanted[at])
        at, copies = np.unique(np.searchsorted(self._rows, holding.keys), return_counts=True)
        return Places(at, copies.astype(np.int64))

    def holds_missing(self, holding: Holding) -> bool:
        """Whether at least one of its rows is missing."""
        return bool((self.missing[self.places(holding).at] > 0).any())

    def fits(self, holding: Holding, room: Counts) -> bool:
        """Whether there is room for all its rows."""
        places = self.places(holding)
        return holding.keys is not None and bool((places.copies <= room[places.at]).all())

    def fitting(self, holdings: Sequence[Holding]) -> Iterator[Holding]:
        """Those of some drafts whose rows all have room beside what is submitted and all drafts before them."""
        left = self.room.copy()
        for holding in holdings:
            places = self.places(holding)
            if holding.keys is not None and (places.copies <= left[places.at]).all():
                yield holding
            left[places.at] -= places.copies

    def less(self, room: Counts, holdings: Sequence[Holding]) -> Counts:
        """The room that some jobs leave."""
        left = room.copy()
        for holding in holdings:
            places = self.places(holding)
            left[places.at] -= places.copies
        return left

    def indices(self, copies: Counts) -> NDArray[np.intp]:
        """The places in the design of some copies of each row, the last ones of equal rows; shape (k,), rising."""
        rows = np.searchsorted(self._rows, self.design)
        order = np.argsort(rows, kind="stable")
        in_order = rows[order]
        nth = np.arange(len(order)) - np.searchsorted(in_order, in_order)
        chosen = nth >= (self.wanted - copies)[in_order]
        return np.sort(order[chosen])

    def indices_of(self, holding: Holding) -> tuple[int, ...] | None:
        """The places in the design of a job's rows, in its order; None if the design lacks one of them."""
        places: dict[int, list[int]] = {}
        for index, key in enumerate(self.design.tolist()):
            places.setdefault(key, []).append(index)
        found = []
        for key in [] if holding.keys is None else holding.keys.tolist():
            if not places.get(key):
                return None
            found.append(places[key].pop(0))
        return tuple(found) or None

    def tries(self, indices: NDArray[np.intp]) -> Counts:
        """How often each of some rows of the design was tried in vain."""
        return self.lost[np.searchsorted(self._rows, self.design[indices])]

    def keys(self, copies: Counts) -> Keys:
        """So many copies of the keys of each row."""
        return np.repeat(self._rows, copies)

    def alive(self, holding: Holding) -> Places:
        """The rows of a submitted job that neither failed nor ended uncompleted, as this look sees it."""
        keys = np.zeros(0, np.uint64) if holding.keys is None else holding.keys
        copies = self._sparse(keys)
        for dead in (holding.lost, holding.failed, holding.lacking):
            if len(dead):
                places = self._sparse(dead)
                where = np.searchsorted(copies.at, places.at)
                copies.copies[where] = np.maximum(copies.copies[where] - places.copies, 0)
        is_left = copies.copies > 0
        return Places(copies.at[is_left], copies.copies[is_left])

    def alive_keys(self, holding: Holding) -> Keys:
        """The keys of those rows, each once."""
        return self._rows[self.alive(holding).at]

    def _sparse(self, keys: Keys) -> Places:
        at, copies = np.unique(np.searchsorted(self._rows, keys), return_counts=True)
        return Places(at, copies.astype(np.int64))

    def doubles(self) -> tuple[Double, ...]:
        """The jobs that together hold rows more often than the study wants and than any one of them does."""
        if not (self.submitted > self.wanted).any():
            return ()
        submitted = [h for h in self.holdings if self._memory.is_submitted(h)]
        total = np.zeros(len(self._rows), np.int64)
        most = self.wanted.copy()
        alive = [self.alive(holding) for holding in submitted]
        for places in alive:
            total[places.at] += places.copies
            most[places.at] = np.maximum(most[places.at], places.copies)
        too_many = total > most
        if not too_many.any():
            return ()
        groups: dict[tuple[str, ...], int] = {}
        holders: dict[int, list[str]] = {int(row): [] for row in np.flatnonzero(too_many)}
        for holding, places in zip(submitted, alive, strict=True):
            for row in places.at[too_many[places.at]].tolist():
                holders[row].append(holding.job.id)
        for row, jobs in holders.items():
            groups[tuple(jobs)] = groups.get(tuple(jobs), 0) + int(total[row] - most[row])
        return tuple(Double(jobs, rows) for jobs, rows in groups.items())

    def superfluous(self) -> Iterator[str]:
        """The submitted jobs of which all that they hold stands in earlier jobs as often as wanted."""
        earlier = np.zeros(len(self._rows), np.int64)
        for holding in self.holdings:
            if not self._memory.is_submitted(holding):
                continue
            places = self.alive(holding)
            if len(places.at) and (earlier[places.at] >= np.maximum(self.wanted[places.at], 1)).all():
                yield holding.job.id
            earlier[places.at] += places.copies
