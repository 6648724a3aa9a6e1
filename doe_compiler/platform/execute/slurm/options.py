"""What a job's hardware is in options of sbatch."""

import math

from doe_compiler.platform.execute.launcher import JobPlace
from doe_compiler.platform.execute.settings import Settings
from doe_compiler.platform.execute.slurm.arrays import Array


def sbatch_options(place: JobPlace, array: Array, settings: Settings) -> list[str]:
    """The options of an array.

    Of several analyses the first names the core type and how many run at a time, the largest walltime and number of
    cores count.
    """
    analyses = place.form["jobanalyses"]
    hardware = [analysis["hardware"] for analysis in analyses]
    cores = max(each["coresPerSlot"] for each in hardware)
    walltimes = [each["walltime"] for each in hardware if each["walltime"] is not None]
    if any(analysis["useMpi"] for analysis in analyses):
        shape = [f"--ntasks={cores}"]
    else:
        shape = ["--nodes=1", "--ntasks=1", f"--cpus-per-task={cores}"]
    kind = settings.core_type(hardware[0]["coreType"])
    named = {
        "partition": kind.partition,
        "account": kind.account,
        "qos": kind.qos,
        "constraint": kind.constraint,
        "mem": kind.memory,
        "gres": f"gpu:{kind.gpus}" if kind.gpus else "",
        "time": str(math.ceil(max(walltimes) * 60)) if walltimes else "",
    }
    return [
        f"--job-name={array.name}",
        f"--array=1-{len(array.tasks)}%{hardware[0]['slots']}",
        f"--chdir={place.folder}",
        f"--output={place.folder}/slurm/tasks.log",
        "--open-mode=append",
        "--export=NIL",
        "--no-requeue",
        *shape,
        *(f"--{name}={value}" for name, value in named.items() if value),
        *kind.options,
    ]
