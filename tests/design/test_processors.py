"""Cells are the same bytes whatever the processor can do, and today's are yesterday's."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from design_studies import GOLDEN_STUDIES, every_csv, golden_csv

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


def features():
    """The processor features that numpy would use here beyond its baseline."""
    core = np._core._multiarray_umath
    return [name for name in core.__cpu_dispatch__ if core.__cpu_features__[name]]


def cells_without(disabled):
    environment = {**os.environ, "NPY_DISABLE_CPU_FEATURES": " ".join(disabled), "PYTHONPATH": str(ROOT)}
    process = subprocess.run(
        [sys.executable, str(HERE / "design_studies.py")],
        env=environment,
        capture_output=True,
        check=True,
        text=True,
    )
    return process.stdout


def test_cells_are_the_same_with_the_processor_s_features_off():
    assert cells_without(features()) == every_csv()


def test_the_features_are_really_off():
    code = (
        "import numpy as np; c = np._core._multiarray_umath;"
        "print([n for n in c.__cpu_dispatch__ if c.__cpu_features__[n]])"
    )
    environment = {**os.environ, "NPY_DISABLE_CPU_FEATURES": " ".join(features())}
    process = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, check=True, text=True
    )
    assert process.stdout.strip() == "[]"


def test_cells_are_the_golden_ones():
    """DOE_REWRITE_GOLDENS=1 writes them anew; a change of a cell buys users' runs again."""
    for name in GOLDEN_STUDIES:
        golden = HERE / "goldens" / f"{name}.csv"
        if os.environ.get("DOE_REWRITE_GOLDENS"):
            golden.write_text(golden_csv(name), encoding="utf-8")
        assert golden_csv(name) == golden.read_text(encoding="utf-8"), name
