"""Apply planned studies, or a saved plan: from the confirmed plan to the last submit."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from doe_compiler.apply.cleaning import cleaned, shared
from doe_compiler.apply.conduct import Clock, Conduct, Receipt
from doe_compiler.apply.driver import Driver
from doe_compiler.apply.looking import Look, looked
from doe_compiler.apply.order import Order
from doe_compiler.apply.writing import Writer
from doe_compiler.kernel.errors import WrongUsage
from doe_compiler.observe.looking import Eye
from doe_compiler.pipeline.connection import Connection
from doe_compiler.pipeline.desk import Desk
from doe_compiler.plan.action import Decision
from doe_compiler.plan.memory import Times

_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Pace:
    """How an apply goes about it; None is what suits the platform."""

    settle_s: float | None = None
    parallelism: int | None = None


def applied(
    connection: Connection,
    at: Desk,
    orders: Sequence[Order],
    looks: Sequence[Look],
    decisions: Sequence[Decision],
    *,
    pace: Pace,
    tell: Callable[[Receipt], None],
    go_on: Callable[[], None],
    sleep: Callable[[float], None],
) -> None:
    """Carry out what the user has agreed to. Every write goes into the audit trail.

    `looks` are what the plan was made of; the platform is looked at again before anything is done.
    """
    times = times_of(connection, pace)
    conduct = _conduct(connection, at, pace, tell, go_on, sleep)
    eye = Eye(connection.client, at.account, conduct.clock, at.known)
    acting = Writer(connection.client, conduct)
    cleaned(acting, decisions, [look.seen for look in looks])
    again = looked(eye, orders, [look.memory for look in looks])
    Driver(eye, acting, times, connection.throttle).carry_out(orders, again)
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


def writer(
    connection: Connection,
    at: Desk,
    *,
    tell: Callable[[Receipt], None],
    go_on: Callable[[], None],
    sleep: Callable[[float], None],
) -> Writer:
    """Single writes outside an apply; they go into the audit trail too."""
    return Writer(connection.client, _conduct(connection, at, Pace(), tell, go_on, sleep))


def _conduct(
    connection: Connection,
    at: Desk,
    pace: Pace,
    tell: Callable[[Receipt], None],
    go_on: Callable[[], None],
    sleep: Callable[[float], None],
) -> Conduct:
    trouble: list[OSError] = []

    def told(receipt: Receipt) -> None:
        if not trouble:
            try:
                at.add(receipt)
            except OSError as error:
                trouble.append(error)
                path = at.receipts.path
                tell(Receipt("warn", name=f"the audit trail {path} cannot be written: {error.strerror}"))
        tell(receipt)

    return Conduct(
        sleep,
        Clock(),
        lambda: secrets.randbits(32),
        told,
        go_on,
        pace.parallelism or (1 if connection.is_embedded else _AT_ONCE),
    )
