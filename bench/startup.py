"""How long `doe --version` and `doe validate` take, against importing the libraries that they need."""

import sys
from pathlib import Path

from bench.timing import in_turn, process_s, show

DOE = str(Path(sys.executable).parent / "doe")
AIRFOIL = str(Path(__file__).parent.parent / "examples" / "airfoil2d")


def main() -> None:
    python = [sys.executable, "-c"]
    taken = in_turn(
        {
            "import click": lambda: process_s([*python, "import click"]),
            "doe --version": lambda: process_s([DOE, "--version"]),
            "import click, yaml, jsonschema": lambda: process_s([*python, "import click, yaml, jsonschema"]),
            "doe validate": lambda: process_s([DOE, "validate", AIRFOIL]),
        },
        rounds=9,
    )
    rows = [("what", "ms", "ratio", "aim")]
    for name, reference, aim in (
        ("import click", "", ""),
        ("doe --version", "import click", "1.5"),
        ("import click, yaml, jsonschema", "", ""),
        ("doe validate", "import click, yaml, jsonschema", "1.6"),
    ):
        ratio = f"{taken[name] / taken[reference]:.2f}" if reference else ""
        rows.append((name, f"{1000 * taken[name]:.0f}", ratio, aim))
    show("Start-up (whole processes)", rows)
