"""The `variables` section: each entry becomes a Variable, formulas are checked against all names."""

from collections.abc import Iterable
from fractions import Fraction

from doe_compiler.expressions.parser import names
from doe_compiler.generators.law import Law
from doe_compiler.kernel.canonical import exact_text
from doe_compiler.kernel.findings import Place
from doe_compiler.spec.cells import cell_text
from doe_compiler.spec.domains import (
    fractional_settings,
    holds_text,
    large_integer,
    texts_of,
    value_problem,
    worded_settings,
)
from doe_compiler.spec.files import Project
from doe_compiler.spec.formulas import (
    Written,
    check_exact,
    check_names,
    check_not_condition,
    check_texts,
    circles,
    place_inside,
    read_expression,
    textual_formulas,
)
from doe_compiler.spec.laws import law_of
from doe_compiler.spec.model import RESERVED_NAMES, Constant, Formula, FromTable, Levels, Table, Variable
from doe_compiler.spec.nodes import Fields, Scalar
from doe_compiler.spec.report import Report
from doe_compiler.spec.scalars import decimal_number
from doe_compiler.templates.decimal_format import PatternError, compile_pattern

_AnyLaw = Law | Levels | Constant | Formula | FromTable


def read_variables(
    section: Fields, bad: frozenset[str], project: Project, report: Report
) -> tuple[Variable, ...]:
    """The sound variables in the order of the file; those in `bad` do not fit the schema."""
    variables = []
    for name, entry in section.entries.items():
        if name in bad or not isinstance(entry.node, Fields):
            continue
        variable = _variable(name, entry.node, entry.key_place, project, report)
        if is_free_name(name, entry.key_place, report) and variable is not None:
            variables.append(variable)
    return tuple(variables)


def is_free_name(name: str, place: Place, report: Report) -> bool:
    """Whether a name of the user is none of those that `doe` keeps for itself."""
    if name in RESERVED_NAMES or name.lower().startswith("doe_"):
        report.error(
            "E202", f"'{name}' is reserved: names that begin with 'doe_' are taken", place, "rename it"
        )
        return False
    return True


def _variable(name: str, fields: Fields, place: Place, project: Project, report: Report) -> Variable | None:
    is_text = fields.text("type") == "text"
    law = _law(fields, project, report, is_text=is_text)
    if law is None:
        return None
    if is_text and not _may_be_text(law, fields, report):
        return None
    is_integer, is_float = (fields.text("type") == each for each in ("integer", "float"))
    if is_integer and not _is_whole(law, fields, report):
        return None
    if is_float and not _is_number(law, fields, report):
        return None
    return Variable(
        name,
        law,
        place,
        unit=fields.text("unit"),
        nominal=_nominal(law, fields, report, is_integer=is_integer, is_text=is_text),
        format=_format(law, fields, report, is_text=is_text),
        is_integer=is_integer,
        is_text=is_text,
        is_float=is_float,
        role=fields.text("role", "param").capitalize(),
        raw=fields.plain("raw"),
        description=fields.text("description"),
        dimension=fields.integer("dimension"),
    )


def _may_be_text(law: _AnyLaw, fields: Fields, report: Report) -> bool:
    if isinstance(law, Levels | Constant | FromTable):
        return True
    what = "an expression has no type" if isinstance(law, Formula) else "a generator gives numbers, not text"
    report.error("E116", what, fields.place_of("type"), "remove 'type: text'")
    return False


def _law(fields: Fields, project: Project, report: Report, *, is_text: bool) -> _AnyLaw | None:
    if "generator" in fields.entries:
        return law_of(fields, project, report)
    if "levels" in fields.entries:
        return _levels(fields, report, is_text=is_text)
    if "value" in fields.entries:
        text = cell_text(fields.get("value"), report, is_text=is_text)
        return None if text is None else Constant(text)
    node = fields.scalar("expression")
    if node is None:
        return FromTable()
    written = read_expression(node, report)
    if written is None or not check_not_condition(written, report):
        return None
    return Formula(written.source, written.expression)


def _levels(fields: Fields, report: Report, *, is_text: bool) -> Levels | None:
    texts: list[str] = []
    is_sound = True
    nodes = fields.items("levels")
    for node in nodes:
        text = cell_text(node, report, is_text=is_text)
        if text is None:
            is_sound = False
        elif text in texts or _alias(text) in texts:
            report.error(
                "E120", f"the level '{text}' stands twice", node.place, "use replicates to repeat runs"
            )
            is_sound = False
        else:
            texts.append(text)
    scalars = [node for node in nodes if isinstance(node, Scalar)]
    has_numbers = any(node.number is not None for node in scalars)
    keeps_text = is_text or (any(node.is_quoted for node in scalars) and not has_numbers)
    weights = _weights(fields, len(nodes), report)
    return Levels(tuple(texts), keeps_text, weights) if is_sound and weights is not None else None


def _weights(fields: Fields, count: int, report: Report) -> tuple[Fraction, ...] | None:
    """How likely each level is, none where all are equally; None after findings."""
    numbers = [
        node.number
        for node in fields.items("weights")
        if isinstance(node, Scalar) and node.number is not None
    ]
    if not numbers:
        return ()
    if len(numbers) != count:
        message = f"there are {count} levels and {len(numbers)} weights"
        report.error("E106", message, fields.place_of("weights"), "give one weight a level")
        return None
    if any(weight < 0 for weight in numbers) or not any(numbers):
        message = "weights are not negative, and not all of them are 0"
        report.error("E106", message, fields.place_of("weights"), "")
        return None
    return tuple(numbers)


def _alias(text: str) -> str:
    """The other text of a large whole number: `1e16` of its digits, and the digits of `1e16`."""
    number = decimal_number(text)
    if number is None or number.denominator != 1 or abs(number) < 10**16:
        return text
    digits, shortest = str(number.numerator), exact_text(number)
    return {digits: shortest, shortest: digits}.get(text, text)


def _is_whole(law: _AnyLaw, fields: Fields, report: Report) -> bool:
    problems = list(fractional_settings(law))
    for key, reason in problems:
        report.error(
            "E113", f"'{key}' {reason}", fields.place_of(key), "give whole numbers, or remove type: integer"
        )
    if isinstance(law, Formula):
        hint = "wrap it: round(...), floor(...) or ceil(...), and remove type: integer"
        report.error("E116", "an expression has no type", fields.place_of("type"), hint)
        return False
    return not problems


def _is_number(law: _AnyLaw, fields: Fields, report: Report) -> bool:
    problems = list(worded_settings(law))
    for key, reason in problems:
        hint = "give numbers, or remove type: float"
        report.error("E113", f"'{key}' {reason}", fields.place_of(key), hint)
    return not problems


def _nominal(law: _AnyLaw, fields: Fields, report: Report, *, is_integer: bool, is_text: bool) -> str | None:
    node = fields.scalar("nominal")
    if node is None:
        return None
    if isinstance(law, Constant | Formula):
        kind = "a constant" if isinstance(law, Constant) else "an expression"
        hint = "remove it: only what varies has a nominal value"
        report.warning("E222", f"'nominal' of {kind} has no effect", node.place, hint)
        return None
    text = cell_text(node, report, is_text=is_text)
    problem = "" if text is None else value_problem(law, text, is_integer=is_integer)
    if problem:
        report.error(
            "E112", f"'nominal' ({text}) {problem}", node.place, "choose a value that the variable can take"
        )
        return None
    return text


def _format(law: _AnyLaw, fields: Fields, report: Report, *, is_text: bool) -> str | None:
    node = fields.scalar("format")
    if node is None:
        return None
    if is_text or (isinstance(law, Levels | Constant) and holds_text(Variable("", law, node.place))):
        report.error(
            "E116", "a format is for numbers, and this variable holds text", node.place, "remove 'format'"
        )
        return None
    try:
        compile_pattern(node.text)
    except PatternError as error:
        place = place_inside(node, error.index, 1)
        report.error("E114", str(error.message), place, "a format looks like 0.00## or 0.000E0")
        return None
    return node.text


def check_formulas(
    section: Fields, variables: Iterable[Variable], known: frozenset[str], table: Table | None, report: Report
) -> bool:
    """Whether the formulas use known names, no circles, and text only where text may stand."""
    variables = tuple(variables)
    written = {v.name: _written(section, v.name, v.law) for v in variables if isinstance(v.law, Formula)}
    # Each check tells on its own, so none is skipped after the first that fails.
    checks = [check_names(formula, known, report) for formula in written.values()]
    for circle in circles(written):
        place = written[circle[0]].node.place
        report.error(
            "E206", f"a circle: {' → '.join(circle)}", place, "one of them must not depend on the others"
        )
        checks.append(False)
    texts = textual_names(variables, table)
    checks += [check_texts(formula, texts, report) for formula in written.values()]
    large = large_integers(variables, table)
    checks += [check_exact(formula, large, report) for formula in written.values()]
    return all(checks)


def textual_names(variables: Iterable[Variable], table: Table | None) -> frozenset[str]:
    """The names of the variables that may hold something other than a number."""
    variables = tuple(variables)
    texts = {v.name for v in variables if holds_text(v, _column(table, v.name))}
    formulas = {
        v.name: Written(v.law.source, v.law.expression, Scalar("", None, v.place))
        for v in variables
        if isinstance(v.law, Formula)
    }
    return textual_formulas(formulas, frozenset(texts))


def large_integers(variables: Iterable[Variable], table: Table | None) -> dict[str, int]:
    """A whole number that floating point would change, by the name of the variable that may be it."""
    found = {v.name: large_integer(v, _column(table, v.name)) for v in variables}
    return {name: number for name, number in found.items() if number is not None}


def foreign_texts(variables: Iterable[Variable], table: Table | None) -> dict[str, tuple[str, ...]]:
    """The texts that are not ASCII, by the name of the variable that may hold them."""
    variables = tuple(variables)
    found: dict[str, tuple[str, ...]] = {}
    for variable in variables:
        texts = (*texts_of(variable), *_column(table, variable.name))
        foreign = tuple(dict.fromkeys(text for text in texts if not text.isascii()))
        if foreign:
            found[variable.name] = foreign
    formulas = [(v.name, v.law) for v in variables if isinstance(v.law, Formula)]
    for _ in formulas:  # a formula may hand on the text of another
        for name, law in formulas:
            if name not in found and (not law.source.isascii() or found.keys() & names(law.expression)):
                read = [text for n in sorted(names(law.expression)) for text in found.get(n, ())]
                found[name] = (*read, *(() if law.source.isascii() else (law.source,)))
    return found


def _column(table: Table | None, name: str) -> tuple[str, ...]:
    if table is None or name not in table.names:
        return ()
    index = table.names.index(name)
    return tuple(row[index] for row in table.rows)


def _written(section: Fields, name: str, law: Formula) -> Written:
    fields = section.fields(name)
    node = None if fields is None else fields.scalar("expression")
    assert node is not None
    return Written(law.source, law.expression, node)
