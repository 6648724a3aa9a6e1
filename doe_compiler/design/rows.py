"""From points to rows: replicates, the nominal run, and the columns that `doe` adds itself."""

import hashlib

import numpy as np
import numpy.typing as npt

from doe_compiler.design.cell_text import cell_of, enumerates, level_count
from doe_compiler.design.columns import (
    CodedColumn,
    Column,
    FloatColumn,
    Floats,
    constant_column,
    joined,
    number_in,
)
from doe_compiler.design.derived import violations
from doe_compiler.design.refusal import DesignRefused
from doe_compiler.generators.streams import Stream, permutation
from doe_compiler.kernel.canonical import number_text
from doe_compiler.kernel.findings import Finding, Severity
from doe_compiler.methods.blocks import COLUMN as BLOCK
from doe_compiler.spec.domains import holds_text
from doe_compiler.spec.model import FromCases, Spec, Variable
from doe_compiler.templates.template import Template, Unlowered

_LARGEST_SEED = 2**31 - 1
_LEAST_VARIED = 4  # rows, below which a variable may well have one value
Codes = npt.NDArray[np.int32]

_FIRST = np.zeros(1, dtype=np.intp)


def replicated(points: dict[str, Column], n: int, replicates: int) -> tuple[dict[str, Column], Codes]:
    """Every point repeated in consecutive rows, and of each row which repeat it is, from 0."""
    if replicates == 1:
        return points, np.zeros(n, dtype=np.int32)
    rows = np.repeat(np.arange(n), replicates)
    codes = np.arange(n * replicates, dtype=np.int32) % np.int32(replicates)
    return {name: column.take(rows) for name, column in points.items()}, codes


def randomized(spec: Spec, rows: dict[str, Column], replicates: Codes) -> tuple[dict[str, Column], Codes]:
    """The same rows in random order, which changes none of them; those of a block stay together."""
    order = permutation(Stream(spec.seed, spec.study, "", "order of the runs"), len(replicates))
    blocks = rows.get(BLOCK)
    if isinstance(blocks, CodedColumn):
        order = order[np.argsort(blocks.codes[order], kind="stable")]
    return {name: column.take(order) for name, column in rows.items()}, replicates[order]


def with_nominal(spec: Spec, rows: dict[str, Column]) -> dict[str, Column]:
    """The nominal run in front, once and not replicated, in the first block; a refusal names each variable without `nominal`."""
    missing = [variable for variable in spec.varied if _nominal(variable) is None]
    if missing:
        raise DesignRefused(
            *(
                Finding(
                    "E550",
                    f"'{variable.name}' has no nominal value, which the nominal run needs",
                    "add `nominal:` to it, or turn job.includeNominalRun off",
                    variable.place,
                )
                for variable in missing
            )
        )
    found = {v.name: joined([_nominal_column(v, rows[v.name]), rows[v.name]]) for v in spec.varied}
    if BLOCK in rows:
        found[BLOCK] = joined([constant_column(BLOCK, "1", 1), rows[BLOCK]])
    return found


def _nominal(variable: Variable) -> str | None:
    """The text of a variable in the nominal run, which takes the first case."""
    if variable.nominal is None and isinstance(variable.law, FromCases):
        return variable.law.texts[0]
    return variable.nominal


def _nominal_column(variable: Variable, like: Column) -> Column:
    text = _nominal(variable) or ""
    is_level = isinstance(like, CodedColumn) and text in like.labels
    cell = text if is_level else cell_of(variable, text)
    if (
        isinstance(like, FloatColumn)
        and np.isfinite(number_in(cell))
        and cell == number_text(number_in(cell))
    ):
        return FloatColumn(variable.name, np.asarray([number_in(cell) + 0.0]))
    return constant_column(variable.name, cell, 1, is_text=holds_text(variable))


def told_of_nominal(spec: Spec, rows: dict[str, Column], n: int) -> list[Finding]:
    """What is odd about the nominal run, which is row 0 of n."""
    told: list[Finding] = []
    broken = int(violations(spec, {name: column.take(_FIRST) for name, column in rows.items()}, 1)[0])
    if broken >= 0:
        constraint = spec.design.constraints[broken]
        told.append(
            Finding(
                "E570",
                f"the nominal run violates the constraint {constraint.source!r}, and runs all the same",
                "change a nominal value, or relax the constraint",
                constraint.place,
                Severity.WARNING,
            )
        )
    same = np.arange(1, n)
    for column in rows.values():
        (nominal,) = column.take(_FIRST).cells()
        cells = column.take(same).cells()
        same = same[np.fromiter((cell == nominal for cell in cells), dtype=bool, count=len(same))]
    if rows and len(same):
        told.append(
            Finding(
                "E571",
                f"the nominal run equals run {same[0] + 1} of the design; it is run and paid for twice",
                "remove job.includeNominalRun, or change a nominal value",
                spec.design.place,
                Severity.WARNING,
            )
        )
    return told


def told_of_constant(spec: Spec, points: dict[str, Column], n: int) -> list[Finding]:
    """The variables of which a design that chooses its points takes one value only."""
    if n < _LEAST_VARIED or spec.design.table is not None:
        return []
    return [
        Finding(
            "E573",
            f"'{variable.name}' has the same value in all {n:,} runs",
            "ask for more runs, widen its law, or give it a value",
            variable.place,
            Severity.WARNING,
        )
        for variable in spec.varied
        if not (enumerates(variable) and level_count(variable) == 1) and _is_constant(points[variable.name])
    ]


def _is_constant(column: Column) -> bool:
    if isinstance(column, FloatColumn):
        return bool((column.values == column.values[0]).all())
    if isinstance(column, CodedColumn):
        return bool((column.codes == column.codes[0]).all())
    return len(set(column.cells())) == 1


def added_columns(
    spec: Spec, varied: dict[str, Column], repeats: Codes, n: int
) -> tuple[list[Column], list[Finding]]:
    """`doe_replicate`, `doe_seed` and `doe_dollar`, each only if the study needs it, and what is to be told of them.

    The nominal run is replicate 1.
    """
    templates = [task.template for analysis in spec.analyses for task in analysis.templates]
    used = frozenset().union(
        *(analysis.named_columns for analysis in spec.analyses), *(column.reads for column in spec.derived)
    )
    replicates = spec.design.replicates
    codes = np.concatenate([np.zeros(n - len(repeats), dtype=np.int32), repeats])
    columns: list[Column] = []
    told: list[Finding] = []
    if replicates > 1 or "doe_replicate" in used:
        columns.append(CodedColumn("doe_replicate", codes, tuple(str(k + 1) for k in range(replicates))))
    if "doe_seed" in used:
        seeds, equal = _seeds(spec, varied, codes.tolist())
        columns.append(FloatColumn("doe_seed", seeds))
        if equal is not None:
            told.append(_told_of_equal(spec, *equal))
    if "doe_dollar" in used or any(_holds_dollar(template) for template in templates):
        columns.append(constant_column("doe_dollar", "$", n))
    return columns, told


def _told_of_equal(spec: Spec, row: int, earlier: int) -> Finding:
    return Finding(
        "E572",
        f"runs {earlier + 1} and {row + 1} are equal in all variables, so they have the same ${{doe_seed}} and result",
        "use design.replicates for independent repeats",
        spec.design.place,
        Severity.WARNING,
    )


def _seeds(
    spec: Spec, varied: dict[str, Column], replicates: list[int]
) -> tuple[Floats, tuple[int, int] | None]:
    """A whole number in [1, 2**31) for each row, from what makes its identity and the study's seed.

    Also the first row that equals an earlier one, with that one, or None.
    """
    names = sorted(varied)
    start = hashlib.sha256(f"doe1-seed\n{spec.seed}\n{spec.study}\n{','.join(names)}\n".encode())
    seeds = np.empty(len(replicates))
    places: dict[bytes, int] = {}
    equal: tuple[int, int] | None = None
    cells = zip(*(varied[name].cells() for name in names), strict=True) if names else ((),) * len(replicates)
    for row, (replicate, texts) in enumerate(zip(replicates, cells, strict=True)):
        whole = start.copy()
        whole.update(f"{','.join(texts)}\n{replicate + 1}\n".encode())
        digest = whole.digest()
        seeds[row] = int.from_bytes(digest[:8]) % _LARGEST_SEED + 1
        earlier = places.setdefault(digest, row)
        if earlier != row and equal is None:
            equal = row, earlier
    return seeds, equal


def _holds_dollar(template: Template | Unlowered) -> bool:
    return isinstance(template, Template) and any(
        isinstance(segment, str) and "${" in segment for segment in template.segments
    )
