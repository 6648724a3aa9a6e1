"""The people whom a study names see each of its jobs, and are told of it once."""

import json

STUDY = """doe: 1
study: shared
variables:
  x: {levels: [1, 2]}
analyses:
  - analysis: {code: user_included}
    command: "true"
    hardware: {coreType: standard-plus, coresPerSlot: 1}
    templates: [{source: deck.t, target: deck}]
job: {share: [{email: Team@example.com, message: look}, {email: team@example.com}, {email: b@example.com}]}
"""


def test_a_job_is_shared_once_with_each_address(doe, tmp_path):
    (tmp_path / "study.yaml").write_text(STUDY)
    (tmp_path / "deck.t").write_text("${x}\n")
    for levels, expected in (("[1, 2]", 1), ("[1, 2]", 1), ("[1, 2, 3]", 2)):
        (tmp_path / "study.yaml").write_text(STUDY.replace("[1, 2]", levels))
        assert doe("apply", "study.yaml", "--yes").returncode == 0
        jobs = [json.loads(line) for line in doe("jobs", "list", "--json").stdout.splitlines()]
        assert [job["sharedWith"] for job in jobs] == [["Team@example.com", "b@example.com"]] * expected
    assert "Nothing to do" in doe("apply", "study.yaml", "--yes").stderr
