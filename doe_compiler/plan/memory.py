"""What an apply knows beyond its latest look: what it made, what it learnt, what the user agreed to.

`noted` and `learnt` are the only ways in which it grows; both are pure, so a search can drive them.
"""

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from doe_compiler.bundle.observation import Holding, Observation
from doe_compiler.bundle.rows import Keys
from doe_compiler.kernel.errors import ExitCode
from doe_compiler.plan.steps import Delete, Statuses, Step, Stop, Submit

MOST_IN_A_ROW = 3


@dataclass(frozen=True, slots=True)
class Times:
    """The protocol's times in seconds.

    `settle`: from the answer to a create to the look that judges the draft. `own`: the age up to which I submit a
    draft. `dead`: the age from which a foreign draft was left behind. `acts`: how long after its maker's death it is,
    which is how long a request may take to act and to show.
    """

    settle: float
    own: float
    dead: float
    acts: float


OURS = Times(0.0, math.inf, 20.0, 0.0)
ELSEWHERE = Times(30.0, 180.0, 360.0, 150.0)


class Sent(enum.Enum):
    """How far the submit of a draft is: `UNSURE` was not answered, `AGAIN` had no effect when it was looked for."""

    NOT = "not sent"
    UNSURE = "unanswered"
    AGAIN = "to be sent again"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Leaving:
    """Why an apply ends before all is there, once it has withdrawn its drafts."""

    code: ExitCode
    words: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Own:
    """A draft that this apply has POSTed.

    `posted` is the time before the POST; `lost` when no answer had come; `known` the time from which it settles:
    that of the answer, or the end of the first look that showed it. `is_old`: it outgrew the time to submit it.
    """

    nonce: str
    posted: float
    known: float | None = None
    lost: float | None = None
    job_id: str | None = None
    sent: Sent = Sent.NOT
    was_unsure: bool = False
    trouble: Leaving | None = None
    is_old: bool = False


@dataclass(frozen=True, slots=True)
class Agreed:
    """What the first look found and the user agreed to: rows lost, job by job, and the rows to buy, by their keys."""

    lost: Mapping[str, Keys]
    rows: Keys


@dataclass(frozen=True, slots=True)
class Memory:
    """What one apply of one study knows beside the look in hand; times are of its own clock.

    `round` are the nonces of the drafts in play. `empty` are jobs whose statuses were read since the look
    and are empty.
    `dead_since` tells when the maker of a draft was found dead.
    `kept` are drafts that could not be withdrawn: they are foreign from then on. `changed` is the time of the last
    write, and `pause` the time before which no look begins a round.
    """

    agreed: Agreed | None = None
    own: Mapping[str, Own] = field(default_factory=dict)
    round: tuple[str, ...] = ()
    submitted: frozenset[str] = frozenset()
    bought: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    empty: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()
    stopped: frozenset[str] = frozenset()
    attempts: Mapping[str, int] = field(default_factory=dict)
    first_seen: Mapping[str, float] = field(default_factory=dict)
    dead_since: Mapping[str, float] = field(default_factory=dict)
    changed: float = -math.inf
    pause: float = -math.inf
    progress: tuple[object, ...] = ()
    progress_at: float = -math.inf
    unanswered: int = 0
    outgrown: int = 0
    leaving: Leaving | None = None

    def is_submitted(self, holding: Holding) -> bool:
        """Whether a job was submitted, by the list or by what was learnt before."""
        return not holding.job.is_draft or holding.job.id in self.submitted

    def is_mine(self, holding: Holding) -> bool:
        """Whether it is a draft that I may still withdraw: I made it and never sent a submit for it."""
        own = self.own.get(holding.job.mark.nonce)
        return (
            own is not None
            and own.sent is Sent.NOT
            and not own.was_unsure
            and not self.is_submitted(holding)
            and holding.job.id not in self.kept
        )

    def was_sent(self, job_id: str) -> bool:
        """Whether I sent a submit for it."""
        own = _own(self, job_id)
        return own is not None and own.sent is not Sent.NOT

    def with_own(self, own: Own) -> "Memory":
        """The same, knowing this of a draft."""
        return replace(self, own={**self.own, own.nonce: own})


def noted(memory: Memory, seen: Observation) -> Memory:
    """What a look adds."""
    own = dict(memory.own)
    first_seen = dict(memory.first_seen)
    dead_since = dict(memory.dead_since)
    submitted = set(memory.submitted)
    for holding in seen.holdings:
        job = holding.job
        if not job.is_draft:
            submitted.add(job.id)
            continue
        first_seen.setdefault(job.id, seen.ended)
        if job.mark.nonce in seen.abandoned:
            dead_since.setdefault(job.id, seen.ended)
        mine = own.get(job.mark.nonce)
        if mine is not None and mine.job_id is None:
            own[mine.nonce] = replace(mine, job_id=job.id, known=seen.ended)
    progress = (
        frozenset(h.job.id for h in seen.holdings if h.job.id in submitted),
        frozenset(h.job.id for h in seen.holdings if h.job.id not in submitted),
    )
    has_moved = progress != memory.progress
    return replace(
        memory,
        own=own,
        empty=frozenset(),
        first_seen=first_seen,
        dead_since=dead_since,
        submitted=frozenset(submitted),
        progress=progress,
        progress_at=seen.ended if has_moved else memory.progress_at,
    )


class Answer(enum.Enum):
    """What became of a call: done, refused, nothing there, no answer; or not sent, being too old."""

    DONE = "done"
    EMPTY = "empty"
    REFUSED = "refused"
    GONE = "gone"
    LOST = "lost"
    FORBIDDEN = "forbidden"
    TOO_OLD = "too old"


def created(memory: Memory, nonce: str, posted: float) -> Memory:
    """A POST is about to be sent under a nonce: whatever comes of it, the draft is mine."""
    return replace(
        memory.with_own(Own(nonce, posted)),
        round=(*memory.round, nonce),
        changed=posted,
    )


def answered_create(
    memory: Memory,
    nonce: str,
    answer: Answer,
    now: float,
    job_id: str = "",
    trouble: Leaving | None = None,
) -> Memory:
    """What the answer to a create tells; `trouble` is why it was not carried out."""
    memory, own = replace(memory, changed=now), memory.own[nonce]
    if answer is Answer.DONE:
        return replace(memory, unanswered=0).with_own(replace(own, known=now, job_id=job_id))
    if answer is Answer.LOST:
        return memory.with_own(replace(own, lost=now))
    left = {name: each for name, each in memory.own.items() if name != nonce}
    rest = tuple(each for each in memory.round if each != nonce)
    return replace(memory, own=left, round=rest, leaving=memory.leaving or trouble)


def learnt(
    memory: Memory, step: Step, job_id: str, answer: Answer, now: float, trouble: Leaving | None = None
) -> Memory:
    """What the answer to a call about a job tells; `trouble` is why a refused one was refused."""
    if not isinstance(step, Statuses):
        memory = replace(memory, changed=now, empty=memory.empty - {job_id})
    if answer is Answer.GONE:
        return _gone(memory, job_id)
    match step:
        case Submit():
            return _learnt_of_submit(memory, job_id, answer, trouble)
        case Statuses():
            return _learnt_of_statuses(memory, job_id, answer)
        case Delete():
            return _learnt_of_delete(memory, job_id, answer, now)
        case Stop():
            return replace(memory, stopped=memory.stopped | {job_id})
        case _:
            return memory


def _learnt_of_submit(memory: Memory, job_id: str, answer: Answer, trouble: Leaving | None) -> Memory:
    own = _own(memory, job_id)
    assert own is not None
    if answer is Answer.DONE:
        return _submitted(memory.with_own(replace(own, sent=Sent.UNSURE)), job_id)
    if answer is Answer.TOO_OLD:
        return replace(memory, outgrown=memory.outgrown + 1).with_own(replace(own, is_old=True))
    if answer is Answer.LOST:
        return memory.with_own(replace(own, sent=Sent.UNSURE, was_unsure=True))
    return memory.with_own(replace(own, sent=Sent.REFUSED, trouble=trouble))


def _learnt_of_statuses(memory: Memory, job_id: str, answer: Answer) -> Memory:
    if answer is Answer.DONE:
        return _submitted(memory, job_id)
    if answer is not Answer.EMPTY:
        return memory
    own = _own(memory, job_id)
    if own is not None and own.sent is Sent.UNSURE:
        return memory.with_own(replace(own, sent=Sent.AGAIN))
    if own is not None and own.sent is Sent.REFUSED:
        memory = replace(memory, leaving=memory.leaving or own.trouble)
        if own.was_unsure:
            return _settled(memory, job_id)
        memory = memory.with_own(replace(own, sent=Sent.NOT))
    return replace(memory, empty=memory.empty | {job_id})


def _learnt_of_delete(memory: Memory, job_id: str, answer: Answer, now: float) -> Memory:
    if answer is Answer.DONE:
        return _gone(memory, job_id)
    attempts = memory.attempts.get(job_id, 0) + 1
    memory = replace(memory, attempts={**memory.attempts, job_id: attempts})
    if attempts < MOST_IN_A_ROW and answer is not Answer.FORBIDDEN:
        return memory
    return _settled(replace(memory, kept=memory.kept | {job_id}, pause=now), job_id)


def _own(memory: Memory, job_id: str) -> Own | None:
    return next((each for each in memory.own.values() if each.job_id == job_id), None)


def _submitted(memory: Memory, job_id: str) -> Memory:
    own = _own(memory, job_id)
    bought = memory.bought | {job_id} if own is not None and own.sent is not Sent.NOT else memory.bought
    submitted = memory.submitted | {job_id}
    return _settled(replace(memory, submitted=submitted, bought=bought, outgrown=0), job_id)


def _gone(memory: Memory, job_id: str) -> Memory:
    return _settled(replace(memory, gone=memory.gone | {job_id}), job_id)


def _settled(memory: Memory, job_id: str) -> Memory:
    left = tuple(nonce for nonce in memory.round if memory.own[nonce].job_id != job_id)
    return replace(memory, round=left)
