"""The study that `doe init` writes validates, and its solver runs on what its template says."""

import json
import subprocess
import sys

import pytest

from doe_compiler.spec.model import RegexExtractor
from doe_compiler.spec.read import read_study
from doe_compiler.spec.starter import starter_files


@pytest.fixture
def folder(tmp_path):
    for name, content in starter_files().items():
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return tmp_path


def test_the_starter_has_no_findings(folder):
    reading = read_study(folder / "study.yaml")
    assert reading.findings == ()
    assert reading.spec.study == "projectile"


def test_the_schema_lies_where_the_first_line_says(folder):
    first = (folder / "study.yaml").read_text().splitlines()[0]
    name = first.partition("$schema=")[2]
    assert json.loads((folder / name).read_text())["title"]


@pytest.mark.parametrize("ball", ["golf", "tennis"])
def test_the_solver_runs_and_its_responses_can_be_read(folder, ball):
    import re

    spec = read_study(folder / "study.yaml").spec
    task = spec.analyses[0].templates[0]
    cells = {"speed": "20", "angle": "45", "ball": ball, "g": "9.81"}
    text = "".join(part if isinstance(part, str) else cells[part.name] for part in task.template.segments)
    (folder / task.target).write_text(text)
    subprocess.run([sys.executable, "projectile.py"], cwd=folder, check=True)
    result = json.loads((folder / "result.json").read_text())
    # Without drag a throw at 45 degrees flies v^2/g and rises a quarter of that.
    assert 0.5 * 20**2 / 9.81 < result["distance"] < 20**2 / 9.81
    assert 0 < result["height"] < 20**2 / 9.81 / 4
    extractor = spec.responses[2].extractor
    assert isinstance(extractor, RegexExtractor)
    assert float(re.findall(extractor.regex, (folder / extractor.file).read_text())[-1]) > 1
