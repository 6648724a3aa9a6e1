"""What designs for sensitivity indices share: runs that come in blocks."""

from collections.abc import Iterator

from doe_compiler.methods.method import Misfit, Task


def multiple_misfits(task: Task, block: int, why: str, least: int = 1) -> Iterator[Misfit]:
    """A number of runs that is no multiple of a block, or fewer than `least` of them: the nearest that is."""
    blocks = max(task.runs // block, least)
    if task.runs != blocks * block:
        above = max(-(-task.runs // block), least)
        nearest = f"{blocks * block:,}" + (f" or {above * block:,}" if above != blocks else "")
        message = f"'runs' ({task.runs:,}) is not {why} of {block:,} runs each" + (
            f", at least {least}" if least > 1 else ""
        )
        yield Misfit(message, f"say runs: {nearest}", "runs")
