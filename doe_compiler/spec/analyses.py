"""The `analyses` section: software, commands, and the files of each step, opened and checked."""

import posixpath
from collections.abc import Iterable

from doe_compiler.kernel.findings import Place, has_errors
from doe_compiler.spec.decks import UTF_8, deck_problem, encoding_of, takes_utf8, tell_carriage_returns
from doe_compiler.spec.durations import seconds_of
from doe_compiler.spec.files import Project, deck_reader, local_file, shown_path, target_problem
from doe_compiler.spec.inputs import file_or_id
from doe_compiler.spec.model import Analysis, Hardware, InputFile, LocalFile, Script, TemplateTask
from doe_compiler.spec.nodes import Fields, Items, Node, Scalar
from doe_compiler.spec.report import Report
from doe_compiler.spec.reserved import tell_reserved
from doe_compiler.templates.syntaxes import JINJA, default_syntax, syntax
from doe_compiler.templates.template import Source

_LONGEST_RUN_S = 366 * 86400


def read_analyses(
    section: Items, bad: frozenset[int], project: Project, report: Report
) -> tuple[Analysis, ...]:
    """The analyses in order; those in `bad` do not fit the schema and are left out."""
    analyses = [
        _analysis(node, project, report)
        for index, node in enumerate(section)
        if index not in bad and isinstance(node, Fields)
    ]
    _check_names_of_inputs(section, analyses, report)
    _check_paths_of_inputs(section, analyses, report)
    _check_targets(section, report)
    return tuple(analyses)


def _analysis(fields: Fields, project: Project, report: Report) -> Analysis:
    software = fields.fields("analysis") or fields
    return Analysis(
        code=software.text("code"),
        version=software.text("version") or None,
        command=_command(fields, report),
        hardware=_hardware(fields.fields("hardware") or fields),
        place=fields.place,
        run_timeout_s=_run_timeout(fields, report),
        input_files=_input_files(fields, project, report),
        templates=_templates(fields, project, report),
        env_vars=_env_vars(fields, report),
        pre_process=_script(fields, "preProcess", project, report),
        post_process=_script(fields, "postProcess", project, report),
        use_mpi=fields.flag("useMpi"),
        use_rescale_license=fields.flag("useRescaleLicense"),
        raw=fields.plain("raw"),
    )


def _command(fields: Fields, report: Report) -> str:
    command = fields.text("command")
    if not command.strip():
        report.error("E107", "'command' is blank", fields.place_of("command"), "say what a run starts")
    if "\0" in command:
        report.error("E107", "'command' holds a NUL character", fields.place_of("command"))
    return command


def _hardware(fields: Fields) -> Hardware:
    cores = fields.scalar("coresPerSlot")
    return Hardware(
        fields.text("coreType"),
        fields.integer("coresPerSlot") or 1,
        fields.integer("slots") or 1,
        fields.real("walltime"),
        cores.place if cores else None,
    )


def _run_timeout(fields: Fields, report: Report) -> int | None:
    node = fields.scalar("runTimeout")
    if node is None:
        return None
    seconds = seconds_of(node.text)
    if seconds is None:
        hint = (
            f"say {node.text}s or {node.text}m" if node.text.isdigit() else "for example 90s, 20m, 1h30m, 2d"
        )
        report.error("E107", f"'runTimeout' is '{node.text}', not a duration with its unit", node.place, hint)
    elif seconds > _LONGEST_RUN_S:
        report.error("E106", f"'runTimeout' ({node.text}) is more than a year", node.place)
    return seconds


def _input_files(fields: Fields, project: Project, report: Report) -> tuple[InputFile, ...]:
    found = (file_or_id(node, project, report) for node in fields.items("inputFiles"))
    return tuple(InputFile(source, is_unpacked) for source, is_unpacked in filter(None, found))


def _env_vars(fields: Fields, report: Report) -> dict[str, str] | None:
    section = fields.fields("envVars")
    if section is None:
        return None
    for name in section.entries:
        if "\0" in section.text(name):
            report.error("E107", f"'{name}' holds a NUL character", section.place_of(name))
    return {name: section.text(name) for name in section.entries}


def _script(fields: Fields, key: str, project: Project, report: Report) -> Script | None:
    section = fields.fields(key)
    node = None if section is None else section.scalar("script")
    if section is None or node is None:
        return None
    file = local_file(node, project, report, keep=True)
    if not section.text("command").strip():
        report.error(
            "E107", "'command' is blank", section.place_of("command"), "say how the script is started"
        )
    if file is None:
        return None
    tell_carriage_returns(file, section.text("command"), node, report)
    return Script(file, section.text("command"))


def _templates(fields: Fields, project: Project, report: Report) -> tuple[TemplateTask, ...]:
    tasks = [
        _template(node, project, report) for node in fields.items("templates") if isinstance(node, Fields)
    ]
    return tuple(task for task in tasks if task is not None)


def _template(fields: Fields, project: Project, report: Report) -> TemplateTask | None:
    node = fields.scalar("source")
    if node is None:
        return None
    keep = tuple(item.text for item in fields.items("keep") if isinstance(item, Scalar))
    file = local_file(node, project, report, keep=True)
    if file is None or file.content is None:
        return None
    encoding = encoding_of(fields, report)
    if encoding is None:
        return None
    shown = shown_path(project, node.text)
    problem = deck_problem(file.content, encoding, shown)
    if problem is not None:
        hint = f"{problem.hint}; a binary file goes under inputFiles"
        report.error("E306", f"the template '{node.text}' is not text: {problem.message}", node.place, hint)
        return None
    is_utf8 = takes_utf8(file.content, encoding)
    named = fields.text("syntax") or default_syntax(node.text)
    if named == JINJA and keep:
        message = "'keep' is for the platform's syntax: Jinja leaves `${` alone"
        report.error("E116", message, fields.place_of("keep"), "remove it")
    # Bytes of other encodings, a byte order mark and line ends are part of the template: they stay as they are.
    codec = encoding if named == JINJA and not is_utf8 and encoding else UTF_8
    source = Source(
        file.content.decode(codec, "surrogateescape"),
        posixpath.normpath(node.text),
        str(project.folder),
        keep,
        deck_reader(project, codec),
    )
    template, findings, texts = syntax(named).parse(source)
    for name, text in texts.items():
        report.lines[name] = _shown_lines(text)
    report.findings += findings
    tell_carriage_returns(file, "", node, report)
    if has_errors(findings) or template is None:
        return None
    return TemplateTask(
        file, fields.text("target"), template, keep, takes_utf8=is_utf8, encoding=encoding, syntax=named
    )


def _shown_lines(text: str) -> list[str]:
    content = text.encode("utf-8", "surrogateescape")
    return content.decode("utf-8", "replace").removeprefix("\ufeff").split("\n")


def _check_targets(section: Iterable[Node], report: Report) -> None:
    seen: dict[str, Place] = {}
    for node in _each(section, "templates"):
        target = node.scalar("target") if isinstance(node, Fields) else None
        if target is None or not isinstance(target.value, str):
            continue
        problem = target_problem(target.text)
        normal = posixpath.normpath(target.text)
        if problem:
            hint = "give a path inside of the run's directory, such as case/input.txt"
            report.error("E310", f"the target '{target.text}' {problem}", target.place, hint)
        elif normal in seen:
            message = f"'{target.text}' is written twice: first in line {seen[normal].line}"
            report.error("E311", message, target.place, "give each template its own target")
        tell_reserved(normal, f"the target '{target.text}'", target.place, report)
        seen.setdefault(normal, target.place)


def _each(section: Iterable[Node], key: str) -> Iterable[Node]:
    return (node for fields in section if isinstance(fields, Fields) for node in fields.items(key))


def _check_names_of_inputs(section: Items, analyses: list[Analysis], report: Report) -> None:
    """Two different files of one name in the run's directory: one would hide the other."""
    seen: dict[str, str] = {}
    for analysis in analyses:
        names_here: set[str] = set()
        scripts = [
            script.file for script in (analysis.pre_process, analysis.post_process) if script is not None
        ]
        inputs = [task.source for task in analysis.input_files if isinstance(task.source, LocalFile)]
        for file in (*inputs, *scripts):
            is_script = any(file is script for script in scripts)
            is_again = file.name in names_here and not is_script
            if is_again or seen.setdefault(file.name, file.sha256) != file.sha256:
                message = f"two files have the name '{file.name}'"
                hint = "rename one of them: both go into the run's directory"
                report.error("E309", message, _place_naming(section, file.name), hint)
            elif file.name not in names_here:
                tell_reserved(file.name, f"'{file.name}'", _place_naming(section, file.name), report)
            names_here.add(file.name)


def _check_paths_of_inputs(section: Items, analyses: list[Analysis], report: Report) -> None:
    """Archives and folders that bring a file which another input brings too: the later one counts."""
    for analysis in analyses:
        brought: dict[str, tuple[str, str]] = {}
        for entry in analysis.input_files:
            if not isinstance(entry.source, LocalFile):
                continue
            name = entry.source.name
            is_unpacked = entry.decompress and bool(entry.source.members)
            paths = dict(entry.source.paths if is_unpacked else [(name, entry.source.sha256)])
            again = [
                path
                for path, digest in paths.items()
                if brought.get(path, ("", digest))[1] != digest and brought[path][0] != name
            ]
            if again:
                more = f" and {len(again) - 1} more" if len(again) > 1 else ""
                message = f"'{again[0]}'{more} comes from '{brought[again[0]][0]}' and from '{name}'"
                place = _place_naming(section, name)
                report.warning("E322", message, place, "the later one counts; leave one of them out")
            brought |= {path: (name, digest) for path, digest in paths.items()}


def _place_naming(section: Items, name: str) -> Place:
    places = [node.place for node in _scalars(section) if posixpath.basename(node.text) == name]
    return places[-1] if places else section.place


def _scalars(node: Node) -> Iterable[Scalar]:
    match node:
        case Scalar():
            yield node
        case Items(items=items):
            for item in items:
                yield from _scalars(item)
        case Fields(entries=entries):
            for entry in entries.values():
                yield from _scalars(entry.node)
