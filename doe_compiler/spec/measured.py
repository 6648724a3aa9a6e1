"""The files that responses read: there before a run already, or made by nothing that can be seen."""

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from doe_compiler.kernel.findings import Place
from doe_compiler.spec.model import Analysis, CommandExtractor, LocalFile, Response, files_read
from doe_compiler.spec.report import Report

_LOG = "process_output.log"
_OWN_SOFTWARE = "user_included"
_SHORTEST_STEM = 3
_COMMAND_ENDS = re.compile(r"&&|\|\||[;|&\n(){}]")
_SETTING = re.compile(r"[A-Za-z_]\w*=\S*")
# They make no file that is not named to them.
_COMMON = frozenset((
    "[", "awk", "bash", "bc", "cat", "cd", "chmod", "cp", "cut", "date", "echo", "env", "expr", "false",
    "find", "gawk", "grep", "head", "jq", "ln", "ls", "mkdir", "mv", "nawk", "octave", "paste", "perl",
    "printf", "python", "python3", "Rscript", "rm", "sed", "seq", "sh", "sleep", "sort", "tail", "tar",
    "tee", "test", "touch", "tr", "true", "uniq", "wc", "xargs",
))  # fmt: skip


def check_response_files(responses: Sequence[Response], analyses: Sequence[Analysis], report: Report) -> None:
    """Tell of response files that are among the inputs, and of those that nothing mentions."""
    read: dict[str, list[Response]] = defaultdict(list)
    for response in responses:
        for file in files_read([response]):
            read[file].append(response)
    inputs = input_paths(analyses)
    _tell_read_by_commands(responses, inputs, report)
    if not read:
        return
    texts = _all_texts(analyses)
    for file, measured in read.items():
        place, name = measured[0].place, measured[0].name
        if file in inputs:
            source, _ = inputs[file]
            what = f"'{source}' holds '{file}'" if source != file else f"'{file}' is an input"
            message = f"{what}, which the response '{name}' reads"
            hint = "remove it there; a run that leaves it as it is has no value of the response"
            report.warning("E319", message, place, hint)
        elif texts is not None and not _is_mentioned(file, texts):
            _tell_unmade(file, name, place, report)


# What a command may well start or read although no run makes it.
_PROGRAMS = (".py", ".sh", ".bash", ".awk", ".sed", ".pl", ".r", ".m", ".jq", ".jar", ".exe")


def _tell_read_by_commands(
    responses: Sequence[Response], inputs: Mapping[str, tuple[str, str]], report: Report
) -> None:
    """A command that names an input as one of its words reads what the run began with, perhaps, for its result."""
    for response in responses:
        if not isinstance(response.extractor, CommandExtractor):
            continue
        words = re.findall(r"[^\s'\"<>|;&()`]+", response.extractor.command)
        for word in dict.fromkeys(posixpath.normpath(word) for word in words[1:]):
            if word in inputs and not word.lower().endswith(_PROGRAMS):
                message = f"'{word}' is an input, which the command of the response '{response.name}' names"
                hint = "a run that does not write it gives the input for its result"
                report.warning("E319", message, response.place, hint)


def _tell_unmade(file: str, name: str, place: Place, report: Report) -> None:
    message = f"no command, script, template or input mentions '{file}', which the response '{name}' reads"
    report.warning("E320", message, place, "if a program makes it by itself, all is well; else mend the name")


def input_paths(analyses: Sequence[Analysis]) -> Mapping[str, tuple[str, str]]:
    """The inputs' files by their paths in a run, each with the name of the input and the file's SHA-256.

    Results of templates are none.
    """
    found: dict[str, tuple[str, str]] = {}
    for analysis in analyses:
        for task in analysis.input_files:
            if isinstance(task.source, LocalFile):
                for path, sha256 in task.source.paths or ((task.source.name, task.source.sha256),):
                    found[path] = task.source.name, sha256
    targets = (posixpath.normpath(task.target) for analysis in analyses for task in analysis.templates)
    for target in targets:
        found.pop(target, None)
    return found


def _all_texts(analyses: Sequence[Analysis]) -> list[str] | None:
    """Everything that could name a file that a run makes; None if there is more than can be looked through."""
    found: list[str] = []
    for analysis in analyses:
        if analysis.code != _OWN_SOFTWARE or not _is_seen_through(analysis):
            return None
        found += [analysis.command, *(analysis.env_vars or {}).values()]
        for file in _files(analysis):
            content = file.content if isinstance(file, LocalFile) and not file.paths else None
            if content is None or b"\0" in content:
                return None
            found.append(content.decode("utf-8", "replace"))
        for script in (analysis.pre_process, analysis.post_process):
            found += [] if script is None else [script.command]
        found += [task.target for task in analysis.templates]
    return found


def _is_seen_through(analysis: Analysis) -> bool:
    """Whether the command starts only what comes with the study or is known not to make files of its own."""
    own = {file.name for file in _files(analysis) if isinstance(file, LocalFile)}
    own |= {posixpath.normpath(task.target) for task in analysis.templates}
    for part in _COMMAND_ENDS.split(analysis.command):
        words = [word for word in part.split() if not _SETTING.fullmatch(word)]
        if words and words[0] not in _COMMON and posixpath.normpath(words[0]) not in own:
            return False
    return True


def _files(analysis: Analysis) -> Iterator[object]:
    yield from (task.source for task in analysis.input_files)
    yield from (script.file for script in (analysis.pre_process, analysis.post_process) if script is not None)
    yield from (task.source for task in analysis.templates)


def _is_mentioned(file: str, texts: Sequence[str]) -> bool:
    """Whether a text has the file's name, or its stem: `ccx -i beam` writes beam.dat."""
    name = posixpath.basename(file)
    stem = name.split(".")[0]
    wanted = stem if len(stem) >= _SHORTEST_STEM else name
    return name == _LOG or any(wanted in text for text in texts)
