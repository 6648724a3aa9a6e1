"""The `design` section: a method that fits the variables, and only the settings that mean something."""

from collections.abc import Iterable
from dataclasses import dataclass

from doe_compiler.generators.catalogue import steps_of
from doe_compiler.generators.law import MAX_POINTS, DrawnLaw
from doe_compiler.kernel.findings import Place, has_errors, near_miss
from doe_compiler.spec.cases import without_cases
from doe_compiler.spec.domains import is_textual
from doe_compiler.spec.files import Project
from doe_compiler.spec.formulas import (
    check_constraint,
    check_exact,
    check_names,
    check_texts,
    read_expression,
)
from doe_compiler.spec.model import (
    Constraint,
    DesignSpec,
    Formula,
    FromTable,
    Levels,
    Sampling,
    Table,
    Variable,
)
from doe_compiler.spec.nodes import Fields, Scalar
from doe_compiler.spec.report import Report
from doe_compiler.spec.table import check_columns, read_table
from doe_compiler.spec.variables import large_integers, textual_names

_RANDOM_METHODS = ("monte-carlo", "latin-hypercube")


@dataclass(frozen=True)
class Surroundings:
    """What the design section is checked against.

    `known` are all names, `variables` the sound ones; `is_whole` says that there are no others.
    """

    variables: tuple[Variable, ...]
    known: frozenset[str]
    is_whole: bool
    project: Project

    @property
    def varied(self) -> tuple[Variable, ...]:
        """The sound variables that the design sets; the cases come on top."""
        return tuple(variable for variable in without_cases(self.variables) if variable.varies)


def level_count(variable: Variable) -> int | None:
    """How many values an enumerating variable has; None if it does not enumerate."""
    if isinstance(variable.law, Levels):
        return len(variable.law.texts)
    steps = steps_of(variable.law)
    return None if steps is None else steps.count(variable.law)


def read_design(section: Fields, around: Surroundings, report: Report) -> DesignSpec | None:
    """The design of a section that fits the schema, or None after findings."""
    before = len(report.findings)
    _refuse_later(section, report)
    sampling = Sampling.PLATFORM if section.text("sampling") == "platform" else Sampling.COMPILER
    method = _method(section, around, sampling, report)
    table = _table(section, method, around, report)
    constraints = _constraints(section, around, table, report)
    _check_bare_variables(method, around, report)
    if method is not None:
        _check_settings(section, method, sampling, report)
        _check_size(section, method, around, report)
    cross = _cross(section, method, around, report)
    _check_weights(method, cross, around, report)
    if sampling is Sampling.PLATFORM:
        _check_platform_sampling(section, around, report)
    if method is None or has_errors(report.findings[before:]):
        return None
    return DesignSpec(
        method,
        section.key_place("method"),
        runs=section.integer("runs"),
        replicates=section.integer("replicates") or 1,
        iterations=section.integer("iterations"),
        sampling=sampling,
        constraints=constraints,
        cross=cross,
        table=table,
    )


def _check_weights(method: str | None, cross: tuple[str, ...], around: Surroundings, report: Report) -> None:
    """Weights of levels that the design does not draw."""
    for variable in around.varied:
        is_drawn = method in _RANDOM_METHODS and variable.name not in cross
        if isinstance(variable.law, Levels) and variable.law.weights and method and not is_drawn:
            how = "crossed" if variable.name in cross else f"not drawn by the method {method}"
            message = f"the levels of '{variable.name}' have weights, and are {how}"
            report.error("E116", message, variable.place, "remove 'weights'")


def _refuse_later(section: Fields, report: Report) -> None:
    if section.get("correlation") is not None:
        place = section.key_place("correlation")
        report.error(
            "E402", "'correlation' comes in a later version", place, "remove it; columns are independent"
        )


def _method(section: Fields, around: Surroundings, sampling: Sampling, report: Report) -> str | None:
    method = section.text("method")
    random = [variable for variable in around.varied if level_count(variable) is None]
    if method == "full-factorial":
        for variable in random:
            if isinstance(variable.law, FromTable):
                continue
            message = f"full-factorial needs levels, and '{variable.name}' is {type(variable.law).__name__}"
            hint = "give it Linspace, FixedRange or levels, or choose another method"
            report.error("E115", message, section.place_of("method"), hint)
        return method
    if method:
        return method
    if sampling is Sampling.PLATFORM:
        return "monte-carlo" if random else "full-factorial"
    if section.get("file") is not None:
        hint = "add method: table"
        report.error("E115", "'file' is given, and no method", section.key_place("file"), hint)
        return None
    if any(not isinstance(variable.law, FromTable) for variable in random):
        first = next(variable for variable in random if not isinstance(variable.law, FromTable))
        message = f"the design needs a method and runs: '{first.name}' has no levels to combine"
        place = section.place if section.entries else first.place
        report.error("E115", message, place, "for example design: {method: latin-hypercube, runs: 64}")
        return None
    return "full-factorial"


def _table(section: Fields, method: str | None, around: Surroundings, report: Report) -> Table | None:
    node = section.scalar("file")
    if method != "table" and method is not None and section.get("decimal") is not None:
        _meaningless(section, "decimal", "without a table", report)
    if method != "table":
        if node is not None and method is not None:
            _meaningless(
                section, "file", f"with the method {method}", report, "say method: table, or remove it"
            )
        return None
    if node is None:
        report.error(
            "E102",
            "missing key 'file': the table of the runs",
            section.place_of("method"),
            "file: points.csv",
        )
        return None
    texts = frozenset(variable.name for variable in around.variables if is_textual(variable))
    table = read_table(node, around.project, report, section.text("decimal", "."), texts)
    if table is not None:
        check_columns(table, without_cases(around.variables), around.known, node.place, report)
    return table


def _check_bare_variables(method: str | None, around: Surroundings, report: Report) -> None:
    if method == "table":
        return
    for variable in around.varied:
        if isinstance(variable.law, FromTable):
            message = f"'{variable.name}' has none of generator, levels, value, expression"
            report.error(
                "E102", message, variable.place, "give it exactly one of them, or a column with method: table"
            )


def _meaningless(section: Fields, key: str, why: str, report: Report, hint: str = "") -> None:
    report.error("E116", f"'{key}' has no meaning {why}", section.key_place(key), hint or f"remove '{key}'")


def _check_settings(section: Fields, method: str, sampling: Sampling, report: Report) -> None:
    has_runs = section.get("runs") is not None
    if sampling is Sampling.COMPILER:
        if method in _RANDOM_METHODS and not has_runs:
            message = f"missing key 'runs': {method} needs to know how many"
            report.error("E102", message, section.place_of("method"), "for example runs: 64")
        if method not in _RANDOM_METHODS and has_runs:
            counts = "the rows of the table count" if method == "table" else "all combinations are run"
            _meaningless(section, "runs", f"with the method {method}: {counts}", report)
        if section.get("iterations") is not None:
            _meaningless(section, "iterations", "unless sampling: platform", report, "use 'runs'")
    if method == "latin-hypercube" and section.items("constraints"):
        message = "constraints on a latin-hypercube come in a later version"
        report.error("E401", message, section.key_place("constraints"), "use method: monte-carlo")
    if method == "table" and section.items("constraints"):
        _meaningless(section, "constraints", "with a table", report, "remove the rows from the table")


def _check_size(section: Fields, method: str, around: Surroundings, report: Report) -> None:
    crossed = {node.text for node in section.items("cross") if isinstance(node, Scalar)}
    points = section.integer("runs") or 1
    for variable in around.varied:
        if method == "full-factorial" or variable.name in crossed:
            points *= level_count(variable) or 1
    points *= section.integer("replicates") or 1
    if points > MAX_POINTS:
        place = section.place_of(
            "replicates" if section.get("replicates") else "runs" if section.get("runs") else "method"
        )
        shown = f"{points:,}" if points < 10**18 else "far more runs than"
        message = (
            f"{shown} runs are more than {MAX_POINTS:,}" if points < 10**18 else f"{shown} {MAX_POINTS:,}"
        )
        report.error("E110", message, place, "use fewer levels, runs or replicates")


def _constraints(
    section: Fields, around: Surroundings, table: Table | None, report: Report
) -> tuple[Constraint, ...]:
    constraints = []
    texts = textual_names(around.variables, table)
    for node in section.items("constraints"):
        if not isinstance(node, Scalar):
            continue
        written = read_expression(node, report)
        if written is None:
            continue
        # Each check tells on its own; `all` over a list does not stop at the first.
        is_sound = all(
            [
                check_constraint(written, report),
                check_names(written, around.known, report),
                check_texts(written, texts, report),
                check_exact(written, large_integers(around.variables, table), report),
            ]
        )
        if is_sound:
            constraints.append(Constraint(written.source, written.expression, node.place))
    return tuple(constraints)


def _cross(section: Fields, method: str | None, around: Surroundings, report: Report) -> tuple[str, ...]:
    nodes = [node for node in section.items("cross") if isinstance(node, Scalar)]
    if nodes and method in ("full-factorial", "table"):
        _meaningless(section, "cross", f"with the method {method}", report)
        return ()
    by_name = {variable.name: variable for variable in around.variables}
    crossed: list[str] = []
    for node in nodes:
        variable = by_name.get(node.text)
        if node.text in crossed:
            report.error("E120", f"'{node.text}' stands twice", node.place, "remove one of them")
        elif node.text not in around.known:
            meant = near_miss(node.text, around.known)
            report.error(
                "E209",
                f"'{node.text}' is not a variable",
                node.place,
                f"did you mean '{meant}'?" if meant else "",
            )
        elif variable is not None and level_count(variable) is None:
            hint = "cross Linspace, FixedRange or levels"
            report.error("E209", f"'{node.text}' has no levels to cross", node.place, hint)
        crossed.append(node.text)
    return tuple(crossed)


def _check_platform_sampling(section: Fields, around: Surroundings, report: Report) -> None:
    for key in ("constraints", "cross", "runs", "file"):
        if section.get(key) is not None:
            hint = "use 'iterations'" if key == "runs" else ""
            _refuse(f"'{key}'", section.key_place(key), report, hint)
    if (section.integer("replicates") or 1) > 1:
        _refuse("more than one replicate", section.place_of("replicates"), report)
    if section.text("method") in ("latin-hypercube", "table"):
        _refuse(f"the method {section.text('method')}", section.place_of("method"), report)
    for variable in around.variables:
        for reason in _platform_problems(variable):
            _refuse(f"{reason} ('{variable.name}')", variable.place, report)
    is_random = any(level_count(variable) is None for variable in around.varied)
    if is_random and section.get("iterations") is None:
        message = "missing key 'iterations': how often random variables are drawn"
        report.error("E102", message, section.place_of("sampling"), "for example iterations: 100")
    if not is_random and around.is_whole and section.get("iterations") is not None:
        _meaningless(section, "iterations", "when no variable is random", report)


def _platform_problems(variable: Variable) -> Iterable[str]:
    if isinstance(variable.law, Formula):
        yield "an expression"
    if isinstance(variable.law, Levels):
        yield "levels"
    if isinstance(variable.law, DrawnLaw) and variable.law.is_truncated:
        yield "truncation"
    if variable.is_integer:
        yield "type: integer"
    if variable.format is not None:
        yield "a format"


def _refuse(what: str, place: Place, report: Report, hint: str = "") -> None:
    report.error(
        "E119", f"{what} cannot be used with sampling: platform", place, hint or "use sampling: compiler"
    )


def check_nominal_run(
    section: Fields | None, variables: Iterable[Variable], place: Place, report: Report
) -> None:
    """Find the varied variables that the nominal run would have no value for."""
    for variable in variables:
        written = None if section is None else section.fields(variable.name)
        if variable.varies and (written is None or written.get("nominal") is None):
            message = f"the nominal run needs a value of '{variable.name}'"
            report.error(
                "E213",
                message,
                variable.place,
                f"add 'nominal', or remove includeNominalRun (line {place.line})",
            )
