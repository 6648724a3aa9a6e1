"""A job as the platform shows it becomes a study: its YAML, the files beside it, and what could not be said.

    {"name": "Wing", "jobanalyses": [...], "paramFile": {"id": "abc", ...}, ...}
    ->  study.yaml (design: {method: table, file: parameters.csv}), parameters.csv, templates/, inputs/, ...

Not asked for here are the contents of the files, except of the small ones that the study depends on:
`references` lists them, `imported` takes them by id.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from doe_compiler.bundle.importing.analyses import Placeholders, imported_analyses
from doe_compiler.bundle.importing.files import (
    ImportedFile,
    Reference,
    Shelf,
    case_file,
    file_name,
    parameter_file,
    references,
)
from doe_compiler.bundle.importing.generators import (
    ImportedVariable,
    column_entry,
    generator_entry,
    generator_type,
    role,
    with_raw_nominal,
)
from doe_compiler.bundle.importing.notes import Notes
from doe_compiler.bundle.importing.reading import entries, flag, said, text, whole
from doe_compiler.bundle.importing.steps import Steps, steps_of
from doe_compiler.bundle.importing.table import (
    ImportedTable,
    NoTable,
    imported_table,
    study_names,
    with_texts,
)
from doe_compiler.bundle.mark import read_mark, shown_title
from doe_compiler.platform.execute.outputs import DEFAULT_FILTERS
from doe_compiler.spec.yaml_text import yaml_text

__all__ = ["Imported", "ImportedFile", "Reference", "imported", "references", "study_name"]

STUDY_FILE = "study.yaml"
TABLE_FILE = "parameters.csv"
_LONGEST_STUDY = 40
_OUTPUT_ROLES = frozenset({"output", "constraint", "objective"})
_EXTRACTOR_KEYS = {
    "regex": {"file": "file", "regex": "regex", "take": "take"},
    "json": {"file": "file", "path": "json"},
    "csv": {"file": "file", "column": "csv", "take": "take"},
    "command": {"command": "command"},
}
_KNOWN = frozenset(
    {
        # said in the study
        "name",
        "paramFile",
        "caseFile",
        "jobvariables",
        "jobanalyses",
        "isLowPriority",
        "includeNominalRun",
        "isTemplateDryRun",
        "monteCarloIterations",
        "resourceFilters",
        "tags",
        "outputReading",
        # told by the platform, not to it
        "id",
        "owner",
        "dateInserted",
        "expectedRuns",
        "analysisNames",
        "clusterStatusDisplay",
        "jobStatus",
        "isVisible",
        "storage",
        "sharedWith",
    }
)


@dataclass(frozen=True, slots=True)
class Imported:
    """A study: its name, its YAML, the files beside it, and a warning for all that it could not say.

    `executables` are the paths in a run that a generated step made executable.
    """

    study: str
    text: str
    files: tuple[ImportedFile, ...]
    warnings: tuple[str, ...]
    executables: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Inputs:
    """What a job varies, as sections of the study; `names` from the platform's names to the study's."""

    variables: dict[str, dict[str, object]] = field(default_factory=dict)
    design: dict[str, object] = field(default_factory=dict)
    job: dict[str, object] = field(default_factory=dict)
    raw: dict[str, object] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    can_hold_text: bool = True


def study_name(job: Mapping[str, object]) -> str:
    """The name of the study: that of the job's mark, or else made of the job's name."""
    name = text(job.get("name"))
    mark = read_mark(name)
    if mark is not None and len(mark.study) <= _LONGEST_STUDY:
        return mark.study
    for given in (name, f"job-{text(job.get('id'))}"):
        slug = re.sub(r"[^a-z0-9]+", "-", given.lower()).strip("-")[:_LONGEST_STUDY].rstrip("-")
        if slug:
            return slug
    return "imported"


def imported(job: Mapping[str, object], contents: Mapping[str, bytes], origin: str) -> Imported:
    """The study of a job; `contents` holds the files with a read limit by id, `origin` says where it was."""
    notes, shelf = Notes(), Shelf()
    steps = steps_of(job, contents)
    inputs = _inputs(job, contents, steps.texts, shelf, notes)
    analyses = imported_analyses(steps.steps, contents, _placeholders(job, inputs), shelf, notes)
    if analyses.needs_dollar:
        inputs.variables[_dollar(inputs)] = {"value": "$"}
        notes.add(("variables", _dollar(inputs)), "a '$' right before a placeholder; one column more")
    document: dict[str, object] = {"doe": 1, **_identity(job, notes), "variables": inputs.variables}
    document |= {"design": inputs.design} if inputs.design else {}
    document["analyses"] = analyses.entries
    responses = _responses(job, steps, frozenset(inputs.variables), notes)
    document |= {"responses": responses} if responses else {}
    settings = _job(job, inputs, contents, steps.texts, shelf, notes)
    document |= {"job": settings} if settings else {}
    comments = notes.comments(document)
    head = ["yaml-language-server: $schema=study.schema.json", f"Imported by doe from {origin}."]
    lines = yaml_text(document, {**comments, (): [*head, *comments.get((), [])]})
    return Imported(study_name(job), lines, shelf.files, notes.messages, steps.executables)


def _identity(job: Mapping[str, object], notes: Notes) -> dict[str, object]:
    study, name = study_name(job), text(job.get("name"))
    mark = read_mark(name)
    if mark is not None:
        title = name.replace(str(mark), "").strip()
        message = "made by doe: its rows are a table here; what only the first study knew (units, goals, bounds, required: false, limits, expressions, the seed) the job does not tell"
        notes.add((), message)
        return {"study": study, **({"description": title} if title and title != study else {})}
    if name == study:
        return {"study": study}
    if shown_title(name) != name:
        notes.add(("description",), f"the jobs of this study are called {shown_title(name)!r} and their mark")
    return {"study": study, "description": name}


def _placeholders(job: Mapping[str, object], inputs: _Inputs) -> Placeholders:
    cases = (variable for variable in entries(job.get("jobvariables")) if role(variable) == "case")
    of_cases = frozenset(text(variable.get("name")) for variable in cases) - inputs.names.keys()
    return Placeholders(inputs.names, of_cases, _dollar(inputs) if inputs.can_hold_text else None)


def _dollar(inputs: _Inputs) -> str:
    name = "dollar"
    while name in inputs.names.values():
        name += "_"
    return name


def _inputs(
    job: Mapping[str, object],
    contents: Mapping[str, bytes],
    texts: Mapping[str, str],
    shelf: Shelf,
    notes: Notes,
) -> _Inputs:
    listed = _each_once(job, notes)
    if case_file(job) is not None:
        listed = [variable for variable in listed if role(variable) != "case"]
    table = parameter_file(job)
    if table is not None:
        return _from_table(job, listed, table, contents, texts, shelf, notes)
    generated = [variable for variable in listed if generator_type(variable)]
    others = [variable for variable in listed if not generator_type(variable)]
    found = _sampled_there(job, generated, notes) if generated else _Inputs()
    _pass_variables(others, found, notes)
    if not generated:
        _pass_settings(job, found)
    return found


def _each_once(job: Mapping[str, object], notes: Notes) -> list[Mapping[str, object]]:
    """The job's variables in their order, each name once."""
    found: dict[str, Mapping[str, object]] = {}
    for variable in sorted(
        entries(job.get("jobvariables")), key=lambda each: whole(each.get("displayOrder")) or 0
    ):
        name = text(variable.get("name"))
        if name in found:
            notes.add(("variables",), f"the job has {name!r} more than once: the first counts")
        found.setdefault(name, variable)
    return list(found.values())


def _from_table(
    job: Mapping[str, object],
    listed: list[Mapping[str, object]],
    file: Reference,
    contents: Mapping[str, bytes],
    texts: Mapping[str, str],
    shelf: Shelf,
    notes: Notes,
) -> _Inputs:
    table = _table(listed, file, contents, texts, notes)
    path = shelf.place("", TABLE_FILE, file.id, table.content)
    by_name = {text(variable.get("name")): variable for variable in listed}
    found = _Inputs(design={"method": "table", "file": path}, names=dict(table.names))
    if table.replicates > 1:
        found.design["replicates"] = table.replicates
    for name, new in table.names.items():
        entry = {"format": table.formats[new]} if new in table.formats else {}
        found.variables[new] = {**entry, **column_entry(by_name.get(name, {}))}
    for note in table.notes:
        notes.add(("design", "file"), note)
    of_doe = {"doe_dollar", "doe_replicate"}
    others = [each for each in listed if text(each.get("name")) not in {*table.names, *of_doe}]
    _pass_variables(others, found, notes)
    _pass_settings(job, found)
    return found


def _table(
    listed: list[Mapping[str, object]],
    file: Reference,
    contents: Mapping[str, bytes],
    texts: Mapping[str, str],
    notes: Notes,
) -> ImportedTable:
    try:
        return imported_table(contents.get(file.id), texts)
    except NoTable as problem:
        notes.add(("design", "file"), f"the parameter file {file.name!r} cannot be used: {problem}")
        inputs = [variable for variable in listed if role(variable) not in _OUTPUT_ROLES]
        names = study_names([text(variable.get("name")) for variable in inputs])
        return ImportedTable(names, {}, 1, None, ())


def _sampled_there(job: Mapping[str, object], generated: list[Mapping[str, object]], notes: Notes) -> _Inputs:
    names = study_names([text(variable.get("name")) for variable in generated])
    found = _Inputs(design={"sampling": "platform"}, names=names, can_hold_text=False)
    variables = [generator_entry(variable) for variable in generated]
    variables = _with_nominal_run(job, generated, variables, found, notes)
    is_random = any(variable.is_random for variable in variables)
    iterations = whole(job.get("monteCarloIterations"))
    if is_random:
        found.design["iterations"] = iterations or 1
        if iterations is None:
            notes.add(("design", "iterations"), "the job does not say how often: once")
    elif iterations is not None:
        found.raw["monteCarloIterations"] = iterations
    for (name, new), variable in zip(names.items(), variables, strict=True):
        found.variables[new] = variable.entry
        if new != name:
            notes.add(("variables", new), f"the job calls it {name!r}")
        for note in variable.notes:
            notes.add(("variables", new), note)
    return found


def _with_nominal_run(
    job: Mapping[str, object],
    generated: list[Mapping[str, object]],
    variables: list[ImportedVariable],
    found: _Inputs,
    notes: Notes,
) -> list[ImportedVariable]:
    """The nominal run as the study's own if every variable has a nominal value, else as the platform's."""
    if not flag(job.get("includeNominalRun")):
        return variables
    if not any(variable.lacks_nominal for variable in variables):
        found.job["includeNominalRun"] = True
        return variables
    found.raw["includeNominalRun"] = True
    notes.add(("job", "raw"), "not every variable has a nominal value: the platform chooses the nominal run")
    return [with_raw_nominal(variable, given) for variable, given in zip(variables, generated, strict=True)]


def _pass_variables(others: list[Mapping[str, object]], found: _Inputs, notes: Notes) -> None:
    """Variables without values, such as outputs, go through the job's raw, which adds them."""
    if not others:
        return
    found.raw["jobvariables"] = [dict(variable) for variable in others]
    listed = ", ".join(text(variable.get("name")) for variable in others[:10])
    notes.add(("job", "raw"), f"variables without values are no variables of a study: {listed}")


def _pass_settings(job: Mapping[str, object], found: _Inputs) -> None:
    """Settings of a sampling that a table does not have, as the job says them."""
    iterations = whole(job.get("monteCarloIterations"))
    found.raw |= {} if iterations is None else {"monteCarloIterations": iterations}
    found.raw |= {"includeNominalRun": True} if flag(job.get("includeNominalRun")) else {}


def _responses(
    job: Mapping[str, object], steps: Steps, variables: frozenset[str], notes: Notes
) -> dict[str, dict[str, object]]:
    """The responses of the generated script, and those that the user's own script prints."""
    found: dict[str, dict[str, object]] = {}
    for settings in steps.extractors:
        keys = _EXTRACTOR_KEYS.get(settings.get("kind", ""), {})
        entry: dict[str, object] = {new: settings[key] for key, new in keys.items() if key in settings}
        if entry.get("take") == "last":
            del entry["take"]
        found[settings.get("name", "")] = entry
    if not any(step.post_script is not None for step in steps.steps):
        return found
    for name in steps.declared:
        found.setdefault(name, {})
    for variable in entries(job.get("jobvariables")):
        name = text(variable.get("name"))
        if role(variable) not in _OUTPUT_ROLES or name in found or name in variables:
            continue
        if study_names([name])[name] == name:
            found[name] = {"required": False}
        else:
            notes.add(("responses",), f"the output {name!r} has no name that a study may use")
    return found


def _job(
    job: Mapping[str, object],
    inputs: _Inputs,
    contents: Mapping[str, bytes],
    texts: Mapping[str, str],
    shelf: Shelf,
    notes: Notes,
) -> dict[str, object]:
    found = dict(inputs.job)
    for key in ("isLowPriority", "isTemplateDryRun"):
        found |= {key: True} if flag(job.get(key)) else {}
    cases = case_file(job)
    if cases is not None:
        table = contents.get(cases.id)
        content = with_texts(table, texts) if texts and table is not None else None
        found["caseFile"] = shelf.place("cases", file_name(cases.name), cases.id, content)
    raw = {**said(job, _KNOWN), **inputs.raw}
    filters = job.get("resourceFilters")
    if filters == [dict(rule) for rule in DEFAULT_FILTERS]:
        filters = None
    if isinstance(filters, list) and all(isinstance(each, Mapping) for each in filters):
        found["resourceFilters"] = filters
    elif filters is not None:
        raw["resourceFilters"] = filters
    tags = job.get("tags")
    if tags and isinstance(tags, list) and all(isinstance(each, str) and each for each in tags):
        found["tags"] = tags
    elif tags:
        raw["tags"] = tags
    shared = job.get("sharedWith")
    if isinstance(shared, list) and shared:
        with_whom = ", ".join(map(text, shared))
        notes.add(
            ("job",), f"the job is shared with {with_whom}: add them under share if they are to see new jobs"
        )
    return found | ({"raw": raw} if raw else {})
