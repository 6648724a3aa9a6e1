"""The form of a stored job, read once: what the executor and the answers need of it, under names of their own.

`api/jobform.py` checks what a client sends and gives it the shape that is stored; this reads that shape back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Hardware:
    """What an analysis runs on; `slots` is how many runs at a time, `walltime_h` the hours of the job."""

    core_type: str
    cores_per_slot: int
    slots: int
    walltime_h: float | None


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that every run begins with; an archive is unpacked if `decompress`."""

    id: str
    decompress: bool


@dataclass(frozen=True, slots=True)
class TemplateTask:
    """A template, and the path in a run's directory that it is written to."""

    template_id: str
    target: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """One analysis of a job; scripts are files that every run begins with, or None, and commands may be empty."""

    code: str
    command: str
    uses_mpi: bool
    env_vars: Mapping[str, str]
    hardware: Hardware
    input_files: tuple[InputFile, ...]
    template_tasks: tuple[TemplateTask, ...]
    pre_process_script: str | None
    pre_process_command: str
    post_process_script: str | None
    post_process_command: str

    @property
    def scripts(self) -> tuple[str, ...]:
        """The files of the scripts that there are."""
        return tuple(each for each in (self.pre_process_script, self.post_process_script) if each is not None)

    @property
    def file_ids(self) -> tuple[str, ...]:
        """The files that its runs begin with, templates included."""
        inputs = (each.id for each in self.input_files)
        return (*inputs, *(task.template_id for task in self.template_tasks), *self.scripts)


@dataclass(frozen=True, slots=True)
class JobForm:
    """The form of a job.

    Of several analyses the first says the core type and how many runs go at a time; the largest number of cores and
    walltime count. `resource_filters` and `output_reading` are as the API has them.
    """

    analyses: tuple[Analysis, ...]
    param_file: str | None
    case_file: str | None
    resource_filters: Sequence[Mapping[str, str]]
    is_template_dry_run: bool
    output_reading: Mapping[str, Any] | None

    @property
    def core_type(self) -> str:
        """The core type of the first analysis."""
        return self.analyses[0].hardware.core_type

    @property
    def slots(self) -> int:
        """How many runs go at a time, as the first analysis says."""
        return self.analyses[0].hardware.slots

    @property
    def cores_per_run(self) -> int:
        """The most cores that an analysis wants."""
        return max(each.hardware.cores_per_slot for each in self.analyses)

    @property
    def walltime_h(self) -> float | None:
        """The longest walltime in hours, None where no analysis has one."""
        given = (each.hardware.walltime_h for each in self.analyses)
        return max((each for each in given if each is not None), default=None)

    @property
    def uses_mpi(self) -> bool:
        """Whether an analysis is started by MPI."""
        return any(each.uses_mpi for each in self.analyses)

    @property
    def file_ids(self) -> frozenset[str]:
        """All files that the job uses, those that its runs are made from too."""
        tables = (each for each in (self.param_file, self.case_file) if each is not None)
        return frozenset((*tables, *(file for each in self.analyses for file in each.file_ids)))

    @property
    def run_file_ids(self) -> frozenset[str]:
        """The files that its runs begin with."""
        return frozenset(file for each in self.analyses for file in each.file_ids)


def form_of(body: str) -> JobForm:
    """The form of a job's stored body."""
    form = orjson.loads(body)
    return JobForm(
        analyses=tuple(map(_analysis, form["jobanalyses"])),
        param_file=_id(form["paramFile"]),
        case_file=_id(form["caseFile"]),
        resource_filters=tuple(form["resourceFilters"]),
        is_template_dry_run=form["isTemplateDryRun"],
        output_reading=form.get("outputReading"),
    )


def _analysis(form: Mapping[str, Any]) -> Analysis:
    hardware = form["hardware"]
    return Analysis(
        code=form["analysis"]["code"],
        command=form["command"],
        uses_mpi=form["useMpi"],
        env_vars=form["envVars"],
        hardware=Hardware(
            hardware["coreType"], hardware["coresPerSlot"], hardware["slots"], hardware["walltime"]
        ),
        input_files=tuple(InputFile(each["id"], each["decompress"]) for each in form["inputFiles"]),
        template_tasks=tuple(
            TemplateTask(task["templateFile"]["id"], task["processedFilename"])
            for task in form["templateTasks"]
        ),
        pre_process_script=_id(form["preProcessScript"]),
        pre_process_command=form["preProcessScriptCommand"],
        post_process_script=_id(form["postProcessScript"]),
        post_process_command=form["postProcessScriptCommand"],
    )


def _id(reference: Mapping[str, str] | None) -> str | None:
    return None if reference is None else reference["id"]
