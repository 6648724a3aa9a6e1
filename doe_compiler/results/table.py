"""The results as a table: text for people, CSV and JSON for programs."""

import csv
import io
import json
import re

from doe_compiler.bundle.steps import EXIT_NAME
from doe_compiler.results.collect import ResultRow, Results
from doe_compiler.results.goals import is_outside
from doe_compiler.results.states import number_of

_FIRST = ("run",)
_LAST = ("state", "why", "exit_code", "tries", "job", "job_run", "directory")
_WHOLE = re.compile(r"[+-]?[0-9]{1,4000}", re.ASCII)


def header(results: Results) -> list[str]:
    """The columns: run, inputs and responses with their units, state, why, exit code, tries, job and its run.

    Each has a name of its own: an input or response with the name of another column says which of the two it is.
    """
    units = {variable.name: variable.unit for variable in results.spec.variables}
    inputs = [_titled(name, units.get(name, ""), "input") for name in results.inputs]
    outputs = [_titled(response.name, response.unit, "response") for response in results.spec.responses]
    return [*_FIRST, *inputs, *outputs, *_LAST]


def _titled(name: str, unit: str, kind: str) -> str:
    if name.lower() in {*_FIRST, *_LAST}:
        name = f"{name} ({kind})"
    return f"{name} [{unit}]" if unit else name


def cells(results: Results, row: ResultRow) -> list[str]:
    """A row's cells as text, in the order of `header`; what is not there is empty."""
    return [
        str(row.run or ""),
        *(row.inputs.get(name, "") for name in results.inputs),
        *(row.outputs.get(response.name, "") for response in results.spec.responses),
        row.state.value,
        row.why,
        row.outputs.get(EXIT_NAME, ""),
        str(row.tries or ""),
        row.job_id or "",
        "" if row.job_run is None else str(row.job_run),
        row.directory,
    ]


def as_csv(results: Results) -> str:
    """The table as CSV with a header, LF line ends."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header(results))
    writer.writerows(cells(results, row) for row in results.rows)
    return out.getvalue()


def as_json(results: Results) -> str:
    """The table as JSON: responses as numbers where they are numbers, null where there is none."""
    spec = results.spec
    units = {variable.name: variable.unit for variable in spec.variables if variable.unit}
    units |= {response.name: response.unit for response in spec.responses if response.unit}
    described = {entry.name: entry.description for entry in spec.variables}
    described |= {entry.name: entry.description for entry in spec.responses}
    document = {
        "study": spec.study,
        "units": units,
        "descriptions": {name: text for name, text in described.items() if text},
        "nominal": {v.name: v.nominal for v in spec.variables if v.varies and v.nominal is not None},
        "runs": [
            {
                "run": row.run or None,
                "inputs": {name: row.inputs[name] for name in results.inputs if name in row.inputs},
                "responses": {
                    response.name: _value(row.outputs.get(response.name)) for response in spec.responses
                },
                "state": row.state.value,
                "why": row.why or None,
                "isOutsideBounds": is_outside(results, row),
                "exitCode": _value(row.outputs.get(EXIT_NAME)),
                "tries": row.tries,
                "job": row.job_id,
                "jobRun": row.job_run,
                "directory": row.directory or None,
            }
            for row in results.rows
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _value(text: str | None) -> object:
    if text is None:
        return None
    if _WHOLE.fullmatch(text):
        return int(text)
    number = number_of(text)
    if number is None:
        return text
    return int(number) if number.is_integer() and abs(number) < 2**53 else number
