"""Apply planned studies, or a saved plan: from the confirmed plan to the last submit, and to the end of the runs."""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from doe_compiler.apply.cleaning import cleaned, shared
from doe_compiler.apply.conduct import Clock, Conduct, Receipt
from doe_compiler.apply.driver import Driver
from doe_compiler.apply.looking import Look, looked
from doe_compiler.apply.order import Order
from doe_compiler.apply.writing import Writer, draft_of
from doe_compiler.kernel.errors import DoeError, ExitCode, TooManyFailures, TryAgain, WrongUsage
from doe_compiler.observe.listing import of_recipe
from doe_compiler.observe.looking import Eye
from doe_compiler.pipeline.connection import Connection
from doe_compiler.pipeline.desk import Desk
from doe_compiler.pipeline.upkeep import jobs_of, running
from doe_compiler.pipeline.waiting import Progress, awaited
from doe_compiler.plan.action import Decision
from doe_compiler.plan.memory import Leaving, Times

_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Pace:
    """How an apply goes about it; None is what suits the platform.

    With `fail_fast` it ends, and stops what it waits for, once so many runs have failed that had not when it began;
    after `timeout_s` it begins nothing and waits for nothing more.
    """

    settle_s: float | None = None
    parallelism: int | None = None
    fail_fast: int | None = None
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True)
class Hands:
    """How an apply tells what it does, is held up, and sleeps; `go_on` raises to end it before the next write."""

    tell: Callable[[Receipt], None]
    go_on: Callable[[], None]
    sleep: Callable[[float], None]


def completed(
    connection: Connection,
    at: Desk,
    orders: Sequence[Order],
    looks: Sequence[Look],
    decisions: Sequence[Decision],
    *,
    pace: Pace,
    hands: Hands,
    watch: Callable[[Iterator[Progress]], None] | None,
) -> None:
    """Carry out what the user has agreed to, start the runs, and wait for them as `watch` shows; None: do not wait."""
    deadline = None if pace.timeout_s is None else time.monotonic() + pace.timeout_s
    hands = hands if deadline is None else _until(deadline, hands)
    failed = sum(len(decision.failed) for decision in decisions)
    try:
        applied(connection, at, orders, looks, decisions, pace=pace, hands=hands)
        connection.start_runs(watch is not None)
        if watch is not None:
            watch(_failing_fast(_awaited(connection, at, orders, hands, deadline), failed, pace.fail_fast))
    except TooManyFailures as error:
        hands.tell(Receipt("warn", name=error.message))
        _stop(connection, at, orders, hands)
        if watch is not None:
            watch(_awaited(connection, at, orders, hands, deadline))


def _until(deadline: float, hands: Hands) -> Hands:
    """The same hands until a time, by the monotonic clock, after which nothing is begun."""

    def go_on() -> None:
        hands.go_on()
        if time.monotonic() >= deadline:
            raise TryAgain("--timeout is over", hint="the same command goes on where this one has ended")

    def sleep(seconds: float) -> None:
        left = deadline - time.monotonic()
        hands.sleep(min(seconds, left) if left > 0 else seconds)

    return Hands(hands.tell, go_on, sleep)


def _awaited(
    connection: Connection, at: Desk, orders: Sequence[Order], hands: Hands, deadline: float | None
) -> Iterator[Progress]:
    return awaited(
        connection.client,
        orders,
        at.known,
        still_works=lambda: connection.start_runs(True),
        patience_s=max(connection.times().settle, 1.0),
        sleep=hands.sleep,
        deadline=deadline,
    )


def _failing_fast(steps: Iterator[Progress], before: int, most: int | None) -> Iterator[Progress]:
    """The steps; raises TooManyFailures at the one at which too many runs have failed, unless all have ended."""
    for step in steps:
        yield step
        if most is not None and step.failed - before >= most and not step.is_over:
            raise TooManyFailures(_failures_text(step.failed - before))


def _failures_text(count: int) -> str:
    runs = "1 run has" if count == 1 else f"{count:,} runs have"
    return f"{runs} failed: nothing more is submitted, and what runs is stopped (--fail-fast)"


def _stop(connection: Connection, at: Desk, orders: Sequence[Order], hands: Hands) -> None:
    """Stop what runs of the studies' present recipes."""
    acting = writer(connection, at, hands)
    for order in orders:
        jobs = jobs_of(connection.client, at.account, [order.wanted.study])
        for job in running(of_recipe(jobs, order.wanted.recipe)):
            acting.stop(draft_of(job))


class _FailFast:
    """Asked at every look of an apply: whether `most` runs have failed since the first looks; `words` say so then."""

    def __init__(self, first: Sequence[Look], most: int | None) -> None:
        self._before = sum(map(_failures, first))
        self._most = most
        self.words = ""

    def __call__(self, looks: Sequence[Look]) -> Leaving | None:
        failed = sum(map(_failures, looks)) - self._before
        if self._most is None or failed < self._most:
            return None
        self.words = _failures_text(failed)
        return Leaving(ExitCode.FAILED, self.words)


def _failures(look: Look) -> int:
    """The failed runs of a study's submitted jobs, as far as the list tells them or they have ended."""
    return sum(
        max(len(holding.failed), holding.job.runs_failed or 0)
        for holding in look.seen.holdings
        if look.memory.is_submitted(holding)
    )


def applied(
    connection: Connection,
    at: Desk,
    orders: Sequence[Order],
    looks: Sequence[Look],
    decisions: Sequence[Decision],
    *,
    pace: Pace,
    hands: Hands,
) -> None:
    """Carry out what the user has agreed to. Every write goes into the audit trail.

    `looks` are what the plan was made of; the platform is looked at again before anything is done.
    """
    times = times_of(connection, pace)
    fail_fast = _FailFast(looks, pace.fail_fast)
    with at.makers.at_work() as sign:
        conduct = replace(_conduct(connection, at, pace, hands), sign=sign)
        eye = Eye(connection.client, at.account, conduct.clock, at.known, at.makers.dead)
        acting = Writer(connection.client, conduct)
        cleaned(acting, decisions, [look.seen for look in looks])
        again = looked(eye, orders, [look.memory for look in looks])
        try:
            Driver(eye, acting, times, connection.throttle, fail_fast).carry_out(orders, again)
        except DoeError as error:
            if fail_fast.words:
                raise TooManyFailures(fail_fast.words) from error
            raise
    shared(eye, acting, orders)


def times_of(connection: Connection, pace: Pace) -> Times:
    """The protocol's times on a platform; raises WrongUsage for a settle time that would not leave time to submit."""
    times = connection.times()
    if pace.settle_s is None:
        return times
    if pace.settle_s > times.own / 2:
        raise WrongUsage(
            f"--settle {pace.settle_s:g}: a draft is submitted in its first {times.own:g} s, and would never be",
            hint=f"say {times.own / 2:g} at most",
        )
    return replace(times, settle=pace.settle_s)


def writer(connection: Connection, at: Desk, hands: Hands) -> Writer:
    """Single writes outside an apply; they go into the audit trail too."""
    return Writer(connection.client, _conduct(connection, at, Pace(), hands))


def _conduct(connection: Connection, at: Desk, pace: Pace, hands: Hands) -> Conduct:
    trouble: list[OSError] = []

    def told(receipt: Receipt) -> None:
        if not trouble:
            try:
                at.add(receipt)
            except OSError as error:
                trouble.append(error)
                path = at.receipts.path
                hands.tell(
                    Receipt("warn", name=f"the audit trail {path} cannot be written: {error.strerror}")
                )
        hands.tell(receipt)

    return Conduct(
        hands.sleep,
        Clock(),
        lambda: secrets.randbits(32),
        told,
        hands.go_on,
        pace.parallelism or (1 if connection.is_embedded else _AT_ONCE),
    )
