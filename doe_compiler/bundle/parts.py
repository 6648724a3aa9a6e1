"""What a recipe is made of, by names that tell a person what changed; a job carries it in its environment.

    {"command": "./solve", "template deck.inp": "=77c1…", "constant rho": "1.2 as 0.0"}

An older job tells its own parts, so what changed can be said in a clean checkout too.
"""

import difflib
import re
from collections.abc import Iterator, Mapping

from doe_compiler.bundle.definitions import reached_names, told_definition
from doe_compiler.bundle.recipe import entries, recipe
from doe_compiler.kernel.canonical import canonical_json, digest
from doe_compiler.spec.model import Analysis, Constant, LocalFile, Spec, TemplateTask
from doe_compiler.templates.lowering import lowered

DIGEST_SIGN = "="
HAS_CHANGED = "has changed"
DERIVED_PART = "template column "
_ORDER = "order of inputs"
_LONGEST_TEXT = 160
_MOST_BYTES = 24_000
_TOLD = {
    "preProcessScript": "script of preProcess",
    "preProcessScriptCommand": "command of preProcess",
    "postProcessScript": "script of postProcess",
    "postProcessScriptCommand": "command of postProcess",
}


def parts(spec: Spec) -> dict[str, str]:
    """The parts of a study's recipe: a short text as it is, anything else as `=` and its digest.

    Analyses beyond the first are numbered. If that is more than an environment variable should hold, all are
    digests.
    """
    found = dict(_parts(spec))
    told = {name: _told(value) for name, value in found.items()}
    if len(canonical_json(told)) <= _MOST_BYTES:
        return told
    return {name: _digested(value) for name, value in found.items()}


def _parts(spec: Spec) -> Iterator[tuple[str, object]]:
    whole = recipe(spec)
    described = entries(whole.pop("jobanalyses"))
    for number, (analysis, fields) in enumerate(zip(spec.analyses, described, strict=True)):
        for name, value in _parts_of_analysis(analysis, fields):
            yield f"{name}{_where(number)}", value
    variables = whole.pop("jobvariables", {})
    assert isinstance(variables, dict)
    for name, value in variables.items():
        yield f"role and raw of {name}", value
    yield from whole.items()
    reached = reached_names(spec)
    for variable in spec.variables:
        told = told_definition(variable)
        if told is not None and variable.name in reached:
            kind = "constant" if isinstance(variable.law, Constant) else "expression"
            yield f"{kind} {variable.name}", told
    for column in spec.derived:
        yield f"{DERIVED_PART}{column.name}", column.shown
    if "doe_seed" in reached:
        yield "seed", str(spec.seed)


def _where(number: int) -> str:
    return f" of analysis {number + 1}" if number else ""


def _parts_of_analysis(analysis: Analysis, fields: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Templates count by their text here: what their placeholders stand for are parts of their own."""
    raw = analysis.raw or {}
    for key, value in fields.items():
        match key, value:
            case "analysis", {"code": str(code), **more}:
                yield "software", f"{code} {more.get('version', '')}".strip()
            case "inputFiles", list(inputs) if all(isinstance(file, Mapping) for file in inputs):
                yield from ((f"input {_input_name(file)}", file) for file in inputs)
                if len(inputs) > 1:
                    yield _ORDER, [_input_name(file) for file in inputs]
            case "columns", dict(columns):
                yield from ((f"column {name}", "named in a step") for name in columns)
            case "templateTasks", list(tasks) if key not in raw:
                for template, task in zip(analysis.templates, tasks, strict=True):
                    told = [lowered(template.lowered), *_beyond_text(task)]
                    yield f"template {template.target}", told
            case "envVars", dict(variables):
                yield from ((f"environment variable {name}", text) for name, text in variables.items())
            case _:
                yield _TOLD.get(key, key), value


def _input_name(file: Mapping[str, object]) -> object:
    return file.get("name", file.get("id"))


def _beyond_text(task: Mapping[str, object]) -> list[object]:
    """What tells a template apart besides its text, such as its x bit."""
    file = task["templateFile"]
    return [{key: file[key] for key in file if key != "text"}] if isinstance(file, Mapping) else []


def part_texts(spec: Spec) -> dict[str, bytes]:
    """The contents of the parts that are files, by the names of `parts`, as far as they are at hand."""
    found: dict[str, bytes | None] = {}
    for number, analysis in enumerate(spec.analyses):
        where = _where(number)
        found[f"command{where}"] = analysis.command.encode()
        found |= {f"template {t.target}{where}": _bytes(t) for t in analysis.templates}
        for file in analysis.input_files:
            if isinstance(file.source, LocalFile):
                found[f"input {file.source.name}{where}"] = file.source.content
        if analysis.pre_process:
            found[f"script of preProcess{where}"] = analysis.pre_process.file.content
        if analysis.post_process:
            found[f"script of postProcess{where}"] = analysis.post_process.file.content
    return {name: content for name, content in found.items() if content is not None}


_DERIVED = re.compile(rb"\$\{(doe_[0-9a-f]{16})\}")


def readable(template: bytes, parts: Mapping[str, object]) -> bytes:
    """A lowered template with what its derived columns stand for, as far as the parts of its job tell that."""

    def shown(found: re.Match[bytes]) -> bytes:
        told = parts.get(DERIVED_PART + found[1].decode())
        return found[0] if told is None or _is_digest(told) else str(told).encode()

    return _DERIVED.sub(shown, template)


def _bytes(task: TemplateTask) -> bytes:
    return lowered(task.lowered).encode("utf-8", "surrogateescape")


def _told(value: object) -> str:
    is_short = isinstance(value, str) and len(value) <= _LONGEST_TEXT and value.isprintable()
    if isinstance(value, bool | int) or (is_short and not str(value).startswith(DIGEST_SIGN)):
        return str(value)
    return _digested(value)


def _digested(value: object) -> str:
    return DIGEST_SIGN + digest("doe2-part", value)[:10]


def part_changes(then: Mapping[str, object], now: Mapping[str, str]) -> dict[str, str]:
    """What tells two recipes apart, a sentence a part: `{"command": "'./a' is now './b'"}`."""
    found = {}
    are_inputs_the_same = _inputs_of(then) == _inputs_of(now)
    for name in sorted({*then, *now}):
        before, after = then.get(name), now.get(name)
        if before == after or (name.startswith(_ORDER) and (before is None or not are_inputs_the_same)):
            continue
        if before is None:
            found[name] = "is new" if _is_digest(after) else f"is new: {after!r}"
        elif after is None:
            found[name] = "is gone" if _is_digest(before) else f"is gone: it was {before!r}"
        elif _is_digest(before) or _is_digest(after):
            found[name] = HAS_CHANGED
        else:
            found[name] = f"{before!r} is now {after!r}"
    return found


def _inputs_of(parts: Mapping[str, object]) -> set[str]:
    return {name for name in parts if name.startswith("input ")}


_MOST_LINES = 20_000
_MOST_SHOWN = 3
_LONGEST_LINE = 80


def line_changes(before: bytes, now: bytes) -> str | None:
    """The first lines in which two texts differ: "line 3: 'x = 1' is now 'x = 2'"; None where that tells nothing."""
    try:
        then, after = before.decode().split("\n"), now.decode().split("\n")
    except UnicodeDecodeError:
        return None
    if then == after or max(len(then), len(after)) > _MOST_LINES:
        return None
    told = []
    for tag, i, end_i, j, end_j in difflib.SequenceMatcher(None, then, after, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        for offset in range(max(end_i - i, end_j - j)):
            was = then[i + offset] if i + offset < end_i else None
            is_now = after[j + offset] if j + offset < end_j else None
            if was is None:
                told.append(f"line {j + offset + 1} is new: {_shown(is_now or '')}")
            elif is_now is None:
                told.append(f"line {i + offset + 1} is gone: it was {_shown(was)}")
            else:
                start = _first_shown(was, is_now)
                told.append(f"line {j + offset + 1}: {_shown(was, start)} is now {_shown(is_now, start)}")
    more = f"; and {len(told) - _MOST_SHOWN} more lines" if len(told) > _MOST_SHOWN else ""
    return "; ".join(told[:_MOST_SHOWN]) + more


def _first_shown(line: str, other: str) -> int:
    """Where to begin showing two lines so that their first difference is seen."""
    same = next(
        (i for i, (a, b) in enumerate(zip(line, other, strict=False)) if a != b), min(len(line), len(other))
    )
    return 0 if same < _LONGEST_LINE // 2 else same - _LONGEST_LINE // 3


def _shown(line: str, start: int = 0) -> str:
    before, after = "…" * (start > 0), "…" * (len(line) > start + _LONGEST_LINE)
    return repr(f"{before}{line[start : start + _LONGEST_LINE]}{after}")


def _is_digest(part: object) -> bool:
    return not isinstance(part, str) or part.startswith(DIGEST_SIGN)
