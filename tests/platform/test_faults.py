"""The language of `--faults`, and that its dice are the same for the same seed."""

import pytest

from doe_compiler.kernel.errors import WrongUsage
from doe_compiler.kernel.wire import Request
from doe_compiler.platform.serve.faults import Dice, Draws, Fault, FaultSpec, Kind, read_faults


def test_a_whole_spec_is_read_in_its_order():
    spec = read_faults(
        "500:0.01, 502-after:0.5,drop-before:.25,submit/drop-after:1x1,slow:0.1@50ms,slow:0,"
        "garbled:1,truncate:1,list-delay:5s,seed=7"
    )
    assert spec == FaultSpec(
        (
            Fault(Kind.STATUS, None, 0.01, None, 500),
            Fault(Kind.STATUS_AFTER, None, 0.5, None, 502),
            Fault(Kind.DROP_BEFORE, None, 0.25),
            Fault(Kind.DROP_AFTER, "submit", 1.0, 1),
            Fault(Kind.SLOW, None, 0.1, None, 0, 0.05),
            Fault(Kind.SLOW, None, 0.0, None, 0, 5.0),
            Fault(Kind.GARBLED, None, 1.0),
            Fault(Kind.TRUNCATE, None, 1.0),
        ),
        5.0,
        7,
    )


@pytest.mark.parametrize(
    ("part", "problem"),
    [
        ("dropafter:1", "no kind of fault"),
        ("", "no kind of fault"),
        ("200:1", "no kind of fault"),
        ("status:1", "no kind of fault"),
        ("nowhere/500:1", "'nowhere' is no route"),
        ("500", "no chance"),
        ("500:2", "no chance"),
        ("500:-1", "no chance"),
        ("500:nan", "no chance"),
        ("500:1@2s", "only slow takes a duration"),
        ("slow:1@2", "no duration"),
        ("list-delay:0.5", "no duration"),
        ("list-delay:9999s", "longer than an hour"),
        ("seed=x", "no kind of fault"),
    ],
)
def test_a_bad_part_is_named_in_one_line(part, problem):
    with pytest.raises(WrongUsage) as raised:
        read_faults(f"500:0.1,{part},seed=1")
    assert problem in raised.value.message
    assert f"'{part}'" in raised.value.message
    assert "\n" not in raised.value.message + raised.value.hint


def _hits(spec, calls):
    read = read_faults(spec)
    dice = Dice(read.faults, Draws(read.seed))
    return [[fault.kind for fault in dice.hits(call)] for call in calls]


def test_the_same_seed_hits_the_same_calls_and_another_seed_others():
    calls = [Request("GET", "/api/v2/jobs/")] * 400
    first = _hits("500:0.2,drop-after:0.1,seed=7", calls)
    assert first == _hits("500:0.2,drop-after:0.1,seed=7", calls)
    assert first != _hits("500:0.2,drop-after:0.1,seed=8", calls)
    assert 50 < sum(Kind.STATUS in hits for hits in first) < 110
    assert 20 < sum(Kind.DROP_AFTER in hits for hits in first) < 60


def test_other_calls_and_other_parts_do_not_change_what_hits_a_route():
    submit = Request("POST", "/api/v2/jobs/x/submit/")
    read = Request("GET", "/api/v2/jobs/")
    alone = _hits("submit/500:0.5,seed=3", [submit] * 50)
    among = _hits("submit/500:0.5,seed=3", [submit, read, read] * 50)
    assert among[::3] == alone
    assert not any(among[1::3])


def test_a_fault_stops_after_as_many_hits_as_asked():
    assert _hits("500:1x2", [Request("GET", "/")] * 4) == [[Kind.STATUS], [Kind.STATUS], [], []]
