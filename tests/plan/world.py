"""A search over every interleaving of a few appliers, each driven by the project's own `next_step`.

The server has list lag, stale lists, late statuses and stamp skew; requests are lost, act late or never; appliers
crash; a person stops and clones jobs. Time is discrete, ages are capped, so the search closes without a horizon. A
call is one step: its delay before the effect is a pause before the step, its delay after it a pause after the step.
"""

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from doe_compiler.bundle.mark import Mark
from doe_compiler.bundle.observation import NO_KEYS, Holding, Observation, Phase, SeenJob
from doe_compiler.plan import memory as remembered
from doe_compiler.plan import tables
from doe_compiler.plan.memory import Agreed, Answer, Memory, Own, Times
from doe_compiler.plan.steps import Create, Delete, End, Look, Statuses, Stop, Submit

Rows = tuple[int, ...]
_OF_THE_PAST = -0.25


class Job(NamedTuple):
    """A job on the server; a state holds them in the order of (creation stamp, id)."""

    uid: int
    nonce: int
    age: int
    early: int
    rows: Rows
    status: str  # d draft, s submitted, k stopped before its rows were completed, x deleted and still listed
    clone: bool = False
    since: int = 0


class Applier(NamedTuple):
    """One apply: what it remembers, the look in hand, and the step that it is about to take (None: a look)."""

    memory: Any = None
    seen: Any = None
    step: Any = None
    pause: int = 0
    crashes: int = 0
    end: str = ""  # done, gave up, dead, asleep


class State(NamedTuple):
    """`late`: requests that may still act, (kind, uid or nonce, rows, age); `faults` left: lost calls, stops, clones."""

    jobs: tuple[Job, ...]
    appliers: tuple[Applier, ...]
    late: tuple[tuple[Any, ...], ...]
    faults: tuple[int, int, int]


@dataclass(frozen=True)
class Server:
    """How the server behaves, in ticks, and the times that the appliers keep; with `acts` they know who is dead."""

    lag: int = 0
    skew: int = 0
    unique: bool = False
    stale: bool = False
    lagging: bool = False
    conditional: bool = False
    settle: int = 1
    own: float = 1
    dead: int = 2
    acts: int | None = None
    bound: int | None = 0
    pack: int = 9
    prompt: bool = False

    @property
    def times(self) -> Times:
        acts = math.inf if self.acts is None else float(self.acts)
        return Times(float(self.settle), float(self.own), float(self.dead), acts)


def plus(one: Sequence[int], other: Sequence[int]) -> Rows:
    return tuple(a + b for a, b in zip(one, other, strict=True))


def keys_of(rows: Rows) -> Any:
    return np.array([n for n, copies in enumerate(rows, 1) for _ in range(copies)], np.uint64)


class World:
    """The designs of the appliers and of the recovery that runs when they are done or dead, the server, the faults."""

    def __init__(
        self,
        designs: Sequence[Rows],
        recovery: Rows,
        server: Server,
        crashes: int = 0,
        lost: int = 0,
        stops: int = 0,
        clones: int = 0,
    ) -> None:
        self.designs, self.server = (*designs, recovery), server
        self.zero = (0,) * len(recovery)
        self.spare = (lost, stops, clones)
        own = 0 if math.isinf(server.own) else int(server.own) + 1
        self.cap = max(server.lag, server.skew + 1, server.settle, server.dead, own, server.acts or 0)
        appliers = (*(Applier(crashes=crashes) for _ in designs), Applier(end="asleep"))
        self.start = State((), appliers, (), self.spare)
        self.wants = [tables.Want(keys_of(design), self.packs(design)) for design in self.designs]
        self.known: dict[Any, Any] = {}

    def packs(self, design: Rows) -> Any:
        size = self.server.pack
        return lambda rows: [rows[start : start + size] for start in range(0, len(rows), size)]

    # Between the state, which is hashed, and what `next_step` reads

    def observation(self, seen: Any) -> Observation:
        begun, jobs, abandoned = seen
        holdings, copies = [], []
        for uid, nonce, age, rows, status, clone in jobs:
            mark = Mark("s", "0" * 12, None, None, 0, f"{nonce:04d}")
            phase = {"d": Phase.DRAFT, "s": Phase.SUBMITTED, "k": Phase.FINISHED}[status]
            job = SeenJob(str(uid), "", mark, phase, status, -age * 1_000_000)
            if clone and self.tells_clones:
                copies.append(job)
                continue
            keys = keys_of(rows)
            holdings.append(Holding(job, keys, keys if status == "k" else NO_KEYS))
        nonces = frozenset(f"{nonce:04d}" for nonce in abandoned)
        return Observation(begun, begun, 0, tuple(holdings), tuple(copies), abandoned=nonces)

    tells_clones = True  # a world without that rule says False

    def decoded(self, packed: Any) -> Memory:
        if packed is None:
            return Memory()
        agreed, own, rest = packed
        lost, rows = agreed
        fields = dict(rest)
        fields["attempts"] = dict(fields["attempts"])
        fields["dead_since"] = dict(fields["dead_since"])
        return Memory(
            agreed=Agreed({uid: keys_of(held) for uid, held in lost}, keys_of(rows)),
            own={each[0]: Own(*each) for each in own},
            progress_at=0.0,
            **fields,
        )

    def encoded(self, memory: Memory) -> Any:
        assert memory.agreed is not None
        lost = tuple(sorted((uid, self.counted(keys)) for uid, keys in memory.agreed.lost.items()))
        own = tuple(
            (o.nonce, o.posted, o.known, o.lost, o.job_id, o.sent, o.was_unsure, None, o.is_old)
            for o in memory.own.values()
        )
        rest = (
            ("round", memory.round),
            ("submitted", memory.submitted),
            ("bought", memory.bought),
            ("gone", memory.gone),
            ("empty", memory.empty),
            ("kept", memory.kept),
            ("stopped", memory.stopped),
            ("attempts", tuple(sorted(memory.attempts.items()))),
            ("dead_since", tuple(sorted(memory.dead_since.items()))),
            ("changed", memory.changed),
            ("pause", memory.pause),
            ("unanswered", memory.unanswered),
            ("outgrown", memory.outgrown),
            ("leaving", memory.leaving),
        )
        return (lost, self.counted(memory.agreed.rows)), own, rest

    def counted(self, keys: Any) -> Rows:
        return tuple(int((keys == n).sum()) for n in range(1, len(self.zero) + 1))

    def canonical(self, state: State) -> State:
        """The same with ids by position and nonces by first appearance; what can never matter is forgotten."""
        uids = {job.uid: n for n, job in enumerate(state.jobs)}
        nonces: dict[int, int] = {}

        def nonce(old: int) -> int:
            return nonces.setdefault(old, len(nonces))

        def uid(old: int) -> int:
            return uids.setdefault(old, len(uids) + 50)

        jobs = tuple(job._replace(uid=uid(job.uid), nonce=nonce(job.nonce)) for job in state.jobs)
        late = tuple(
            (kind, nonce(what) if kind == "create" else uid(what), rows, age)
            for kind, what, rows, age in state.late
        )
        here = len(state.jobs)
        appliers = []
        for one in state.appliers:
            if one.end:
                appliers.append(Applier(end=one.end, memory=self.ended(one)))
                continue
            if one.memory is None:
                appliers.append(one)
                continue
            (lost, rows), own, rest = one.memory
            fields = dict(rest)
            seen_ids = set() if one.seen is None else {uid(job[0]) for job in one.seen[1]}
            begun = None if one.seen is None else one.seen[0]
            fields["changed"] = -math.inf if begun is None or fields["changed"] <= begun else begun + 0.25
            if fields["pause"] + self.server.settle <= (0.0 if begun is None else begun):
                fields["pause"] = -math.inf
            ids_done = fields["submitted"] | fields["gone"]
            settle = -float(self.server.settle)
            oldest = 0.0 if math.isinf(self.server.own) else -self.server.own - 1

            def is_of_use(nonce: str) -> bool:
                made = any(job.nonce == int(nonce) for job in state.jobs)
                return made or any(kind == "create" and what == int(nonce) for kind, what, _, _ in state.late)

            def capped(time: float | None, least: float) -> float | None:
                return None if time is None else max(time, least)

            def kept(old: str, seen_ids: set[int] = seen_ids) -> bool:
                return uid(int(old)) < here or uid(int(old)) in seen_ids

            owned = tuple(
                (
                    f"{nonce(int(o[0])):04d}",
                    capped(o[1], oldest),
                    capped(o[2], settle),
                    capped(o[3], settle),
                    None if o[4] is None else str(uid(int(o[4]))),
                    *o[5:],
                )
                for o in own
                if o[0] in fields["round"] or (o[4] not in ids_done and is_of_use(o[0]))
            )
            if not (self.server.stale or self.server.lagging or self.server.lag or one.seen is not None):
                fields["submitted"] = frozenset()
                fields["gone"] = frozenset()
            for name in ("submitted", "bought", "gone", "empty", "kept", "stopped"):
                fields[name] = frozenset(str(uid(int(each))) for each in fields[name] if kept(each))
            fields["attempts"] = tuple((str(uid(int(k))), v) for k, v in fields["attempts"] if kept(k))
            acts = -float(self.server.acts or 0)
            fields["dead_since"] = tuple(
                sorted((str(uid(int(k))), max(v, acts)) for k, v in fields["dead_since"] if kept(k))
            )
            fields["round"] = tuple(f"{nonce(int(each)):04d}" for each in fields["round"])
            memory = (
                (tuple((str(uid(int(k))), v) for k, v in lost if kept(k)), rows),
                owned,
                tuple(fields.items()),
            )
            seen = None
            if one.seen is not None:
                begun, jobs_seen, abandoned = one.seen
                known = tuple(sorted(nonce(each) for each in abandoned))
                seen = begun, tuple((uid(j[0]), nonce(j[1]), *j[2:]) for j in jobs_seen), known
            appliers.append(one._replace(memory=memory, seen=seen, step=self.renamed(one.step, uid)))
        return State(jobs, tuple(appliers), late, state.faults)

    def ended(self, one: Applier) -> Any:
        """What is kept of an apply that is over: the lost rows that its first look found."""
        if one.memory is None or one.memory[0] == "lost":
            return one.memory
        return "lost", self.lost_rows(one)

    def lost_rows(self, one: Applier) -> Rows:
        if one.memory is None:
            return self.zero
        if one.memory[0] == "lost":
            return one.memory[1]
        total = self.zero
        for _, rows in one.memory[0][0]:
            total = plus(total, rows)
        return total

    def renamed(self, step: Any, uid: Any) -> Any:
        match step:
            case Submit(ids):
                return Submit(tuple(str(uid(int(each))) for each in ids))
            case Statuses(job_id) | Delete(job_id) | Stop(job_id):
                return type(step)(str(uid(int(job_id))))
            case _:
                return step

    # An applier

    def looks(self, state: State, memory: Memory) -> Iterator[Any]:
        """Every list that the server may answer."""
        choices: list[Sequence[str]] = []
        for job in state.jobs:
            is_known = str(job.uid) in memory.submitted | memory.gone
            shown: Sequence[str] = (job.status,)
            if self.server.stale and job.status == "s" and not is_known:
                shown = ("s", "d")
            if job.status == "x":
                shown = ("",) if is_known else ("", "d")
            choices.append((*shown, "") if job.age < self.server.lag else shown)
        for statuses in product(*choices):
            yield (
                0.0,
                tuple(
                    (job.uid, job.nonce, job.age + job.early, job.rows, status, job.clone)
                    for job, status in zip(state.jobs, statuses, strict=True)
                    if status
                ),
                self.abandoned(state),
            )

    def abandoned(self, state: State) -> Rows:
        """The nonces of drafts whose makers are known to be dead: all of those that are."""
        if self.server.acts is None:
            return ()
        living = {
            int(own[0])
            for one in state.appliers
            if one.memory is not None and not one.end
            for own in one.memory[1]
        }
        return tuple(sorted({job.nonce for job in state.jobs if job.status == "d"} - living))

    def thought(self, me: int, memory: Memory, seen: Any) -> Applier:
        """What an applier does next; cached, for most states ask the same."""
        where = (me, self.encoded(memory), seen)
        found = self.known.get(where)
        if found is None:
            step, after = tables.next_step(
                self.observation(seen), memory, self.wants[me], self.server.times, 0.0
            )
            end = ""
            if isinstance(step, End):
                end = "done" if after.leaving is None else "gave up"
            pause = math.ceil(step.pause_s) if isinstance(step, Look) else 0
            is_look = isinstance(step, Look)
            found = Applier(
                self.encoded(after),
                None if is_look else seen,
                None if is_look or end else step,
                pause,
                0,
                end,
            )
            self.known[where] = found
        return found

    def looked(self, me: int, one: Applier, seen: Any) -> Applier:
        memory = self.decoded(one.memory)
        memory = replace(
            memory,
            changed=min(memory.changed, 0.0),
            progress=(),
            first_seen={},
        )
        observation = self.observation(seen)
        if memory.agreed is None:
            memory = replace(memory, agreed=tables.agreement(observation, memory, self.wants[me]))
        memory = remembered.noted(memory, observation)
        memory = replace(memory, progress=(), progress_at=0.0, first_seen={})
        return self.thought(me, memory, seen)._replace(crashes=one.crashes)

    def after(self, me: int, one: Applier, memory: Memory, rest: Any = None) -> Applier:
        """Once a call is over: the rest of its step, or what is thought of next."""
        seen = one.seen
        if not isinstance(one.step, Statuses):
            seen = (min(seen[0], _OF_THE_PAST), *seen[1:])
        if rest is not None:
            return one._replace(memory=self.encoded(memory), seen=seen, step=rest)
        return self.thought(me, memory, seen)._replace(crashes=one.crashes)

    # The server

    def inserted(self, state: State, job: Job) -> Iterator[State]:
        jobs = state.jobs
        for early in range(1 if self.server.unique else self.server.skew + 1):
            low = sum(j.age + j.early > early for j in jobs)
            high = sum(j.age + j.early >= early for j in jobs)
            for place in [len(jobs)] if self.server.unique else range(low, high + 1):
                yield state._replace(jobs=(*jobs[:place], job._replace(early=early), *jobs[place:]))

    def changed(self, state: State, uid: int, **fields: Any) -> State:
        return state._replace(jobs=tuple(j._replace(**fields) if j.uid == uid else j for j in state.jobs))

    def deleted(self, state: State, uid: int) -> Iterator[tuple[str, bool, State]]:
        """The harm, whether it is gone, and the state after a DELETE of a job that exists."""
        job = next(job for job in state.jobs if job.uid == uid)
        if job.status == "d":
            is_listed = self.server.lagging and self.server.lag
            gone = self.changed(state, uid, status="x", since=0) if is_listed else self.forgotten(state, uid)
            yield ("a person's clone was deleted" if job.clone else ""), True, gone
        else:
            yield "", False, state
            if not self.server.conditional:
                yield "a submitted job was deleted", True, self.forgotten(state, uid)

    def forgotten(self, state: State, uid: int) -> State:
        return state._replace(
            jobs=tuple(job for job in state.jobs if job.uid != uid),
            late=tuple(each for each in state.late if each[0] == "create" or each[1] != uid),
        )

    # Steps

    def steps(self, state: State) -> Iterator[tuple[str, str, State]]:
        """Every next state, with what happened and the harm that the step does by itself."""
        everyone = range(len(state.appliers))
        for label, harm, new in self.raw_steps(state, everyone):
            yield label, harm, self.canonical(new)

    def raw_steps(self, state: State, everyone: range) -> Iterator[tuple[str, str, State]]:
        for me in everyone:
            yield from self.applier_steps(state, me)
        yield from self.server_steps(state)
        bound = self.server.bound
        is_due = bound is not None and any(each[-1] >= bound for each in state.late)
        prompt = everyone if self.server.prompt else everyone[-1:]
        if not is_due and not any(self.is_busy(state, me) for me in prompt):
            yield "a tick", "", self.ticked(state)

    def is_busy(self, state: State, me: int) -> bool:
        one = state.appliers[me]
        if one.end or one.pause:
            return False
        if one.step is not None or one.memory is None:
            return True
        seen = (
            0.0,
            tuple(
                (j.uid, j.nonce, j.age + j.early, j.rows, j.status, j.clone)
                for j in state.jobs
                if j.status != "x"
            ),
            self.abandoned(state),
        )
        new = self.looked(me, one, seen)
        return (new.memory, new.step, new.end) != (one.memory, one.step, one.end)

    def ticked(self, state: State) -> State:
        cap, lag = self.cap, self.server.lag if self.server.lagging else 0
        over = [job.uid for job in state.jobs if job.status == "x" and job.since + 1 >= lag]
        if over:
            return self.ticked(self.forgotten(state, over[0]))
        jobs = tuple(
            j._replace(
                age=min(j.age + 1, cap),
                early=j.early if j.age + 1 < cap else 0,
                since=min(j.since + 1, lag) if j.status in "sx" else 0,
            )
            for j in state.jobs
        )
        step = 0 if self.server.bound is None else 1
        late = tuple((*each[:-1], each[-1] + step) for each in state.late)
        return state._replace(jobs=jobs, appliers=tuple(map(self.aged, state.appliers)), late=late)

    def aged(self, one: Applier) -> Applier:
        if one.end or one.memory is None:
            return one
        oldest = -float(self.cap + 1)

        def older(time: float | None) -> float | None:
            return None if time is None else max(time - 1, oldest)

        agreed, own, rest = one.memory
        fields = dict(rest)
        fields["changed"], fields["pause"] = older(fields["changed"]), older(fields["pause"])
        fields["dead_since"] = tuple((job_id, older(since)) for job_id, since in fields["dead_since"])
        own = tuple((o[0], *map(older, o[1:4]), *o[4:]) for o in own)
        seen = None if one.seen is None else (max(one.seen[0] - 1, oldest + _OF_THE_PAST), *one.seen[1:])
        memory = (agreed, own, tuple(fields.items()))
        return one._replace(memory=memory, seen=seen, pause=max(one.pause - 1, 0))

    def server_steps(self, state: State) -> Iterator[tuple[str, str, State]]:
        lost, stops, clones = state.faults
        for i, (kind, what, rows, _age) in enumerate(state.late):
            rest = state._replace(late=state.late[:i] + state.late[i + 1 :])
            yield f"the late {kind} never acts", "", rest
            if kind == "create":
                for after in self.inserted(rest, Job(self.new_uid(rest), what, 0, 0, rows, "d")):
                    yield "a late create acts", "", after
            elif kind == "submit":
                yield f"a late submit of job {what} acts", "", self.submitted(rest, what)
            elif any(job.uid == what and job.status != "x" for job in state.jobs):
                for harm, _, after in self.deleted(rest, what):
                    yield f"a late delete of job {what} acts", harm, after
        for job in state.jobs:
            if job.status == "x":
                continue
            if stops and job.status == "s" and not job.clone:
                after = self.changed(state, job.uid, status="k")
                yield f"a person stops job {job.uid}", "", after._replace(faults=(lost, stops - 1, clones))
            if clones and not job.clone:
                copy = Job(self.new_uid(state), job.nonce, 0, 0, job.rows, "d", clone=True)
                for after in self.inserted(state._replace(faults=(lost, stops, clones - 1)), copy):
                    if [j.uid for j in after.jobs].index(copy.uid) > [j.uid for j in after.jobs].index(
                        job.uid
                    ):
                        yield f"a person clones job {job.uid}", "", after
            if job.clone and job.status == "d":
                yield "a person submits the clone", "", self.changed(state, job.uid, status="s")

    def submitted(self, state: State, uid: int) -> State:
        return state._replace(
            jobs=tuple(
                j._replace(status="s", since=0) if j.uid == uid and j.status == "d" else j for j in state.jobs
            )
        )

    def new_uid(self, state: State) -> int:
        used = [job.uid for job in state.jobs]
        for one in state.appliers:
            if one.seen is not None:
                used += [job[0] for job in one.seen[1]]
        return max([200, *used]) + 1

    def applier_steps(self, state: State, me: int) -> Iterator[tuple[str, str, State]]:
        one = state.appliers[me]
        if one.end == "asleep":
            if all(other.end for other in state.appliers[:-1]):
                yield "the recovery begins", "", self.with_applier(state, me, Applier())
            return
        if one.end:
            return
        if one.crashes:
            yield (
                f"{me} crashes before {one.step}",
                "",
                self.with_applier(state, me, one._replace(end="dead")),
            )
        if one.step is None:
            if one.pause == 0:
                for seen in self.looks(state, self.decoded(one.memory)):
                    new = self.looked(me, one, seen)
                    yield (
                        f"{me} looks: {new.step or new.end or 'wait'}",
                        "",
                        self.with_applier(state, me, new),
                    )
            return
        yield from self.call_steps(state, me, one)

    def with_applier(self, state: State, me: int, one: Applier) -> State:
        return state._replace(appliers=(*state.appliers[:me], one, *state.appliers[me + 1 :]))

    def call_steps(self, state: State, me: int, one: Applier) -> Iterator[tuple[str, str, State]]:
        memory = self.decoded(one.memory)

        def on(state: State, memory: Memory, rest: Any = None) -> State:
            return self.with_applier(state, me, self.after(me, one, memory, rest))

        match one.step:
            case Create(packs):
                first, *others = packs
                rest = Create(tuple(others)) if others else None
                nonce = 1 + max(
                    [
                        500,
                        *(job.nonce for job in state.jobs),
                        *(each[1] for each in state.late if each[0] == "create"),
                        *(
                            int(own[0])
                            for a in state.appliers
                            if a.memory and not a.end
                            for own in a.memory[1]
                        ),
                    ]
                )
                rows = self.counted(self.wants[me].keys[list(first.rows)])
                job = Job(self.new_uid(state), nonce, 0, 0, rows, "d")
                name = f"{nonce:04d}"
                posted = remembered.created(memory, name, 0.0)
                for after in self.inserted(state, job):
                    done = remembered.answered_create(posted, name, Answer.DONE, 0.0, str(job.uid))
                    yield f"{me} creates {rows}", "", on(after, done, rest)
                    unanswered = remembered.answered_create(posted, name, Answer.LOST, 0.0)
                    for how, lost in self.lost(state, after, ("create", nonce, rows, 0)):
                        yield f"{me} creates {rows}, {how}", "", on(lost, unanswered, rest)
            case Submit(ids):
                first, *others = ids
                rest = Submit(tuple(others)) if others else None
                yield from self.submit_steps(state, one, memory, first, lambda s, m: on(s, m, rest), me)
            case Statuses(job_id):
                job = self.job(state, job_id)
                if job is None:
                    yield f"{me} reads: 404", "", on(state, self.learnt(memory, one.step, Answer.GONE))
                else:
                    is_late = self.server.lagging and job.status == "s" and job.since < self.server.lag
                    for is_empty in (False, True) if is_late else (job.status == "d",):
                        answer = Answer.EMPTY if is_empty else Answer.DONE
                        label = f"{me} reads the statuses of job {job_id}: {answer.value}"
                        yield label, "", on(state, self.learnt(memory, one.step, answer))
            case Delete(job_id):
                if self.job(state, job_id) is None:
                    yield f"{me} deletes: 404", "", on(state, self.learnt(memory, one.step, Answer.GONE))
                    return
                for harm, is_gone, after in self.deleted(state, int(job_id)):
                    answer = Answer.DONE if is_gone else Answer.REFUSED
                    done = self.learnt(memory, one.step, answer)
                    yield f"{me} deletes job {job_id}: {answer.value}", harm, on(after, done)
                    unanswered = self.learnt(memory, one.step, Answer.LOST)
                    for how, lost in self.lost(state, after, ("delete", int(job_id), (), 0)):
                        did = harm if how == "acted, no answer" else ""
                        yield f"{me} deletes job {job_id}, {how}", did, on(lost, unanswered)
            case Stop(job_id):
                job = self.job(state, job_id)
                after = state if job is None else self.changed(state, job.uid, status="k")
                yield f"{me} stops job {job_id}", "", on(after, self.learnt(memory, one.step, Answer.DONE))

    def submit_steps(
        self, state: State, one: Applier, memory: Memory, job_id: str, on: Any, me: int
    ) -> Iterator[tuple[str, str, State]]:
        own = next(each for each in memory.own.values() if each.job_id == job_id)
        step = Submit((job_id,))
        job = self.job(state, job_id)
        if -own.posted > self.server.own:
            yield f"{me} finds job {job_id} too old", "", on(state, self.learnt(memory, step, Answer.TOO_OLD))
        elif job is None:
            yield f"{me} submits: 404", "", on(state, self.learnt(memory, step, Answer.GONE))
        else:
            harm = "a person's clone was submitted" if job.clone else ""
            after = self.submitted(state, job.uid)
            yield f"{me} submits job {job_id}", harm, on(after, self.learnt(memory, step, Answer.DONE))
            unanswered = self.learnt(memory, step, Answer.LOST)
            for how, lost in self.lost(state, after, ("submit", job.uid, (), 0)):
                yield f"{me} submits job {job_id}, {how}", harm, on(lost, unanswered)

    def learnt(self, memory: Memory, step: Any, answer: Answer) -> Memory:
        job_id = step.job_ids[0] if isinstance(step, Submit) else step.job_id
        return remembered.learnt(memory, step, job_id, answer, 0.0)

    def job(self, state: State, job_id: str) -> Job | None:
        return next((job for job in state.jobs if job.uid == int(job_id) and job.status != "x"), None)

    def lost(self, before: State, after: State, message: tuple[Any, ...]) -> Iterator[tuple[str, State]]:
        lost, *rest = before.faults
        if lost:
            faults = (lost - 1, *rest)
            yield "acted, no answer", after._replace(faults=faults)
            yield "never acts, no answer", before._replace(faults=faults)
            yield "acts late, no answer", before._replace(faults=faults, late=(*before.late, message))

    # What must hold in every state

    def violation(self, state: State) -> str:
        paid, drafts = self.zero, 0
        for job in state.jobs:
            if not job.clone:
                paid = plus(paid, job.rows) if job.status in "sk" else paid
                drafts += job.status == "d"
        rights = [
            plus(design, self.lost_rows(one))
            for design, one in zip(self.designs, state.appliers, strict=True)
        ]
        if not all(n <= max(right) for n, right in zip(paid, zip(*rights, strict=True), strict=True)):
            return "a row was submitted too often"
        if state.appliers[-1].end == "done":
            if not all(n <= p for n, p in zip(self.designs[-1], paid, strict=True)):
                return "a row is missing after the recovery"
            held = [-(-sum(design) // self.server.pack) for design in self.designs]
            faults = sum(held[n] for n, one in enumerate(state.appliers) if one.end == "dead")
            if drafts > faults + self.spare[0] - state.faults[0]:
                return "more drafts are left than there were faults"
        if state.appliers[-1].end == "gave up":
            return "the recovery gave up"
        return ""


def explored(world: World, limit: int = 3_000_000) -> tuple[str, int, list[str]]:
    """Every reachable state, breadth first: the verdict, how many states, and the way to a violation.

    Checked besides: nobody waits for ever; from the beginning of the recovery on (with `prompt`: always) no way goes
    on for ever.
    """
    seen: dict[State, tuple[State, str] | None] = {world.start: None}
    edges: dict[State, list[State]] = {}
    queue = deque([world.start])

    def verdict(word: str, state: State | None = None, last: str = "") -> tuple[str, int, list[str]]:
        told = [last] if last else []
        while state is not None and (before := seen[state]) is not None:
            state, label = before
            told.append(label)
        return word, len(seen), told[::-1]

    while queue:
        state = queue.popleft()
        after = []
        for label, harm, new in world.steps(state):
            if harm:
                return verdict(harm, state, label)
            if new == state:
                continue
            after.append(new)
            if new not in seen:
                seen[new] = (state, label)
                bad = world.violation(new)
                if bad:
                    return verdict(bad, new)
                queue.append(new)
        if world.server.prompt or state.appliers[-1].end != "asleep":
            edges[state] = after
        if not after and any(not one.end or one.end == "asleep" for one in state.appliers):
            return verdict("somebody waits for ever", state)
        if len(seen) > limit:
            return verdict("not exhausted")
    knot = _cyclic(edges)
    return verdict("holds") if knot is None else verdict("may go on for ever", knot)


def _cyclic(edges: dict[State, list[State]]) -> State | None:
    """A state on a cycle or behind one, or None: takes away states that nobody leads to, again and again."""
    incoming = dict.fromkeys(edges, 0)
    for after in edges.values():
        for new in after:
            incoming[new] = incoming.get(new, 0) + 1
    free = [state for state, count in incoming.items() if not count]
    while free:
        state = free.pop()
        del incoming[state]
        for new in edges.get(state, ()):
            incoming[new] -= 1
            if not incoming[new]:
                free.append(new)
    return next(iter(incoming), None)
