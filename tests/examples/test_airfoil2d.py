"""The panel method of examples/airfoil2d against exact solutions, theory and published sections."""

import cmath
import csv
import json
import math
import re
import subprocess
import sys
from itertools import pairwise

import pytest

NOMINAL = {
    "alpha": 4,
    "max_camber": 0.02,
    "camber_position": 0.4,
    "thickness": 0.12,
    "panels": 100,
    "chord": 0.6,
    "speed": 40,
    "density": 1.225,
    "dynamic_pressure": 980.0,
}
# Abbott and von Doenhoff (1959), appendix I, NACA 0012 at zero lift: x in percent of the chord, (v/V)^2
PUBLISHED_0012 = {
    1.25: 1.010, 2.5: 1.241, 5: 1.378, 7.5: 1.402, 10: 1.411, 15: 1.411, 20: 1.399, 25: 1.378,
    30: 1.350, 40: 1.288, 50: 1.228, 60: 1.166, 70: 1.109, 80: 1.044, 90: 0.956,
}  # fmt: skip


@pytest.fixture(scope="module")
def panel2d(airfoil2d):
    return airfoil2d.script("panel2d")


@pytest.fixture(scope="module")
def section(panel2d):
    """The flow about NACA `digits` at an angle in degrees."""

    def flow(digits, alpha, panels=100):
        camber, position, thickness = int(digits[0]) / 100, int(digits[1]) / 10, int(digits[2:]) / 100
        return panel2d.flow(panel2d.naca4(camber, position or 0.4, thickness, panels), alpha)

    return flow


def lift_line(section, digits):
    """Slope per radian at zero lift, and the angle of zero lift in degrees."""
    low, high = section(digits, -6)["Cl"], section(digits, 4)["Cl"]
    return (high - low) / (math.sin(math.radians(4)) + math.sin(math.radians(6))), -6 - 10 * low / (
        high - low
    )


def karman_trefftz(panels, alpha_deg, centre=-0.08 + 0.06j, edge_deg=12.0):
    """Corners of a Karman-Trefftz section of chord 1, its exact lift, and its exact Cp at the corners.

    Milne-Thomson, Theoretical Aerodynamics (1958): z = n ((w + 1)^n + (w - 1)^n) / ((w + 1)^n
    - (w - 1)^n) maps the circle about `centre` through w = 1 onto the section; the stream keeps its speed far off.
    """
    n = 2.0 - math.radians(edge_deg) / math.pi
    radius, start = abs(1 - centre), cmath.phase(1 - centre)
    alpha = math.radians(alpha_deg)
    circulation = 4 * math.pi * radius * math.sin(alpha - start)
    corners, cp = [], []
    for k in range(panels + 1):
        w = centre + radius * cmath.exp(1j * (start - 2 * math.pi * k / panels))
        if k in {0, panels}:
            corners.append(complex(n))
            cp.append(1.0)
            continue
        ratio = ((w - 1) / (w + 1)) ** n
        corners.append(n * (1 + ratio) / (1 - ratio))
        slope = 4 * n * n * ratio / ((w * w - 1) * (1 - ratio) ** 2)
        around = w - centre
        speed = cmath.exp(-1j * alpha) - radius**2 * cmath.exp(1j * alpha) / around**2
        speed += 1j * circulation / (2 * math.pi * around)
        cp.append(1 - abs(speed / slope) ** 2)
    nose = min(corner.real for corner in corners)
    chord = n - nose
    points = [((corner.real - nose) / chord, corner.imag / chord) for corner in corners]
    return points, 2 * circulation / chord, cp


def test_lift_of_a_karman_trefftz_section_is_exact_to_a_thousandth(panel2d):
    for alpha in (-3, 0, 5, 8):
        corners, exact, _ = karman_trefftz(120, alpha)
        result = panel2d.flow(corners, alpha)
        assert result["Cl_circulation"] == pytest.approx(exact, rel=1e-3, abs=5e-4)
        assert result["Cl"] == pytest.approx(exact, rel=3e-3, abs=5e-4)


def test_pressure_of_a_karman_trefftz_section_is_exact_to_a_hundredth(panel2d):
    corners, _, exact = karman_trefftz(160, 4)
    cp = [point[2] for point in panel2d.flow(corners, 4)["cp"]]
    inner = range(8, 153)  # the trailing edge is a corner of the velocity field
    assert max(abs(cp[k] - exact[k]) for k in inner) < 0.015


def test_more_panels_come_closer_to_the_exact_lift(panel2d):
    errors = []
    for panels in (20, 40, 80, 160):
        corners, exact, _ = karman_trefftz(panels, 5)
        errors.append(abs(panel2d.flow(corners, 5)["Cl_circulation"] - exact))
    assert all(fine < 0.5 * coarse for coarse, fine in pairwise(errors)), errors


def test_velocity_of_naca_0012_is_the_published_one(section):
    upper = section("0012", 0, 160)["cp"][80:]
    for percent, published in PUBLISHED_0012.items():
        x = percent / 100
        (x1, _, cp1), (x2, _, cp2) = next(pair for pair in pairwise(upper) if pair[0][0] <= x <= pair[1][0])
        assert 1 - cp1 - (cp2 - cp1) * (x - x1) / (x2 - x1) == pytest.approx(published, rel=0.015), percent


@pytest.mark.parametrize("digits", ["0006", "0012", "0018"])
def test_symmetric_section_at_zero_angle_has_no_lift_and_no_moment(section, digits):
    result = section(digits, 0)
    assert abs(result["Cl"]) < 1e-9
    assert abs(result["Cm"]) < 1e-9
    assert abs(result["Cd_residual"]) < 1e-3


@pytest.mark.parametrize("digits", ["0006", "0009", "0012", "0015", "0018"])
def test_lift_slope_grows_with_thickness_as_theory_says(section, digits):
    slope, _ = lift_line(section, digits)
    assert slope == pytest.approx(2 * math.pi * (1 + 0.77 * int(digits[2:]) / 100), rel=0.012)


def test_lift_slope_of_naca_0012_is_the_inviscid_one(section):
    slope, zero = lift_line(section, "0012")
    assert 6.88 < slope < 6.95
    assert zero == pytest.approx(0, abs=0.01)


# Slope per degree, angle of zero lift and moment in the tunnel: Abbott and von Doenhoff, appendix IV.
# The boundary layer lowers the slope and takes off some of the camber, so the inviscid magnitudes lie above.
@pytest.mark.parametrize(
    ("digits", "slope", "zero", "moment"),
    [("0012", 0.106, 0.0, 0.0), ("2412", 0.105, -2.0, -0.047), ("4412", 0.105, -3.9, -0.093)],
)
def test_measured_sections_lie_just_below_the_inviscid_ones(section, digits, slope, zero, moment):
    computed, computed_zero = lift_line(section, digits)
    assert 1.08 < math.radians(computed) / slope < 1.18
    assert computed_zero == pytest.approx(zero, abs=0.5)
    assert computed_zero <= zero + 1e-6
    assert section(digits, 0)["Cm"] == pytest.approx(moment, abs=0.02)


# Thin aerofoil theory of the 4-digit mean lines: angle of zero lift in degrees, moment about the quarter chord
@pytest.mark.parametrize(("digits", "zero", "moment"), [("2412", -2.077, -0.0531), ("4412", -4.154, -0.1062)])
def test_camber_acts_as_thin_aerofoil_theory_says(section, digits, zero, moment):
    thin = digits[:2] + "04"
    assert lift_line(section, thin)[1] == pytest.approx(zero, rel=0.02)
    assert section(thin, 0)["Cm"] == pytest.approx(moment, rel=0.03)
    assert lift_line(section, digits)[1] == pytest.approx(zero, rel=0.05)
    assert section(digits, 0)["Cm"] == pytest.approx(moment, rel=0.05)


def test_mirrored_angle_mirrors_the_forces(section):
    up, down = section("0012", 5), section("0012", -5)
    assert up["Cl"] == pytest.approx(-down["Cl"], rel=1e-9)
    assert up["Cm"] == pytest.approx(-down["Cm"], rel=1e-9)
    assert up["Cd_residual"] == pytest.approx(down["Cd_residual"], rel=1e-6, abs=1e-12)


def test_section_has_its_thickness_and_its_camber(panel2d):
    corners = panel2d.naca4(0.02, 0.4, 0.12, 200)
    assert corners[0] == corners[-1] == pytest.approx((1, 0))
    area = sum(x2 * y1 - x1 * y2 for (x1, y1), (x2, y2) in pairwise(corners)) / 2
    assert area == pytest.approx(0.685 * 0.12, rel=0.01)  # the integral of the thickness distribution
    symmetric = panel2d.naca4(0, 0.4, 0.12, 200)
    assert max(y for _, y in symmetric) == pytest.approx(0.06, rel=2e-3)
    thin = panel2d.naca4(0.02, 0.4, 0.03, 200)
    mean = [(a[1] + b[1]) / 2 for a, b in zip(thin[100:], thin[100::-1], strict=True)]
    assert max(mean) == pytest.approx(0.02, rel=1e-3)


def corners_of_the_design(study):
    """The lowest and highest of every uniform or triangular variable, the others at one of theirs."""
    ranges = {n: (v["min"], v["max"]) for n, v in study["variables"].items() if "generator" in v}
    names = list(ranges)
    for bits in range(2 ** len(names)):
        yield {name: ranges[name][bits >> k & 1] for k, name in enumerate(names)}


def test_every_corner_of_the_design_is_solved_well(airfoil2d, panel2d):
    bounds = airfoil2d.study["responses"]["Cd_residual"]
    for point in corners_of_the_design(airfoil2d.study):
        shape = panel2d.naca4(point["max_camber"], point["camber_position"], point["thickness"], 100)
        result = panel2d.flow(shape, point["alpha"])
        assert result["Cl"] == pytest.approx(result["Cl_circulation"], abs=0.003), point
        assert bounds["min"] < result["Cd_residual"] < bounds["max"], point


def run(airfoil2d, directory):
    command = [sys.executable, str(airfoil2d.folder / "panel2d.py"), "airfoil.inp"]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=60, check=False)


def test_deck_of_these_tests_has_the_variables_of_the_study(airfoil2d):
    assert NOMINAL.keys() == airfoil2d.study["variables"].keys()


def test_filled_template_runs_and_leaves_every_response(airfoil2d, tmp_path):
    airfoil2d.fill(tmp_path, NOMINAL)
    done = run(airfoil2d, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    forces = json.loads((tmp_path / "forces.json").read_text())
    with (tmp_path / "cp.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == NOMINAL["panels"] + 1
    for response in airfoil2d.study["responses"].values():
        column = response.get("csv")
        values = [row[column] for row in rows] if column else [forces[response["json"]]]
        assert all(math.isfinite(float(value)) for value in values)
    assert forces["lift_per_span"] == pytest.approx(forces["Cl"] * 980 * 0.6)
    assert float(re.search(r"Cl\s+=\s+(\S+)", done.stdout)[1]) == pytest.approx(forces["Cl"], abs=1e-6)


def test_same_deck_same_bytes(airfoil2d, tmp_path):
    outputs = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        airfoil2d.fill(tmp_path / name, NOMINAL)
        run(airfoil2d, tmp_path / name)
        outputs.append([(tmp_path / name / file).read_bytes() for file in ("forces.json", "cp.csv")])
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize(
    ("line", "bad", "message"),
    [
        ("alpha ", "alpha = steep", "airfoil.inp:10: alpha = 'steep' is not a number"),
        ("alpha ", "alpha = nan", "airfoil.inp:10: alpha = nan is not between -20 and 20"),
        ("alpha ", "alpha 4", "airfoil.inp:10: expected 'key = value', got 'alpha 4'"),
        ("alpha ", "", "airfoil.inp: alpha is missing"),
        ("thickness ", "thickness = 12", "airfoil.inp:7: thickness = 12 is not between 0.03 and 0.3"),
        ("panels ", "panels = 101", "airfoil.inp:15: panels = 101 is not an even integer"),
        ("panels ", "panels = 1e999", "airfoil.inp:15: panels = 1e999 is not between"),
        ("panels ", "pannels = 100", "airfoil.inp:15: unknown key 'pannels'"),
        ("chord ", "alpha = 5", "airfoil.inp:12: alpha is given twice"),
        ("chord ", "chord = ${chord}", "airfoil.inp:12: chord = '${chord}' is not a number"),
    ],
)
def test_bad_line_is_named_on_stderr_and_nothing_is_written(airfoil2d, tmp_path, line, bad, message):
    airfoil2d.fill(tmp_path, NOMINAL)
    deck = tmp_path / "airfoil.inp"
    lines = deck.read_text().splitlines()
    deck.write_text("\n".join(bad if text.startswith(line) else text for text in lines))
    done = run(airfoil2d, tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert [path.name for path in tmp_path.iterdir()] == ["airfoil.inp"]


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00binary", b"\x00" * 4096, b"=\n= =\n"])
def test_unreadable_deck_ends_with_exit_code_2(airfoil2d, tmp_path, content):
    if content is not None:
        (tmp_path / "airfoil.inp").write_bytes(content)
    done = run(airfoil2d, tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("panel2d: airfoil.inp")
    assert "Traceback" not in done.stderr
