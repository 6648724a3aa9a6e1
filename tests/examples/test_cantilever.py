"""The CalculiX beam of examples/cantilever against the formulas of beam theory."""

import itertools
import re
import shutil
import subprocess
import sys

import pytest

STEEL = {
    "length": 600,
    "height": 30,
    "width": 20,
    "load": 150,
    "youngs_modulus": 210000,
    "poisson_ratio": 0.3,
}

needs_ccx = pytest.mark.skipif(
    shutil.which("ccx") is None, reason="ccx is not installed: apt-get install calculix-ccx"
)


def levels(variable):
    """The values of an enumerating variable of the study."""
    if variable.get("generator") == "Linspace":
        start, stop, count = variable["start"], variable["stop"], variable["count"]
        return [start + (stop - start) * k / (count - 1) for k in range(count)]
    if variable.get("generator") == "FixedRange":
        return list(range(variable["min"], variable["max"] + 1, variable["increment"]))
    return variable.get("levels") or [variable["value"]]


def with_beam_theory(study, values):
    """Add the study's own expressions, in the order of the file, to the values of a run."""
    for name, variable in study["variables"].items():
        if "expression" in variable:
            values = {**values, name: eval(variable["expression"], {}, values)}
    return values


def design(study):
    """The runs of the study: all combinations that its constraints allow."""
    given = {name: levels(v) for name, v in study["variables"].items() if "expression" not in v}
    for combination in itertools.product(*given.values()):
        values = with_beam_theory(study, dict(zip(given, combination, strict=True)))
        if all(eval(constraint, {}, values) for constraint in study["design"]["constraints"]):
            yield values


def shell(command, directory):
    """Run a command of the study as a run does, with this Python."""
    line = command.replace("python3", f"'{sys.executable}'", 1)
    return subprocess.run(
        ["/bin/sh", "-c", line], cwd=directory, capture_output=True, text=True, timeout=60, check=False
    )


def solve(cantilever, directory, values):
    """Run the steps of the study by hand; return its responses."""
    directory.mkdir(exist_ok=True)
    cantilever.fill(directory, with_beam_theory(cantilever.study, values))
    (analysis,) = cantilever.study["analyses"]
    for script in (analysis["preProcess"]["script"], analysis["postProcess"]["script"]):
        shutil.copy(cantilever.folder / script, directory)
    outputs = []
    for command in (
        analysis["preProcess"]["command"],
        analysis["command"],
        analysis["postProcess"]["command"],
    ):
        done = shell(command, directory)
        assert done.returncode == 0, done.stdout + done.stderr
        outputs.append(done.stdout)
    responses = dict(line.split("\t") for line in outputs[-1].splitlines())
    pattern = cantilever.study["responses"]["delta"]["regex"]
    (responses["delta"],) = re.findall(pattern, (directory / "beam.dat").read_text())
    return {name: float(value) for name, value in responses.items()}


@pytest.fixture(scope="module")
def steel(cantilever, tmp_path_factory):
    """A steel beam, and the folder that it was solved in."""
    directory = tmp_path_factory.mktemp("steel")
    return solve(cantilever, directory, STEEL), directory


def test_design_is_small_slender_and_varies_length_section_load_and_material(cantilever):
    runs = list(design(cantilever.study))
    assert 24 <= len(runs) <= 48
    assert all(run["length"] >= 10 * run["height"] for run in runs)
    for name in ("length", "height", "width", "load", "youngs_modulus"):
        assert len({run[name] for run in runs}) > 1, name


@needs_ccx
def test_every_run_of_the_design_meets_the_beam_formulas(cantilever, tmp_path):
    names = set()
    for number, run in enumerate(design(cantilever.study)):
        responses = solve(cantilever, tmp_path / str(number), run)
        names |= responses.keys()
        inertia = run["width"] * run["height"] ** 3 / 12
        formula = run["load"] * run["length"] ** 3 / (3 * run["youngs_modulus"] * inertia)
        assert run["delta_beam"] == pytest.approx(formula, rel=1e-12)
        assert responses["delta"] == pytest.approx(formula, rel=0.02), run
        bending = 6 * run["load"] * run["length"] / (run["width"] * run["height"] ** 2)
        assert run["sigma_beam"] == pytest.approx(bending, rel=1e-12)
        assert responses["root_stress"] == pytest.approx(bending, rel=0.02), run
    assert names == cantilever.study["responses"].keys()


@needs_ccx
def test_deflection_is_linear_in_the_load_and_in_the_compliance(cantilever, steel, tmp_path):
    responses, _ = steel
    double = solve(cantilever, tmp_path / "double", {**STEEL, "load": 300})
    soft = solve(cantilever, tmp_path / "soft", {**STEEL, "youngs_modulus": 70000})
    assert double["delta"] == pytest.approx(2 * responses["delta"], rel=1e-5)
    assert soft["delta"] == pytest.approx(3 * responses["delta"], rel=1e-5)
    assert soft["root_stress"] == pytest.approx(responses["root_stress"], rel=1e-4)


@needs_ccx
def test_clamped_end_carries_the_whole_load(steel):
    _, directory = steel
    text = (directory / "beam.dat").read_text()
    forces = re.search(
        r"total force \(fx,fy,fz\) for set ROOT.*\n\s*\n\s*(\S+)\s+(\S+)\s+(\S+)", text
    ).groups()
    assert [float(force) for force in forces] == pytest.approx([0, 0, -STEEL["load"]], abs=1e-3)


@needs_ccx
def test_same_inputs_same_deflection_and_stress(cantilever, steel, tmp_path):
    assert solve(cantilever, tmp_path, STEEL) == steel[0]


@needs_ccx
@pytest.mark.parametrize(
    ("mesh", "message"),
    [(None, "cannot open file mesh.inp"), ("*NODE, NSET=TIP\n1, 0, 0, 0\n", "ERROR")],
)
def test_deck_that_ccx_refuses_fails_the_command(cantilever, tmp_path, mesh, message):
    cantilever.fill(tmp_path, with_beam_theory(cantilever.study, STEEL))
    if mesh:
        (tmp_path / "mesh.inp").write_text(mesh)
    done = shell(cantilever.study["analyses"][0]["command"], tmp_path)
    assert done.returncode != 0
    assert message in done.stdout


def brick_volume(corners):
    """Volume of a box from its eight corners in the order of CalculiX; negative if it is inside out."""
    (ax, ay, az), (bx, by, bz), (dx, dy, dz), (ex, ey, ez) = (corners[k] for k in (0, 1, 3, 4))
    u, v, w = (bx - ax, by - ay, bz - az), (dx - ax, dy - ay, dz - az), (ex - ax, ey - ay, ez - az)
    cross = (u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0])
    return sum(a * b for a, b in zip(cross, w, strict=True))


def test_bricks_fill_the_beam_once(cantilever):
    nodes, elements, root, tip, ends = cantilever.script("mesh").mesh(400, 20, 40)
    volumes = [brick_volume([nodes[number] for number in element[:8]]) for element in elements]
    assert min(volumes) > 0
    assert sum(volumes) == pytest.approx(400 * 20 * 40)
    assert {number for element in elements for number in element} == set(nodes)
    assert {nodes[number][0] for number in root} == {0}
    assert nodes[tip] == (400, 0, 0)
    assert len(ends) == 4


def test_midside_nodes_lie_in_the_middle_of_their_edges(cantilever):
    nodes, elements, *_ = cantilever.script("mesh").mesh(400, 20, 40)
    edges = [(0, 1), (1, 2), (2, 3), (3, 0), (4, 5), (5, 6), (6, 7), (7, 4), (0, 4), (1, 5), (2, 6), (3, 7)]
    for element in elements:
        for middle, (a, b) in enumerate(edges, start=8):
            ends = zip(nodes[element[a]], nodes[element[b]], strict=True)
            assert nodes[element[middle]] == pytest.approx([(p + q) / 2 for p, q in ends])


def test_stress_of_a_linear_moment_is_read_exactly_at_the_root(cantilever):
    height, length, peak = 40.0, 500.0, 75.0
    points = [
        (x, z, -peak * (1 - x / length) * z / (height / 2))
        for x in range(1, 500, 7)
        for z in (-15.8, -4.2, 4.2, 15.8)
    ]
    points += [(1.0, 15.8, 1e6), (499.0, 15.8, 1e6)]  # singular places near both ends
    assert cantilever.script("stress").root_stress(points, height) == pytest.approx(peak)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("length = 400\nwidth = 20\n", "height is missing"),
        ("length = 400\nwidth = 20\nheight = tall\n", "line 3: height = 'tall' is not a number"),
        ("length = -4\nwidth = 20\nheight = 20\n", "line 1: length = -4 is not a length in mm"),
        ("length = inf\nwidth = 20\nheight = 20\n", "line 1: length = inf is not a length in mm"),
        ("length = nan\nwidth = 20\nheight = 20\n", "line 1: length = nan is not a length in mm"),
        ("length = 400\nlength = 400\n", "line 2: expected one line each of length, width, height"),
        ("length 400\n", "line 1: expected one line each of length, width, height"),
        (b"\xff\xfe\x00", "mesh: geometry.txt: "),
        (None, "mesh: geometry.txt: "),
    ],
)
def test_bad_geometry_is_named_and_no_mesh_is_written(cantilever, tmp_path, text, message):
    if text is not None:
        (tmp_path / "geometry.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
    command = [sys.executable, str(cantilever.folder / "mesh.py"), "geometry.txt"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "mesh.inp").exists()


@pytest.mark.parametrize("content", [None, "", "\n displacements (vx,vy,vz)\n\n 5 0 0 0\n", "\x00\xff"])
def test_missing_stresses_are_an_error_not_a_number(cantilever, tmp_path, content):
    (tmp_path / "geometry.txt").write_text("length = 400\nwidth = 20\nheight = 20\n")
    if content is not None:
        (tmp_path / "beam.dat").write_text(content, encoding="latin-1")
    command = [sys.executable, str(cantilever.folder / "stress.py")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("stress: ")
