"""The tables of the apply protocol: from what was seen, what is remembered and what is wanted to the next step.

A round begins with a look taken after the last write. Of `ROUND`, and of `DRAFT` for each draft in play, the first
line that fits decides. A move is a step, or what is to be remembered before the tables are read again.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from doe_compiler.bundle.observation import Holding, Observation
from doe_compiler.bundle.rows import Keys
from doe_compiler.kernel.errors import ExitCode
from doe_compiler.plan.account import Account
from doe_compiler.plan.memory import MOST_IN_A_ROW, Agreed, Leaving, Memory, Own, Sent, Times
from doe_compiler.plan.steps import Create, Delete, End, Look, Pack, Statuses, Step, Stop, Submit

_LEAST_PAUSE_S = 1.0
_MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Want:
    """What an apply wants: the keys of the design's rows, shape (n,), and how rows are packed into jobs."""

    keys: Keys
    packs: Callable[[Sequence[int]], Sequence[Sequence[int]]]


@dataclass(frozen=True)
class Situation:
    """All that a line of the tables may ask about; `most` drafts may be made in this round."""

    seen: Observation
    memory: Memory
    want: Want
    times: Times
    now: float
    most: int

    @cached_property
    def account(self) -> Account:
        """The rows."""
        return Account(self.want.keys, self.seen, self.memory)

    @cached_property
    def drafts(self) -> tuple[Holding, ...]:
        """The drafts that there are, the oldest first."""
        return tuple(h for h in self.account.holdings if not self.memory.is_submitted(h))

    @cached_property
    def mine(self) -> tuple[Holding, ...]:
        """Those that I may withdraw."""
        return tuple(h for h in self.drafts if self.memory.is_mine(h))

    @cached_property
    def foreign(self) -> tuple[Holding, ...]:
        """All others."""
        return tuple(h for h in self.drafts if not self.memory.is_mine(h))

    def shown(self, own: Own) -> Holding | None:
        """A draft of mine, if the look shows it and nobody else's job has its nonce."""
        return self._drafts_by_id.get(own.job_id or "")

    @cached_property
    def _drafts_by_id(self) -> dict[str, Holding]:
        return {h.job.id: h for h in self.drafts}

    @cached_property
    def winners(self) -> frozenset[str]:
        """The drafts whose rows all have room beside all earlier ones; those of mine that are not in play do not count."""
        in_play = set(self.memory.round)
        rivals = [h for h in self.drafts if not self.memory.is_mine(h) or h.job.mark.nonce in in_play]
        return frozenset(h.job.id for h in self.account.fitting(rivals))

    def is_left_behind(self, holding: Holding) -> bool:
        """Whether its maker is gone: by the platform's clock, or since I first saw it; or known to be dead."""
        job = holding.job
        if job.id in self.memory.kept:
            return False
        if self.now - self.memory.dead_since.get(job.id, math.inf) >= self.times.acts:
            return True
        by_stamp = -math.inf
        if self.seen.date_us is not None:
            by_stamp = (self.seen.date_us - job.created_us) / _MICROSECONDS
        since_seen = self.now - self.memory.first_seen.get(job.id, self.now)
        return max(by_stamp, since_seen) >= self.times.dead

    def age(self, own: Own) -> float:
        """Seconds since before its POST."""
        return self.now - own.posted

    def is_young(self, own: Own) -> bool:
        """Whether I may still submit it."""
        return not own.is_old and self.age(own) <= self.times.own

    @property
    def patience_s(self) -> float:
        """How long nothing may move before I give up."""
        return 2 * self.times.dead + self.times.settle


@dataclass(frozen=True, slots=True)
class _Forget:
    """Nothing to do: the tables are read again with this remembered."""

    memory: Memory


_Move = Step | _Forget


@dataclass(frozen=True, slots=True)
class RoundLine:
    """A line of the first table: when it fits, and what is done then."""

    name: str
    move: Callable[[Situation], _Move | None]


@dataclass(frozen=True, slots=True)
class DraftLine:
    """A line of the second table, about one draft in play."""

    name: str
    move: Callable[[Situation, Own], _Move | None]


# A round


def _is_stale(s: Situation) -> _Move | None:
    """A round begins with a look taken after the last write."""
    pause = s.memory.pause + s.times.settle - s.now
    if s.seen.begun < max(s.memory.changed, s.memory.pause + s.times.settle):
        return Look(max(pause, 0.0), "a draft could not be deleted" if pause > 0 else "")
    return None


def _unanswered_create(s: Situation) -> _Move | None:
    if s.memory.leaving is not None:
        return None
    for holding in s.mine:
        own = s.memory.own[holding.job.mark.nonce]
        may_be_submitted = (
            own.lost is not None and s.is_young(own) and holding.job.id not in s.memory.attempts
        )
        if may_be_submitted and s.account.fits(holding, s.account.missing):
            return _Forget(replace(s.memory, round=(own.nonce,)))
    return None


def _other_of_mine(s: Situation) -> _Move | None:
    return _withdrawn(s, s.mine[0].job.id) if s.mine else None


def _leaves(s: Situation) -> _Move | None:
    """A draft of mine that no list shows yet is withdrawn by its id; then the apply ends."""
    if s.memory.leaving is None:
        return None
    for own in s.memory.own.values():
        if own.job_id is None or own.job_id in s.memory.gone | s.memory.submitted | s.memory.kept:
            continue
        if own.sent is Sent.NOT and not own.was_unsure:
            return _withdrawn(s, own.job_id)
    return End(s.account.doubles())


def _nothing_missing(s: Situation) -> _Move | None:
    if (s.account.missing > 0).any():
        return None
    mine = s.memory.bought - s.memory.stopped
    for job_id in s.account.superfluous() if mine else ():
        if job_id in mine:
            return Stop(job_id)
    return End(s.account.doubles(), int((s.account.due - s.account.missing).sum()))


def _left_behind(s: Situation) -> _Move | None:
    for holding in s.foreign:
        if s.is_left_behind(holding) and s.account.holds_missing(holding):
            return _withdrawn(s, holding.job.id)
    return None


def _free(s: Situation) -> _Move | None:
    free = np.maximum(s.account.less(s.account.missing, s.foreign), 0)
    if not free.any():
        return None
    if s.most < 1:
        return Look(_LEAST_PAUSE_S, "the platform's throttle of submits")
    return Create(packs_of(s.account, s.want, s.account.indices(free))[: s.most])


def packs_of(account: Account, want: Want, indices: "np.typing.NDArray[np.intp]") -> tuple[Pack, ...]:
    """Rows of the design as jobs: rows that were tried equally often go together."""
    tries = account.tries(indices)
    return tuple(
        Pack(tuple(pack), int(generation))
        for generation in np.unique(tries)
        for pack in want.packs(indices[tries == generation].tolist())
    )


def _claimed(s: Situation) -> _Move | None:
    earliest = s.foreign[0].job if s.foreign else None
    if earliest is not None and s.now - s.memory.progress_at > s.patience_s:
        age = (
            ""
            if s.seen.date_us is None
            else f", {(s.seen.date_us - earliest.created_us) // _MICROSECONDS} s old"
        )
        words = f"draft {earliest.id}{age}, holds rows that are missing, and nothing happens to it"
        return _Forget(replace(s.memory, leaving=Leaving(ExitCode.TRY_AGAIN, words)))
    named = "" if earliest is None else f" ({earliest.id})"
    return Look(max(s.times.settle, _LEAST_PAUSE_S), f"another applier is at the missing rows{named}")


ROUND = (
    RoundLine("the look is older than the last write", _is_stale),
    RoundLine("a draft of mine from an unanswered create, all rows missing, young", _unanswered_create),
    RoundLine("any other draft of mine", _other_of_mine),
    RoundLine("the apply is to end", _leaves),
    RoundLine("nothing missing", _nothing_missing),
    RoundLine("a missing row lies in a draft left behind", _left_behind),
    RoundLine("some copies are missing and not claimed", _free),
    RoundLine("all that is missing is claimed", _claimed),
)


def _withdrawn(s: Situation, job_id: str) -> _Move:
    """Rule 3: the statuses first; if they are empty, the DELETE at once."""
    return Delete(job_id) if job_id in s.memory.empty else Statuses(job_id)


# A draft in play


def _not_answered(s: Situation, own: Own) -> _Move | None:
    if own.job_id is not None:
        return None
    assert own.lost is not None
    until = own.lost + (s.times.settle if s.memory.leaving is None else 0.0)
    if s.seen.begun < until:
        return Look(max(until - s.now, 0.0), "a create was not answered")
    unanswered = s.memory.unanswered + 1
    memory = replace(_dropped(s.memory, own), unanswered=unanswered)
    if unanswered >= MOST_IN_A_ROW and memory.leaving is None:
        words = f"{unanswered} creates in a row were not answered, and made no job that shows"
        memory = replace(memory, leaving=Leaving(ExitCode.TRY_AGAIN, words))
    return _Forget(memory)


def _unsure(s: Situation, own: Own) -> _Move | None:
    assert own.job_id is not None
    match own.sent:
        case Sent.NOT:
            return None
        case Sent.AGAIN if s.is_young(own) and s.memory.leaving is None:
            return Submit((own.job_id,))
        case Sent.AGAIN:
            return _Forget(_dropped(s.memory, own))
        case _:
            return Statuses(own.job_id)


def _outgrown(s: Situation, own: Own) -> _Move | None:
    if s.is_young(own):
        return None
    assert own.job_id is not None
    assert own.known is not None
    if s.memory.leaving is None and s.seen.begun >= own.known + s.times.settle and s.shown(own) is None:
        return _lags(s, own)
    if s.memory.outgrown >= MOST_IN_A_ROW and s.memory.leaving is None:
        words = f"drafts were {s.times.own:g} s old before they could be submitted, {s.memory.outgrown} times in a row"
        return _Forget(replace(s.memory, leaving=Leaving(ExitCode.TRY_AGAIN, words)))
    return _withdrawn(s, own.job_id)


def _half_deleted(s: Situation, own: Own) -> _Move | None:
    """Rule 3: once a DELETE was sent there is no way back; it may act late, and would meet a submit."""
    assert own.job_id is not None
    return _withdrawn(s, own.job_id) if own.job_id in s.memory.attempts else None


def _leaving(s: Situation, own: Own) -> _Move | None:
    assert own.job_id is not None
    return None if s.memory.leaving is None else _withdrawn(s, own.job_id)


def _unsettled(s: Situation, own: Own) -> _Move | None:
    assert own.known is not None
    until = own.known + s.times.settle
    if s.seen.begun >= until:
        return None
    return Look(max(until - s.now, 0.0), "the second look")


def _not_shown(s: Situation, own: Own) -> _Move | None:
    if s.shown(own) is not None:
        return None
    assert own.known is not None
    assert own.job_id is not None
    if own.job_id not in s.memory.empty:
        return Statuses(own.job_id)
    if s.age(own) > s.patience_s:
        return _lags(s, own)
    return Look(_LEAST_PAUSE_S, "the list does not show a draft yet")


def _lags(s: Situation, own: Own) -> _Move:
    words = f"the list does not show draft {own.job_id}, which was created {s.age(own):.0f} s ago"
    return _Forget(replace(s.memory, leaving=Leaving(ExitCode.TRY_AGAIN, words)))


def _wins(s: Situation, own: Own) -> _Move | None:
    assert own.job_id is not None
    return Submit((own.job_id,)) if own.job_id in s.winners else None


def _lost(s: Situation, own: Own) -> _Move | None:
    assert own.job_id is not None
    return _withdrawn(s, own.job_id)


DRAFT = (
    DraftLine("its create was not answered", _not_answered),
    DraftLine("its submit was not answered, or refused", _unsure),
    DraftLine("older than own, no submit sent", _outgrown),
    DraftLine("a DELETE of it was sent", _half_deleted),
    DraftLine("the apply is to end", _leaving),
    DraftLine("younger than settle", _unsettled),
    DraftLine("a look of that age does not show it", _not_shown),
    DraftLine("all its rows have room beside all earlier drafts", _wins),
    DraftLine("it lost", _lost),
)


def agreement(seen: Observation, memory: Memory, want: Want) -> Agreed:
    """What a first look finds: the rows lost so far, job by job, and those that are to be bought."""
    account = Account(want.keys, seen, replace(memory, agreed=None))
    lost = {h.job.id: h.lost for h in account.holdings if len(h.lost) and memory.is_submitted(h)}
    return Agreed(lost, account.keys(account.missing))


def _dropped(memory: Memory, own: Own) -> Memory:
    return replace(memory, round=tuple(nonce for nonce in memory.round if nonce != own.nonce))


def next_step(
    seen: Observation, memory: Memory, want: Want, times: Times, now: float, most: int = 1 << 30
) -> tuple[Step, Memory]:
    """The next step of an apply, and its memory; the look must have been `noted`."""
    while True:
        situation = Situation(seen, memory, want, times, now, most)
        move = _round(situation) if not memory.round else _in_play(situation)
        if not isinstance(move, _Forget):
            return move, memory
        memory = move.memory


def _round(s: Situation) -> _Move:
    return next(move for line in ROUND if (move := line.move(s)) is not None)


def _in_play(s: Situation) -> _Move:
    """Each draft by itself: whatever can be done is done before anything is waited for."""
    moves = [
        next(move for line in DRAFT if (move := line.move(s, s.memory.own[nonce])) is not None)
        for nonce in s.memory.round
    ]
    now = [move for move in moves if not isinstance(move, Look)]
    submits = [job_id for move in now if isinstance(move, Submit) for job_id in move.job_ids]
    others = [move for move in now if not isinstance(move, Submit)]
    if submits:
        return Submit(tuple(submits))
    if others:
        return others[0]
    return min((move for move in moves if isinstance(move, Look)), key=lambda move: move.pause_s)
