"""The columns that follow from the varied ones: constants and expressions, and whether a row is wanted."""

from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter

import numpy as np
import numpy.typing as npt

from doe_compiler.design.cell_text import cell_of, whole_column, written
from doe_compiler.design.columns import Column, TextColumn, Values, constant_column
from doe_compiler.design.refusal import refused
from doe_compiler.design.whole import require_exact, whole_numbers
from doe_compiler.expressions.evaluation import evaluate
from doe_compiler.expressions.parser import ExpressionError, names
from doe_compiler.expressions.syntax import Expression
from doe_compiler.kernel.findings import Place
from doe_compiler.spec.domains import holds_text
from doe_compiler.spec.model import Constant, Constraint, Formula, Spec, Variable


def completed_names(
    spec: Spec, varied: Mapping[str, Column], n: int, names: Iterable[str]
) -> dict[str, Column]:
    """The varied columns with some of the constants and expressions, and what these read."""
    return _completed(spec, varied, n, names)


def completed(spec: Spec, varied: Mapping[str, Column], n: int) -> dict[str, Column]:
    """The varied columns with the constants and the expressions, by name; each has n rows."""
    return _completed(spec, varied, n, [variable.name for variable in spec.variables])


def satisfied(spec: Spec, varied: Mapping[str, Column], n: int) -> npt.NDArray[np.bool_]:
    """Whether each of n rows satisfies all constraints, shape (n,).

    A comparison with an undefined value, such as sqrt(-1), does not hold.
    """
    return violations(spec, varied, n) < 0


def violations(spec: Spec, varied: Mapping[str, Column], n: int) -> npt.NDArray[np.int64]:
    """The index of the first constraint that each row violates, shape (n,); -1 where all hold."""
    wanted = frozenset().union(*(names(constraint.expression) for constraint in spec.design.constraints))
    columns = _completed(spec, varied, n, wanted)
    operands = _operands(columns, wanted)
    for constraint in spec.design.constraints:
        require_exact(
            constraint.expression, columns, f"the constraint {constraint.source!r}", constraint.place
        )
    first = np.full(n, -1, dtype=np.int64)
    for index, constraint in reversed(list(enumerate(spec.design.constraints))):
        first[~_truths(constraint, operands, n)] = index
    return first


def _truths(constraint: Constraint, operands: Mapping[str, Values], n: int) -> npt.NDArray[np.bool_]:
    value = _value(constraint.expression, operands, n, "the constraint", constraint.place)
    if value.dtype != np.bool_:
        message = f"the constraint {constraint.source!r} is neither true nor false"
        raise refused("E511", message, constraint.place, "compare, such as `x > 0`")
    return value


def _completed(spec: Spec, varied: Mapping[str, Column], n: int, wanted: Iterable[str]) -> dict[str, Column]:
    by_name = {variable.name: variable for variable in spec.variables}
    columns = dict(varied)
    for name in _in_order(by_name, wanted):
        variable = by_name[name]
        match variable.law:
            case Constant(text):
                columns[name] = constant_column(
                    name,
                    cell_of(variable, text) if variable.format else text,
                    n,
                    is_text=holds_text(variable),
                )
            case Formula(_, expression):
                columns[name] = _formula_column(variable, expression, columns, n)
            case _:
                pass
    return columns


def _in_order(by_name: Mapping[str, Variable], wanted: Iterable[str]) -> list[str]:
    """The wanted variables and all that they read, each behind what it reads."""
    graph: dict[str, frozenset[str]] = {}
    waiting = [name for name in wanted if name in by_name]
    while waiting:
        name = waiting.pop()
        if name in graph:
            continue
        law = by_name[name].law
        graph[name] = names(law.expression) & by_name.keys() if isinstance(law, Formula) else frozenset()
        waiting += graph[name]
    return list(TopologicalSorter(graph).static_order())


def _operands(columns: Mapping[str, Column], wanted: Iterable[str]) -> dict[str, Values]:
    return {name: columns[name].operand() for name in wanted if name in columns}


def _formula_column(
    variable: Variable, expression: Expression, columns: Mapping[str, Column], n: int
) -> Column:
    whole = whole_numbers(expression, columns, n)
    if whole is not None:
        return whole_column(variable, whole)
    require_exact(expression, columns, f"'{variable.name}'", variable.place)
    operands = _operands(columns, names(expression))
    value = _value(expression, operands, n, f"'{variable.name}'", variable.place)
    if value.dtype == object:
        return TextColumn(variable.name, tuple(value.tolist()))
    return written(variable, value.astype(np.float64))


def _value(expression: Expression, operands: Mapping[str, Values], n: int, what: str, place: Place) -> Values:
    try:
        return evaluate(expression, operands, n)
    except ExpressionError as error:
        raise refused("E510", f"{what} cannot be computed: {error.message}", place, error.hint) from error


def require_finite(spec: Spec, columns: Mapping[str, Column]) -> None:
    """Refuse a design in which an expression has no number in some row; the finding shows the row."""
    for variable in spec.variables:
        if not isinstance(variable.law, Formula):
            continue
        column = columns[variable.name]
        if isinstance(column, TextColumn) and not column.is_numeric:
            continue
        bad = np.flatnonzero(~np.isfinite(column.numbers()))
        if isinstance(column, TextColumn):
            bad = np.asarray([row for row in bad.tolist() if column.texts[row] == "nan"], dtype=np.intp)
        if len(bad):
            row = int(bad[0])
            read = sorted(names(variable.law.expression))
            inputs = ", ".join(f"{name} = {columns[name].cells(row, row + 1)[0]}" for name in read)
            raise refused(
                "E512",
                f"'{variable.name}' has no finite value in row {row + 1}"
                + (f", where {inputs}" if inputs else ""),
                variable.place,
                f"change `{variable.law.source}`, or exclude such rows with a constraint",
            )
