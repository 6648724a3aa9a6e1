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
    events = [json.loads(line) for line in done.stdout.splitlines()]
    (outputs,) = [event for event in events if event["type"] == "outputs"]
    return outputs["outputs"]["results"]["value"]["runs"]


def zero_lift_angle(camber, position, steps=2000):
    """Thin-aerofoil theory: the mean over theta of slope * (1 - cos theta) of the camber line, in rad."""
    total = 0.0
    for index in range(steps):
        theta = math.pi * (index + 0.5) / steps
        x = (1 - math.cos(theta)) / 2
        side = position if x < position else 1 - position
        total += 2 * camber / side**2 * (position - x) * (1 - math.cos(theta))
    return total / steps * (1 if camber else 0)


def test_the_lift_of_every_section_is_near_thin_aerofoil_theory(doe, tmp_path):
    runs = applied(doe, "airfoil2d", tmp_path)
    assert len(runs) == 40
    for run in runs:
        inputs = {name: float(text) for name, text in run["inputs"].items()}
        slope = 2 * math.pi * (1 + 0.77 * inputs["thickness"])
        zero_lift = zero_lift_angle(inputs["max_camber"], inputs["camber_position"])
        estimate = slope * (math.radians(inputs["alpha"]) - zero_lift)
        assert run["responses"]["Cl"] == pytest.approx(estimate, rel=0.1, abs=0.02), run["inputs"]
        lift = run["responses"]["Cl"] * inputs["dynamic_pressure"] * inputs["chord"]
        assert run["responses"]["lift_per_span"] == pytest.approx(lift, rel=1e-4)


@pytest.mark.skipif(shutil.which("ccx") is None, reason="ccx is not installed: apt-get install calculix-ccx")
def test_every_beam_bends_as_the_formula_says(doe, tmp_path):
    runs = applied(doe, "cantilever", tmp_path)
    assert len(runs) == 36
    for run in runs:
        assert run["state"] == "done"
        assert abs(run["responses"]["delta"]) == pytest.approx(float(run["inputs"]["delta_beam"]), rel=0.02)
