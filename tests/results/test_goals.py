"""Bounds and goals of responses are used: a run outside says so, and the best come first."""

from dataclasses import replace

import pytest

from doe_compiler.cli.shown import counted
from doe_compiler.kernel.errors import WrongUsage
from doe_compiler.kernel.findings import Place
from doe_compiler.results.collect import ResultRow, Results
from doe_compiler.results.goals import best, uncompared
from doe_compiler.results.states import RunState, run_state
from doe_compiler.spec.model import Analysis, Declared, DesignSpec, Goal, Hardware, Response, Spec

PLACE = Place("study.yaml", 1, 1)
DRAG = Response("drag", Declared(), PLACE, goal=Goal.MINIMIZE, minimum=0.1, maximum=5.0)
LIFT = Response("lift", Declared(), PLACE, goal=Goal.MAXIMIZE, required=False)
SPEC = Spec(
    "s",
    "study.yaml",
    (),
    DesignSpec("table", PLACE),
    (Analysis("c", None, "true", Hardware("emerald"), PLACE),),
    responses=(DRAG, LIFT),
)


def row(number, state=RunState.DONE, **outputs):
    return ResultRow(number, {}, outputs, state, "", "j", number)


def results(*rows, spec=SPEC):
    return Results(spec, (), rows)


@pytest.mark.parametrize(
    ("drag", "why"),
    [
        ("0.1", ""),
        ("5", ""),
        ("0.09", "drag (0.09) is below its min 0.1"),
        ("5.1", "drag (5.1) is above its max 5"),
        ("high", "drag (high) is no number, and has bounds"),
    ],
)
def test_a_value_outside_is_told_and_the_run_stays_done(drag, why):
    outputs = {"drag": drag, "lift": "-1e9", "doe_exit": "0"}
    found = run_state(
        is_started=True, is_completed=True, job_is_finished=True, outputs=outputs, responses=SPEC.responses
    )
    assert found == (RunState.DONE, why)


def test_the_summary_counts_what_is_outside():
    many = results(row(1, drag="1"), row(2, drag="9"), row(3, RunState.FAILED, drag="9"))
    assert counted(many) == "3 runs: 2 done, 1 failed (1 outside of the bounds of a response)"
    assert counted(results(row(1, drag="1"))) == "1 run: 1 done"


def test_the_best_come_first_and_those_outside_last():
    many = results(
        row(1, drag="3"),
        row(2, drag="0.01"),
        row(3, drag="1", lift="2"),
        row(4, drag="1", lift="7"),
        row(5, RunState.FAILED, drag="0.5"),
        row(6, drag="none"),
        row(7, drag="1"),
    )
    assert [each.run for each in best(many, 9).rows] == [4, 3, 7, 1, 2]
    assert [each.run for each in best(many, 2).rows] == [4, 3]
    assert uncompared(many) == 2


def test_the_largest_is_the_best_where_it_is_wanted():
    spec = replace(SPEC, responses=(LIFT, DRAG))
    many = results(row(1, lift="3", drag="1"), row(2, lift="10", drag="1"), spec=spec)
    assert [each.run for each in best(many, 9).rows] == [2, 1]


def test_without_a_goal_there_is_no_best():
    with pytest.raises(WrongUsage, match="goal"):
        best(results(spec=replace(SPEC, responses=(replace(DRAG, goal=None),))), 1)
