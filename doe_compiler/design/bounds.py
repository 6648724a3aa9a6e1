"""Whether the number that a cell means lies within its variable's law, and whether a cell may be sent."""

import re
from collections.abc import Iterable, Mapping

import numpy as np

from doe_compiler.design.columns import PLAIN, CodedColumn, Column, FloatColumn, PrintedColumn
from doe_compiler.design.refusal import MOST_SHOWN, DesignRefused
from doe_compiler.generators.catalogue import bounds_of
from doe_compiler.generators.law import Bounds, DrawnLaw, Law
from doe_compiler.generators.laws.log_uniform import LogUniform
from doe_compiler.generators.laws.uniform import Uniform
from doe_compiler.kernel.canonical import number_text
from doe_compiler.kernel.findings import Finding
from doe_compiler.spec.model import Spec, Variable


def limits_of(variable: Variable) -> Bounds:
    """The smallest and the largest value that a cell may mean; None where there is no limit."""
    return bounds_of(variable.law) if isinstance(variable.law, Law) else (None, None)


def outside(variable: Variable, number: float) -> str:
    """Which limit of its variable a number breaks, such as `below its minimum 10`, or nothing."""
    lower, upper = limits_of(variable)
    if lower is not None and number < float(lower):
        return f"below its minimum {number_text(float(lower))}"
    if upper is not None and number > float(upper):
        return f"above its maximum {number_text(float(upper))}"
    return ""


def require_within_bounds(spec: Spec, points: Mapping[str, Column]) -> None:
    """Refuse cells that rounding or a format moved out of their variable's bounds."""
    findings = [
        finding
        for variable in spec.varied
        if variable.format is not None or variable.is_integer
        for finding in _beyond(variable, points[variable.name])
    ]
    if findings:
        raise DesignRefused(*findings)


def require_possible(spec: Spec, points: Mapping[str, Column]) -> None:
    """Refuse points of a design that reaches beyond the ends, where the law has no values.

    The ends of a plain Uniform or LogUniform are only the low and high of such a design.
    """
    findings = [
        finding
        for variable in spec.varied
        if isinstance(variable.law, DrawnLaw)
        and (variable.law.is_truncated or not isinstance(variable.law, Uniform | LogUniform))
        for finding in _beyond(
            variable,
            points[variable.name],
            "axial: inscribed and axial: faced stay within the ends; or give it Uniform",
        )
    ]
    if findings:
        raise DesignRefused(*findings)


def _beyond(
    variable: Variable,
    column: Column,
    hint: str = "give the format more digits, or move the bounds to numbers that it can write",
) -> list[Finding]:
    lower, upper = limits_of(variable)
    numbers = column.numbers()
    is_beyond = np.zeros(len(numbers), dtype=np.bool_)
    if lower is not None:
        is_beyond |= numbers < float(lower)
    if upper is not None:
        is_beyond |= numbers > float(upper)
    rows = np.flatnonzero(is_beyond)
    if not len(rows):
        return []
    row = int(rows[0])
    cell = column.cells(row, row + 1)[0]
    others = f" ({len(rows) - 1:,} more such cells)" if len(rows) > 1 else ""
    return [
        Finding(
            "E540",
            f"'{variable.name}' is written {cell} in point {row + 1}, {outside(variable, float(numbers[row]))}{others}",
            hint,
            variable.place,
        )
    ]


def require_sendable(spec: Spec, columns: Iterable[Column]) -> None:
    """Refuse cells that no run could have, and formats of templates on cells that travel by a name."""
    places = {variable.name: variable.place for variable in spec.variables}
    formatted = {
        placeholder.name
        for analysis in spec.analyses
        for task in analysis.templates
        for placeholder in task.template.placeholders
        if placeholder.pattern is not None
    }
    findings: list[Finding] = []
    for column in columns:
        if isinstance(column, FloatColumn | PrintedColumn):
            continue
        texts = column.labels if isinstance(column, CodedColumn) else dict.fromkeys(column.texts)
        wrong = [(text, reason) for text in texts if (reason := _impossible(text))]
        if column.name in formatted:
            by_name = (text for text in texts if travels_by_name(text))
            wrong += [
                (text, "is no number that a format of a template can be applied to") for text in by_name
            ]
        findings += [
            Finding(
                "E541",
                f"the cell {text!r} of '{column.name}' {reason}",
                "use a plain word as the level, and write the text in the template",
                places.get(column.name),
            )
            for text, reason in wrong[:MOST_SHOWN]
        ]
    if findings:
        raise DesignRefused(*findings)


def _impossible(text: str) -> str:
    """Why a text cannot reach a run, or nothing."""
    if not text:
        return "is empty"
    if "\0" in text:
        return "holds a NUL byte"
    if any("\ud800" <= sign <= "\udfff" for sign in text):
        return "holds half a surrogate pair, which is no text"
    return ""


_BY_NAME = re.compile(r"[\"',\x00-\x1f\x7f\x85\u2028\u2029]|\$\{")


def travels_by_name(text: str) -> bool:
    """Whether a parameter CSV cannot hold the text as it is: the platform's quoting is unknown.

    So a cell that is sent has no quotes, commas, line ends, other control characters, `${` or outer blanks.
    """
    if PLAIN.fullmatch(text):
        return not text
    return text != text.strip() or _BY_NAME.search(text) is not None
