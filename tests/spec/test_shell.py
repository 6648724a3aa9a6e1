"""Which columns the steps of an analysis name, and which names are the shell's own."""

import pytest

from doe_compiler.spec.shell import named_in

STUDY = """\
doe: 1
study: shell
variables:
  alpha: {levels: [1, 2]}
  beta: {value: 3}
  PATH: {value: 4}
analyses:
  - analysis: {code: user_included}
    command: COMMAND
    hardware: {coreType: emerald}
    MORE
    templates: [{source: in.template, target: in.txt}]
RESPONSES
"""


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("./solve $alpha ${beta}", ["alpha", "beta"]),
        ("./solve \\$alpha \\\\$beta", ["beta"]),
        ("alpha=1; ./solve $alpha", []),
        ("./solve $alpha; alpha=1; echo $alpha", ["alpha"]),
        ("alpha=$alpha ./solve", ["alpha"]),
        ("export alpha=1 beta=2\necho $alpha$beta", []),
        ("for alpha in 1 2; do echo $alpha; done", []),
        ("read -r alpha beta < f; echo $alpha $beta", []),
        ("echo $1 $@ $? $$ $(date) $((1+2)) ${#alpha} ${alpha:-7} ${alpha%.0}", ["alpha"] * 3),
        ("ALPHA=$alpha ./solve", ["alpha"]),
        ("./solve --alpha=$alpha", ["alpha"]),
    ],
)
def test_what_a_text_names_and_does_not_answer_itself(text, names):
    assert [named.name for named in named_in(text)] == names


@pytest.fixture
def names_of(read):
    def _names(command, more="", responses="", files=None):
        text = STUDY.replace("COMMAND", command).replace("MORE", more).replace("RESPONSES", responses)
        reading = read(text, {"in.template": "${alpha} ${beta} ${PATH}", **(files or {})})
        names = reading.spec.analyses[-1].exported_names if reading.spec else None
        return names, [(finding.code, finding.place.line) for finding in reading.findings]

    return _names


def test_commands_scripts_responses_and_environment_count(names_of):
    assert names_of("./solve $alpha") == (("alpha",), [])
    script = {"pre.sh": "#!/bin/sh\necho $beta\n"}
    pre = "preProcess: {script: pre.sh, command: sh pre.sh}"
    assert names_of("./solve", pre, files=script) == (("beta",), [])
    assert names_of("./solve", "envVars: {A: '${alpha}', B: '$$beta'}") == (("alpha",), [])
    assert names_of("./solve", responses="responses: {y: {command: 'echo $beta'}}") == (("beta",), [])
    perl = {"pre.sh": "#!/usr/bin/perl\n$alpha = 1;\n"}
    assert names_of("./solve", pre, files=perl) == ((), [])


def test_a_near_miss_is_told_and_left_to_the_shell(names_of):
    assert names_of("./solve $alhpa") == ((), [("E218", 9)])
    assert names_of("./solve $HOME $unlike_anything") == ((), [])


def test_what_no_shell_can_answer_is_refused(names_of):
    assert names_of("./solve $PATH") == (None, [("E216", 9)])
    assert names_of("'./solve ${alpha?string(\"0.0\")}'") == (None, [("E217", 9)])
    assert names_of("./solve $doe_run") == (None, [("E212", 9)])
    assert names_of("./solve $doe_seed")[0] == ("doe_seed",)


def test_a_finding_in_a_script_has_its_line(names_of):
    script = {"pre.sh": "true\necho ${PATH}\n"}
    found = names_of("./solve", "preProcess: {script: pre.sh, command: sh pre.sh}", files=script)
    assert found == (None, [("E216", 2)])


def test_a_variable_that_only_a_command_names_is_used(read):
    text = STUDY.replace("COMMAND", "./solve $alpha").replace("MORE", "").replace("RESPONSES", "")
    reading = read(text, {"in.template": "${PATH} ${beta}"})
    assert reading.spec is not None


def test_an_environment_variable_does_not_hide_a_variable(names_of):
    assert names_of("./solve $alpha", "envVars: {alpha: '$beta'}")[1] == [("E220", 11)]
    assert names_of("./solve $alpha", "envVars: {alpha: '7'}")[0] is None


@pytest.mark.parametrize(
    ("command", "codes"),
    [
        ("printf 'x = $alpha'", ["E221"]),
        ("cat > f <<'EOF'\n      dt = $alpha\n      EOF", ["E221"]),
        ('printf "x = $alpha"', []),
        ("printf 'x = $alpha'; echo $alpha", []),
        ("cat > f <<EOF\n      dt = $alpha\n      EOF", []),
        ('echo "it\'s" $alpha', []),
    ],
)
def test_a_variable_that_only_stands_in_single_quotes_is_told(read, command, codes):
    text = STUDY.replace("COMMAND", "|\n      " + command).replace("MORE", "").replace("RESPONSES", "")
    reading = read(text, {"in.template": "${PATH} ${beta}"})
    assert [finding.code for finding in reading.findings] == codes
