"""What a platform does not offer is a finding of `plan` and `apply`, before anything is made."""

import json

import pytest

STUDY = """\
doe: 1
study: cores
variables: {x: {levels: [1, 2]}}
design: {}
analyses:
  - analysis: {code: user_included}
    command: echo $x > y.txt
    hardware:
      coreType: emerald
      coresPerSlot: 3
responses: {y: {file: y.txt, regex: '(.*)'}}
"""


@pytest.mark.parametrize("is_served", [False, True], ids=["here", "served"])
@pytest.mark.parametrize("verb", [("plan",), ("apply", "--yes")], ids=["plan", "apply"])
def test_a_number_of_cores_that_is_not_offered(doe, serving, tmp_path, verb, is_served):
    (tmp_path / "study.yaml").write_text(STUDY)
    env = serving() if is_served else {}
    on = ("--on", env["RESCALE_API_URL"]) if is_served else ()
    answer = doe(verb[0], "study.yaml", *verb[1:], *on, env=env)
    assert answer.returncode == 3
    assert "study.yaml:10:21  E607  'coresPerSlot' is 3, which 'emerald' does not offer here" in answer.stderr
    assert "hint: it has 1, 2, 4, 8, 16, 18, 36, 72, 144, 288" in answer.stderr
    for what in ("jobs", "files"):
        assert doe(what, "list", "--json", *on, env=env).stdout == ""


def test_what_stands_already_is_not_asked_for(doe, tmp_path):
    study = tmp_path / "study.yaml"
    study.write_text(STUDY.replace("coresPerSlot: 3", "coresPerSlot: 2"))
    assert doe("apply", "study.yaml", "--yes").returncode == 0
    assert doe("plan", "study.yaml").returncode == 0
    (job,) = [json.loads(line) for line in doe("jobs", "list", "--json").stdout.splitlines()]
    assert job["jobStatus"]["content"] == "Completed"


def test_a_core_type_that_the_platform_does_not_name_may_have_any(doe, tmp_path):
    (tmp_path / "study.yaml").write_text(STUDY.replace("emerald", "of-our-own"))
    assert doe("plan", "study.yaml").returncode == 0
