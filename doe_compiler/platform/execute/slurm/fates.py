"""What becomes of a run that a task had begun with, and had not ended when the task was gone: by the task's last state."""

from dataclasses import dataclass

from doe_compiler.platform.execute.launcher import Kind
from doe_compiler.platform.store.states import Reason

MOST_ATTEMPTS = 4
KILLED = -9
OUT_OF_MEMORY = 137


@dataclass(frozen=True, slots=True)
class Fate:
    """How it goes on: the kind of its end, exit status, what its log is told, and the reason of the job's end."""

    kind: Kind
    problem: str = ""
    status: int = 0
    reason: str = ""
    goes_singly: bool = False
    is_cancelled: bool = False


def fate_of(state: str, attempt: int, *, is_first: bool, is_ours: bool) -> Fate:
    """The fate of a run; `is_first`: it had the whole time of its task, `is_ours`: the job was stopped through us."""
    if is_ours:
        return Fate(Kind.CUT_OFF)
    if state.startswith("CANCELLED"):
        problem = "The task of this run was cancelled in Slurm."
        return Fate(Kind.CUT_OFF, problem, reason=Reason.CANCELLED, is_cancelled=True)
    if state in ("TIMEOUT", "DEADLINE"):
        if is_first:
            return Fate(Kind.CUT_OFF, f"The walltime is exceeded ({state} in Slurm).", reason=Reason.WALLTIME)
        return Fate(Kind.AGAIN, goes_singly=True)
    if state == "OUT_OF_MEMORY":
        return Fate(
            Kind.ENDED, "The memory of the task did not suffice (OUT_OF_MEMORY in Slurm).", OUT_OF_MEMORY
        )
    if attempt >= MOST_ATTEMPTS:
        told = state or "unknown to Slurm"
        return Fate(Kind.ENDED, f"The run was interrupted {attempt} times, the last time by: {told}.", KILLED)
    return Fate(Kind.AGAIN)
