"""What `doe design` says of a design beside its rows: ranges, measures, aliases, and other methods."""

import textwrap
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from doe_compiler.cli.tables import in_line, text_table

if TYPE_CHECKING:
    from doe_compiler.design.measure import Measures
    from doe_compiler.pipeline.designs import Compared
    from doe_compiler.spec.model import Spec


def summary_text(found: "Measures", width: int | None) -> str:
    """The ranges and the measures of a design, for people."""
    lines = [f"{found.method}, {'1 run' if found.runs == 1 else f'{found.runs:,} runs'}"]
    for each in found.ranges:
        unit = f" {each.unit}" if each.unit else ""
        values = "1 value" if each.distinct == 1 else f"{each.distinct:,} different values"
        lines.append(f"  {each.name}: {in_line(each.smallest)} to {in_line(each.largest)}{unit}, {values}")
    lines += [f"  {text}" for text in _told(found)]
    if width is not None:
        lines = [part for line in lines for part in textwrap.wrap(line, width, subsequent_indent="    ")]
    return "\n".join(lines) + "\n"


def _told(found: "Measures") -> Iterator[str]:
    if found.discrepancy is not None:
        yield f"discrepancy {found.discrepancy:.3g} (centred L2)"
    if found.distance is not None:
        yield f"smallest distance of two runs that differ {found.distance:.3g} (unit cube)"
    if found.repeats:
        yield f"{found.repeats:,} of {found.runs:,} runs repeat others"
    if found.correlation is not None:
        value, first, second = found.correlation
        yield f"largest rank correlation {value:z.2f} ({first}, {second})"
    if found.d_efficiency is not None:
        yield f"D-efficiency {found.d_efficiency:.1f} %"


def summary_json(found: "Measures") -> dict[str, object]:
    """The same for machines."""
    correlation = found.correlation
    return {
        "runs": found.runs,
        "ranges": [
            {"name": r.name, "unit": r.unit, "from": r.smallest, "to": r.largest, "different": r.distinct}
            for r in found.ranges
        ],
        "discrepancy": found.discrepancy,
        "dEfficiency": found.d_efficiency,
        "smallestDistance": found.distance,
        "repeats": found.repeats,
        "largestCorrelation": None
        if correlation is None
        else {"value": correlation[0], "variables": list(correlation[1:])},
    }


def alias_text(spec: "Spec") -> str:
    """The defining relation and the aliases of a fractional factorial; nothing for other methods."""
    from doe_compiler.methods.fractional_factorial import generators_of
    from doe_compiler.methods.fractions_of_two import LETTERS, aliases, defining_words, letters, resolution
    from doe_compiler.spec.design import task_of_spec

    if spec.design.method != "fractional-factorial":
        return ""
    task = task_of_spec(spec)
    words = defining_words(generators_of(task))
    names = ", ".join(
        f"{letter} = {factor.name}" for letter, factor in zip(LETTERS, task.factors, strict=False)
    )
    if not words:
        return f"The whole factorial: no aliases. {names}\n"

    def signed(word: int, sign: int) -> str:
        return f"-{letters(word)}" if sign < 0 else letters(word)

    relation = " = ".join(["I", *(signed(word, sign) for word, sign in words)])
    lines = [
        " = ".join([letters(effect), *(signed(word, sign) for word, sign in same)])
        for effect, same in aliases(len(task.factors), words)
        if same
    ]
    return f"Resolution {resolution(words)}: {relation}\n{names}\n" + "".join(f"  {line}\n" for line in lines)


def block_text(spec: "Spec") -> str:
    """The effects of up to two factors that a two-level design cannot tell from its blocks; nothing without blocks."""
    import itertools

    from doe_compiler.methods.blocks import blocks_asked, lost_to_blocks
    from doe_compiler.methods.catalogue import METHODS
    from doe_compiler.spec.design import task_of_spec

    task = task_of_spec(spec)
    if not blocks_asked(task) or spec.design.method not in ("fractional-factorial", "full-factorial"):
        return ""
    names = [factor.name for factor in task.factors]
    lost = lost_to_blocks(METHODS[spec.design.method], task)
    pairs = [
        f"{names[i]}*{names[j]}" for i, j in itertools.combinations(range(len(names)), 2) if (i, j) in lost
    ]
    told = ", ".join(pairs) if pairs else "no variable and no product of two"
    return f"Not told apart from the blocks: {told}\n"


def compared_text(found: Iterable["Compared"], width: int | None) -> str:
    """Several methods beside each other, and why some are not among them."""
    listed = list(found)
    header = ["method", "runs", "core-hours", "discrepancy", "smallest distance", "largest correlation"]
    rows = ([row.method, *_figures(row)] for row in listed if row.measures is not None)
    missing = [f"  {row.method}: {row.why_not}\n" for row in listed if row.measures is None]
    return text_table(header, rows, width) + (f"\nNot for this study:\n{''.join(missing)}" if missing else "")


def _figures(row: "Compared") -> list[str]:
    found, needs = row.measures, row.needs
    assert found is not None
    hours = None if needs is None else needs.core_hours
    return [
        f"{found.runs:,}",
        "" if hours is None else f"{hours:.4g}",
        "" if found.discrepancy is None else f"{found.discrepancy:.3g}",
        "" if found.distance is None else f"{found.distance:.3g}",
        "" if found.correlation is None else f"{found.correlation[0]:.2f}",
    ]


def compared_json(found: Iterable["Compared"]) -> list[dict[str, object]]:
    """The same for machines."""
    return [
        {
            "method": row.method,
            "staysPut": row.stays,
            **({"whyNot": row.why_not} if row.measures is None else summary_json(row.measures)),
            "coreHours": None if row.needs is None else row.needs.core_hours,
        }
        for row in found
    ]
