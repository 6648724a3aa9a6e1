"""Every example runs from its study to its results on the embedded platform."""

import csv
import io
import json
import math
import shutil
from pathlib import Path

import pytest

from doe_compiler.templates.jinja.environment import DeckEnvironment, rendered
from doe_compiler.templates.jinja.values import Kind, value_of

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


@pytest.mark.skipif(shutil.which("ccx") is None, reason="ccx is not installed: apt-get install calculix-ccx")
def test_every_wall_lets_the_heat_through_that_its_resistances_say(doe, tmp_path):
    runs = applied(doe, "wall", tmp_path)
    assert len(runs) == 9
    assert {run["inputs"]["layers"] for run in runs} == {"1", "3", "5"}
    conductivity = {"mineral_wool": 0.035, "cork": 0.040, "pur_foam": 0.025}
    for run in runs:
        layers, insulation = int(run["inputs"]["layers"]), conductivity[run["inputs"]["insulation"]]
        bricks = (layers + 1) // 2 * 0.115 / 0.77
        insulated = layers // 2 * float(run["inputs"]["thickness"]) / 1000 / insulation
        assert run["responses"]["flux"] == pytest.approx(30 / (bricks + insulated), rel=1e-4), run["inputs"]


def test_the_decks_of_the_walls_are_what_jinja_renders_for_each(doe, tmp_path):
    """The theorem on a whole study: the template by itself, with the values of a run, against what is compiled."""
    folder = ROOT / "examples" / "wall"
    doe("render", folder, "-o", tmp_path / "decks")
    rows = list(csv.DictReader(io.StringIO(doe("design", folder, "--format", "csv").stdout)))
    environment = DeckEnvironment(lambda path: (folder / path).read_text())
    template = environment.from_string((folder / "wall.inp.j2").read_text())
    same = {
        "brick": value_of("115", Kind.BY_CELL, "mm"),
        "inside": value_of("20", Kind.BY_CELL),
        "outside": value_of("-10", Kind.BY_CELL),
    }
    for number, row in enumerate(rows, 1):
        values = {
            "layers": value_of(row["layers"], Kind.BY_CELL),
            "insulation": row["insulation"],
            "thickness": value_of(row["thickness"], Kind.FLOAT, "mm"),
        }
        assert (tmp_path / "decks" / f"run{number}" / "wall.inp").read_text() == rendered(
            template, {**same, **values}
        )
