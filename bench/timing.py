"""Time things side by side: in turn, several times, medians."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence

ROUNDS = 5


def environment() -> dict[str, str]:
    """The environment of a timed process: compiled files are cached, as for any user."""
    kept = dict(os.environ)
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept


def process_s(command: Sequence[str], **more: object) -> float:
    """The wall time of a whole process, in seconds."""
    began = time.perf_counter()
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment(), **more
    )
    return time.perf_counter() - began


def peak_mb(command: list[str]) -> float:
    """The largest resident set of a command's processes, in MB, told by a process of its own."""
    program = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    told = subprocess.run(
        [sys.executable, "-c", program, *command],
        check=True,
        capture_output=True,
        text=True,
        env=environment(),
    )
    unit = 1024 if sys.platform != "darwin" else 1024**2
    return int(told.stdout) / unit


def in_turn(subjects: Mapping[str, Callable[[], float]], rounds: int = ROUNDS) -> dict[str, float]:
    """The median of each subject, run in turn after one round that is not counted."""
    taken: dict[str, list[float]] = {name: [] for name in subjects}
    for number in range(rounds + 1):
        for name, subject in subjects.items():
            seconds = subject()
            if number:
                taken[name].append(seconds)
    return {name: statistics.median(values) for name, values in taken.items()}


def show(title: str, rows: Sequence[tuple[str, str, str, str]]) -> None:
    """Print a table of what, figure, ratio and aim."""
    print(f"\n{title}")
    widths = [max(len(row[index]) for row in rows) for index in range(4)]
    for row in rows:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    sys.stdout.flush()
