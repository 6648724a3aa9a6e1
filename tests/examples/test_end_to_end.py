"""Every example runs from its study to its results on the embedded platform."""

import json
import math
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def applied(doe, name, tmp_path):
    folder = tmp_path / name
    shutil.copytree(ROOT / "examples" / name, folder, ignore=shutil.ignore_patterns(".doe"))
    done = doe("apply", folder, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["results"]["runs"]


def test_the_lift_of_every_section_is_what_theory_says(doe, tmp_path):
    runs = applied(doe, "airfoil2d", tmp_path)
    assert len(runs) == 40
    for run in runs:
        inputs = {name: float(text) for name, text in run["inputs"].items()}
        slope = 2 * math.pi * (1 + 0.77 * inputs["thickness"])
        zero_lift = -1.3 * math.radians(180 / math.pi) * inputs["max_camber"]
        estimate = slope * (math.radians(inputs["alpha"]) - zero_lift * (1 + inputs["camber_position"]))
        assert run["responses"]["Cl"] == pytest.approx(estimate, abs=0.12), run["inputs"]
        lift = run["responses"]["Cl"] * inputs["dynamic_pressure"] * inputs["chord"]
        assert run["responses"]["lift_per_span"] == pytest.approx(lift, rel=1e-4)


@pytest.mark.skipif(shutil.which("ccx") is None, reason="ccx is not installed: apt-get install calculix-ccx")
def test_every_beam_bends_as_the_formula_says(doe, tmp_path):
    runs = applied(doe, "cantilever", tmp_path)
    assert len(runs) == 36
    for run in runs:
        assert run["state"] == "done"
        assert abs(run["responses"]["delta"]) == pytest.approx(float(run["inputs"]["delta_beam"]), rel=0.02)
