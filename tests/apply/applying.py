"""An apply of studies as a command does it, on any client, with a clock and a patience of the test's."""

import random
import time

from doe_compiler.apply.conduct import Clock, Conduct
from doe_compiler.apply.driver import Driver
from doe_compiler.apply.looking import looked
from doe_compiler.apply.order import Order
from doe_compiler.apply.writing import Writer
from doe_compiler.bundle.wanted import wanted_of
from doe_compiler.observe.known import KnownJobs
from doe_compiler.observe.looking import Eye
from doe_compiler.plan.account import Account
from doe_compiler.plan.memory import OURS


def order_of(bundle, **more):
    return Order(wanted_of(bundle), **more)


def driver_of(client, *, times=OURS, now=time.monotonic, sleep=lambda _s: None, account=None, **more):
    """What carries out applies on a client; `more` goes into its conduct, `throttle` into the driver."""
    throttle = more.pop("throttle", None)
    known = more.pop("known", None)
    abandoned = more.pop("abandoned", frozenset)
    clock = Clock(now)
    chance = more.pop("chance", lambda: random.getrandbits(32))
    conduct = Conduct(sleep, clock, chance, more.pop("tell", lambda _receipt: None), **more)
    eye = Eye(client, account or client.me(), clock, KnownJobs() if known is None else known, abandoned)
    return Driver(eye, Writer(client, conduct), times, throttle)


def apply(client, *orders, **more):
    """One whole apply; the receipts of what was answered, as (what, answer, job)."""
    told = []
    tell = more.pop("tell", lambda _receipt: None)

    def heard(receipt):
        tell(receipt)
        if receipt.answer:
            told.append((receipt.what, receipt.answer, receipt.job_id))

    driver = driver_of(client, tell=heard, **more)
    driver.carry_out(orders, looked(driver.eye, orders))
    return told


def missing(client, order):
    """How many rows of a study are missing, by a fresh look."""
    (look,) = looked(driver_of(client).eye, [order])
    return int(Account(order.wanted.keys, look.seen, look.memory).missing.sum())
