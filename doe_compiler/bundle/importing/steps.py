"""The analyses of a job without what `doe` has added to them: the user's commands, scripts and variables."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from doe_compiler.bundle.importing.files import Reference, inputs, script
from doe_compiler.bundle.importing.reading import entries, mapping, text
from doe_compiler.bundle.importing.unwrapping import GeneratedPost, generated_post, plain_command, unguarded
from doe_compiler.bundle.preparation import PRE, VARIABLES, generated_pre, made_executable, unprepared
from doe_compiler.bundle.steps import POST_COMMAND
from doe_compiler.bundle.texts import (
    TEXTS_FILE,
    TEXTS_FILES,
    UTF_8,
    read_rendered,
    read_texts_table,
    rendered_file_name,
)

_MARKERS = frozenset({"DOE_STUDY", "DOE_RECIPE", "DOE_ROWS", "DOE_RESPONSES", "DOE_PARTS"})
_MARKERS_OF_APPLY = frozenset({"DOE_ORIGIN"})


@dataclass(frozen=True, slots=True)
class Step:
    """One analysis: `raw` is how the job has it, the rest what the user once wrote."""

    raw: Mapping[str, object]
    command: str
    run_timeout_s: int | None
    inputs: tuple[Reference, ...]
    env_vars: Mapping[str, str]
    pre_script: Reference | None
    pre_command: str
    post_script: Reference | None
    post_command: str


@dataclass(frozen=True, slots=True)
class Steps:
    """All analyses; `extractors` are those of the generated post-processing, `declared` all responses' names.

    `texts` are those for which names stand in the parameter CSV, by name; `executables` the paths in a run that
    a generated step made executable.
    """

    steps: tuple[Step, ...]
    extractors: tuple[Mapping[str, str], ...]
    declared: tuple[str, ...]
    texts: Mapping[str, str]
    executables: frozenset[str] = frozenset()


def steps_of(job: Mapping[str, object], contents: Mapping[str, bytes]) -> Steps:
    """The job's analyses as the user once wrote them; `contents` holds the scripts by id."""
    analyses = entries(job.get("jobanalyses"))
    steps = [_step(analysis, is_first=index == 0) for index, analysis in enumerate(analyses)]
    declared = _declared(analyses[0]) if analyses else ()
    post = _generated(steps[-1], contents) if steps else None
    if post is not None and post.declared:
        declared = post.declared
    if post is not None:
        steps[-1] = _without_post(steps[-1], post)
    texts = _texts(steps, contents) if analyses and _is_of_doe(analyses[0], steps) else {}
    executables = frozenset(
        path
        for step in steps
        if step.pre_script is not None
        for path in made_executable(contents.get(step.pre_script.id, b""))
    )
    steps = [_without_pre(_without_texts(step) if texts else step, contents) for step in steps]
    return Steps(
        tuple(steps),
        _read_by_platform(job) if post is None else post.extractors,
        declared,
        texts,
        executables,
    )


def _read_by_platform(job: Mapping[str, object]) -> tuple[Mapping[str, str], ...]:
    variables = entries(mapping(job.get("outputReading")).get("variables"))
    return tuple({str(key): text(value) for key, value in each.items()} for each in variables)


def _step(analysis: Mapping[str, object], *, is_first: bool) -> Step:
    plain = plain_command(text(analysis.get("command")), is_first=is_first)
    own = unprepared(plain.command)
    env_vars = {name: text(value) for name, value in mapping(analysis.get("envVars")).items()}
    if env_vars.keys() >= _MARKERS:
        ours = _MARKERS | _MARKERS_OF_APPLY
        env_vars = {name: value for name, value in env_vars.items() if name not in ours}
    return Step(
        raw=_without_variables(analysis),
        command=own.command,
        run_timeout_s=plain.run_timeout_s,
        inputs=inputs(analysis),
        env_vars={name: value.replace("$", "$$") for name, value in env_vars.items()} | own.env_vars,
        pre_script=script(analysis, "preProcessScript"),
        pre_command=unprepared(unguarded(text(analysis.get("preProcessScriptCommand")))).command,
        post_script=script(analysis, "postProcessScript"),
        post_command=unprepared(text(analysis.get("postProcessScriptCommand"))).command,
    )


def _is_of_doe(first: Mapping[str, object], steps: Sequence[Step]) -> bool:
    is_prepared = any(step.pre_command.startswith(f". ./{PRE}") for step in steps)
    return is_prepared or mapping(first.get("envVars")).keys() >= _MARKERS


def _texts(steps: Sequence[Step], contents: Mapping[str, bytes]) -> dict[str, str]:
    """The texts for which names stand; generated steps put them into the files of a run, where one holds them."""
    found: dict[str, str] = {}
    for file in (file for step in steps for file in step.inputs):
        if file.name == TEXTS_FILE:
            found |= read_texts_table(contents.get(file.id, b""))
        elif file.name == rendered_file_name(UTF_8):
            found |= read_rendered(contents.get(file.id, b""))
    return found


def _without_variables(analysis: Mapping[str, object]) -> Mapping[str, object]:
    """The analysis without the generated template that its steps source."""
    tasks = [
        task
        for task in entries(analysis.get("templateTasks"))
        if not re.fullmatch(rf"{VARIABLES}[0-9]*\.sh", text(task.get("processedFilename")))
    ]
    return {**analysis, "templateTasks": tasks} if analysis.get("templateTasks") else analysis


def _without_texts(step: Step) -> Step:
    return replace(step, inputs=tuple(file for file in step.inputs if not TEXTS_FILES.fullmatch(file.name)))


def _without_pre(step: Step, contents: Mapping[str, bytes]) -> Step:
    """The step with the user's own pre-processing, where a generated one stands before it."""
    if step.pre_script is None or not step.pre_command.startswith(f". ./{PRE}"):
        return step
    command = generated_pre(contents.get(step.pre_script.id, b""))
    if command is None:
        return step
    inputs = _without_texts(step).inputs
    if not command:
        return replace(step, inputs=inputs, pre_script=None, pre_command="")
    if not inputs or inputs[-1].decompress:
        return step
    return replace(step, inputs=inputs[:-1], pre_script=inputs[-1], pre_command=command)


def _generated(step: Step, contents: Mapping[str, bytes]) -> GeneratedPost | None:
    if step.post_script is None or step.post_command != POST_COMMAND:
        return None
    return generated_post(contents.get(step.post_script.id, b""))


def _without_post(step: Step, post: GeneratedPost) -> Step:
    """The step with the user's own script, which a generated one finds among the inputs, as the last."""
    if post.user_command is None:
        return replace(step, post_script=None, post_command="")
    own = step.inputs[-1] if step.inputs and not step.inputs[-1].decompress else None
    rest = step.inputs[:-1] if own is not None else step.inputs
    return replace(step, inputs=rest, post_script=own, post_command=unprepared(post.user_command).command)


def _declared(analysis: Mapping[str, object]) -> tuple[str, ...]:
    try:
        found = json.loads(text(mapping(analysis.get("envVars")).get("DOE_RESPONSES")) or "{}")
    except (ValueError, RecursionError):
        return ()
    return tuple(str(name) for name in found if name) if isinstance(found, dict) else ()
