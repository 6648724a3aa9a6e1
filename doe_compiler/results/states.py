"""What became of a run, told from what the API says of it; a run has no status of its own there."""

import enum
from collections.abc import Collection, Mapping, Sequence

from doe_compiler.bundle.steps import EXIT_NAME
from doe_compiler.extraction.told import Told
from doe_compiler.extraction.values import NOTHING, number
from doe_compiler.kernel.canonical import number_text
from doe_compiler.spec.model import Response

_MOST_LISTED = 8
_NOTHING_TOLD = Told({}, {})


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
    told: Told = _NOTHING_TOLD,
    is_timed_out: bool = False,
    unread: Collection[str] = (),
) -> tuple[RunState, str]:
    """The state, and why: of a failed run, and what is to be known of the responses of one that is done.

    Failed is: an exit code that is not 0, no exit code though completed, or a required response missing.
    `told` says why responses have no value. Those that are `unread` may still be read: they fail nothing.
    """
    if not is_completed:
        if job_is_finished:
            return RunState.STOPPED, "not completed when its job ended"
        return (RunState.RUNNING if is_started else RunState.WAITING), ""
    code = outputs.get(EXIT_NAME)
    if code is None:
        return RunState.FAILED, "ended without an exit code"
    if code != "0":
        return RunState.FAILED, "timed out" if is_timed_out else f"exit code {code}"
    absent = [
        response for response in responses if response.name not in outputs and response.name not in unread
    ]
    required = [response.name for response in absent if response.required]
    if required:
        return RunState.FAILED, f"no value of {_listed(required, told.missing)}"
    optional = [response.name for response in absent if told.missing.get(response.name)]
    said = [f"no value of {_listed(optional, told.missing)}"] if optional else []
    if unread:
        said.append(f"not read yet (results --extract): {_listed(list(unread), {})}")
    if told.notes:
        said.append(_listed(list(told.notes), told.notes))
    said += broken_bounds(responses, outputs)
    return RunState.DONE, "; ".join(said)


def broken_bounds(responses: Sequence[Response], outputs: Mapping[str, str]) -> list[str]:
    """Which bounds the responses of a run break, such as `Cd (5.1) is above its max 5`."""
    return [
        f"{response.name} ({outputs[response.name]}) {problem}"
        for response in responses
        if response.name in outputs and (problem := _outside(response, outputs[response.name]))
    ]


def _outside(response: Response, text: str) -> str:
    low, high = response.minimum, response.maximum
    if low is None and high is None:
        return ""
    value = number_of(text)
    if value is None:
        return "is no number, and has bounds"
    if low is not None and value < low:
        return f"is below its min {number_text(low)}"
    if high is not None and value > high:
        return f"is above its max {number_text(high)}"
    return ""


def number_of(text: str) -> float | None:
    """The finite number that a response says, or None; `1_000` is a text."""
    return number(text)


def _listed(names: Sequence[str], reasons: Mapping[str, str]) -> str:
    """The first of the names, each with its reason, if it is more than that there is nothing to find."""
    told = {name: reason for name, reason in reasons.items() if reason and reason != NOTHING}
    shown = [f"{name} ({told[name]})" if name in told else name for name in names[:_MOST_LISTED]]
    rest = len(names) - len(shown)
    return ", ".join(shown) + (f" and {rest:,} more" if rest else "")
