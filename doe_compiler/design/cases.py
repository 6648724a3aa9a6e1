"""The runs of a design, each for every case: the cases in the outer loop, as platforms cross a case file.

x: 1, 2 and cases a, b   ->   a 1, a 2, b 1, b 2
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from doe_compiler.design.cell_text import cell_of
from doe_compiler.design.columns import CodedColumn, Column
from doe_compiler.design.derived import satisfied
from doe_compiler.design.refusal import refused
from doe_compiler.expressions.parser import names
from doe_compiler.expressions.syntax import Expression
from doe_compiler.spec.domains import holds_text
from doe_compiler.spec.model import Formula, FromCases, Spec, Variable


def case_count(spec: Spec) -> int:
    """How many cases there are; 1 without a case file."""
    return len(next((v.law.texts for v in spec.cases if isinstance(v.law, FromCases)), ("",)))


def without_cases(spec: Spec) -> Spec:
    """The study whose design the method makes: no cases, and only the constraints that do not read them."""
    if not spec.cases:
        return spec
    variables = tuple(variable for variable in spec.variables if not isinstance(variable.law, FromCases))
    early = tuple(each for each in spec.design.constraints if not _reads_cases(spec, each.expression))
    return replace(spec, variables=variables, design=replace(spec.design, constraints=early))


def crossed_with_cases(spec: Spec, points: Mapping[str, Column], n: int) -> tuple[dict[str, Column], int]:
    """The n points for every case; those that break a constraint on the cases are left out."""
    if not spec.cases:
        return dict(points), n
    count = case_count(spec)
    rows = np.tile(np.arange(n), count)
    found = {name: column.take(rows) for name, column in points.items()}
    codes = np.repeat(np.arange(count, dtype=np.int32), n)
    for variable in spec.cases:
        found[variable.name] = CodedColumn(variable.name, codes, _cells(variable), holds_text(variable))
    late = tuple(each for each in spec.design.constraints if _reads_cases(spec, each.expression))
    if not late:
        return found, n * count
    kept = np.flatnonzero(
        satisfied(replace(spec, design=replace(spec.design, constraints=late)), found, n * count)
    )
    if not len(kept):
        message = f"the constraints leave none of the {n * count:,} runs with their cases"
        raise refused("E521", message, late[0].place, "relax a constraint, or add cases")
    return {name: column.take(kept) for name, column in found.items()}, len(kept)


def _cells(variable: Variable) -> tuple[str, ...]:
    assert isinstance(variable.law, FromCases)
    return tuple(cell_of(variable, text) if variable.format else text for text in variable.law.texts)


def _reads_cases(spec: Spec, expression: Expression) -> bool:
    laws = {variable.name: variable.law for variable in spec.variables}
    seen: set[str] = set()
    waiting = list(names(expression))
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        law = laws.get(name)
        if isinstance(law, FromCases):
            return True
        if isinstance(law, Formula):
            waiting += names(law.expression)
    return False
