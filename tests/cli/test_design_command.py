"""`doe design`: rows, summary, comparison and picture, as a user runs it."""

import json

import pytest
from click.testing import CliRunner

from doe_compiler.cli.main import main
from doe_compiler.kernel.errors import WrongUsage

STUDY = """doe: 1
study: wing
variables:
  speed: {generator: Uniform, min: 10, max: 30, unit: m/s}
  load: {generator: Uniform, min: 0, max: 1}
  gap: {generator: Uniform, min: 1, max: 2}
design: DESIGN
analyses:
  - analysis: {code: user_included}
    command: echo $speed $load $gap
    hardware: {coreType: standard-plus, coresPerSlot: 2}
job: {expectedRunHours: 0.5}
"""


@pytest.fixture
def doe(tmp_path):
    def _doe(design, *options, code=0):
        path = tmp_path / "study.yaml"
        path.write_text(STUDY.replace("DESIGN", design))
        result = CliRunner().invoke(main, ["design", str(path), *options])
        assert result.exit_code == code, result.output
        return result.stdout

    return _doe


def test_the_rows_are_followed_by_what_the_design_is_like(doe):
    lines = doe("{method: sobol, runs: 8}").splitlines()
    assert len([line for line in lines if line.strip().split("  ")[0].isdigit()]) == 8
    told = "\n".join(lines[lines.index("sobol, 8 runs") :])
    assert "smallest distance" in told
    assert "largest rank correlation" in told
    assert "m/s, 8 different values" in told


def test_a_summary_alone_and_for_machines(doe):
    assert "run  " not in doe("{method: star}", "--summary")
    found = json.loads(doe("{method: star}", "--summary", "--format", "json"))
    assert found["summary"]["runs"] == 7
    assert found["summary"]["ranges"][0] == {
        "name": "speed",
        "unit": "m/s",
        "from": "10",
        "to": "30",
        "different": 3,
    }
    assert "runs" not in found
    assert len(json.loads(doe("{method: star}", "--format", "json"))["runs"]) == 7


def test_a_fraction_shows_its_aliases(doe):
    told = doe("{method: fractional-factorial, generators: [C=AB]}", "--summary")
    assert "Resolution 3: I = ABC" in told
    assert "A = speed, B = load, C = gap" in told
    assert "  A = BC\n" in told


def test_methods_stand_beside_each_other_with_their_cost(doe):
    told = doe("{method: latin-hypercube, runs: 12}", "--compare")
    rows = {line.split()[0]: line.split()[1:] for line in told.splitlines() if line}
    assert rows["latin-hypercube"][:2] == ["12", "12"]
    assert rows["box-behnken"][:2] == ["13", "13"]
    assert rows["sobol"][0] == "12"
    assert "fast: 'runs' (12) is not 3 curves" in told
    found = json.loads(doe("{method: latin-hypercube, runs: 12}", "--compare", "--format", "json"))
    by_name = {row["method"]: row for row in found["methods"]}
    assert by_name["latin-hypercube"]["coreHours"] == 12
    assert "whyNot" in by_name["fast"]
    assert next(iter(by_name)) == "latin-hypercube"


@pytest.mark.parametrize("name", ["a.svg", "a.png", "a.html"])
def test_a_picture_is_written(doe, tmp_path, name):
    doe("{method: sobol, runs: 8}", "--plot", str(tmp_path / name))
    assert (tmp_path / name).stat().st_size > 5000


def test_some_columns_are_drawn(doe, tmp_path):
    doe("{method: sobol, runs: 8}", "--plot", str(tmp_path / "a.svg"), "--columns", "speed,gap")
    text = (tmp_path / "a.svg").read_text()
    assert ">speed<" in text
    assert ">load<" not in text


@pytest.mark.parametrize(
    "options",
    [
        ["--plot", "a.pdf"],
        ["--summary", "--compare"],
        ["--summary", "--format", "csv"],
        ["--plot", "a.svg", "--format", "csv"],
        ["--plot", "a.svg", "-o", "b.txt"],
        ["-o", "b.xlsx"],
        ["--compare", "--derived"],
        ["--summary", "--columns", "speed"],
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path, options):
    (tmp_path / "study.yaml").write_text(STUDY.replace("DESIGN", "{method: sobol, runs: 8}"))
    result = CliRunner().invoke(main, ["design", str(tmp_path), *options])
    assert isinstance(result.exception, WrongUsage)
