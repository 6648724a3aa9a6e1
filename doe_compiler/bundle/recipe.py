"""The recipe: everything that determines what a run computes, except its row.

Not in it are hardware, priority, names, limits, sharing, units, the job's `raw`, run time-outs, what `doe`
adds itself, and the extractors of responses: changing those never buys a run again.
"""

from doe_compiler.expressions.parser import names as expression_names
from doe_compiler.kernel.canonical import digest
from doe_compiler.spec.model import (
    Analysis,
    Constant,
    Formula,
    InputFile,
    LocalFile,
    PlatformFile,
    Script,
    Spec,
    TemplateTask,
)

RECIPE_DOMAIN = "doe1-recipe"


def recipe_digest(spec: Spec) -> str:
    """The recipe of a study as 64 hexadecimal digits; the domain pins the version of this definition."""
    return digest(RECIPE_DOMAIN, recipe(spec))


def recipe(spec: Spec) -> dict[str, object]:
    """The recipe as plain data: contents by digest, texts as written, defaults left out."""
    used = used_names(spec)
    fixed: dict[str, object] = {}
    for variable in spec.variables:
        if variable.name not in used:
            continue
        if isinstance(variable.law, Constant):
            fixed[variable.name] = {"value": variable.law.text}
        elif isinstance(variable.law, Formula):
            fixed[variable.name] = _without_defaults(
                {
                    "expression": variable.law.source,
                    "format": variable.format,
                    "integer": variable.is_integer,
                }
            )
    return _without_defaults(
        {
            "analyses": [_analysis(analysis) for analysis in spec.analyses],
            "fixed": fixed,
            "dryRun": spec.job.is_template_dry_run,
            "caseFile": _file(spec.job.case_file) if spec.job.case_file else None,
        }
    )


def parts(spec: Spec) -> dict[str, str]:
    """Short digests of what the recipe is made of, by a name that tells a person what changed.

    `{"command": "0f3a…", "template deck.inp": "77c1…", "constant rho": …}`; analyses beyond the first are
    numbered.
    """
    whole = recipe(spec)
    found: dict[str, object] = {"dry run": whole.get("dryRun"), "case file": whole.get("caseFile")}
    fixed = whole.get("fixed", {})
    assert isinstance(fixed, dict)
    for name, value in fixed.items():
        found[f"{'constant' if 'value' in value else 'expression'} {name}"] = value
    analyses = whole.get("analyses", [])
    assert isinstance(analyses, list)
    for number, analysis in enumerate(analyses, 1):
        where = "" if number == 1 else f" of analysis {number}"
        for key, value in analysis.items():
            if key == "inputs":
                found |= {f"input {entry.get('name', entry.get('id'))}{where}": entry for entry in value}
            elif key == "templates":
                found |= {f"template of {entry['target']}{where}": entry for entry in value}
            elif key == "env":
                found |= {f"environment variable {name}{where}": text for name, text in value.items()}
            else:
                found[f"{_PART_NAMES[key]}{where}"] = value
    return {name: digest("doe1-part", value)[:_PART_DIGITS] for name, value in found.items() if value}


_PART_DIGITS = 10
_PART_NAMES = {
    "code": "software",
    "version": "version",
    "command": "command",
    "pre": "pre-processing",
    "post": "post-processing",
    "mpi": "useMpi",
    "raw": "raw",
}


def used_names(spec: Spec) -> frozenset[str]:
    """The variables that reach a run: those in templates, and those that their expressions read."""
    formulas = {
        variable.name: variable.law.expression
        for variable in spec.variables
        if isinstance(variable.law, Formula)
    }
    reached: set[str] = set()
    waiting = [
        name for analysis in spec.analyses for task in analysis.templates for name in task.template.names
    ]
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        if name in formulas:
            waiting.extend(expression_names(formulas[name]))
    return frozenset(reached)


def _analysis(analysis: Analysis) -> dict[str, object]:
    return _without_defaults(
        {
            "code": analysis.code,
            "version": analysis.version,
            "command": analysis.command,
            "inputs": [_input(file) for file in analysis.input_files],
            "templates": [_template(task) for task in analysis.templates],
            "env": dict(analysis.env_vars or {}),
            "pre": _script(analysis.pre_process),
            "post": _script(analysis.post_process),
            "mpi": analysis.use_mpi,
            "raw": dict(analysis.raw or {}),
        }
    )


def _input(file: InputFile) -> dict[str, object]:
    return {**_file(file.source), "decompress": file.decompress}


def _file(source: LocalFile | PlatformFile) -> dict[str, object]:
    if isinstance(source, PlatformFile):
        return {"id": source.id}
    return {"name": source.name, "sha256": source.sha256}


def _template(task: TemplateTask) -> dict[str, object]:
    return _without_defaults({"target": task.target, "sha256": task.source.sha256, "keep": sorted(task.keep)})


def _script(script: Script | None) -> dict[str, object] | None:
    if script is None:
        return None
    return {"name": script.file.name, "sha256": script.file.sha256, "command": script.command}


def _without_defaults(fields: dict[str, object]) -> dict[str, object]:
    """Leave out what is empty, so that a key added to the language later changes no old recipe."""
    return {key: value for key, value in fields.items() if value not in (None, False, [], {}, "")}
