"""What a study wants of its responses: which runs break a bound, and which are the best."""

import math
from collections.abc import Sequence
from dataclasses import replace

from doe_compiler.kernel.errors import WrongUsage
from doe_compiler.results.collect import ResultRow, Results
from doe_compiler.results.states import RunState, broken_bounds, number_of
from doe_compiler.spec.model import Goal, Response


def is_outside(results: Results, row: ResultRow) -> bool:
    """Whether a run that is done has a response outside of its bounds."""
    return row.state is RunState.DONE and bool(broken_bounds(results.spec.responses, row.outputs))


def best(results: Results, most: int) -> Results:
    """The best runs, by the first response with a goal and by the others where that is equal.

    Only runs that are done and have a number are compared; those outside of a bound come after all others.
    Raises WrongUsage where no response has a goal.
    """
    wanted = _wanted(results)
    ranked = [row for row in results.rows if _is_comparable(row, wanted[0])]
    ranked.sort(key=lambda row: (is_outside(results, row), _costs(row, wanted), row.run))
    return replace(results, rows=tuple(ranked[:most]))


def uncompared(results: Results) -> int:
    """How many of the runs `best` leaves out of the comparison."""
    first = _wanted(results)[0]
    return sum(not _is_comparable(row, first) for row in results.rows)


def _wanted(results: Results) -> list[Response]:
    wanted = [response for response in results.spec.responses if response.goal is not None]
    if not wanted:
        raise WrongUsage("no response has a goal", hint="say goal: minimize or goal: maximize in a response")
    return wanted


def _is_comparable(row: ResultRow, response: Response) -> bool:
    return row.state is RunState.DONE and _value(row, response) is not None


def _costs(row: ResultRow, wanted: Sequence[Response]) -> tuple[float, ...]:
    """Smaller is better; what has no number is the worst."""
    values = [(response, _value(row, response)) for response in wanted]
    return tuple(
        math.inf if value is None else -value if response.goal is Goal.MAXIMIZE else value
        for response, value in values
    )


def _value(row: ResultRow, response: Response) -> float | None:
    return number_of(row.outputs.get(response.name, ""))
