"""The section `analyses` of an imported study, with the names of its files."""

from collections.abc import Mapping
from dataclasses import dataclass

from doe_compiler.bundle.importing.files import (
    Reference,
    Shelf,
    file_name,
    names_in_runs,
    template_file,
)
from doe_compiler.bundle.importing.notes import Notes
from doe_compiler.bundle.importing.reading import entries, flag, mapping, number, said, text, whole
from doe_compiler.bundle.importing.steps import Step
from doe_compiler.spec.decks import deck_problem
from doe_compiler.spec.files import target_problem
from doe_compiler.spec.yaml_text import Path
from doe_compiler.templates.lowering import raised

_KNOWN = frozenset(
    {
        "analysis",
        "command",
        "hardware",
        "inputFiles",
        "templateTasks",
        "envVars",
        "useMpi",
        "useRescaleLicense",
        "preProcessScript",
        "preProcessScriptCommand",
        "postProcessScript",
        "postProcessScriptCommand",
        "id",
        "order",
    }
)
_KNOWN_HARDWARE = frozenset({"coreType", "coresPerSlot", "slots", "walltime", "coreSummary"})


@dataclass(frozen=True, slots=True)
class Placeholders:
    """What templates may name: `names` from the platform's to the study's, those of the case file left alone.

    `dollar` is the name of a constant that holds a `$`, or None where the study cannot have one.
    """

    names: Mapping[str, str]
    of_cases: frozenset[str]
    dollar: str | None


@dataclass(slots=True)
class Analyses:
    """The entries of the section; `needs_dollar` says that a template uses the constant for `$`."""

    entries: list[dict[str, object]]
    needs_dollar: bool = False


def imported_analyses(
    steps: tuple[Step, ...],
    contents: Mapping[str, bytes],
    placeholders: Placeholders,
    shelf: Shelf,
    notes: Notes,
) -> Analyses:
    """The analyses in order; their files are put on the shelf."""
    names = names_in_runs(
        file
        for step in steps
        for file in (*step.inputs, step.pre_script, step.post_script)
        if file is not None
    )
    last_of = _last_of_targets(steps)
    result = Analyses([])
    for index, step in enumerate(steps):
        maker = _Maker(("analyses", index), names, shelf, notes)
        templates = _Templates(maker.path, contents, placeholders, shelf, notes)
        tasks = [
            entry
            for position, task in enumerate(entries(step.raw.get("templateTasks")))
            if (entry := templates.entry(task, is_last=last_of[_target(task)] == (index, position)))
        ]
        result.entries.append(maker.entry(step, tasks))
        result.needs_dollar |= templates.needs_dollar
    return result


def _target(task: Mapping[str, object]) -> str:
    return text(task.get("processedFilename"))


def _last_of_targets(steps: tuple[Step, ...]) -> dict[str, tuple[int, int]]:
    return {
        _target(task): (index, position)
        for index, step in enumerate(steps)
        for position, task in enumerate(entries(step.raw.get("templateTasks")))
    }


class _Maker:
    """Makes the entry of one analysis."""

    def __init__(self, path: Path, names: Mapping[tuple[str, str], str], shelf: Shelf, notes: Notes) -> None:
        self.path = path
        self._names = names
        self._shelf = shelf
        self._notes = notes

    def entry(self, step: Step, templates: list[dict[str, object]]) -> dict[str, object]:
        software = mapping(step.raw.get("analysis"))
        code, version = text(software.get("code")), text(software.get("version"))
        raw = said(step.raw, _KNOWN)
        found: dict[str, object] = {
            "analysis": {"code": code, **({"version": version} if version else {})},
            "command": step.command,
            "hardware": self._hardware(mapping(step.raw.get("hardware"))),
        }
        if step.run_timeout_s is not None:
            found["runTimeout"] = f"{step.run_timeout_s}s"
        inputs = self._inputs(step)
        found |= {"inputFiles": inputs} if inputs else {}
        found |= {"templates": templates} if templates else {}
        found |= {"envVars": dict(step.env_vars)} if step.env_vars else {}
        for kind, file, command in (
            ("preProcess", step.pre_script, step.pre_command),
            ("postProcess", step.post_script, step.post_command),
        ):
            found |= self._script(kind, file, command, raw)
        for key in ("useMpi", "useRescaleLicense"):
            found |= {key: True} if flag(step.raw.get(key)) else {}
        return found | ({"raw": raw} if raw else {})

    def _hardware(self, hardware: Mapping[str, object]) -> dict[str, object]:
        core_type = hardware.get("coreType")
        code = text(mapping(core_type).get("code")) or text(core_type)
        found: dict[str, object] = {"coreType": code}
        cores, slots = whole(hardware.get("coresPerSlot")), whole(hardware.get("slots"))
        walltime = number(hardware.get("walltime"))
        found |= {"coresPerSlot": cores or 1, "slots": slots or 1}
        found |= {"walltime": walltime} if walltime else {}
        for key, read in (("coresPerSlot", cores), ("slots", slots), ("walltime", walltime)):
            if read is None and hardware.get(key) not in (None, ""):
                message = f"the hardware's {key} ({hardware[key]}) is no number: it is left out"
                self._notes.add((*self.path, "hardware"), message)
        for key, value in said(hardware, _KNOWN_HARDWARE).items():
            message = f"the hardware's {key} ({value}) has no word in the study language"
            self._notes.add((*self.path, "hardware"), message)
        return found

    def _inputs(self, step: Step) -> list[object]:
        found: list[object] = []
        paths: dict[str, int] = {}
        for file in step.inputs:
            path = self._placed("inputs", file, ("inputFiles", len(found)))
            if path in paths:
                self._notes.add(
                    (*self.path, "inputFiles", paths[path]), f"'{file.name}' was listed more than once"
                )
                continue
            paths[path] = len(found)
            found.append(path if file.decompress else {"path": path, "decompress": False})
        return found

    def _placed(self, folder: str, file: Reference, where: Path) -> str:
        name = self._names[file.name, file.identity]
        if name != file.name:
            message = f"this file is called {file.name!r} in the runs of the job, and {name!r} here"
            if name != file_name(file.name):
                message += ": two files had that name, and the later one keeps it"
            self._notes.add((*self.path, *where), message)
        return self._shelf.place(folder, name, file.id)

    def _script(
        self, kind: str, file: Reference | None, command: str, raw: dict[str, object]
    ) -> dict[str, object]:
        """The entry of a script; what has only a script or only a command is said under `raw`."""
        if file is None:
            if command.strip():
                raw[f"{kind}ScriptCommand"] = command
            return {}
        path = self._placed("scripts", file, (kind,))
        if command.strip():
            return {kind: {"script": path, "command": command}}
        raw[f"{kind}ScriptCommand"] = command
        message = "the job gives no command for this script: the empty one under raw counts"
        self._notes.add((*self.path, kind), message)
        return {kind: {"script": path, "command": f"sh {path.rpartition('/')[2]}"}}


class _Templates:
    """Makes the entries of one analysis' templates."""

    def __init__(
        self,
        path: Path,
        contents: Mapping[str, bytes],
        placeholders: Placeholders,
        shelf: Shelf,
        notes: Notes,
    ) -> None:
        self._path = (*path, "templates")
        self._contents = contents
        self._placeholders = placeholders
        self._shelf = shelf
        self._notes = notes
        self._count = 0
        self.needs_dollar = False

    def entry(self, task: Mapping[str, object], *, is_last: bool) -> dict[str, object] | None:
        """The entry of a template task; None, with a note, if the language cannot say it."""
        file, target = template_file(task), _target(task)
        if file is None:
            return None
        name = file_name(file.name)
        problem = self._problem(file, target, is_last=is_last)
        if problem:
            path = self._shelf.place("templates", name, file.id)
            message = f"the template {path} for {target!r} is left out: {problem}"
            self._notes.add(self._path, message)
            return None
        path = self._shelf.place("templates", name, file.id, self._content(file))
        self._count += 1
        syntax = {"syntax": "platform"} if name.endswith(".j2") else {}
        return {"source": path, "target": target, **syntax}

    def _problem(self, file: Reference, target: str, *, is_last: bool) -> str:
        content = self._contents.get(file.id)
        if not is_last:
            return "a later template is written to the same place"
        if target_problem(target):
            return f"its target {target_problem(target)}"
        if content is None:
            return "it is too large for a template"
        problem = deck_problem(content, "", target)
        return f"it is not text: {problem.message}" if problem else ""

    def _content(self, file: Reference) -> bytes | None:
        """The template in the language of studies, None if that is the very text of the platform's."""
        known, where = self._placeholders, (*self._path, self._count)
        names = {**{name: name for name in known.of_cases}, **known.names}
        before = self._contents[file.id]
        found = raised(before.decode("utf-8", "surrogateescape"), names, known.dollar or "")
        for text_ in found.strange[:5]:
            self._notes.add(where, f"{text_} names no variable of the job: it is left as text, {'$' + text_}")
        if found.has_dollars:
            if known.dollar is None:
                message = "a '$' right before a placeholder cannot be said here: look at the template"
                self._notes.add(where, message)
                return None
            self.needs_dollar = True
        content = found.text.encode("utf-8", "surrogateescape")
        return None if content == before else content
