"""How jobs are run on this machine, as its configuration says; `schemas/config.schema.json` describes the keys."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

USER, RUN = "user", "run"
LOCAL = "local"


@dataclass(frozen=True, slots=True)
class CoreType:
    """The options of sbatch for a core type; empty means that nothing is said."""

    partition: str = ""
    account: str = ""
    qos: str = ""
    constraint: str = ""
    memory: str = ""
    gpus: int = 0
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SlurmSettings:
    """`runs` is the folder of run directories, empty for the platform's own; `runs_per_task` 0 is found out."""

    runs: str = ""
    runs_per_task: int = 0
    mpi: str = "mpirun"
    poll_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of an executor; `prologues` are shell commands by analysis code."""

    executor: str = LOCAL
    home: str = USER
    coretypes: Mapping[str, CoreType] = field(default_factory=dict)
    prologues: Mapping[str, str] = field(default_factory=dict)
    slurm: SlurmSettings = SlurmSettings()
    source: str = "{}"

    @property
    def goes_on_in(self) -> str:
        """What runs the runs whether or not an executor is there; empty where nothing does."""
        return "Slurm" if self.executor == "slurm" else ""

    def core_type(self, code: str) -> CoreType:
        """What a core type means here."""
        return self.coretypes.get(code) or self.coretypes.get("default") or CoreType()

    def on(self, executor: str) -> "Settings":
        """The same with another executor."""
        return replace(
            self, executor=executor, source=json.dumps({**json.loads(self.source), "executor": executor})
        )


def settings_of(content: Mapping[str, Any], *, home: str = USER) -> Settings:
    """The settings of a configuration that fits its schema; `home` counts where it says nothing of that."""
    slurm = content.get("slurm", {})
    whole = {"home": home, **content}
    return Settings(
        executor=whole.get("executor", LOCAL),
        home=whole["home"],
        coretypes={
            code: CoreType(**{**each, "options": tuple(each.get("options", ()))})
            for code, each in content.get("coretypes", {}).items()
        },
        prologues={code: each.get("prologue", "") for code, each in content.get("analyses", {}).items()},
        slurm=SlurmSettings(
            runs=slurm.get("runs", ""),
            runs_per_task=slurm.get("runsPerTask", 0),
            mpi=slurm.get("mpi", "mpirun"),
            poll_s=slurm.get("pollSeconds", 30.0),
        ),
        source=json.dumps(whole),
    )


def settings_from(source: str) -> Settings:
    """The settings that `source` of others tells."""
    return settings_of(json.loads(source))


DEFAULTS = Settings()
