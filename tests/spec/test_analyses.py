"""Analyses, their templates and scripts, and what the templates use."""

import pytest

from doe_compiler.kernel.findings import Severity

STUDY = """doe: 1
study: beam
variables: {x: {levels: [1, 2]}, m: {levels: [a, b]}, c: {value: 3}, s: {expression: c + x}}
analyses:
  - analysis: {code: user_included}
    command: ./solve
    hardware: {coreType: emerald}
    MORE
"""
ALL = "${x} ${m} ${s}"


@pytest.fixture
def read_step(read):
    def _read(more="templates: [{source: t, target: t}]", files=None):
        return read(STUDY.replace("MORE", more), {"t": ALL, "u": "", **(files or {})})

    return _read


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("templates: [{source: t, target: /t}]", ["E310"]),
        ("templates: [{source: t, target: ../t}]", ["E310"]),
        ("templates: [{source: t, target: a/t}, {source: u, target: ./a/t}]", ["E311"]),
        ("templates: [{source: t, target: ./doe_post.sh}]", ["E321"]),
        ("preProcess: {script: process_output.log, command: sh x}", ["E301"]),
        ("templates: [{source: nothing, target: t}]", ["E301"]),
        ("templates: [{source: t, target: t, keep: [1x]}]", ["E107"]),
        ("runTimeout: 20", ["E107"]),
        ("runTimeout: 20 m", ["E107"]),
        ("runTimeout: 0s", ["E107"]),
        ("runTimeout: 5000d", ["E106"]),
        ("preProcess: {script: nothing, command: sh x}", ["E301"]),
        ("preProcess: {script: t, command: ' '}", ["E107"]),
        ("preProcess: {script: t}", ["E102"]),
        ("envVars: {A-B: 1}", ["E201"]),
        ("envVars: {A: true}", ["E103"]),
        ("useMpi: yes", ["E103"]),
        ("templtes: []", ["E101"]),
    ],
)
def test_what_is_wrong_is_one_finding(read_step, codes, more, expected):
    # Without a readable template nothing can be said of what is unused.
    assert [code for code in codes(read_step(more)) if code not in ("E210", "E211")] == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (ALL, []),
        ("${x} ${s}", ["E210"]),
        ("", ["E210", "E210", "E211", "E211"]),
        ("${s} ${m}", []),
        (f"{ALL} ${{doe_seed}} ${{doe_replicate}}", []),
        (f"{ALL} ${{doe_run}}", ["E212"]),
        (f"{ALL} ${{y}}", ["T107"]),
        (ALL + ' ${x?string("0.00")}', []),
        (ALL + ' ${m?string("0.00")}', ["E207"]),
        (b"\x7fELF\0\0", ["E306"]),
        (b"\xff\xfe\0", ["E306"]),
        (b"caf\xe9", ["E210", "E210", "E211", "E211"]),
        (b"x" * (8 * 2**20 + 1), ["E305"]),
    ],
)
def test_templates_use_what_varies(read_step, codes, content, expected):
    assert codes(read_step(files={"t": content})) == expected


def test_an_unused_constant_is_only_told(read_step):
    reading = read_step(files={"t": "${x} ${m}"})
    assert [(f.code, f.severity) for f in reading.findings] == [("E211", Severity.WARNING)] * 2
    assert reading.spec is not None


def test_what_only_a_constraint_reads_is_used_if_it_does_not_vary(read):
    text = STUDY.replace("MORE", "templates: [{source: t, target: t}]")
    reading = read(f"{text}design: {{constraints: [s < 10]}}\n", {"t": "${x} ${m}"})
    assert reading.findings == ()


def test_without_templates_all_runs_are_alike(read_step, codes):
    assert codes(read_step("useMpi: false")).count("E210") == 2


def test_a_placeholder_is_told_in_the_template(read_step, tmp_path):
    reading = read_step(files={"t": f"{ALL}\n  ${{y}}\n"})
    place = reading.findings[0].place
    assert (place.file, place.line, place.column) == (str(tmp_path / "t"), 2, 3)
    assert reading.lines[place.file][1] == "  ${y}"


def test_kept_names_are_left_alone(read_step):
    reading = read_step("templates: [{source: t, target: t, keep: [HOME]}]", {"t": f"{ALL} ${{HOME}}"})
    assert reading.findings == ()
    assert reading.spec.analyses[0].templates[0].keep == ("HOME",)


def test_several_analyses_share_what_they_use(read):
    step = "  - analysis: {code: a}\n    command: b\n    hardware: {coreType: e}\n    templates: [{source: u, target: u}]\n"
    text = STUDY.replace("MORE", "templates: [{source: t, target: t}]") + step
    reading = read(text, {"t": "${x}", "u": "${m} ${c} ${s}"})
    assert reading.findings == ()
    assert [analysis.code for analysis in reading.spec.analyses] == ["user_included", "a"]
