"""The `design` section: a method that fits the variables, and only the settings that mean something."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from doe_compiler.generators.catalogue import bounds_of, steps_of
from doe_compiler.generators.law import MAX_POINTS, DrawnLaw, Law
from doe_compiler.kernel.findings import Place, has_errors, near_miss
from doe_compiler.methods.catalogue import METHODS
from doe_compiler.methods.method import Factor, Method, Misfit, Task
from doe_compiler.methods.options import OPTIONS
from doe_compiler.spec.cases import without_cases
from doe_compiler.spec.correlation import read_correlation
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
    Spec,
    Table,
    Variable,
)
from doe_compiler.spec.nodes import Fields, Scalar, plain
from doe_compiler.spec.report import Report
from doe_compiler.spec.table import check_columns, read_table
from doe_compiler.spec.variables import large_integers, textual_names

WITH_DIMENSIONS = ("sobol", "halton")
_OF_THE_WHOLE = ("replicates", "randomize")


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
    if section.get("combine") is not None:
        return _combined(section, around, report)
    before = len(report.findings)
    sampling = Sampling.PLATFORM if section.text("sampling") == "platform" else Sampling.COMPILER
    method = _method(section, around, sampling, report)
    table = _table(section, method, around, report)
    constraints = _constraints(section, around, table, report)
    _check_bare_variables(method, around, report)
    cross = _cross(section, around, report)
    correlation = None
    if method is not None and sampling is Sampling.COMPILER:
        record = METHODS[method]
        _check_keys(section, record, report)
        if not has_errors(report.findings[before:]):
            _check_misfits(section, record, around, report)
        if not has_errors(report.findings[before:]):
            _check_size(section, record, around, report)
        _check_dimensions(record, around, report)
        if "correlation" in record.options:
            sampled = [factor.name for factor in task_of(section, around).factors]
            correlation = read_correlation(section, sampled, cross, report)
        _check_weights(record, cross, around, report)
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
        options=_options(section),
        correlation=correlation,
        is_randomized=section.flag("randomize"),
    )


def _check_weights(method: Method, cross: tuple[str, ...], around: Surroundings, report: Report) -> None:
    """Weights of levels that the design does not draw."""
    for variable in around.varied:
        is_drawn = method.unit is not None and variable.name not in cross
        if isinstance(variable.law, Levels) and variable.law.weights and not is_drawn:
            how = "crossed" if variable.name in cross else f"not drawn by the method {method.name}"
            message = f"the levels of '{variable.name}' have weights, and are {how}"
            report.error("E116", message, variable.place, "remove 'weights'")


def _combined(section: Fields, around: Surroundings, report: Report) -> DesignSpec | None:
    """The union of the designs in the list; what is of the whole stands beside it, all else in its entries."""
    before = len(report.findings)
    for key in section.entries:
        if key not in ("combine", *_OF_THE_WHOLE):
            _meaningless(section, key, "beside 'combine'", report, "write it into the entries that it is for")
    parts = []
    for node in section.items("combine"):
        if not isinstance(node, Fields):
            continue
        for key in (*_OF_THE_WHOLE, "combine", "sampling", "iterations", "blocks"):
            if node.get(key) is not None:
                _meaningless(
                    node, key, "inside of 'combine'", report, "write it beside 'combine', or remove it"
                )
        parts.append(read_design(node, around, report))
    if len(report.findings) > before and has_errors(report.findings[before:]):
        return None
    found = tuple(part for part in parts if part is not None)
    return DesignSpec(
        "combine",
        section.key_place("combine"),
        replicates=section.integer("replicates") or 1,
        table=next((part.table for part in found if part.table is not None), None),
        is_randomized=section.flag("randomize"),
        parts=found,
    )


def _method(section: Fields, around: Surroundings, sampling: Sampling, report: Report) -> str | None:
    method = section.text("method")
    random = [variable for variable in around.varied if level_count(variable) is None]
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
    if method is not None and "augment" in METHODS[method].options:
        return _augmented(section, around, report)
    node = section.scalar("file")
    if method != "table":
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


def _augmented(section: Fields, around: Surroundings, report: Report) -> Table | None:
    """The runs that exist, of which columns that set nothing are left out of account."""
    node = section.scalar("augment")
    if node is None:
        return None
    if section.items("cross"):
        _meaningless(section, "augment", "with 'cross'", report, "give the crossed variables to the method")
        return None
    texts = frozenset(variable.name for variable in around.variables if is_textual(variable))
    varied = frozenset(variable.name for variable in around.varied)
    table = read_table(node, around.project, report, texts=texts, only=varied)
    if table is not None:
        check_columns(table, around.varied, around.known, node.place, report)
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


def _check_keys(section: Fields, method: Method, report: Report) -> None:
    """The keys that the method takes, and no others; `runs` where it asks for them."""
    if method.takes_runs and section.get("runs") is None:
        message = f"missing key 'runs': {method.name} needs to know how many"
        report.error("E102", message, section.place_of("method"), "for example runs: 64")
    for key in section.entries:
        if key in OPTIONS and key not in method.options and section.get(key) is not None:
            size = ": its size follows from the variables" if key == "runs" and method.name != "table" else ""
            _meaningless(section, key, f"with the method {method.name}{size}", report)
    if section.get("iterations") is not None:
        _meaningless(section, "iterations", "unless sampling: platform", report, "use 'runs'")


def _check_misfits(section: Fields, method: Method, around: Surroundings, report: Report) -> None:
    """What the method cannot do with these variables."""
    if not around.is_whole:
        return
    task = task_of(section, around)
    by_name = {variable.name: variable for variable in around.varied}
    misfits = [*method.misfits(task), *_without_ends(method, task, by_name)]
    for misfit in misfits[:1]:
        place = by_name[misfit.variable].place if misfit.variable else section.place_of(misfit.key)
        report.error("E115", misfit.message, place, misfit.hint)


def _without_ends(method: Method, task: Task, by_name: Mapping[str, Variable]) -> Iterator[Misfit]:
    """The variables that a method of levels would take low and high of, and that have none."""
    if method.coded is None and method.levels is None:
        return
    for factor in task.factors:
        law = by_name[factor.name].law
        if isinstance(law, Law) and not factor.count and None in bounds_of(law):
            message = f"{method.name} takes the ends of a range, and {type(law).__name__} '{factor.name}' has not both"
            hint = "give it lower and upper, or use Uniform, or another method"
            yield Misfit(message, hint, variable=factor.name)


def task_of(section: Fields, around: Surroundings) -> Task:
    """What the method is asked for, as far as it hangs on the study and not on its seed."""
    crossed = {node.text for node in section.items("cross") if isinstance(node, Scalar)}
    chosen = [variable for variable in around.varied if variable.name not in crossed]
    return Task(
        tuple(Factor(variable.name, level_count(variable) or 0) for variable in chosen),
        section.integer("runs") or 0,
        _options(section),
        dimensions_of(chosen),
    )


def task_of_spec(spec: Spec) -> Task:
    """What a study's method is asked for, as far as it does not hang on the seed."""
    chosen = chosen_by_method(spec)
    factors = tuple(Factor(variable.name, level_count(variable) or 0) for variable in chosen)
    return Task(factors, spec.design.runs or 0, spec.design.options, dimensions_of(chosen))


def chosen_by_method(spec: Spec) -> list[Variable]:
    """The variables whose values the method chooses, in the order of the file."""
    return [v for v in without_cases(spec.variables) if v.varies and v.name not in spec.design.cross]


def dimensions_of(variables: Sequence[Variable]) -> tuple[int, ...]:
    """The dimensions of a sequence: those that are pinned, and the lowest free ones in the order of the file."""
    pinned = {variable.dimension for variable in variables if variable.dimension is not None}
    free = (number for number in itertools.count(1) if number not in pinned)
    return tuple(variable.dimension or next(free) for variable in variables)


def _options(section: Fields) -> dict[str, object]:
    return {
        key: plain(entry.node)
        for key, entry in section.entries.items()
        if key in OPTIONS and section.get(key)
    }


def _check_dimensions(method: Method, around: Surroundings, report: Report) -> None:
    """`dimension` where there are some, each once."""
    seen: dict[int, str] = {}
    for variable in around.varied:
        if variable.dimension is None:
            continue
        if method.name not in WITH_DIMENSIONS:
            message = f"'dimension' of '{variable.name}' has no meaning with the method {method.name}"
            report.error("E116", message, variable.place, f"it is for {' and '.join(WITH_DIMENSIONS)}")
        elif variable.dimension in seen:
            message = (
                f"'{variable.name}' and '{seen[variable.dimension]}' both have dimension {variable.dimension}"
            )
            report.error("E120", message, variable.place, "give each a dimension of its own")
        seen.setdefault(variable.dimension, variable.name)


def _check_size(section: Fields, method: Method, around: Surroundings, report: Report) -> None:
    if method.name == "table":
        return
    crossed = {node.text for node in section.items("cross") if isinstance(node, Scalar)}
    points = method.size(task_of(section, around)) or 1
    for variable in around.varied:
        if variable.name in crossed:
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


def _cross(section: Fields, around: Surroundings, report: Report) -> tuple[str, ...]:
    nodes = [node for node in section.items("cross") if isinstance(node, Scalar)]
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
    for key in section.entries:
        if key in OPTIONS and section.get(key) is not None:
            hint = "use 'iterations'" if key == "runs" else ""
            _refuse(f"'{key}'", section.key_place(key), report, hint)
    if section.flag("randomize"):
        _refuse("'randomize'", section.key_place("randomize"), report)
    if (section.integer("replicates") or 1) > 1:
        _refuse("more than one replicate", section.place_of("replicates"), report)
    if section.text("method") not in ("", "monte-carlo", "full-factorial"):
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
