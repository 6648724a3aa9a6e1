"""What a study needs against its own limits and the policies of a team."""

import pytest

from doe_compiler.kernel.errors import LimitExceeded
from doe_compiler.kernel.findings import Place
from doe_compiler.plan.estimate import Estimate
from doe_compiler.plan.limits import CODES, Need, broken, check, not_offered
from doe_compiler.spec.model import Hardware, Limits, Policy

PLACE = Place("doe-policy.yaml", 2, 5)
NEED = Need(10, ("emerald",), ("openfoam",), ("wing", "cost-centre:17"), Estimate(20.0, 128.0, 2.0, 12.8))


def rules(*texts):
    return tuple((text, PLACE) for text in texts)


def codes(need, limits=None, *policies, **more):
    return [finding.code for finding in broken(need, limits or Limits(), policies, **more)]


@pytest.mark.parametrize(
    ("limits", "code"),
    [(Limits(runs=9), "E601"), (Limits(core_hours=19.9), "E602"), (Limits(cost=1.99), "E603")],
)
def test_beyond_a_limit_is_refused_whose_ever_it_is(limits, code):
    assert codes(NEED, limits) == [code]
    assert codes(NEED, None, Policy(), Policy(limits=limits)) == [code]
    with pytest.raises(LimitExceeded):
        check(NEED, limits, ())


def test_only_what_a_platform_names_can_be_not_offered():
    wanted = [Hardware("emerald", 2), Hardware("ours", 3), Hardware("numberless", 3), Hardware("emerald", 2)]
    assert not_offered(wanted, {"emerald": (1, 2), "numberless": ()}) == []
    (finding,) = not_offered([Hardware("emerald", 3, place=PLACE)] * 2, {"emerald": (2, 1)})
    assert (finding.hint, finding.place) == ("it has 1, 2", PLACE)


def test_at_a_limit_is_allowed():
    check(NEED, Limits(runs=10, core_hours=20.0, cost=2.0), ())


def test_a_limit_that_cannot_be_checked_is_not_ignored():
    need = Need(None, (), (), (), Estimate(None, None, None, None))
    assert codes(need, Limits(runs=1, core_hours=1, cost=1)) == ["E602", "E603"]
    assert codes(need, Limits(core_hours=1, cost=1), knows_prices=False) == ["E602"]


def test_without_an_expectation_the_walltime_counts():
    need = Need(1, (), (), (), Estimate(None, 128.0, None, 12.8))
    assert codes(need, Limits(core_hours=127, cost=13)) == ["E602"]


@pytest.mark.parametrize(
    ("policy", "found"),
    [
        (Policy(core_types=rules("emerald", "granite")), []),
        (Policy(core_types=rules("em*")), []),
        (Policy(core_types=rules("granite")), ["E604"]),
        (Policy(core_types=()), ["E604"]),
        (Policy(analyses=rules("user_included")), ["E605"]),
        (Policy(tags=rules("cost-centre:*", "wing")), []),
        (Policy(tags=rules("owner:*", "cost-centre:*")), ["E606"]),
    ],
)
def test_rules_are_patterns(policy, found):
    assert codes(NEED, None, policy) == found


def test_all_that_is_wrong_is_told_with_its_place():
    policy = Policy(limits=Limits(runs=3, place=PLACE), core_types=rules("granite"), tags=rules("owner:*"))
    with pytest.raises(LimitExceeded) as caught:
        check(NEED, Limits(core_hours=1), [policy])
    words = caught.value.message
    assert "core-hours; its own limits allow 1" in words
    assert "10 runs; this policy allows 3 (doe-policy.yaml:2:5)" in words
    assert "'emerald'" in words
    assert "'owner:*'" in words


def test_every_code_has_a_sentence():
    policy = Policy(Limits(0, 0, 0), rules("x"), rules("x"), rules("x"))
    offered = not_offered([Hardware("emerald", 3)], {"emerald": (1, 2)})
    assert {*codes(NEED, None, policy), *(finding.code for finding in offered)} == set(CODES)
