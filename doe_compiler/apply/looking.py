"""A look of an apply: what is there, with what is to be tried again, and nothing that was learnt forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from doe_compiler.apply.order import Order
from doe_compiler.bundle.observation import Holding, Observation, Phase
from doe_compiler.bundle.rows import Keys
from doe_compiler.observe.looking import Eye
from doe_compiler.plan.account import Account
from doe_compiler.plan.memory import Agreed, Memory, noted
from doe_compiler.plan.tables import agreement


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found of a study, and the memory that has noted it."""

    seen: Observation
    memory: Memory


def looked(eye: Eye, orders: Sequence[Order], memories: Sequence[Memory] | None = None) -> tuple[Look, ...]:
    """A look a study; the first look of an apply decides what is lost and what is to be bought."""
    memories = memories or [Memory(agreed=order.agreed) for order in orders]
    observations = eye.look([order.subject for order in orders], [memory.submitted for memory in memories])
    return tuple(
        _noted(eye, order, memory, seen)
        for order, memory, seen in zip(orders, memories, observations, strict=True)
    )


def _noted(eye: Eye, order: Order, memory: Memory, seen: Observation) -> Look:
    seen = _with_lacking(eye, order, seen, memory)
    if memory.agreed is None:
        memory = replace(memory, agreed=agreement(_to_be_retried(order, seen), memory, order.want))
    return Look(seen, noted(memory, seen))


def _to_be_retried(order: Order, seen: Observation) -> Observation:
    """The same with the rows that are to be tried again among the lost ones."""
    wishes = order.wishes
    if not (wishes.retry_failed or wishes.retry_missing):
        return seen

    def retried(holding: Holding) -> Holding:
        if holding.job.mark.rows is None:
            return holding
        again = [holding.lost]
        again += [holding.failed] if wishes.retry_failed else []
        again += [holding.lacking] if wishes.retry_missing else []
        found = np.concatenate(again[1:])
        return replace(holding, lost=np.concatenate([holding.lost, found[np.isin(found, may_be)]]))

    may_be = _may_be_retried(order, seen)
    return replace(seen, holdings=tuple(map(retried, seen.holdings)))


def _may_be_retried(order: Order, seen: Observation) -> Keys:
    """The keys of the rows that were chosen and have tries left."""
    wishes, keys = order.wishes, order.wanted.keys
    chosen = keys[[number - 1 for number in wishes.only]] if wishes.only else keys
    if wishes.retries is None:
        return chosen
    held = [h.keys for h in seen.holdings if h.keys is not None and not h.job.is_draft]
    rows, wanted = np.unique(keys, return_counts=True)
    tried = np.concatenate([*held, rows[:0]])
    tries = np.bincount(np.searchsorted(rows, tried[np.isin(tried, rows)]), minlength=len(rows))
    return chosen[np.isin(chosen, rows[tries - wanted < wishes.retries * wanted])]


def _with_lacking(eye: Eye, order: Order, seen: Observation, memory: Memory) -> Observation:
    """The same, knowing which rows lack a required response where that decides something.

    It decides what is tried again, if that is asked for, and whether rows that stand twice are doubles.
    """
    if order.wanted.unit is not None:
        return seen
    if order.wishes.retry_missing:
        asked = {h.job.id for h in seen.holdings if h.job.phase is Phase.FINISHED}
    else:
        doubles = Account(
            order.wanted.keys, seen, replace(memory, agreed=memory.agreed or _NOTHING)
        ).doubles()
        asked = {job_id for double in doubles for job_id in double.jobs}
    if not asked:
        return seen

    def knowing(holding: Holding) -> Holding:
        if holding.job.id not in asked or holding.job.phase is not Phase.FINISHED or holding.keys is None:
            return holding
        return replace(holding, lacking=eye.rows_of(order.subject, holding.job, order.lacking(holding.job)))

    return replace(seen, holdings=tuple(map(knowing, seen.holdings)))


_NOTHING = Agreed({}, np.zeros(0, np.uint64))
