"""The apply protocol, searched exhaustively in small worlds with the project's own `next_step`."""

import math

import pytest

from tests.plan.world import Server, World, explored

ALONE, EQUAL, NESTED = ((1,),), ((1,), (1,)), ((1, 0), (1, 1))
RECOVERY = {ALONE: (1,), EQUAL: (1,), NESTED: (1, 1)}
OURS = Server(settle=0, unique=True, own=math.inf, dead=1, conditional=True, bound=None)
TIES = Server(stale=True)
FAR = Server(lag=1, skew=1, settle=2, own=3, dead=5)


@pytest.mark.parametrize(
    ("designs", "server", "faults"),
    [
        (ALONE, OURS, {"crashes": 1, "lost": 1}),
        (EQUAL, OURS, {"crashes": 1}),
        (NESTED, OURS, {"crashes": 1}),
        (ALONE, TIES, {"crashes": 1, "lost": 1}),
        (ALONE, FAR, {"crashes": 1, "lost": 1}),
    ],
)
def test_the_protocol_holds(designs, server, faults):
    verdict, states, way = explored(World(designs, RECOVERY[designs], server, **faults))
    assert verdict == "holds", " | ".join(way)
    assert states > 50
