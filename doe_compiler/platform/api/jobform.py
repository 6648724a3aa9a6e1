"""The form of a job: what a create may hold, read into the one shape that is stored."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from doe_compiler.extraction.watch import LONGEST_READING_S
from doe_compiler.generators.catalogue import WIRE_KINDS
from doe_compiler.platform.api import catalogue
from doe_compiler.platform.api.forms import (
    Field,
    Invalid,
    JsonObject,
    Reader,
    anything,
    boolean,
    choice,
    integer,
    items,
    or_null,
    positive_number,
    record,
    text,
)
from doe_compiler.platform.execute.outputs import DEFAULT_FILTERS, FILTER_ACTIONS, FILTER_SOURCES
from doe_compiler.platform.store.records import StoredFile

FileLookup = Callable[[str], StoredFile | None]
VARIABLE_TYPES = ("Param", "Design", "Output", "Case", "Constraint", "Objective")
INPUT_TYPES = ("Param", "Design", "Case")
ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
LONGEST_WALLTIME_H = 24 * 366
READING_KINDS = {"regex": ("regex", "take"), "json": ("path",), "csv": ("column", "take")}
TAKES = ("first", "last", "min", "max", "mean")
PROJECT_NAMES = ("projectId", "project_id")
PASSED_THROUGH = {
    **dict.fromkeys(PROJECT_NAMES, anything.described("The project; `projectId` counts if both are given.")),
    **dict.fromkeys(
        ("tags", "billingPriorityValue", "jobAutomations", "isInteractive", "customFields"), anything
    ),
}
PASSED_THROUGH_ANALYSIS = ("onDemandLicenseSeller", "userDefinedLicenseSettings", "rescaleLicense")


def job_form(known_file: FileLookup) -> Reader:
    """Reads the body of a create; raises Invalid with the field map of the 400."""
    file = _file_reference(known_file)
    read = record(
        Field("name", text(longest=1024)),
        Field("jobanalyses", items(_analysis(file), empty=False)),
        Field("jobvariables", items(VARIABLE), []),
        Field("paramFile", file.described("A CSV: a column a variable, a row a run."), None),
        Field(
            "caseFile",
            file.described("A CSV of further variables; every case is run with every row of parameters."),
            None,
        ),
        Field("archiveFilters", items(anything), []),
        Field(
            "resourceFilters",
            items(RESOURCE_FILTER).described(
                "Without any, a job is shown with rules that keep the files of every source."
            ),
            [dict(rule) for rule in DEFAULT_FILTERS],
        ),
        Field("isLowPriority", boolean, False),
        Field("includeNominalRun", boolean.described("Run the nominal values first."), False),
        Field(
            "isTemplateDryRun",
            boolean.described("Substitute the templates, store them, execute nothing."),
            False,
        ),
        Field("monteCarloIterations", integer(1), None),
        Field("optimizer", anything, None),
        Field("remoteVizConfig", anything, None),
        Field("outputReading", OUTPUT_READING, None),
        *(Field(name, reader, None) for name, reader in PASSED_THROUGH.items()),
    )

    def with_project(value: object) -> object:
        form = read(value)
        assert isinstance(form, dict)
        given = next((form[name] for name in PROJECT_NAMES if form[name] is not None), None)
        return {**form, PROJECT_NAMES[0]: given}

    return Reader(with_project, read.schema)


def _analysis(file: Reader) -> Reader:
    return record(
        Field("analysis", record(Field("code", text(longest=200)), Field("version", text(blank=True), None))),
        Field("command", text()),
        Field("useMpi", boolean, False),
        Field("envVars", ENVIRONMENT, {}),
        Field("flags", anything, {}),
        Field("hardware", HARDWARE),
        Field("inputFiles", items(_input_file(file)), []),
        Field("useRescaleLicense", boolean, False),
        Field(
            "templateTasks",
            items(record(Field("processedFilename", PATH), Field("templateFile", file))),
            [],
        ),
        Field("preProcessScript", file, None),
        Field("preProcessScriptCommand", text(blank=True), ""),
        Field("postProcessScript", file, None),
        Field("postProcessScriptCommand", text(blank=True), ""),
        *(Field(name, anything, None) for name in PASSED_THROUGH_ANALYSIS),
    )


def _hardware(value: object) -> object:
    read = HARDWARE_FIELDS(value)
    assert isinstance(read, dict)
    published = catalogue.CORE_TYPES.get(read["coreType"])
    if published and read["coresPerSlot"] not in published.cores:
        choices = ", ".join(str(cores) for cores in published.cores)
        raise Invalid(
            {
                "coresPerSlot": [
                    f"{read['coresPerSlot']} is not offered by {published.code}; choose from {choices}."
                ]
            }
        )
    return read


def _core_type(value: object) -> object:
    if isinstance(value, Mapping):
        inner = CODED(value)
        assert isinstance(inner, dict)
        return inner["code"]
    return CODE(value)


def _resource_filter(value: object) -> object:
    """A rule for outputs, as `outputs.py` obeys it; keys of other services are kept and mean nothing."""
    read = RULE(value)
    assert isinstance(read, dict)
    assert isinstance(value, Mapping)
    return {**value, **read}


def _environment(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise Invalid("Expected a dictionary of items.")
    errors: dict[str, object] = {}
    result: dict[str, str] = {}
    for name, setting in value.items():
        try:
            result[_environment_name(name)] = str(text(blank=True)(setting))
        except Invalid as problem:
            errors[str(name)] = problem.detail
    if errors:
        raise Invalid(errors)
    return result


def _environment_name(name: object) -> str:
    if not ENV_NAME.fullmatch(str(name)):
        raise Invalid("Not a valid name of an environment variable.")
    return str(name)


def _file_reference(known_file: FileLookup) -> Reader:
    def read(value: object) -> dict[str, object]:
        file_id = value.get("id") if isinstance(value, Mapping) else value
        if not isinstance(file_id, str) or not file_id:
            raise Invalid({"id": ["This field is required."]})
        if known_file(file_id) is None:
            raise Invalid({"id": [f'Invalid pk "{file_id[:80]}" - object does not exist.']})
        return {"id": file_id}

    return Reader(read, FILE_REFERENCE)


def _input_file(file: Reader) -> Reader:
    def read(value: object) -> dict[str, object]:
        reference = file(value)
        assert isinstance(reference, dict)
        given = value.get("decompress") if isinstance(value, Mapping) else None
        try:
            return {**reference, "decompress": True if given is None else boolean(given)}
        except Invalid as problem:
            raise Invalid({"decompress": problem.detail}) from None

    return Reader(
        read,
        {
            **FILE_REFERENCE,
            "properties": {**FILE_PROPERTIES, "decompress": or_null(boolean.schema)},
        },
    )


def _relative_path(value: object) -> str:
    path = str(PATH_TEXT(value))
    parts = path.split("/")
    if path.startswith("/") or ".." in parts or path.endswith("/") or parts[-1] == ".":
        raise Invalid("Must be a path to a file inside the work directory.")
    if max(len(part.encode("utf-8", "replace")) for part in parts) > 255:
        raise Invalid("A part of the path is longer than 255 bytes.")
    return "/".join(part for part in parts if part not in ("", "."))


def _variable(value: object) -> object:
    if isinstance(value, Mapping) and value.get("valueGeneratorType") is None:
        value = {**value, "valueGeneratorType": value.get("variableGeneratorType")}
    return VARIABLE_FIELDS(value)


def _generator(value: object) -> str:
    return "" if value == "" else str(GENERATOR_KIND(value))


def _settings(value: object) -> object:
    if not isinstance(value, Mapping):
        raise Invalid("Expected a dictionary of items.")
    return dict(value)


def _read_variable(value: object) -> object:
    kind = value.get("kind") if isinstance(value, Mapping) else None
    return READ_VARIABLES.get(str(kind).lower(), OF_UNKNOWN_KIND)(value)


def _read_variable_of(kind: str | None) -> Reader:
    return record(
        Field("name", text(longest=500)),
        Field("kind", choice(tuple(READING_KINDS) if kind is None else (kind,))),
        Field("file", Reader(_output_path, {**PATH.schema, "description": "A path in the run's directory."})),
        *(
            Field(name, choice(TAKES) if name == "take" else text(blank=name == "column"))
            for name in READING_KINDS.get(kind or "", ())
        ),
    )


def _output_path(value: object) -> str:
    _relative_path(value)
    return str(value)


FILE_PROPERTIES: JsonObject = {
    "id": {"type": "string", "description": "The id of an upload, or of an output of an ended run."}
}
FILE_REFERENCE: JsonObject = {"type": "object", "properties": FILE_PROPERTIES, "required": ["id"]}
CODE = text(longest=200)
CODED = record(Field("code", CODE))
PATH_TEXT = text(longest=4096)
PATH = Reader(_relative_path, PATH_TEXT.schema)
ENVIRONMENT = Reader(_environment, {"type": "object", "additionalProperties": {"type": "string"}})
HARDWARE_FIELDS = record(
    Field("coreType", Reader(_core_type, {"anyOf": [CODE.schema, CODED.schema]})),
    Field("coresPerSlot", integer(1)),
    Field("slots", integer(1).described("How many runs at a time."), 1),
    Field("walltime", positive_number(LONGEST_WALLTIME_H).described("Hours for the whole job."), None),
)
HARDWARE = Reader(_hardware, HARDWARE_FIELDS.schema)
RULE = record(
    Field("action", choice(FILTER_ACTIONS), FILTER_ACTIONS[0]),
    Field("source", choice(FILTER_SOURCES), FILTER_SOURCES[0]),
    Field("pattern", text(longest=1024), "*"),
)
RESOURCE_FILTER = Reader(_resource_filter, RULE.schema)
GENERATOR_KIND = choice(WIRE_KINDS)
VARIABLE_FIELDS = record(
    Field("name", text(longest=500)),
    Field("variableType", choice(VARIABLE_TYPES)),
    Field("displayOrder", integer(0), 0),
    Field("valueGeneratorType", Reader(_generator, {"enum": ["", *WIRE_KINDS]}), ""),
    Field("valueGeneratorSettings", Reader(_settings, {"type": "object"}), {}),
)
VARIABLE = Reader(_variable, VARIABLE_FIELDS.schema)
READ_VARIABLES = {kind: _read_variable_of(kind) for kind in READING_KINDS}
OF_UNKNOWN_KIND = _read_variable_of(None)
OUTPUT_READING = record(
    Field(
        "seconds",
        positive_number(LONGEST_READING_S).described("The time for the reading of one run."),
        LONGEST_READING_S,
    ),
    Field(
        "variables",
        items(Reader(_read_variable, {"oneOf": [each.schema for each in READ_VARIABLES.values()]})),
    ),
).described(
    "What is read of every run's outputs when it has ended, as output variables of the run. "
    "An addition of this platform; the root address names it."
)


def variables_of_table(
    names: Sequence[str],
    given: Sequence[Mapping[str, Any]],
    *,
    cases: Sequence[str] = (),
    keeps_generators: bool = False,
) -> list[dict[str, Any]]:
    """The job's variables when files name them: their columns, then the other ones that were given.

    A column has no generator, unless it comes from one beside a case file.
    """
    by_name = {variable["name"]: variable for variable in given}
    columns: list[dict[str, Any]] = []
    for position, name in enumerate(names):
        known = by_name.get(name, {"variableType": "Case" if name in cases else "Param"})
        settings = known.get("valueGeneratorSettings", {})
        has_generator = keeps_generators and name not in cases
        columns.append(
            {
                "name": name,
                "variableType": known["variableType"],
                "displayOrder": position,
                "valueGeneratorType": known["valueGeneratorType"] if has_generator else "",
                "valueGeneratorSettings": settings
                if has_generator
                else {key: settings[key] for key in ("nominal",) if key in settings},
            }
        )
    return columns + [dict(variable) for variable in given if variable["name"] not in set(names)]
