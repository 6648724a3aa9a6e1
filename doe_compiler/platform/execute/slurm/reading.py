"""What a task calls at its end: reads the output variables of the runs that have ended, a mark for each."""

import json
import os
import sys
from pathlib import Path

from doe_compiler.extraction.run import run_outcomes
from doe_compiler.extraction.told import printed_lines

WANTED = "reading.json"


def main(home: str, marks: list[str]) -> None:
    """Read the runs of `RUN.ATTEMPT` and leave what they printed in `read-RUN.ATTEMPT`, a whole file or none."""
    folder = Path(home) / "slurm"
    wanted = json.loads((folder / WANTED).read_text(encoding="utf-8"))
    names = [variable["name"] for variable in wanted["variables"]]
    for mark in marks:
        directory = f"{home}/run{mark.partition('.')[0]}"
        outcomes = run_outcomes(directory, wanted["variables"], wanted["seconds"])
        file = folder / "marks" / f"read-{mark}"
        unfinished = file.with_name(f".{file.name}")
        unfinished.write_bytes(printed_lines(zip(names, outcomes, strict=True)))
        os.replace(unfinished, file)  # noqa: PTH105


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
