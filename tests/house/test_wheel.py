"""The built wheel is whole: installed alone, away from the checkout, it runs a study."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT))
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=True)
    run(str(folder / "venv" / "bin" / "python"), "-m", "pip", "install", "--quiet", str(wheel))
    return folder / "venv" / "bin"


def test_the_wheel_runs_a_study_away_from_the_checkout(installed, tmp_path):
    kept = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    env = {**kept, "HOME": str(tmp_path), "PATH": f"{installed}:{os.environ['PATH']}"}
    run("doe", "init", "study", cwd=tmp_path, env=env)
    run("doe", "apply", "study", "--yes", cwd=tmp_path, env=env)
    table = run("doe", "results", "study", "--format", "csv", cwd=tmp_path, env=env).stdout
    assert table.count(",done,") > 1
    assert '"title"' in run("doe", "schema", cwd=tmp_path, env=env).stdout
