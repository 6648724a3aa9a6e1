"""The whole reading: the language's example, findings of one stage together, no traceback on any input."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doe_compiler.kernel.findings import Severity, has_errors, in_reading_order, rendered
from doe_compiler.spec.codes import CODES
from doe_compiler.spec.model import Formula, Goal, LocalFile, PlatformFile, RegexExtractor, Take
from doe_compiler.spec.read import read_study

WHOLE = r"""doe: 1
study: airfoil2d
description: Lift and drag over a range of free-stream velocities
seed: 7
variables:
  x_velocity: {generator: Uniform, min: 10, max: 30, unit: m/s, nominal: 20}
  y_velocity: {generator: Normal, mean: 0, std: 2, lower: -5, upper: 5, unit: m/s, nominal: 1.50}
  turbulence: {levels: [kEpsilon, kOmegaSST], nominal: kEpsilon, role: design}
  rho:        {value: 1.2250, unit: kg/m3}
  speed:      {expression: "sqrt(x_velocity**2 + y_velocity**2)", format: "0.000"}
design:
  method: monte-carlo
  runs: 64
  replicates: 2
  constraints: ["abs(y_velocity) < x_velocity"]
  cross: [turbulence]
analyses:
  - analysis: {code: openfoam_plus, version: v1706+-intelmpi}
    command: ./airFoil2D/Allrun
    hardware: {coreType: emerald, coresPerSlot: 1, slots: 8, walltime: 2}
    runTimeout: 1h20m
    inputFiles: [mesh.tar, {id: duMEdg}, {path: raw.zip, decompress: false}]
    templates:
      - {source: U.template, target: airFoil2D/0/U, keep: [WM_PROJECT_DIR]}
    envVars: {OMP_NUM_THREADS: "1", SCALE: 1.50}
    preProcess: {script: mesh.sh, command: bash mesh.sh}
    useMpi: false
    raw: {onDemandLicenseSeller: null}
responses:
  Cd: {file: log, regex: 'Cd\s*=\s*(\S+)', take: mean, goal: minimize, max: 2}
job:
  isLowPriority: true
  expectedRunHours: 0.1
  caseFile: null
  includeNominalRun: true
  resourceFilters: []
  share: [{email: team@example.com, message: New airfoil study}]
  raw: {projectId: abc}
limits: {runs: 1000, coreHours: 200, cost: 50}
"""
FILES = {
    "U.template": "${x_velocity} ${y_velocity} ${turbulence} ${rho} ${speed} ${doe_seed} ${WM_PROJECT_DIR}\n",
    "mesh.sh": "echo mesh\n",
    "raw.zip": "not unpacked, so not an archive",
    "mesh.tar": b"\0" * 10240,
}


def test_the_whole_language_becomes_a_spec(read):
    reading = read(WHOLE, FILES)
    assert reading.findings == ()
    spec = reading.spec
    assert spec is not None
    assert [v.name for v in spec.variables] == ["x_velocity", "y_velocity", "turbulence", "rho", "speed"]
    assert [v.nominal for v in spec.varied] == ["20", "1.5", "kEpsilon"]
    assert spec.variables[2].role == "Design"
    assert spec.variables[3].law.text == "1.225"
    assert isinstance(spec.variables[4].law, Formula)
    assert (spec.design.method, spec.design.runs, spec.design.replicates) == ("monte-carlo", 64, 2)
    assert spec.design.cross == ("turbulence",)
    analysis = spec.analyses[0]
    assert analysis.run_timeout_s == 4800
    assert analysis.env_vars == {"OMP_NUM_THREADS": "1", "SCALE": "1.50"}
    assert analysis.raw == {"onDemandLicenseSeller": None}
    sources = [task.source for task in analysis.input_files]
    assert [type(source) for source in sources] == [LocalFile, PlatformFile, LocalFile]
    assert (sources[0].name, len(sources[0].members)) == ("mesh.tar", 64)
    assert analysis.templates[0].source.content == FILES["U.template"].encode()
    response = spec.responses[0]
    assert response.extractor == RegexExtractor("log", r"Cd\s*=\s*(\S+)", Take.MEAN)
    assert (response.goal, response.maximum) == (Goal.MINIMIZE, 2.0)
    assert spec.job.resource_filters == ()
    assert spec.limits.core_hours == 200.0
    assert spec.lines is not None


def test_the_documented_finding_looks_as_documented(read):
    reading = read(WHOLE.replace("min: 10, max: 30", "min: 30, max: 10"), FILES)
    finding = next(f for f in reading.findings if f.code == "E104")
    assert finding.message == "'max' (10) is not above 'min' (30)"
    shown = rendered(finding, reading.lines).splitlines()
    assert shown[0].endswith("study.yaml:6:50  E104  'max' (10) is not above 'min' (30)")
    assert shown[2].index("^^") == shown[1].index("10,")


def test_shape_and_meaning_are_told_together_in_reading_order(read):
    text = (
        WHOLE.replace("seed: 7", "sed: 7")
        .replace("min: 10, max: 30", "min: 30, max: 10")
        .replace("Cd\\s", "(Cd\\s")
    )
    reading = read(
        text.replace("walltime: 2", "walltime: -2").replace("rho:        {value: 1.2250", "rho: {value: 012"),
        FILES,
    )
    codes = [finding.code for finding in reading.findings]
    assert codes == ["E101", "E104", "E010", "E106", "E117"]
    assert list(reading.findings) == in_reading_order(reading.findings)
    assert reading.spec is None


def test_a_number_that_is_ambiguous_is_told_once(read):
    reading = read(WHOLE.replace("min: 10,", "min: 010,"), FILES)
    assert [finding.code for finding in reading.findings] == ["E010"]


def test_warnings_leave_a_spec(read):
    reading = read(WHOLE, {**FILES, "U.template": FILES["U.template"].replace("${rho} ", "")})
    assert [(f.code, f.severity) for f in reading.findings] == [("E211", Severity.WARNING)]
    assert reading.spec is not None


def test_the_file_is_named_as_the_user_named_it(tmp_path, monkeypatch):
    folder = tmp_path / "a"
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    (folder / "study.yaml").write_text(WHOLE.replace("sed:", "seed:"))
    (folder / "U.template").write_text("${x_velocity} ${nothing}")
    monkeypatch.chdir(tmp_path)
    reading = read_study("a/study.yaml")
    assert {finding.place.file for finding in reading.findings} <= {"a/study.yaml", "a/U.template"}
    assert set(reading.lines) == {"a/study.yaml", "a/U.template"}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "E005"),
        (b" \n", "E005"),
        (b"\xef\xbb\xbf", "E005"),
        ("doe: 1".encode("utf-16"), "E003"),
        ("doe: 1".encode("utf-32"), "E003"),
        ("doe: 1".encode("utf-16-le"), "E004"),
        (b"doe: 1\nstudy: \xff\n", "E003"),
        (b"doe: 1\0", "E004"),
        (b"\x1f\x8b\x08\x00", "E004"),
        (b"#" * (8 * 2**20 + 1), "E002"),
        (b"[]", "E103"),
        (b"text", "E103"),
        (b"42", "E103"),
    ],
)
def test_what_is_no_study_is_one_finding(read, content, code):
    reading = read(content)
    assert [finding.code for finding in reading.findings] == [code]
    assert reading.spec is None
    assert rendered(reading.findings[0], reading.lines)


def test_a_byte_order_mark_is_welcome(read):
    assert read(b"\xef\xbb\xbf" + WHOLE.encode(), FILES).findings == ()


def test_windows_line_ends_are_welcome(read):
    assert read(WHOLE.replace("\n", "\r\n"), FILES).findings == ()


def test_a_wrong_byte_is_located(read):
    finding = read(b"doe: 1\nstudy: \xff\n").findings[0]
    assert (finding.place.line, finding.place.column) == (2, 8)
    assert "offset 14" in finding.message


@pytest.mark.parametrize("name", ["nothing.yaml", "folder", "pipe", "loop"])
def test_what_cannot_be_opened_is_one_finding(tmp_path, name):
    import os

    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    reading = read_study(tmp_path / name)
    assert [finding.code for finding in reading.findings] == ["E001"]


def test_validating_imports_nothing_heavy(tmp_path):
    (tmp_path / "study.yaml").write_text("doe: 1")
    program = (
        "import sys; from doe_compiler.spec.read import read_study; read_study(sys.argv[1]);"
        "import json; print(json.dumps(sorted(sys.modules)))"
    )
    root = Path(__file__).parents[2]
    answer = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "study.yaml")],
        cwd=root,
        capture_output=True,
        check=True,
    )
    heavy = {"numpy", "httpx2", "starlette", "sqlite3", "rich", "jinja2", "asyncio"}
    assert heavy.isdisjoint(json.loads(answer.stdout))


def test_every_code_given_has_a_sentence_and_every_sentence_is_used():
    import re

    folder = Path(__file__).parents[2] / "doe_compiler" / "spec"
    sources = [path.read_text() for path in folder.glob("*.py") if path.name != "codes.py"]
    used = {code for source in sources for code in re.findall(r'"(E\d{3})"', source)}
    assert used == set(CODES)


_quiet = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _is_findings_or_spec(reading):
    assert (reading.spec is None) == has_errors(reading.findings)
    for finding in reading.findings:
        assert finding.place is not None
        assert finding.place.line >= 1
        assert rendered(finding, reading.lines)
        assert finding.code[0] == "T" or finding.code in CODES


@_quiet
@given(st.data())
def test_damaged_bytes_give_findings_or_a_spec(read, data):
    content = bytearray(WHOLE.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(content) - 1))
        removed = data.draw(st.sampled_from([0, 1, 5, 60]))
        put = data.draw(
            st.binary(max_size=3) | st.sampled_from([b"\n", b"{", b"]", b": ", b"'", b"- ", b"*a", b"\0"])
        )
        content[position : position + removed] = put
    _is_findings_or_spec(read(bytes(content), FILES))


@_quiet
@given(st.data())
def test_other_values_give_findings_or_a_spec(read, data):
    tokens = [
        "012",
        "''",
        "null",
        "no",
        "[]",
        "{}",
        "-1",
        "0",
        "1e300",
        "1e-300",
        ".nan",
        "[1, a]",
        "{a: 1}",
        "x_velocity",
    ]
    tokens += [
        "99999999999",
        '"a,b"',
        '"\\0"',
        "../x",
        "/etc/passwd",
        "'((('",
        "true",
        "mesh.sh",
        "doe_run",
        "${x}",
    ]
    lines = WHOLE.splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        index = data.draw(st.integers(0, len(lines) - 1))
        parts = lines[index].replace("}", " }").replace("]", " ]").split(" ")
        places = [i for i, part in enumerate(parts) if part and i]
        if places:
            parts[data.draw(st.sampled_from(places))] = data.draw(st.sampled_from(tokens))
        lines[index] = " ".join(parts)
    _is_findings_or_spec(read("\n".join(lines), FILES))


_nodes = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["generator", "min", "levels", "id", "a"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def _containers(node):
    if isinstance(node, dict | list):
        yield node
        for inner in node.values() if isinstance(node, dict) else node:
            yield from _containers(inner)


@_quiet
@given(st.data())
def test_other_structures_give_findings_or_a_spec(read, data):
    import yaml

    tree = yaml.safe_load(WHOLE)
    node = data.draw(st.sampled_from(list(_containers(tree))))
    if isinstance(node, list):
        index = data.draw(st.integers(0, len(node)))
        node[index : index + data.draw(st.integers(0, 1))] = [data.draw(_nodes)]
    else:
        key = data.draw(st.sampled_from([*node, "other", "generator", "levels", "1x"]))
        node[key] = data.draw(_nodes)
        if data.draw(st.booleans()):
            del node[data.draw(st.sampled_from(list(node)))]
    _is_findings_or_spec(read(yaml.safe_dump(tree, sort_keys=False), FILES))


def test_no_control_character_of_a_study_reaches_the_terminal(read):
    (finding, *_) = read('doe: 1\nstudy: "\\e[31mX\\n"\n').findings
    shown = rendered(finding, {})
    assert "\x1b" not in shown
    assert "X\n'" not in shown
