"""The Spec: what the user wrote, typed and checked, with nothing computed."""

import enum
import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from doe_compiler.expressions.syntax import Expression
from doe_compiler.generators.law import Law
from doe_compiler.kernel.findings import Place
from doe_compiler.templates.lowered import Derived, Lowered
from doe_compiler.templates.template import Source, Template, Unlowered

RESERVED_NAMES = ("doe_run", "doe_replicate", "doe_seed", "doe_dollar", "doe_exit")


_DERIVED = re.compile(r"doe_[0-9a-f]{16}", re.ASCII)


def is_generated(name: str) -> bool:
    """Whether a column stands for a part of a template, and is nothing that a person varies or reads."""
    return name == "doe_dollar" or _DERIVED.fullmatch(name) is not None


@dataclass(frozen=True)
class LocalFile:
    """A file that the study names: `path` opens it, `name` is its base name, `content` only if it is small.

    `is_program` says that it begins as a script or a program does.

    `members` is the digest of what an archive unpacks to, whatever its times, owners and order, and `paths` are the
    files that it makes with their SHA-256 (links without); both empty for a file that is no archive.
    """

    path: str
    name: str
    sha256: str
    size: int
    is_executable: bool = False
    content: bytes | None = None
    is_program: bool = False
    members: str = ""
    paths: tuple[tuple[str, str], ...] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True)
class PlatformFile:
    """A file that is on the platform already, by the id that the user wrote."""

    id: str


@dataclass(frozen=True)
class Levels:
    """A categorical or discrete variable; the texts are the cells, in the order written.

    `keeps_text` where they are quoted: then the cells of a table are compared as they are written. `weights` say how
    likely each is where it is drawn, none where all are equally.
    """

    texts: tuple[str, ...]
    keeps_text: bool = False
    weights: tuple[Fraction, ...] = ()


@dataclass(frozen=True)
class Constant:
    """One value for all runs."""

    text: str


@dataclass(frozen=True)
class Formula:
    """A value computed from other variables of the same run."""

    source: str
    expression: Expression


@dataclass(frozen=True)
class FromTable:
    """A variable whose cells come from the table of `method: table`."""


@dataclass(frozen=True)
class FromCases:
    """A column of the case file: its cells in the order of the cases."""

    texts: tuple[str, ...]


@dataclass(frozen=True)
class Variable:
    """One entry of `variables`; `nominal` is the cell's text.

    `format` is a number format of the template language; `role` the API's variableType, as the API spells
    it (`Param`, `Design`, ...); `dimension` pins that of a sequence.
    """

    name: str
    law: Law | Levels | Constant | Formula | FromTable | FromCases
    place: Place
    unit: str = ""
    nominal: str | None = None
    format: str | None = None
    is_integer: bool = False
    is_text: bool = False
    is_float: bool = False
    role: str = "Param"
    raw: Mapping[str, object] | None = None
    description: str = ""
    dimension: int | None = None

    @property
    def varies(self) -> bool:
        """Whether the design sets it row by row, so that it is part of a row's identity."""
        return not isinstance(self.law, Constant | Formula)


class Sampling(enum.Enum):
    """Who turns generators into rows."""

    COMPILER = "compiler"
    PLATFORM = "platform"


@dataclass(frozen=True)
class Constraint:
    """A condition on a row, over any of its variables."""

    source: str
    expression: Expression
    place: Place


@dataclass(frozen=True)
class Table:
    """The CSV of `method: table`: texts as written, blanks around cells removed; `lines` says where rows begin."""

    file: LocalFile
    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...] = ()


@dataclass(frozen=True)
class Correlation:
    """Rank correlations of variables in file order; `by` is copula, iman-conover, or empty for the method's own way."""

    names: tuple[str, ...]
    matrix: tuple[tuple[Fraction, ...], ...]
    by: str = ""


@dataclass(frozen=True)
class DesignSpec:
    """The `design` section; `method` is never empty, `options` are the keys of the method as they are written.

    `parts` are the designs that the method `combine` unites.
    """

    method: str
    place: Place
    runs: int | None = None
    replicates: int = 1
    iterations: int | None = None
    sampling: Sampling = Sampling.COMPILER
    constraints: tuple[Constraint, ...] = ()
    cross: tuple[str, ...] = ()
    table: Table | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    correlation: Correlation | None = None
    is_randomized: bool = False
    parts: "tuple[DesignSpec, ...]" = ()


@dataclass(frozen=True)
class Hardware:
    """Where an analysis runs; `slots` is the number of runs at a time, `walltime_h` the job's."""

    core_type: str
    cores_per_slot: int = 1
    slots: int = 1
    walltime_h: float | None = None
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True)
class InputFile:
    """A file that every run finds in its work directory; archives are unpacked unless told otherwise."""

    source: LocalFile | PlatformFile
    decompress: bool = True


@dataclass(frozen=True)
class TemplateTask:
    """A template and the path in the run's work directory that it is written to.

    Bytes that are not UTF-8 stand in it as lone surrogates; texts may be put into it as UTF-8 if `takes_utf8`,
    else in its `encoding`, if it names one.
    """

    source: LocalFile
    target: str
    template: Template | Unlowered
    keep: tuple[str, ...] = ()
    takes_utf8: bool = True
    encoding: str = ""
    syntax: str = "platform"

    @property
    def lowered(self) -> Template:
        """The template in the platform's syntax, which a study that is compiled has only."""
        if isinstance(self.template, Unlowered):
            raise TypeError(f"the template {self.source.name} was not lowered")
        return self.template

    @property
    def text_encoding(self) -> str:
        """The encoding of texts that are put into it."""
        return "utf-8" if self.takes_utf8 else self.encoding or "ascii"


@dataclass(frozen=True)
class Script:
    """A pre- or post-processing script and the command that starts it."""

    file: LocalFile
    command: str


@dataclass(frozen=True)
class Analysis:
    """One entry of `analyses`: software, command, files and hardware.

    `shell_names` are the columns that its steps name, as `$alpha` or `${alpha}`; `measured_names` those that only
    commands of responses name, which change no run.
    """

    code: str
    version: str | None
    command: str
    hardware: Hardware
    place: Place
    run_timeout_s: int | None = None
    input_files: tuple[InputFile, ...] = ()
    templates: tuple[TemplateTask, ...] = ()
    env_vars: Mapping[str, str] | None = None
    pre_process: Script | None = None
    post_process: Script | None = None
    use_mpi: bool = False
    use_rescale_license: bool = False
    raw: Mapping[str, object] | None = None
    shell_names: tuple[str, ...] = ()
    measured_names: tuple[str, ...] = ()

    @property
    def exported_names(self) -> tuple[str, ...]:
        """The columns that are variables of the shell."""
        return (*self.shell_names, *self.measured_names)

    @property
    def named_columns(self) -> frozenset[str]:
        """The columns that reach a run here, by a template, by a step or by a response's command."""
        return frozenset(self.exported_names).union(*(task.template.names for task in self.templates))


class Goal(enum.Enum):
    """What is wanted of a response."""

    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"


class Take(enum.Enum):
    """Which of several matches counts."""

    FIRST = "first"
    LAST = "last"
    MIN = "min"
    MAX = "max"
    MEAN = "mean"


@dataclass(frozen=True)
class RegexExtractor:
    """The first group of a regular expression's matches in a file of the run."""

    file: str
    regex: str
    take: Take = Take.LAST


@dataclass(frozen=True)
class JsonExtractor:
    """A value in a JSON file by its path, such as `forces.drag[0]`."""

    file: str
    path: str


@dataclass(frozen=True)
class CsvExtractor:
    """A column of a CSV file by its header."""

    file: str
    column: str
    take: Take = Take.LAST


@dataclass(frozen=True)
class CommandExtractor:
    """The standard output of a command in the run's work directory."""

    command: str


@dataclass(frozen=True)
class Declared:
    """Printed by the user's own post-processing script."""


Extractor = RegexExtractor | JsonExtractor | CsvExtractor | CommandExtractor | Declared


@dataclass(frozen=True)
class Response:
    """A measured output of every run; `minimum` and `maximum` are constraints on it."""

    name: str
    extractor: Extractor
    place: Place
    unit: str = ""
    goal: Goal | None = None
    minimum: float | None = None
    maximum: float | None = None
    required: bool = True
    description: str = ""


def files_read(responses: Iterable[Response]) -> tuple[str, ...]:
    """The paths in a run that responses read, each once, as they are from the run's directory."""
    extractors = (response.extractor for response in responses)
    files = (e.file for e in extractors if isinstance(e, RegexExtractor | JsonExtractor | CsvExtractor))
    return tuple(dict.fromkeys(map(posixpath.normpath, files)))


@dataclass(frozen=True)
class Share:
    """A person who is to see the jobs."""

    email: str
    message: str = ""


@dataclass(frozen=True)
class JobSpec:
    """The `job` section."""

    is_low_priority: bool = False
    expected_run_hours: float | None = None
    case_file: LocalFile | PlatformFile | None = None
    runs_per_job: int | None = None
    include_nominal_run: bool = False
    is_template_dry_run: bool = False
    resource_filters: tuple[Mapping[str, object], ...] | None = None
    share: tuple[Share, ...] = ()
    tags: tuple[str, ...] = ()
    raw: Mapping[str, object] | None = None


@dataclass(frozen=True)
class Limits:
    """What the study must not exceed; None is no limit. `cost` is in the platform's currency."""

    runs: int | None = None
    core_hours: float | None = None
    cost: float | None = None
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Policy:
    """The rules of a team; what is None is free. Patterns, in which `*` is any text, stand with their places."""

    limits: Limits | None = None
    core_types: tuple[tuple[str, Place], ...] | None = None
    analyses: tuple[tuple[str, Place], ...] | None = None
    tags: tuple[tuple[str, Place], ...] = ()


@dataclass(frozen=True)
class LoweredTask:
    """How a template of another syntax became the platform's."""

    task: TemplateTask
    source: Source
    lowered: Lowered


@dataclass(frozen=True)
class Spec:
    """A checked study; `lines` keeps the source lines by file, for findings of later stages.

    `lowered` are the templates that were lowered, with the columns that they need.
    """

    study: str
    file: str
    variables: tuple[Variable, ...]
    design: DesignSpec
    analyses: tuple[Analysis, ...]
    seed: int = 0
    description: str = ""
    responses: tuple[Response, ...] = ()
    job: JobSpec = JobSpec()
    limits: Limits = Limits()
    policies: tuple[Policy, ...] = ()
    lowered: tuple[LoweredTask, ...] = ()
    lines: Mapping[str, list[str]] | None = None

    @property
    def varied(self) -> tuple[Variable, ...]:
        """The variables that make a row's identity, in the order of the file."""
        return tuple(variable for variable in self.variables if variable.varies)

    @property
    def derived(self) -> tuple[Derived, ...]:
        """The columns that lowered templates need, each once."""
        columns = {column.name: column for entry in self.lowered for column in entry.lowered.columns}
        return tuple(columns.values())

    @property
    def cases(self) -> tuple[Variable, ...]:
        """The columns of the case file, with which every run of the design is crossed."""
        return tuple(variable for variable in self.variables if isinstance(variable.law, FromCases))
