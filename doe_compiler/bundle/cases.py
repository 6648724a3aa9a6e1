"""A job whose rows are all cases of some runs is sent as the platform crosses it: runs and a case file."""

from doe_compiler.bundle.texts import name_of_text, narrow_columns
from doe_compiler.design.columns import Column
from doe_compiler.design.design import Design
from doe_compiler.spec.model import FromCases, Spec


def case_csv(spec: Spec) -> bytes | None:
    """The case file of a study; None without one."""
    columns = [variable.law.texts for variable in spec.cases if isinstance(variable.law, FromCases)]
    if not columns:
        return None
    names, narrow = [variable.name for variable in spec.cases], narrow_columns(spec)
    rows = [
        names,
        *(
            [name_of_text(text, is_narrow=name in narrow) for name, text in zip(names, row, strict=True)]
            for row in zip(*columns, strict=True)
        ),
    ]
    return "".join(f"{','.join(row)}\n" for row in rows).encode()


def blocks(spec: Spec, design: Design) -> Design | None:
    """The runs without their cases, if the rows are these runs for every case in turn; else None."""
    names = {variable.name for variable in spec.cases}
    laws = [variable.law for variable in spec.cases if isinstance(variable.law, FromCases)]
    if (
        not laws
        or any(variable.format is not None for variable in spec.cases)
        or design.n % len(laws[0].texts)
    ):
        return None
    size = design.n // len(laws[0].texts)
    for column in design.columns:
        law = next((v.law for v in spec.cases if v.name == column.name), None)
        wanted = (
            [text for text in law.texts for _ in range(size)]
            if isinstance(law, FromCases)
            else _repeated(column, size, len(laws[0].texts))
        )
        if column.cells() != wanted:
            return None
    first = design.take(range(size))
    columns = tuple(column for column in first.columns if column.name not in names)
    varied = tuple(name for name in design.varied if name not in names)
    return Design(design.study, columns, varied, design.method, bare_runs=size)


def _repeated(column: Column, size: int, count: int) -> list[str]:
    return column.cells(0, size) * count
