"""From the keys of a generator to its law: bounds in order, truncation that leaves something, sane counts."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

from doe_compiler.generators.catalogue import GENERATORS, bounds_of
from doe_compiler.generators.law import MAX_POINTS, DrawnLaw, Form, Generator, Key, Law, Order
from doe_compiler.kernel.canonical import number_text
from doe_compiler.kernel.findings import near_miss
from doe_compiler.spec.files import Project
from doe_compiler.spec.nodes import Fields, Scalar
from doe_compiler.spec.report import Report
from doe_compiler.spec.scalars import decimal_number
from doe_compiler.spec.table import read_table

_LEAST_MASS = 1e-9


def law_of(fields: Fields, project: Project, report: Report) -> Law | None:
    """The law of a variable whose keys fit the schema, or None after a finding."""
    record = GENERATORS[fields.text("generator")]
    form = _form(record, fields)
    orders = (*record.orders, Order("lower", "upper"))
    # Each check tells on its own; `all` over a list does not stop at the first.
    if not all([_is_in_order(fields, order, report) for order in orders]):
        return None
    law = _law(record, form, fields, project, report)
    if law is None:
        return None
    return law if _is_sound(record, law, fields, report) else None


def _form(record: Generator[Any], fields: Fields) -> Form:
    """The form whose required keys are given; the schema allows no other."""
    return next(
        form
        for form in record.forms
        if all(fields.get(key.name) is not None for key in form.keys if key.is_required)
    )


def _law(record: Generator[Any], form: Form, fields: Fields, project: Project, report: Report) -> Law | None:
    given = {key.name: _value(fields, key) for key in form.keys if fields.get(key.name) is not None}
    if "column" in given:
        column = _column(fields, project, report)
        if column is None:
            return None
        given["column"] = column
    if form.parameters is not None:
        parameters = dict(form.parameters(given))
    else:
        parameters = {key.field: given[key.name] for key in form.keys if key.name in given}
    law: Law = record.law(**parameters)
    if isinstance(law, DrawnLaw):
        return replace(law, lower=fields.number("lower"), upper=fields.number("upper"))
    return law


def _value(fields: Fields, key: Key) -> object:
    match key.shape:
        case "number":
            return fields.number(key.name)
        case "integer":
            return fields.integer(key.name)
        case "numbers":
            return tuple(
                node.number
                for node in fields.items(key.name)
                if isinstance(node, Scalar) and node.number is not None
            )
        case "path" | "text":
            return fields.text(key.name)


def _column(fields: Fields, project: Project, report: Report) -> tuple[Fraction, ...] | None:
    """The numbers in the column of the file that the keys name, or None after findings."""
    node, name = fields.scalar("file"), fields.text("column")
    table = None if node is None else read_table(node, project, report)
    if table is None:
        return None
    if name not in table.names:
        meant = near_miss(name, table.names)
        hint = f"did you mean '{meant}'?" if meant else f"it has {', '.join(table.names[:10])}"
        report.error("E214", f"the file has no column '{name}'", fields.place_of("column"), hint)
        return None
    index = table.names.index(name)
    numbers = [decimal_number(row[index]) for row in table.rows]
    for line, row, number in zip(table.lines, table.rows, numbers, strict=True):
        if number is not None and Fraction(number_text(float(number))) != number:
            message = f"'{name}' in line {line} of '{fields.text('file')}' ({row[index]}) has more digits than a number keeps"
            report.error("E313", message, fields.place_of("column"), "round it to 15 digits")
            return None
        if number is None:
            message = f"'{name}' in line {line} of '{fields.text('file')}' ({row[index]}) is not a number"
            report.error("E313", message, fields.place_of("column"), "give a number, or remove the row")
            return None
    return tuple(number for number in numbers if number is not None)


def _is_in_order(fields: Fields, order: Order, report: Report) -> bool:
    bottom, top = fields.number(order.lower), fields.number(order.upper)
    if bottom is None or top is None or bottom < top or (order.may_be_equal and bottom == top):
        return True
    relation = "below" if order.may_be_equal else "not above"
    hint = (
        f"'{order.upper}' must be at least '{order.lower}'"
        if order.may_be_equal
        else "swap them, or widen the range"
    )
    message = f"'{order.upper}' ({fields.text(order.upper)}) is {relation} '{order.lower}' ({fields.text(order.lower)})"
    report.error("E104", message, fields.place_of(order.upper), hint)
    return False


def _is_sound(record: Generator[Any], law: Law, fields: Fields, report: Report) -> bool:
    before = len(report.findings)
    for refusal in record.refusals(law) if record.refusals is not None else ():
        report.error(refusal.code, refusal.message, fields.place_of(refusal.key), refusal.hint)
    if record.steps is not None and record.steps.count(law) > MAX_POINTS:
        message = f"{record.steps.count(law):,} points are more than {MAX_POINTS:,}"
        report.error("E110", message, fields.place_of(record.steps.key), f"raise '{record.steps.key}'")
    if len(report.findings) > before:
        return False
    return not isinstance(law, DrawnLaw) or not law.is_truncated or _has_mass(record, law, fields, report)


def _has_mass(record: Generator[Any], law: DrawnLaw, fields: Fields, report: Report) -> bool:
    if _mass(record, law) >= _LEAST_MASS:
        return True
    key = (
        "upper"
        if law.upper is not None and (law.lower is None or _upper_is_too_low(record, law))
        else "lower"
    )
    message = f"almost nothing of the {record.name} is left between 'lower' and 'upper'"
    report.error("E109", message, fields.place_of(key), "move the bounds towards the mean")
    return False


def _mass(record: Generator[Any], law: DrawnLaw) -> float:
    """The probability that truncation leaves; numpy is loaded only for laws without an estimate of their own."""
    assert record.drawn is not None
    low, high = bounds_of(law)
    if low is not None and high is not None and low >= high:
        return 0.0
    if record.drawn.mass is not None:
        return record.drawn.mass(law)
    from doe_compiler.generators.truncation import mass_between

    return mass_between(law, record.drawn.tails)


def _upper_is_too_low(record: Generator[Any], law: DrawnLaw) -> bool:
    """Whether the upper bound is what leaves nothing: without it, more than the half would be left."""
    return _mass(record, replace(law, upper=None)) > 0.5
