"""What a job's hardware is in options of sbatch."""

import math

from doe_compiler.platform.execute.launcher import JobPlace
from doe_compiler.platform.execute.settings import Settings
from doe_compiler.platform.execute.slurm.arrays import Array


def sbatch_options(place: JobPlace, array: Array, settings: Settings) -> list[str]:
    """The options of an array."""
    form = place.form
    if form.uses_mpi:
        shape = [f"--ntasks={form.cores_per_run}"]
    else:
        shape = ["--nodes=1", "--ntasks=1", f"--cpus-per-task={form.cores_per_run}"]
    kind = settings.core_type(form.core_type)
    named = {
        "partition": kind.partition,
        "account": kind.account,
        "qos": kind.qos,
        "constraint": kind.constraint,
        "mem": kind.memory,
        "gres": f"gpu:{kind.gpus}" if kind.gpus else "",
        "time": "" if form.walltime_h is None else str(math.ceil(form.walltime_h * 60)),
    }
    return [
        f"--job-name={array.name}",
        f"--array=1-{len(array.tasks)}%{form.slots}",
        f"--chdir={place.folder}",
        f"--output={place.folder}/slurm/tasks.log",
        "--open-mode=append",
        "--export=NIL",
        "--no-requeue",
        *shape,
        *(f"--{name}={value}" for name, value in named.items() if value),
        *kind.options,
    ]
