"""The `responses` section: what is measured, and extractors that can work."""

import re

from doe_compiler.extraction.json_path import json_path_steps
from doe_compiler.kernel.findings import Place
from doe_compiler.spec.files import target_problem
from doe_compiler.spec.model import (
    Analysis,
    CommandExtractor,
    CsvExtractor,
    Declared,
    Extractor,
    Goal,
    JsonExtractor,
    RegexExtractor,
    Response,
    Take,
)
from doe_compiler.spec.nodes import Fields
from doe_compiler.spec.report import Report
from doe_compiler.spec.variables import is_free_name


def read_responses(
    section: Fields, bad: frozenset[str], variables: frozenset[str], report: Report
) -> tuple[Response, ...]:
    """The sound responses in the order of the file; those in `bad` do not fit the schema."""
    responses = []
    for name, entry in section.entries.items():
        if name in bad or not isinstance(entry.node, Fields):
            continue
        is_free = is_free_name(name, entry.key_place, report)
        if name in variables:
            report.error(
                "E203", f"'{name}' is a variable and a response", entry.key_place, "rename the response"
            )
        response = _response(name, entry.node, entry.key_place, report)
        if is_free and response is not None:
            responses.append(response)
    return tuple(responses)


def _response(name: str, fields: Fields, place: Place, report: Report) -> Response | None:
    extractor = _extractor(fields, report)
    minimum, maximum = fields.number("min"), fields.number("max")
    if minimum is not None and maximum is not None and minimum >= maximum:
        message = f"'max' ({fields.text('max')}) is not above 'min' ({fields.text('min')})"
        report.error("E104", message, fields.place_of("max"), "swap them, or widen the range")
        return None
    if extractor is None:
        return None
    return Response(
        name,
        extractor,
        place,
        unit=fields.text("unit"),
        goal=Goal(fields.text("goal")) if fields.get("goal") else None,
        minimum=fields.real("min"),
        maximum=fields.real("max"),
        required=fields.flag("required", default=True),
        description=fields.text("description"),
    )


def _extractor(fields: Fields, report: Report) -> Extractor | None:
    if "command" in fields.entries:
        command = fields.text("command")
        if not command.strip() or "\0" in command:
            report.error(
                "E107", "'command' is not a command", fields.place_of("command"), "say what prints the value"
            )
            return None
        return CommandExtractor(command)
    if "file" not in fields.entries:
        return Declared()
    file = fields.text("file")
    problem = target_problem(file)
    if problem:
        hint = "give a path inside of the run's directory"
        report.error("E310", f"'{file}' {problem}", fields.place_of("file"), hint)
        return None
    take = Take(fields.text("take", "last"))
    if "json" in fields.entries:
        return _json(fields, file, report)
    if "csv" in fields.entries:
        return CsvExtractor(file, fields.text("csv"), take)
    return _regex(fields, file, take, report)


def _json(fields: Fields, file: str, report: Report) -> JsonExtractor | None:
    path = fields.text("json")
    try:
        json_path_steps(path)
    except ValueError as error:
        hint = "a path looks like forces.drag[0], or forces['drag [N]'] where a key is more than a name"
        report.error("E118", f"'{path}' is not a path: {error}", fields.place_of("json"), hint)
        return None
    return JsonExtractor(file, path)


def _regex(fields: Fields, file: str, take: Take, report: Report) -> RegexExtractor | None:
    pattern, place = fields.text("regex"), fields.place_of("regex")
    try:
        groups = re.compile(pattern).groups
    except (re.error, OverflowError, RecursionError) as error:
        hint = "a backslash needs single quotes in YAML, or none at all"
        report.error("E117", f"'{pattern}' is not a regular expression: {error}", place, hint)
        return None
    if groups == 0:
        hint = r"put brackets around the value, for example 'Cd = (\S+)'"
        report.error("E117", f"'{pattern}' has no group", place, hint)
        return None
    return RegexExtractor(file, pattern, take)


def check_declared(responses: tuple[Response, ...], analyses: tuple[Analysis, ...], report: Report) -> None:
    """Find responses without an extractor that no script of the user's could print."""
    if any(analysis.post_process is not None for analysis in analyses):
        return
    for response in responses:
        if isinstance(response.extractor, Declared):
            hint = "give it regex, json, csv or command, or an analysis a postProcess that prints it"
            report.error("E215", f"nothing measures '{response.name}'", response.place, hint)
