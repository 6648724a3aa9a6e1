"""What became of a run, told from what the API says of it; a run has no status of its own there."""

import enum
from collections.abc import Mapping, Sequence

from doe_compiler.bundle.steps import EXIT_NAME
from doe_compiler.spec.model import Response


class RunState(enum.Enum):
    """The state of a run; `missing` is a row of the design that no submitted job holds."""

    MISSING = "missing"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


def run_state(
    *,
    is_started: bool,
    is_completed: bool,
    job_is_finished: bool,
    outputs: Mapping[str, str],
    responses: Sequence[Response],
) -> tuple[RunState, str]:
    """The state and, for a failed run, why.

    Failed is: an exit code that is not 0, no exit code though completed, or a required response missing.
    """
    if not is_completed:
        if job_is_finished:
            return RunState.STOPPED, "not completed when its job ended"
        return (RunState.RUNNING if is_started else RunState.WAITING), ""
    code = outputs.get(EXIT_NAME)
    if code is None:
        return RunState.FAILED, "the command did not run"
    if code != "0":
        return RunState.FAILED, "timed out" if code == "124" else f"exit code {code}"
    absent = [response.name for response in responses if response.required and response.name not in outputs]
    if absent:
        return RunState.FAILED, f"no value of {', '.join(absent)}"
    return RunState.DONE, ""
