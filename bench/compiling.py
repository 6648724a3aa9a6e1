"""Compile a latin-hypercube of 1,000,000 runs x 10 Uniform variables to its CSV.

The reference fills an array of that size with numpy and writes it with polars, the fastest exact writer of
floats among the well-kept libraries (it uses all cores).
"""

import sys
import tempfile
from pathlib import Path

from bench.timing import in_turn, peak_mb, process_s, show

RUNS = 1_000_000
REFERENCE = """
import sys, numpy, polars
array = numpy.random.default_rng(1).random(({runs}, 10)) * 20 + 10
polars.DataFrame(array).write_csv(sys.argv[1])
"""
STUDY = """\
doe: 1
study: large
variables:
{variables}
design: {{method: latin-hypercube, runs: {runs}}}
analyses:
  - analysis: {{code: user_included}}
    command: "true"
    hardware: {{coreType: standard-plus}}
    templates: [{{source: deck.template, target: deck.txt}}]
"""


def write_study(folder: Path, runs: int) -> None:
    names = [f"x{index}" for index in range(10)]
    variables = "\n".join(f"  {name}: {{generator: Uniform, min: 10, max: 30}}" for name in names)
    (folder / "deck.template").write_text("\n".join(f"{name} = ${{{name}}}" for name in names) + "\n")
    (folder / "study.yaml").write_text(STUDY.format(variables=variables, runs=runs))


def main() -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name:
        folder = Path(name)
        write_study(folder, RUNS)
        doe = str(Path(sys.executable).parent / "doe")
        compiling = [doe, "compile", str(folder), "-o", str(folder / "out")]
        csv = [doe, "design", str(folder), "--format", "csv", "-o", str(folder / "design.csv")]
        reference = [sys.executable, "-c", REFERENCE.format(runs=RUNS), str(folder / "reference.csv")]
        taken = in_turn(
            {
                "numpy fill + polars": lambda: process_s(reference),
                "doe design": lambda: process_s(csv),
                "doe compile": lambda: process_s(compiling),
            }
        )
        limit = taken["numpy fill + polars"]
        show(
            f"Latin-hypercube, {RUNS:,} x 10 Uniform, to CSV on a RAM disk (whole processes)",
            [
                ("what", "s", "ratio", "aim"),
                ("numpy fill + polars", f"{limit:.2f}", "1", ""),
                (
                    "doe design --format csv",
                    f"{taken['doe design']:.2f}",
                    f"{taken['doe design'] / limit:.2f}",
                    "2",
                ),
                ("doe compile", f"{taken['doe compile']:.2f}", f"{taken['doe compile'] / limit:.2f}", "2"),
                ("doe compile, peak memory", f"{peak_mb(compiling):.0f} MB", "", "700 MB"),
            ],
        )
