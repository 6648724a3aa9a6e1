"""What became of a run, from the little that the API says of it."""

import pytest

from doe_compiler.extraction.told import Told
from doe_compiler.kernel.findings import Place
from doe_compiler.results.states import RunState, run_state
from doe_compiler.spec.model import Declared, Response

PLACE = Place("study.yaml", 1, 1)
NEEDED = Response("y", Declared(), PLACE)
WELCOME = Response("z", Declared(), PLACE, required=False)


def state(**more):
    given = {
        "is_started": True,
        "is_completed": True,
        "job_is_finished": True,
        "outputs": {},
        "responses": [NEEDED, WELCOME],
    }
    return run_state(**{**given, **more})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"is_started": False, "is_completed": False, "job_is_finished": False}, (RunState.WAITING, "")),
        ({"is_completed": False, "job_is_finished": False}, (RunState.RUNNING, "")),
        ({"is_completed": False}, (RunState.STOPPED, "not completed when its job ended")),
        ({"outputs": {"doe_exit": "0", "y": "1"}}, (RunState.DONE, "")),
        ({"outputs": {"doe_exit": "0", "z": "1"}}, (RunState.FAILED, "no value of y")),
        ({"outputs": {"doe_exit": "3", "y": "1"}}, (RunState.FAILED, "exit code 3")),
        ({"outputs": {"doe_exit": "124", "y": "1"}}, (RunState.FAILED, "exit code 124")),
        (
            {"outputs": {"doe_exit": "124", "y": "1"}, "is_timed_out": True},
            (RunState.FAILED, "timed out"),
        ),
        (
            {"outputs": {"doe_exit": "0"}, "told": Told({"y": "it is null", "z": "it is empty"}, {})},
            (RunState.FAILED, "no value of y (it is null)"),
        ),
        (
            {
                "outputs": {"doe_exit": "0", "y": "1"},
                "told": Told({"z": "it is empty"}, {"y": "1 of 3 values"}),
            },
            (RunState.DONE, "no value of z (it is empty); y (1 of 3 values)"),
        ),
        ({"outputs": {"y": "1"}}, (RunState.FAILED, "ended without an exit code")),
    ],
)
def test_the_state_follows_from_dates_exit_code_and_responses(given, expected):
    assert state(**given) == expected
