"""What users and platforms get of a few studies, as text: payloads, parameters, manifest, plan and results.

`pytest tests/cli/test_goldens.py --rewrite-goldens` writes the files of `tests/golden` anew; look at the diff.
"""

import hashlib
import json
import re
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[1] / "golden"
PLAIN = {
    "variables": "  x: {generator: Uniform, min: 0, max: 10, unit: m/s}\n  rho: {value: 1.225, unit: kg/m3}\n"
    "  q: {expression: 'rho * x**2 / 2', format: '0.00', unit: Pa}",
    "design": "{method: latin-hypercube, runs: 4}",
    "deck": 'x = ${x}\nq = ${q} rho = ${rho?string("0.000")}\n',
    "command": "\"awk '{print $3 + 1; exit}' deck.txt > y.txt\"",
    "responses": "  y: {file: y.txt, regex: '(\\S+)', unit: m/s, goal: minimize, max: 9}",
}
ODD = {
    "variables": "  mix: {levels: ['CH4:1, O2:2', \"it's\"]}\n  n: {levels: [9007199254740993, 12]}\n  c: {value: 7}",
    "design": "{replicates: 2}",
    "deck": "mix = ${mix}\nn = ${n} seed = ${doe_seed}\n",
    "command": '"./tool $c > y.txt"',
    "analysis": "    inputFiles: [tool, case]\n    runTimeout: 90s\n    envVars: {PATH: '$PWD:$PATH', N: '${n}'}\n"
    "    preProcess: {script: pre.sh, command: sh pre.sh}\n    postProcess: {script: post.sh, command: sh post.sh}",
    "responses": "  y: {file: y.txt, regex: '(\\S+)'}\n  p: {}",
    "rest": "job: {caseFile: cases.csv}",
}
STEPS = {
    "variables": "  x: {levels: [1, 2], role: design}\n  note: {levels: ['a, b', plain]}\n  c: {value: 2.50, format: '0.0'}",
    "design": "{}",
    "deck": "x = ${x} c = ${c} $${HOME}\n",
    "command": '"./first > y.txt"',
    "analysis": "    runTimeout: 90s\n    useMpi: true\n    inputFiles: [{path: data.zip, decompress: false}, {id: abcdef}]\n"
    "  - analysis: {code: user_included, version: '2'}\n    command: 'echo \"$note\" >> y.txt'\n"
    "    hardware: {coreType: standard-plus, slots: 3}\n    envVars: {NOTE: '<$note>', COST: '$$5'}\n"
    "    postProcess: {script: post.sh, command: sh post.sh}\n    raw: {flags: {igCv: true}}",
    "responses": "  y: {file: y.txt, regex: '(\\S+)', take: first}\n  z: {command: cat z.txt}\n  p: {}",
    "rest": "job: {runsPerJob: 3, isLowPriority: true, raw: {projectId: p, jobvariables: [{name: p, variableType: Output, displayOrder: 9}]}}",
}
# The script's digest, and that of the payload that names it: they change with every change of how outputs are read.
_GENERATED = re.compile(
    r'((?:doe_post\.sh|jobs/[0-9]+\.json)": \{\s*"sha256": |sha256:)"?[0-9a-f]{64}(?="|/doe_post\.sh)'
)


@pytest.fixture
def golden(request):
    """Compare texts with the files of a folder, or write them."""

    def compare(name: str, texts: dict[str, str]) -> None:
        folder = GOLDEN / name
        if request.config.getoption("--rewrite-goldens"):
            folder.mkdir(parents=True, exist_ok=True)
            for path in folder.iterdir():
                path.unlink()
            for file, text in texts.items():
                (folder / file).write_text(text, encoding="utf-8", newline="\n")
        assert {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()} == texts

    return compare


@pytest.fixture
def studies(study_at):
    """The studies on disk."""
    study_at("plain", **PLAIN)
    odd = study_at("odd", **ODD).parent
    (odd / "tool").write_text('#!/bin/sh\necho "$1$N"\n')
    (odd / "tool").chmod(0o755)
    (odd / "case").mkdir()
    (odd / "case" / "mesh").write_text("mesh\n")
    (odd / "pre.sh").write_text("true\n")
    (odd / "post.sh").write_text('printf "p\\t1.5D-03\\n"\n')
    (odd / "cases.csv").write_text("k\na\nb\n")
    deck = odd / "deck.template"
    deck.write_text(deck.read_text() + "k = ${k}\n")
    steps = study_at("steps", **STEPS).parent
    (steps / "data.zip").write_bytes(b"no archive")
    (steps / "post.sh").write_text('printf "p\\t1\\n"\n')
    return {"plain": odd.parent / "plain", "odd": odd, "steps": steps}


def compiled_texts(folder: Path) -> dict[str, str]:
    """Payload, parameters and manifest of a compiled study, and the small files that were generated."""
    texts = {}
    for path in sorted(folder.rglob("*")):
        is_generated = path.name.startswith("doe_") and path.name != "doe_post.sh"
        if path.is_file() and (path.suffix in {".json", ".csv"} or is_generated):
            texts[path.name] = _GENERATED.sub(r"\1…", path.read_text(encoding="utf-8"))
    parts = json.loads(texts["0001.json"])["jobanalyses"][0]["envVars"]["DOE_PARTS"]
    texts["parts.json"] = json.dumps(json.loads(parts), indent=1, ensure_ascii=False) + "\n"
    return texts


@pytest.mark.parametrize("name", ["plain", "odd", "steps"])
def test_what_is_compiled_is_as_it_was(doe, studies, tmp_path, golden, name):
    done = doe("compile", studies[name], "-o", "out")
    assert done.returncode == 0, done.stderr
    golden(f"{name}-compiled", compiled_texts(tmp_path / "out"))


@pytest.mark.parametrize("name", ["plain", "odd"])
def test_what_is_shown_is_as_it_was(doe, studies, tmp_path, golden, name):
    study = studies[name]
    shown = {}
    planned = doe("plan", study, "--markdown", "plan.md")
    shown["plan-new.txt"], shown["plan-new.md"] = planned.stdout, (tmp_path / "plan.md").read_text()
    assert doe("apply", study, "--yes").returncode == 0
    for form, file in (("table", "results.txt"), ("csv", "results.csv"), ("json", "results.json")):
        shown[file] = doe("results", study, "--format", form).stdout
    yaml = study / "study.yaml"
    yaml.write_text(yaml.read_text().replace("slots: 2", "slots: 1"))
    shown["plan-nothing.txt"] = doe("plan", study).stdout
    yaml.write_text(yaml.read_text().replace("> y.txt", "> y.txt; true").replace("value: 7", "value: 8"))
    shown["plan-changed.txt"] = doe("plan", study).stdout
    golden(f"{name}-shown", {file: anonymous(text, shown["results.json"]) for file, text in shown.items()})


def anonymous(text: str, results: str) -> str:
    """The text without ids and digests that differ from platform to platform."""
    for number, job in enumerate(dict.fromkeys(run["job"] for run in json.loads(results)["runs"]), 1):
        text = text.replace(job, f"JOB{number:03}")
    text = re.sub(r"\S+@localhost", "USER", re.sub(r"\b[0-9a-f]{64}\b", "DIGEST", text))
    return re.sub(r"\.doe/platform/", "DATA/", re.sub(r"(?<![\w.])/[\w./-]*/(?=\.doe/)", "", text))


def test_the_manifest_has_every_file_with_its_digest(doe, study_at, tmp_path):
    out = tmp_path / "out"
    assert doe("compile", study_at(**PLAIN), "-o", out).returncode == 0
    named = json.loads((out / "manifest.json").read_text())["files"]
    written = {str(path.relative_to(out)): path for path in out.rglob("*") if path.is_file()}
    written.pop("manifest.json")
    assert {name: entry["sha256"] for name, entry in named.items()} == {
        name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in written.items()
    }
