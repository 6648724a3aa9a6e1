"""What a pull request needs: findings for the code host, a committed bundle that is checked, hooks, completion."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())


def test_findings_are_told_as_sarif_by_their_paths_in_the_repository(doe, study_at, tmp_path):
    (tmp_path / ".git").mkdir()
    study_at("a b", variables="  x: {generator: Uniform, min: 30, max: 10}")
    study_at("good", name="good")
    done = doe("validate", ".", "--sarif", "found.sarif")
    assert done.returncode == 3
    document = json.loads((tmp_path / "found.sarif").read_text())
    (run,) = document["runs"]
    assert (document["version"], run["tool"]["driver"]["name"]) == ("2.1.0", "doe")
    (result,) = run["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "a%20b/study.yaml", "uriBaseId": "%SRCROOT%"}
    assert place["region"]["startLine"] == 5
    assert place["region"]["endColumn"] > place["region"]["startColumn"]
    assert result["level"] == "error"
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    assert "10" in result["message"]["text"]


def test_a_study_without_findings_gives_an_empty_report(doe, study_at, tmp_path):
    assert doe("validate", study_at("."), "--sarif", "found.sarif").returncode == 0
    assert json.loads((tmp_path / "found.sarif").read_text())["runs"][0]["results"] == []


def test_a_committed_bundle_is_checked_and_left_as_it_is(doe, study_at, tmp_path):
    study = study_at(".")
    assert doe("compile", study, "-o", "bundle").returncode == 0
    same = doe("compile", study, "--check", "bundle")
    assert (same.returncode, same.stdout) == (0, "")
    before = {path: path.read_bytes() for path in (tmp_path / "bundle").rglob("*") if path.is_file()}
    study_at(".", design="{method: monte-carlo, runs: 6}", deck="y = ${x}\n")
    (tmp_path / "bundle" / "note.txt").write_text("mine")
    changed = doe("compile", study, "--check", "bundle")
    assert changed.returncode == 2
    assert "another: jobs/0001.csv" in changed.stdout.splitlines()
    assert "another: manifest.json" in changed.stdout.splitlines()
    assert "too much: note.txt" in changed.stdout.splitlines()
    assert all(path.read_bytes() == content for path, content in before.items())
    nowhere = doe("compile", study, "--check", "nowhere")
    assert nowhere.returncode == 2
    assert "missing: manifest.json" in nowhere.stdout.splitlines()


def test_compile_writes_or_checks(doe, study_at):
    study = study_at(".")
    assert doe("compile", study).returncode == 64
    assert doe("compile", study, "-o", "a", "--check", "a").returncode == 64


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_hooks_run_what_there_is(doe, study_at, hook):
    study_at(".")
    assert doe("compile", ".", "-o", "bundle").returncode == 0
    command, *words = hook["entry"].split()
    assert command == "doe"
    assert doe(*words, *hook.get("args", ["bundle", "."])).returncode == 0
    study_at(".", design="{method: monte-carlo, runs: none}")
    assert doe(*words, *hook.get("args", ["bundle", "."])).returncode == 3


def test_a_shell_completes_commands_and_options(doe):
    assert "_DOE_COMPLETE" in doe("completion", "zsh").stdout
    assert "_DOE_COMPLETE" in doe("completion", "fish").stdout
    script = (
        doe("completion", "bash").stdout
        + '\nCOMP_WORDS=(doe val); COMP_CWORD=1; _doe_completion doe val; echo "${COMPREPLY[@]}"'
        + '\nCOMPREPLY=(); COMP_WORDS=(doe plan --mark); COMP_CWORD=2; _doe_completion doe --mark; echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", script], env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["validate", "--markdown"]
