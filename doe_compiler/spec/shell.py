"""The columns that the steps of an analysis name: `$alpha` or `${alpha}` in commands, scripts and envVars.

A name that a step sets itself, and one that is no variable, is the shell's. `alpha=1; echo $alpha` names
nothing of the study; `echo $alpha; alpha=1` names `alpha`.
"""

import os.path
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from doe_compiler.kernel.findings import Place, near_miss
from doe_compiler.spec.model import Analysis, CommandExtractor, Response, Script
from doe_compiler.spec.nodes import Fields, Items, Node
from doe_compiler.spec.report import Report

_OF_EVERY_RUN = frozenset({"doe_seed", "doe_replicate"})
_RUN = "doe_run"
_REFERENCE = re.compile(
    r"(?P<escapes>\\*)\$(?:\{[#!]?(?P<braced>[A-Za-z_]\w*)(?P<rest>[^}\s]?)|(?P<plain>[A-Za-z_]\w*))",
    re.ASCII,
)
_OWN = re.compile(
    r"(?:^|(?<=[\s;&|({`]))"
    r"(?:(?P<set>[A-Za-z_]\w*)\+?=(?P<value>[^\s;&|]*)"
    r"|(?:for|select)\s+(?P<loop>[A-Za-z_]\w*)(?=\s)"
    r"|read\s+(?:-\S+\s+)*(?P<read>[A-Za-z_]\w*(?:[ \t]+[A-Za-z_]\w*)*))",
    re.ASCII | re.MULTILINE,
)  # fmt: skip
_OF_THE_SYSTEM = frozenset(
    [
        "HOME",
        "PATH",
        "PWD",
        "OLDPWD",
        "USER",
        "LOGNAME",
        "SHELL",
        "TERM",
        "LANG",
        "LANGUAGE",
        "TMPDIR",
        "TZ",
        "IFS",
        "PS1",
        "PS2",
        "PS4",
        "ENV",
        "HOSTNAME",
        "MAIL",
        "LD_LIBRARY_PATH",
        "LD_PRELOAD",
        "PYTHONPATH",
        "PYTHONHOME",
        "OMP_NUM_THREADS",
        "UID",
        "EUID",
        "PPID",
        "RANDOM",
        "SECONDS",
        "LINENO",
        "SHLVL",
        "OPTARG",
        "OPTIND",
        "BASH",
        "BASH_ENV",
        "BASH_VERSION",
    ]
)
_SYSTEM_PREFIXES = ("RESCALE_", "DOE_", "LC_", "SLURM_", "BASH_")
_ENV_REFERENCE = re.compile(r"\$\$|\$\{(?P<braced>[A-Za-z_]\w*)\}|\$(?P<plain>[A-Za-z_]\w*)", re.ASCII)
_SHEBANG = re.compile(rb"#!.*\b(sh|bash|dash|ksh|zsh)\b")
_STARTS_SHELL = re.compile(r"\s*(\.|source|sh|bash|dash|ksh|zsh)\s")


def is_of_the_system(name: str) -> bool:
    """Whether the shell or the platform gives the name a meaning of its own."""
    return name in _OF_THE_SYSTEM or name.startswith(_SYSTEM_PREFIXES)


@dataclass(frozen=True, slots=True)
class Named:
    """A reference: the name, where it stands in the text, and whether a format of templates follows it."""

    name: str
    offset: int
    is_formatted: bool = False


def named_in(text: str) -> Iterator[Named]:
    """The references of a shell text that it does not answer itself, in their order."""
    own: dict[str, int] = {}
    own_values = []
    for found in _OWN.finditer(text):
        for name in (found["set"] or found["loop"] or found["read"]).split():
            own.setdefault(name, found.start())
        if found["value"]:
            own_values.append((found["set"], *found.span("value")))
    for found in _REFERENCE.finditer(text):
        name = found["braced"] or found["plain"]
        if len(found["escapes"]) % 2:
            continue
        at = found.start()
        is_first = own.get(name, at) >= at or any(
            name == setter and start <= at < end and own[name] + len(setter) + 1 >= start - 1
            for setter, start, end in own_values
        )
        if is_first:
            yield Named(name, at, found["rest"] == "?")


@dataclass(frozen=True, slots=True)
class _Text:
    """A text of a step: its place, and its lines if it is a file of its own."""

    text: str
    place: Place
    file: str = ""
    is_environment: bool = False
    name: str = ""

    def place_of(self, offset: int) -> Place:
        if not self.file:
            return self.place
        line = self.text.count("\n", 0, offset) + 1
        column = offset - self.text.rfind("\n", 0, offset)
        return Place(self.file, line, column)

    def named(self) -> Iterator[Named]:
        if not self.is_environment:
            yield from named_in(self.text)
            return
        for found in _ENV_REFERENCE.finditer(self.text):
            if name := found["braced"] or found["plain"]:
                yield Named(name, found.start())


def with_shell_names(
    analyses: Iterable[Analysis],
    section: Items,
    responses: Collection[Response],
    variables: Collection[str],
    report: Report,
) -> tuple[Analysis, ...]:
    """The analyses, each with the columns that its steps name; findings where a name cannot be had there."""
    analyses = tuple(analyses)
    nodes = [node for node in section if isinstance(node, Fields)]
    found = []
    for index, analysis in enumerate(analyses):
        node = nodes[index] if len(nodes) == len(analyses) else None
        measuring = [
            _Text(response.extractor.command, response.place)
            for response in responses
            if isinstance(response.extractor, CommandExtractor) and index == len(analyses) - 1
        ]
        texts = list(_texts(analysis, node))
        steps = _all_names(texts, variables, report)
        _tell_quoted(analysis, texts, steps, report)
        _tell_hidden(analysis, texts, variables, report)
        measured = [name for name in _all_names(measuring, variables, report) if name not in steps]
        found.append(replace(analysis, shell_names=tuple(steps), measured_names=tuple(measured)))
    return tuple(found)


def _all_names(texts: Iterable[_Text], variables: Collection[str], report: Report) -> dict[str, None]:
    return dict.fromkeys(name for text in texts for name in _names(text, variables, report))


def _tell_hidden(
    analysis: Analysis, texts: Iterable[_Text], variables: Collection[str], report: Report
) -> None:
    """An entry of `envVars` with the name of a variable: the run would have another value than the table."""
    places = {text.name: text.place for text in texts if text.is_environment}
    for name in analysis.env_vars or {}:
        if name in variables:
            message = f"'{name}' in envVars has the name of a variable of the study, and would hide it"
            report.error("E220", message, places.get(name, analysis.place), "rename one of them")


def _tell_quoted(analysis: Analysis, texts: Iterable[_Text], names: Collection[str], report: Report) -> None:
    """A variable that only ever stands in single quotes, and in no template: no shell fills it in there."""
    in_templates = frozenset().union(*(task.template.names for task in analysis.templates))
    open_names: set[str] = set()
    quoted: dict[str, Place] = {}
    for text in texts:
        spans = [] if text.is_environment else quoted_spans(text.text)
        for named in text.named():
            if any(start <= named.offset < end for start, end in spans):
                quoted.setdefault(named.name, text.place_of(named.offset))
            else:
                open_names.add(named.name)
    for name, place in quoted.items():
        if name in names and name not in open_names | in_templates:
            message = f"'${name}' only stands in single quotes, where a shell leaves it as it is"
            hint = f"use double quotes; what the step starts sees {name} as an environment variable"
            report.warning("E221", message, place, hint)


_QUOTED = re.compile(
    r"""\\.|"(?:[^"\\]|\\.)*"|(?P<quote>'[^']*')|"""
    r"""<<-?[ \t]*(?P<mark>['"])(?P<word>\w+)(?P=mark)[^\n]*\n(?P<here>.*?)^[ \t]*(?P=word)$""",
    re.DOTALL | re.MULTILINE,
)


def quoted_spans(text: str) -> list[tuple[int, int]]:
    """Where a shell text is in single quotes, or in a here-document whose mark is quoted."""
    return [
        found.span(group)
        for found in _QUOTED.finditer(text)
        for group in ("quote", "here")
        if found[group] is not None
    ]


def _texts(analysis: Analysis, node: Fields | None) -> Iterator[_Text]:
    def place(key: str, inner: str = "") -> Place:
        section: Node | None = node
        if isinstance(section, Fields) and inner:
            section = section.fields(key)
        return section.place_of(inner or key) if isinstance(section, Fields) else analysis.place

    yield _Text(analysis.command, place("command"))
    for key, script in (("preProcess", analysis.pre_process), ("postProcess", analysis.post_process)):
        if script is not None:
            yield _Text(script.command, place(key, "command"))
            if _is_shell(script):
                shown = os.path.normpath(script.file.path)
                yield _Text((script.file.content or b"").decode(errors="replace"), place(key), shown)
    for name, value in (analysis.env_vars or {}).items():
        yield _Text(value, place("envVars", name), is_environment=True, name=name)


def _is_shell(script: Script) -> bool:
    content = script.file.content or b""
    if content.startswith(b"#!"):
        return _SHEBANG.match(content) is not None
    return script.file.name.endswith((".sh", ".bash")) or _STARTS_SHELL.match(script.command) is not None


def _names(text: _Text, variables: Collection[str], report: Report) -> Iterator[str]:
    told: set[str] = set()
    for named in text.named():
        name = named.name
        if name in told:
            continue
        told.add(name)
        place = text.place_of(named.offset)
        if name == _RUN:
            message = "the number of a run is not part of what it is: growing the study would change it"
            report.error("E212", message, place, "use ${doe_seed}, which stays with the row")
        elif name in _OF_EVERY_RUN:
            yield name
        elif name in variables:
            if is_of_the_system(name):
                message = (
                    f"'{name}' is a variable of the study, and the system gives the name a meaning of its own"
                )
                report.error("E216", message, place, "rename the variable")
            elif named.is_formatted:
                message = f"'${{{name}?…' is a format of templates, which no shell knows"
                hint = f"give the variable a `format`, and write ${{{name}}}"
                report.error("E217", message, place, hint)
            else:
                yield name
        elif not is_of_the_system(name) and (meant := near_miss(name, variables)) is not None:
            message = f"'{name}' is no variable of the study, so it is left to the shell"
            report.warning("E218", message, place, f"did you mean ${meant}?")
