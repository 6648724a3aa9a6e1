"""The recipe: everything that determines what a run computes, except its row.

It is derived from what is sent, so that a key that is added to the language counts by itself: the plain
create call of `payload.py`, before the wrapper and the generated steps go on, with files by name, x bit and
content, templates with their placeholders standing as their columns' definitions, and the columns that steps
name, by definition. What is left out is
listed here and nowhere else; changing that never buys a run again.
"""

from collections.abc import Mapping

from doe_compiler.bundle.definitions import Define, definitions
from doe_compiler.bundle.payload import plain_payload
from doe_compiler.kernel.canonical import digest
from doe_compiler.spec.model import LocalFile, Spec, TemplateTask
from doe_compiler.templates.lowering import merged
from doe_compiler.templates.template import Placeholder, Template

RECIPE_DOMAIN = "doe2-recipe"

# What a run computes does not hang on these: names, where and how urgently it runs, licences, which outputs
# are kept. The last line is what the rows are made of: they are identity.
_LEFT_OUT_OF_JOB = frozenset(
    {"name", "tags", "isLowPriority", "resourceFilters"}
    | {"paramFile", "monteCarloIterations", "includeNominalRun"}
)  # fmt: skip
# The job's `raw` is left out too, but where it overrides what counts; variables that it adds are outputs.
_LEFT_OUT_OF_RAW = _LEFT_OUT_OF_JOB | {"jobvariables"}
_LEFT_OUT_OF_ANALYSIS = frozenset(
    {"hardware", "useRescaleLicense", "onDemandLicenseSeller", "userDefinedLicenseSettings"}
)
_LEFT_OUT_OF_VARIABLE = frozenset({"name", "displayOrder", "valueGeneratorType", "valueGeneratorSettings"})
_PLAIN_VARIABLE = {"variableType": "Param"}


def recipe_digest(spec: Spec) -> str:
    """The recipe of a study as 64 hexadecimal digits; the domain pins the version of this definition."""
    return digest(RECIPE_DOMAIN, recipe(spec))


def recipe(spec: Spec) -> dict[str, object]:
    """The recipe as plain data: contents by digest, texts as written, what is empty left out."""
    define = definitions(spec)
    payload = plain_payload(spec, _Described(define))
    job = {key: value for key, value in payload.items() if key not in _LEFT_OUT_OF_JOB}
    job["jobanalyses"] = [
        _without_empty({key: value for key, value in entry.items() if key not in _LEFT_OUT_OF_ANALYSIS})
        | _without_empty({"columns": {name: define(name) for name in analysis.shell_names}})
        for entry, analysis in zip(entries(payload["jobanalyses"]), spec.analyses, strict=True)
    ]
    job["jobvariables"] = {
        str(entry["name"]): said
        for entry in entries(payload["jobvariables"])
        if (said := {key: value for key, value in entry.items() if key not in _LEFT_OUT_OF_VARIABLE})
        != _PLAIN_VARIABLE
    }
    raw = spec.job.raw or {}
    job["raw"] = {key: raw[key] for key in payload.keys() & raw.keys() - _LEFT_OUT_OF_RAW}
    return _without_empty(job)


class _Described:
    """Files as the recipe knows them, in the places where the payload has references."""

    def __init__(self, define: Define) -> None:
        self._define = define

    def file(self, file: LocalFile) -> object:
        return _without_empty({"name": file.name, "x": file.is_executable, "sha256": file.sha256})

    def input(self, file: LocalFile, *, decompress: bool) -> object:
        if decompress and file.members:
            return {"name": file.name, "members": file.members}
        return self.file(file)

    def template(self, task: TemplateTask) -> object:
        text = template_digest(task.lowered, self._define)
        encoding = "" if task.takes_utf8 else task.encoding
        more = _without_empty({"x": task.source.is_executable, "encoding": encoding})
        return {"text": text, **more} if more else text


def template_digest(template: Template, define: Define) -> str:
    """The digest of a template's text with every placeholder standing as its column's definition."""
    segments = [
        {"column": define(segment.name), "pattern": segment.pattern}
        if isinstance(segment, Placeholder)
        else segment
        for segment in merged(template)
    ]
    return digest("doe2-template", segments)


def entries(value: object) -> list[Mapping[str, object]]:
    """A list of the payload or the recipe as what it is: mappings."""
    assert isinstance(value, list)
    return value


def _without_empty(fields: Mapping[str, object]) -> dict[str, object]:
    """Leave out what is empty, so that a key added to the payload later changes no old recipe; 0 says something."""
    return {
        key: value
        for key, value in fields.items()
        if value not in (None, False, [], {}, "") or (value == 0 and value is not False)
    }
