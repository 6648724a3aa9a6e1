"""The body of a create call, every field as the API spells it; files are referred to by content.

`plain_payload` says what the study says. `dressed` puts around it what `doe` needs of a run: the wrapper of the
commands, the generated post-processing step, the markers, and the user's `raw`, which nothing comes after.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from doe_compiler.bundle.preparation import Preparation, static_environment
from doe_compiler.bundle.steps import POST_COMMAND, guarded_command, timed_command, wrapped_command
from doe_compiler.generators.wire_settings import law_to_wire
from doe_compiler.kernel.canonical import digest
from doe_compiler.spec.model import (
    Analysis,
    Constant,
    Formula,
    FromCases,
    FromTable,
    Hardware,
    InputFile,
    Levels,
    LocalFile,
    PlatformFile,
    Sampling,
    Spec,
    TemplateTask,
    Variable,
)

CONTENT_PREFIX = "sha256:"
_REFERENCE = re.compile(rf"{CONTENT_PREFIX}[0-9a-f]{{64}}/")


def content_reference(reference: str) -> dict[str, str]:
    """A reference to a file by content and name, in the place of the id that the platform will give it."""
    return {"id": CONTENT_PREFIX + reference}


def reference_of(sha256: str, name: str) -> str:
    """What names a file: its content and its name, since a run finds it by its name."""
    return f"{sha256}/{name}"


def with_ids(payload: Mapping[str, object], ids: Mapping[str, str]) -> dict[str, object]:
    """The payload with every reference by content replaced by the platform's id of that file.

    What users write into `envVars`, or under an `id` of their own in another form, stays.
    """
    return {
        key: value if key == "envVars" else _with_ids(value, ids, is_id=key == "id")
        for key, value in payload.items()
    }


def _with_ids(value: object, ids: Mapping[str, str], *, is_id: bool = False) -> object:
    if isinstance(value, Mapping):
        return with_ids(value, ids)
    if isinstance(value, list | tuple):
        return [_with_ids(inner, ids) for inner in value]
    if is_id and isinstance(value, str) and _REFERENCE.match(value):
        return ids[value.removeprefix(CONTENT_PREFIX)]
    return value


class Refer(Protocol):
    """What stands for a file of this machine in a payload."""

    def file(self, file: LocalFile) -> object:
        """A file that stays as it is."""

    def input(self, file: LocalFile, *, decompress: bool) -> object:
        """An input, which is unpacked if it says so and is an archive."""

    def template(self, task: TemplateTask) -> object:
        """A template as the platform reads it."""


@dataclass(frozen=True, slots=True)
class ByContent:
    """References by content and name; `templates` maps a template task's key to that of what is uploaded."""

    templates: Mapping[str, str]

    def file(self, file: LocalFile) -> object:
        """See Refer."""
        return content_reference(reference_of(file.sha256, file.name))

    def input(self, file: LocalFile, *, decompress: bool) -> object:
        """See Refer."""
        return {**content_reference(reference_of(file.sha256, file.name)), "decompress": decompress}

    def template(self, task: TemplateTask) -> object:
        """See Refer."""
        return content_reference(self.templates[template_key(task)])


def plain_payload(spec: Spec, refer: Refer) -> dict[str, object]:
    """The create call of a job as the study says it, without a name and rows."""
    job = spec.job
    samples_there = spec.design.sampling is Sampling.PLATFORM
    payload: dict[str, object] = {
        "caseFile": _case_file(job.case_file, refer),
        "jobvariables": _job_variables(spec),
        "jobanalyses": [_analysis(analysis, refer) for analysis in spec.analyses],
        "isLowPriority": job.is_low_priority,
        "isTemplateDryRun": job.is_template_dry_run,
        "includeNominalRun": job.include_nominal_run and samples_there,
        "monteCarloIterations": spec.design.iterations if samples_there else None,
    }
    if job.tags:
        payload["tags"] = list(job.tags)
    if job.resource_filters is not None:
        payload["resourceFilters"] = [dict(entry) for entry in job.resource_filters]
    return payload


@dataclass(frozen=True, slots=True)
class Dress:
    """What goes around the steps of one analysis; the files by their references, None where there is none.

    `post` is the generated post-processing step, which only the last analysis has, `texts` the tables of texts,
    which the first has; `is_wrapped` says that
    commands leave their exit codes behind. They put back the files `kept`, which later steps need, the user's
    pre-processing `kept_by_pre`.
    """

    preparation: Preparation
    variables: str | None
    pre: str | None
    post: str | None
    texts: tuple[str, ...]
    is_first: bool
    is_wrapped: bool
    kept: tuple[str, ...] = ()
    kept_by_pre: tuple[str, ...] = ()


def dressed(
    plain: Mapping[str, object],
    spec: Spec,
    dress: Sequence[Dress],
    *,
    name: str,
    markers: Mapping[str, str],
    parameters: str | None,
) -> dict[str, object]:
    """The create call of one job, as it is sent; `dress` goes with its analyses.

    `markers` stand in the environment of its first analysis; `parameters` refers to its parameter
    CSV (None: the job has no CSV).
    """
    analyses = plain["jobanalyses"]
    assert isinstance(analyses, list)
    payload = {
        "name": name,
        "paramFile": content_reference(parameters) if parameters else None,
        **plain,
        "jobanalyses": [
            _dressed_analysis(entry, analysis, around, markers if around.is_first else {})
            for entry, analysis, around in zip(analyses, spec.analyses, dress, strict=True)
        ],
    }
    return payload | _passed_through(spec, payload)


def _passed_through(spec: Spec, payload: Mapping[str, object]) -> dict[str, object]:
    """The job's `raw`; its `jobvariables` (such as outputs) are added, one of the same name replaces ours."""
    raw, ours = dict(spec.job.raw or {}), payload["jobvariables"]
    added = raw.get("jobvariables")
    if isinstance(added, list) and isinstance(ours, list):
        names = [entry.get("name") for entry in added if isinstance(entry, Mapping)]
        raw["jobvariables"] = [*(entry for entry in ours if entry["name"] not in names), *added]
    return raw


def template_key(task: TemplateTask) -> str:
    """What tells templates apart before they are lowered: content and name, syntax, encoding, and the names kept."""
    return ",".join(
        [task.source.sha256, task.syntax, task.text_encoding, *sorted(task.keep), task.source.name]
    )


def sampling_unit(spec: Spec) -> str:
    """The digest of a job that the platform samples itself: same generators, same job; 16 hex digits."""
    laws = {
        str(entry["name"]): [entry["valueGeneratorType"], entry["valueGeneratorSettings"]]
        for entry in _job_variables(spec)
    }
    unit = {
        "laws": laws,
        "iterations": spec.design.iterations,
        "nominal": spec.job.include_nominal_run,
        "seed": spec.seed,
    }
    return digest("doe1-unit", unit)[:16]


def _case_file(source: LocalFile | PlatformFile | None, refer: Refer) -> object:
    if source is None:
        return None
    return {"id": source.id} if isinstance(source, PlatformFile) else refer.file(source)


def _job_variables(spec: Spec) -> list[dict[str, object]]:
    """The variables with their generators if the platform samples; else only where the user says more.

    A job with a CSV needs no list: the platform derives it from the header.
    """
    samples_there = spec.design.sampling is Sampling.PLATFORM
    if not samples_there and all(v.role == "Param" and not v.raw for v in spec.variables):
        return []
    has_nominal_run = spec.job.include_nominal_run and samples_there
    return [
        _job_variable(variable, order, samples_there, has_nominal_run)
        for order, variable in enumerate(spec.variables)
    ]


def _job_variable(
    variable: Variable, order: int, samples_there: bool, has_nominal_run: bool
) -> dict[str, object]:
    kind = ""
    settings: Mapping[str, object] = {}
    match variable.law:
        case Levels() | Formula() | FromTable() | FromCases() | Constant():
            if samples_there and isinstance(variable.law, Constant):
                value = float(variable.law.text)
                kind, settings = "Linspace", {"minvalue": value, "maxvalue": value, "count": 1}
        case law:
            if samples_there:
                kind, settings = law_to_wire(law)
    if has_nominal_run and variable.varies and variable.nominal is not None:
        settings = {**settings, "nominal": float(variable.nominal)}
    return {
        "name": variable.name,
        "variableType": variable.role,
        "displayOrder": order,
        "valueGeneratorType": kind,
        "valueGeneratorSettings": settings,
        **(variable.raw or {}),
    }


def _analysis(analysis: Analysis, refer: Refer) -> dict[str, object]:
    pre, post = analysis.pre_process, analysis.post_process
    return {
        "analysis": {"code": analysis.code, **({"version": analysis.version} if analysis.version else {})},
        "command": analysis.command,
        "hardware": _hardware(analysis.hardware),
        "inputFiles": [_input(file, refer) for file in analysis.input_files],
        "templateTasks": [
            {"templateFile": refer.template(task), "processedFilename": task.target}
            for task in analysis.templates
        ],
        "envVars": dict(analysis.env_vars or {}),
        "useMpi": analysis.use_mpi,
        "useRescaleLicense": analysis.use_rescale_license,
        "preProcessScript": refer.file(pre.file) if pre else None,
        "preProcessScriptCommand": pre.command if pre else "",
        "postProcessScript": refer.file(post.file) if post else None,
        "postProcessScriptCommand": post.command if post else "",
        **(analysis.raw or {}),
    }


def _input(file: InputFile, refer: Refer) -> object:
    if isinstance(file.source, PlatformFile):
        return {"id": file.source.id, "decompress": file.decompress}
    return refer.input(file.source, decompress=file.decompress)


def _dressed_analysis(
    plain: Mapping[str, object], analysis: Analysis, dress: Dress, markers: Mapping[str, str]
) -> dict[str, object]:
    """Of the user's scripts those that a generated one starts go among the inputs."""
    prepared = dress.preparation
    inputs, tasks = plain["inputFiles"], plain["templateTasks"]
    more_inputs: list[object] = [
        {**content_reference(reference), "decompress": False} for reference in dress.texts
    ]
    fields: dict[str, object] = {
        **plain,
        "command": _command(analysis, dress),
        "envVars": {**static_environment(analysis), **markers},
    }
    if dress.variables is not None and isinstance(tasks, list):
        task = {
            "templateFile": content_reference(dress.variables),
            "processedFilename": prepared.variables_name,
        }
        fields["templateTasks"] = [*tasks, task]
    for kind, script, generated, command in (
        ("preProcessScript", analysis.pre_process, dress.pre, f". ./{prepared.script_name}"),
        ("postProcessScript", analysis.post_process, dress.post, POST_COMMAND),
    ):
        reference = plain[kind]
        if generated is not None:
            if isinstance(reference, Mapping):
                more_inputs.append({**reference, "decompress": False})
            fields[kind] = content_reference(generated)
            fields[f"{kind}Command"] = command
        elif script is not None:
            fields[f"{kind}Command"] = prepared.before + script.command
        if script is not None and script is analysis.pre_process:
            fields[f"{kind}Command"] = guarded_command(str(fields[f"{kind}Command"]), dress.kept_by_pre)
    if more_inputs and isinstance(inputs, list):
        fields["inputFiles"] = [*inputs, *more_inputs]
    return fields | dict(analysis.raw or {})


def _command(analysis: Analysis, dress: Dress) -> str:
    command = dress.preparation.before + analysis.command
    if dress.is_wrapped:
        return wrapped_command(command, analysis.run_timeout_s, is_first=dress.is_first, kept=dress.kept)
    if analysis.run_timeout_s is not None:
        command = timed_command(command, analysis.run_timeout_s)
    return guarded_command(command, dress.kept)


def _hardware(hardware: Hardware) -> dict[str, object]:
    return {
        "coreType": hardware.core_type,
        "coresPerSlot": hardware.cores_per_slot,
        "slots": hardware.slots,
        "walltime": hardware.walltime_h,
    }
