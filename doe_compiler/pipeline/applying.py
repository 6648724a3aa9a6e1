"""Apply planned studies, or a saved plan: from the confirmed plan to the last submit."""

import random
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from doe_compiler.apply.conduct import Conduct, Step
from doe_compiler.apply.looking import Look, Order, looked
from doe_compiler.apply.protocol import Check, carried_out
from doe_compiler.apply.writing import Writer
from doe_compiler.pipeline.connection import Connection
from doe_compiler.pipeline.desk import Desk

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
    *,
    pace: Pace,
    tell: Callable[[Step], None],
    go_on: Callable[[], None],
    sleep: Callable[[float], None],
    check: Check | None = None,
) -> list[Step]:
    """Carry out what the looks have decided; the receipts of it. Every write goes into the audit trail."""
    conduct = _conduct(connection, at, pace, tell, go_on, sleep)
    return carried_out(connection.client, orders, looks, conduct, at.findings, check)


def writer(
    connection: Connection,
    at: Desk,
    *,
    tell: Callable[[Step], None],
    go_on: Callable[[], None],
    sleep: Callable[[float], None],
) -> Writer:
    """Single writes outside an apply; they go into the audit trail too."""
    return Writer(connection.client, _conduct(connection, at, Pace(), tell, go_on, sleep))


def _conduct(
    connection: Connection,
    at: Desk,
    pace: Pace,
    tell: Callable[[Step], None],
    go_on: Callable[[], None],
    sleep: Callable[[float], None],
) -> Conduct:
    settle_s = connection.settle_s if pace.settle_s is None else pace.settle_s
    trouble: list[OSError] = []

    def told(step: Step) -> None:
        if not trouble:
            try:
                at.receipts.add(step)
            except OSError as error:
                trouble.append(error)
                tell(
                    Step(
                        "warn", name=f"the audit trail {at.receipts.path} cannot be written: {error.strerror}"
                    )
                )
        tell(step)

    return Conduct(
        settle_s,
        sleep,
        time.monotonic,
        lambda: secrets.token_hex(4),
        random.random,
        told,
        go_on,
        pace.parallelism or (1 if connection.is_embedded else _AT_ONCE),
    )


def looked_again(connection: Connection, at: Desk, orders: Sequence[Order]) -> tuple[Look, ...]:
    """A look for orders that come from a saved plan."""
    return looked(connection.client, orders, at.findings)
