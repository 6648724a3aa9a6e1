"""What templates and steps use: unknown placeholders, and variables that no run would notice."""

import os.path
from collections.abc import Iterable, Mapping

from doe_compiler.expressions.parser import names
from doe_compiler.kernel.findings import Place
from doe_compiler.spec.model import (
    Analysis,
    Constraint,
    Formula,
    FromCases,
    FromTable,
    TemplateTask,
    Variable,
)
from doe_compiler.spec.report import Report
from doe_compiler.templates.syntaxes import syntax

_OF_EVERY_RUN = frozenset({"doe_seed", "doe_replicate"})
_RUN = "doe_run"


def check_placeholders(
    analyses: Iterable[Analysis],
    known: frozenset[str],
    texts: frozenset[str],
    foreign: Mapping[str, tuple[str, ...]],
    report: Report,
) -> None:
    """Find placeholders that no variable fills, formats on text, and letters for which a deck has other bytes.

    `foreign` are the texts that are not ASCII, by the name of the variable that may hold them.
    """
    for task in (task for analysis in analyses for task in analysis.templates):
        shown = os.path.normpath(task.source.path)
        report.findings += syntax(task.syntax).checked(task.template, shown, known | _OF_EVERY_RUN | {_RUN})
        for placeholder in task.template.placeholders:
            place = Place(shown, placeholder.line, placeholder.column, placeholder.end_column)
            problem = _foreign_problem(task, foreign.get(placeholder.name, ()))
            if problem:
                hint = "say the template's `encoding`, write it in ASCII, or save the template as UTF-8"
                report.error("E317", problem, place, hint)
            if placeholder.name == _RUN:
                message = "the number of a run is not part of what it is: growing the study would change it"
                report.error("E212", message, place, "use doe_seed, which stays with the row")
            elif placeholder.pattern is not None and placeholder.name in texts:
                message = f"'{placeholder.name}' holds text, and a format is for numbers"
                report.error("E207", message, place, f"write ${{{placeholder.name}}}")


def _foreign_problem(task: TemplateTask, texts: Iterable[str]) -> str:
    """Why a text that is not ASCII cannot be put into a template, or nothing."""
    if task.takes_utf8:
        return ""
    for text in texts:
        if not task.encoding:
            return f"{text!r} would be put as UTF-8 into a file that is not UTF-8"
        try:
            text.encode(task.encoding)
        except UnicodeEncodeError as error:
            return f"{text!r} holds {text[error.start]!r}, which {task.encoding} lacks"
    return ""


def check_usage(
    analyses: Iterable[Analysis],
    variables: Iterable[Variable],
    constraints: Iterable[Constraint],
    report: Report,
) -> None:
    """Find varied variables that no template or step uses, since all their runs would compute the same.

    What only a constraint uses is used when it is a constant or an expression. An unused column of the user's
    own table may be a label of the rows, so it is only told.
    """
    variables = tuple(variables)
    placed = {name for analysis in analyses for name in analysis.named_columns}
    in_templates = _with_needs(placed, variables)
    in_constraints = _with_needs({n for c in constraints for n in names(c.expression)}, variables)
    for variable in variables:
        if isinstance(variable.law, FromTable | FromCases) and variable.name not in in_templates:
            report.warning("E211", f"no template or step uses the column '{variable.name}'", variable.place)
        elif variable.varies and variable.name not in in_templates:
            message = f"no template or step uses '{variable.name}': its runs would all compute the same"
            hint = f"use ${{{variable.name}}} in a template (a comment line will do), or remove it"
            report.error("E210", message, variable.place, hint)
        elif not variable.varies and variable.name not in in_templates | in_constraints:
            report.warning(
                "E211",
                f"nothing uses '{variable.name}'",
                variable.place,
                "use it in a template, or remove it",
            )


def _with_needs(used: Iterable[str], variables: Iterable[Variable]) -> frozenset[str]:
    """The names and those that their expressions need."""
    formulas = {v.name: v.law for v in variables if isinstance(v.law, Formula)}
    found: set[str] = set()
    waiting = list(used)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += names(formulas[name].expression) if name in formulas else ()
    return frozenset(found)
